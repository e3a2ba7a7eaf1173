// Deliveries, what they lead to, what GitLab is asked about, and work that was given up.
#include <gmock/gmock.h>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class InboxTest : public StoreConformance {
 protected:
  static Delivery delivery(std::string key, int priority = 1, std::string body = "{}") {
    Delivery d;
    d.id = "id-" + key;
    d.instance = "gl";
    d.key = std::move(key);
    d.source = "webhook";
    d.type = "Job Hook";
    d.priority = priority;
    d.received_at = kNow;
    d.body = std::move(body);
    return d;
  }
  bool take(Delivery d) { return *await(store->inbox().accept_delivery(std::move(d))); }
  std::vector<std::string> waiting(std::size_t limit = 100, int64_t bytes = 1 << 20) {
    std::vector<std::string> keys;
    const auto found = *await(store->inbox().waiting_deliveries(limit, bytes));
    for (const auto& d : found) keys.push_back(d.key);
    return keys;
  }
  static Settled settled(const Delivery& d, std::string state = "done") {
    Settled s;
    s.delivery = d;
    s.delivery.state = std::move(state);
    s.delivery.project_id = 7;
    s.delivery.project_path = "grp/app";
    s.at = kNow;
    return s;
  }
  void settle(Settled s) {
    std::vector<Settled> all = {std::move(s)};
    ASSERT_TRUE(await(store->inbox().settle_deliveries(std::move(all))).ok());
  }
  std::vector<std::string> told(uint64_t after) {
    std::vector<std::string> out;
    for (const auto& e : events(after)) out.push_back(e.type + " " + e.subject);
    return out;
  }
};

TEST_P(InboxTest, AKeyIsTakenOnceInItsInstance) {
  EXPECT_TRUE(take(delivery("a")));
  auto again = delivery("a");
  again.id = "other";
  EXPECT_FALSE(take(again));
  again.instance = "gl2";
  EXPECT_TRUE(take(again));
  EXPECT_EQ(*await(store->inbox().count_waiting_deliveries()), 2);
}

TEST_P(InboxTest, WhatWaitsComesByPriorityThenAsItCame) {
  take(delivery("later", 2));
  take(delivery("first", 1));
  take(delivery("second", 1));
  take(delivery("urgent", 0));
  EXPECT_THAT(waiting(), ElementsAre("urgent", "first", "second", "later"));
  EXPECT_THAT(waiting(2), ElementsAre("urgent", "first"));
}

TEST_P(InboxTest, LargeBodiesAreHandedOutAFewAtATime) {
  const std::string large(1000, 'x');
  for (const char* key : {"a", "b", "c"}) take(delivery(key, 1, large));
  EXPECT_THAT(waiting(100, 1500), ElementsAre("a", "b"));
  EXPECT_THAT(waiting(100, 0), ElementsAre("a")) << "never none";
}

TEST_P(InboxTest, BodiesAreKeptByteForByte) {
  std::string body;
  for (int i = 0; i < 70'000; ++i) body += static_cast<char>(i * 7);
  take(delivery("a", 1, body));
  reopen();
  const auto kept = await(store->inbox().delivery("id-a"));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->body, body);
  EXPECT_EQ(kept->bytes, 70'000);
  EXPECT_EQ(await(store->inbox().delivery("none")).error().code(), Code::not_found);
}

TEST_P(InboxTest, ASettledDeliveryLeadsToThingsOnce) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(1, key(41, "grp/app", 7))).ok());
  ASSERT_TRUE(accept(agent, started(2, key(42, "grp/app", 7))).ok());
  const auto before = events().back().number;
  const auto d = delivery("a");
  take(d);
  auto s = settled(d);
  s.ended_jobs = {41, 42, 43};  // 42 runs as far as we know, 43 nobody knows
  s.fetches = {{41, "job.fetch", "gl/41", "{}", kNow}, {43, "job.fetch", "gl/43", "{}", kNow}};
  settle(s);
  EXPECT_THAT(told(before), ElementsAre("job.told " + job_of(41).id));
  const auto work = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(work);
  EXPECT_EQ(work->unique_key, "gl/43") << "41 was reported";
  EXPECT_FALSE(*await(store->lease(kNow, kSecond)));
  settle(s);
  EXPECT_EQ(told(before).size(), 1u) << "it was settled before";
  EXPECT_THAT(waiting(), IsEmpty());
}

TEST_P(InboxTest, AMergeRequestIsToldOfWhereANoteStands) {
  const auto d = delivery("a"), e = delivery("b");
  take(d);
  take(e);
  auto s = settled(d);
  s.merge_request_project = 7;
  s.merge_request_iid = 3;
  settle(s);
  EXPECT_THAT(events(), IsEmpty()) << "nothing stands there that could be wrong";

  ASSERT_TRUE(await(store->advance("c", 0, {{"note.update", "gl/7/3", "{}", kNow}})).ok());
  const auto work = *await(store->lease(kNow, kSecond));
  WorkOutcome outcome;
  outcome.note = Note{"mr/gl/7/3", "gl", 7, "grp/app", "words", 5, kNow};
  ASSERT_TRUE(await(store->finish(*work, outcome)).ok());
  const auto before = events().back().number;
  s.delivery = settled(e).delivery;
  settle(s);
  EXPECT_THAT(told(before), ElementsAre("merge_request.changed gl/7/3"));
}

TEST_P(InboxTest, AMergeRequestIsToldOfWhereItWasTriaged) {
  const auto d = delivery("a");
  take(d);
  ASSERT_TRUE(await(store->advance("c", 0, {{"triage", "gl/7/3", "{}", kNow}})).ok());
  const auto work = *await(store->lease(kNow, kSecond));
  WorkOutcome outcome;
  auto& known = outcome.triaged.emplace();
  known.instance = "gl";
  known.project_id = 7;
  known.iid = 3;
  ASSERT_TRUE(await(store->finish(*work, outcome)).ok());
  const auto before = events().back().number;
  auto s = settled(d);
  s.merge_request_project = 7;
  s.merge_request_iid = 3;
  settle(s);
  EXPECT_THAT(told(before), ElementsAre("merge_request.changed gl/7/3"));
}

TEST_P(InboxTest, AFailedJobWithoutAMergeRequestHearsOfOneAtItsCommit) {
  const auto agent = enroll(everything());
  for (const int64_t job : {41, 42, 43})
    ASSERT_TRUE(accept(agent, reported(job, key(job, "grp/app", 7))).ok());
  const auto say = [&](int64_t job, std::string status, std::string sha) {
    GitlabFacts facts;
    facts.status = std::move(status);
    facts.sha = std::move(sha);
    facts.name = "job " + std::to_string(job);
    ASSERT_TRUE(await(store->set_gitlab_facts(job_of(job).id, 7, facts)).ok());
  };
  say(41, "failed", "abc");
  say(42, "success", "abc");
  say(43, "failed", "def");
  const auto before = events().back().number;
  const auto d = delivery("a");
  take(d);
  auto s = settled(d);
  s.merge_request_project = 7;
  s.merge_request_iid = 3;
  s.sha = "abc";
  settle(s);
  EXPECT_THAT(told(before), ElementsAre("job.told " + job_of(41).id));
}

TEST_P(InboxTest, ListsArePagedAndFiltered) {
  for (int i = 0; i < 5; ++i) take(delivery("k" + std::to_string(i)));
  settle(settled(delivery("k2"), "ignored"));
  const auto first = *await(store->inbox().deliveries({}, {"", 3}));
  ASSERT_EQ(first.items.size(), 3u);
  EXPECT_EQ(first.items[0].key, "k4");
  EXPECT_TRUE(first.items[0].body.empty());
  const auto second = *await(store->inbox().deliveries({}, {first.next, 3}));
  EXPECT_EQ(second.items.size(), 2u);
  EXPECT_TRUE(second.next.empty());
  DeliveryFilter ignored;
  ignored.state = "ignored";
  EXPECT_EQ(await(store->inbox().deliveries(ignored, {"", 50}))->items.size(), 1u);
  EXPECT_FALSE(await(store->inbox().deliveries({}, {"x", 50})).ok());
  EXPECT_FALSE(await(store->inbox().deliveries({}, {"", 0})).ok());
}

TEST_P(InboxTest, OldDeliveriesGoButNotThoseThatWait) {
  take(delivery("read"));
  take(delivery("unread"));
  settle(settled(delivery("read")));
  Retention retention;
  retention.deliveries_older_than = kNow;
  ASSERT_TRUE(await(store->sweep(retention)).ok());
  EXPECT_EQ(await(store->inbox().deliveries({}, {"", 50}))->items.size(), 2u) << "not older";
  retention.deliveries_older_than = kNow + 1;
  ASSERT_TRUE(await(store->sweep(retention)).ok());
  EXPECT_EQ(await(store->inbox().deliveries({}, {"", 50}))->items.size(), 1u);
  EXPECT_THAT(waiting(), ElementsAre("unread"));
}

TEST_P(InboxTest, WhereThereIsNoRoomDeliveriesGoBeforeJobs) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(1, key(41, "grp/app", 7))).ok());
  std::string noise;
  for (uint64_t i = 0, x = 1; i < 200'000; ++i)
    noise += static_cast<char>((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
  for (int i = 0; i < 400; ++i) {
    const auto d = delivery(std::to_string(i), 1, noise.substr(i * 100, 20'000));
    take(d);
    if (i != 7) settle(settled(d));
  }
  Retention retention;
  retention.max_bytes = 4 << 20;
  ASSERT_TRUE(await(store->sweep(retention)).ok());
  EXPECT_LT(await(store->inbox().deliveries({}, {"", 200}))->items.size(), 200u);
  EXPECT_THAT(waiting(), ElementsAre("7"));
  EXPECT_EQ(job_of(41).key.job_id, 41);
}

// ---- Reconciling ----

TEST_P(InboxTest, WhatWasToldIsNotFoundAgain) {
  const auto d = delivery("a");
  take(d);
  auto s = settled(d);
  s.told = {{"merge_request", 3, "opened abc"}, {"pipeline", 9, "failed"}};
  settle(s);
  const std::vector<Told> states = {{"merge_request", 3, "opened abc"},
                                    {"merge_request", 3, "opened def"},
                                    {"pipeline", 9, "failed"},
                                    {"pipeline", 10, "failed"}};
  const auto untold = *await(store->inbox().untold("gl", 7, states));
  ASSERT_EQ(untold.size(), 2u);
  EXPECT_EQ(untold[0].word, "opened def");
  EXPECT_EQ(untold[1].number, 10);
  EXPECT_EQ(await(store->inbox().untold("gl", 8, states))->size(), 4u) << "of another project";
}

TEST_P(InboxTest, ProjectsThatAreActiveAreAskedAboutInTurn) {
  const auto at = [&](int64_t project, UnixMicros time) {
    auto d = delivery("p" + std::to_string(project));
    take(d);
    auto s = settled(d);
    s.delivery.project_id = project;
    s.delivery.project_path = "grp/" + std::to_string(project);
    s.at = time;
    settle(s);
  };
  at(1, kNow);
  at(2, kNow);
  at(3, kNow + -100 * kSecond);
  const auto asked = [&](std::size_t limit = 10) {
    std::vector<int64_t> ids;
    const auto found = *await(store->inbox().places("gl", kNow + -50 * kSecond, limit));
    for (const auto& place : found) ids.push_back(place.project_id);
    return ids;
  };
  EXPECT_THAT(asked(), ElementsAre(1, 2));
  EXPECT_EQ(*await(store->inbox().keep_found("gl", {1, "grp/1", kNow}, {delivery("found")})), 1);
  EXPECT_THAT(asked(), ElementsAre(2, 1)) << "the longest unasked first";
  EXPECT_EQ(*await(store->inbox().keep_found("gl", {1, "grp/1", kNow}, {delivery("found")})), 0)
      << "found before";
  const auto places = *await(store->inbox().places("gl", kNow + -50 * kSecond, 10));
  EXPECT_EQ(places[1].upto, kNow);
  EXPECT_EQ(places[0].upto.value, 0);
}

TEST_P(InboxTest, AJobsProjectIsActive) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(1, key(41, "grp/app", 7))).ok());
  GitlabFacts facts;
  facts.status = "failed";
  ASSERT_TRUE(await(store->set_gitlab_facts(job_of(41).id, 7, facts)).ok());
  const auto places = *await(store->inbox().places("gl", kNow, 10));
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].project_path, "grp/app");
}

// ---- Dead letters, priorities ----

TEST_P(InboxTest, ADeadLetterGoesBackWithItsRecordOrNotAtAll) {
  ASSERT_TRUE(await(store->advance("c", 0, {{"note.update", "gl/7/3", "{\"a\":1}", kNow}})).ok());
  auto work = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(await(store->give_up(*work, "nobody there", {})).ok());
  const auto letters = *await(store->inbox().dead_letters({"", 50}));
  ASSERT_EQ(letters.items.size(), 1u);
  EXPECT_EQ(letters.items[0].why, "nobody there");
  EXPECT_EQ(letters.items[0].attempts, 1);
  const AuditRecord record{kNow, "operator", "work.replay", "", 0, "", "done"};
  const auto id = letters.items[0].id;
  EXPECT_EQ(await(store->inbox().replay_dead_letter(id + 1, record, kNow)).error().code(),
            Code::not_found);
  EXPECT_THAT(*await(store->audit(10)), IsEmpty());
  ASSERT_TRUE(await(store->inbox().replay_dead_letter(id, record, kNow)).ok());
  work = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(work);
  EXPECT_EQ(work->payload, "{\"a\":1}");
  EXPECT_EQ(work->attempts, 1) << "counted anew";
  EXPECT_EQ(await(store->audit(10))->size(), 1u);
  EXPECT_EQ(await(store->queue_stats())->dead, 0);
}

TEST_P(InboxTest, UrgentWorkGoesFirstAndNothingStarves) {
  NewWork slow{"k", "slow", "", kNow, 2}, usual{"k", "usual", "", kNow + 1},
      urgent{"k", "urgent", "", kNow + 2, 0};
  ASSERT_TRUE(await(store->advance("c", 0, {slow, usual, urgent})).ok());
  EXPECT_EQ((*await(store->lease(kNow + 2, kSecond)))->unique_key, "urgent");
  EXPECT_EQ((*await(store->lease(kNow + 2, kSecond)))->unique_key, "usual");
  NewWork more{"k", "more", "", kNow + 400 * kSecond, 0};
  ASSERT_TRUE(await(store->advance("c", 0, {more})).ok());
  EXPECT_EQ((*await(store->lease(kNow + 400 * kSecond, 1000 * kSecond)))->unique_key, "slow")
      << "it has waited for longer than five minutes";
}

TEST_P(InboxTest, WorkThatIsTriedAgainKeepsItsPriority) {
  ASSERT_TRUE(await(store->advance("c", 0, {NewWork{"k", "slow", "", kNow, 2}})).ok());
  const auto work = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(await(store->retry_later(*work, kNow, "not yet", {})).ok());
  ASSERT_TRUE(await(store->advance("c", 0, {NewWork{"k", "usual", "", kNow}})).ok());
  EXPECT_EQ((*await(store->lease(kNow, kSecond)))->unique_key, "usual");
}

INSTANTIATE_TEST_SUITE_P(Every, InboxTest, ::testing::ValuesIn(backends()), backend_name);

}  // namespace
}  // namespace gitaiops::store
