// What merge requests are like among the changes of their projects, and their labels.
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using gitaiops::testing::await;

TriagedMergeRequest one(int64_t iid, std::string project = "grp/demo") {
  TriagedMergeRequest out;
  out.instance = "main";
  out.project_id = 42;
  out.iid = iid;
  out.project_path = std::move(project);
  out.title = "Sign in twice";
  out.sha = "abc";
  out.input = "i1";
  out.basis = "1,200 labelled changes";
  auto& t = out.triage;
  t.risk = triage::Risk{triage::Level::high, 93.5, 0.25, true, {"it touches 14 files"}};
  t.size = triage::Size{14, triage::LineCount{300, 20}, 310, triage::Complexity::medium, 81.0};
  t.kind = triage::Kind{triage::Type::bugfix, 0.9, true, triage::Type::refactor};
  t.effort = triage::Effort{1.5, 7, true, std::nullopt};
  t.required_reviews = {{"security", {"it touches how people sign in"}, {"lib/auth.c"}}};
  t.priority = triage::Priority::urgent;
  t.labels = {"risk::high"};
  t.reasons = {"Riskier than 93 %."};
  out.labels = {{"risk::high"}, {"type::bugfix"}, {"a"}, {"b"}};
  out.at = {1000};
  return out;
}

void keep(Store& store, TriagedMergeRequest row) {
  const auto put = await(store.advance("test", 0, {{"k", std::to_string(row.iid), "", kNow}}));
  ASSERT_TRUE(put.ok());
  const auto work = *await(store.lease(kNow, kSecond));
  ASSERT_TRUE(work);
  WorkOutcome outcome;
  outcome.triaged = std::move(row);
  ASSERT_TRUE(await(store.finish(*work, std::move(outcome))).ok());
}

std::size_t told(Store& store) {
  std::size_t out = 0;
  const auto events = await(store.events_after(0, 100)).value();
  for (const auto& event : events)
    if (event.type == "merge_request.triaged" && event.subject == "main/42/7") ++out;
  return out;
}

TEST_P(StoreConformance, ATriagedMergeRequestIsKeptAsItIs) {
  keep(*store, one(7));
  const auto found = await(store->triages().triaged(everything(), "main", 42, 7));
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_EQ(found->title, "Sign in twice");
  EXPECT_EQ(found->sha, "abc");
  EXPECT_EQ(found->input, "i1");
  EXPECT_EQ(found->basis, "1,200 labelled changes");
  EXPECT_EQ(found->at.value, 1000);
  EXPECT_EQ(found->labels, one(7).labels);
  const auto& t = found->triage;
  ASSERT_TRUE(t.risk && t.size && t.size->lines && t.kind && t.effort);
  EXPECT_EQ(t.risk->level, triage::Level::high);
  EXPECT_EQ(t.risk->percentile, 93.5);
  EXPECT_TRUE(t.risk->calibrated);
  EXPECT_EQ(t.risk->reasons, one(7).triage.risk->reasons);
  EXPECT_EQ(t.size->lines->added, 300);
  EXPECT_EQ(t.size->lines_to_read, 310);
  EXPECT_EQ(t.size->complexity, triage::Complexity::medium);
  EXPECT_EQ(t.size->percentile, 81.0);
  EXPECT_EQ(t.kind->type, triage::Type::bugfix);
  EXPECT_EQ(t.kind->other, triage::Type::refactor);
  EXPECT_EQ(t.effort->p80_h, 7);
  EXPECT_FALSE(t.effort->percentile);
  ASSERT_EQ(t.required_reviews.size(), 1u);
  EXPECT_EQ(t.required_reviews[0].files, std::vector<std::string>{"lib/auth.c"});
  EXPECT_EQ(t.priority, triage::Priority::urgent);
  EXPECT_EQ(t.labels, std::vector<std::string>{"risk::high"});
  EXPECT_EQ(await(store->triages().triaged({{"main", "other/*"}}, "main", 42, 7)).error().code(),
            Code::not_found);
}

TEST_P(StoreConformance, WhatIsKnownOfNothingStaysUnknown) {
  auto bare = one(7);
  bare.triage = {};
  keep(*store, bare);
  const auto found = await(store->triages().triaged(everything(), "main", 42, 7)).value();
  EXPECT_FALSE(found.triage.risk || found.triage.size || found.triage.kind || found.triage.effort);
  EXPECT_EQ(found.triage.priority, triage::Priority::normal);
}

TEST_P(StoreConformance, OnlyWhatIsNewOfATriageIsTold) {
  keep(*store, one(7));
  EXPECT_EQ(told(*store), 1u);
  auto again = one(7);
  again.labels.set.push_back("size::medium");
  again.at = {2000};
  keep(*store, again);
  EXPECT_EQ(told(*store), 1u);
  EXPECT_EQ(await(store->triages().triaged(everything(), "main", 42, 7))->labels, one(7).labels)
      << "whoever finds out leaves labels alone";
  again.sha = "def";
  keep(*store, again);
  EXPECT_EQ(told(*store), 2u);
  EXPECT_EQ(await(store->triages().triaged(everything(), "main", 42, 7)).value().sha, "def");
}

TEST_P(StoreConformance, TriagedMergeRequestsArePagedByScopeAndRisk) {
  for (int64_t iid = 1; iid <= 4; ++iid) keep(*store, one(iid));
  auto quiet = one(5, "grp/other");
  quiet.project_id = 43;
  quiet.triage.risk->level = triage::Level::low;
  keep(*store, quiet);
  auto& triages = store->triages();
  const auto first = await(triages.triaged_page(everything(), {}, {"", 2})).value();
  ASSERT_EQ(first.items.size(), 2u);
  EXPECT_EQ(first.items[0].iid, 5);
  const auto next = await(triages.triaged_page(everything(), {}, {first.next, 10})).value();
  ASSERT_EQ(next.items.size(), 3u);
  EXPECT_EQ(next.items[2].iid, 1);
  EXPECT_TRUE(next.next.empty());
  TriageFilter filter;
  filter.least_risk = triage::Level::medium;
  EXPECT_EQ(await(triages.triaged_page(everything(), filter, {"", 10}))->items.size(), 4u);
  filter.project_path = "grp/other";
  EXPECT_TRUE(await(triages.triaged_page(everything(), filter, {"", 10}))->items.empty());
  EXPECT_EQ(await(triages.triaged_page({{"*", "grp/other"}}, {}, {"", 10}))->items.size(), 1u);
}

TEST_P(StoreConformance, LabelsArePlannedWithTheirAuditRecordOrNotAtAll) {
  LabelsOf plan{"main", 42, 7, {{"risk::high"}, {}, {"size::medium"}, {}}};
  AuditRecord audit;
  audit.act = "labels.set";
  audit.outcome = "decided";
  EXPECT_EQ(await(store->triages().plan_labels(plan, audit)).error().code(), Code::not_found);
  EXPECT_TRUE(await(store->audit(10))->empty());
  keep(*store, one(7));
  ASSERT_TRUE(await(store->triages().plan_labels(plan, audit)).ok());
  const auto found = await(store->triages().triaged(everything(), "main", 42, 7)).value();
  EXPECT_EQ(found.labels, plan.labels);
  EXPECT_EQ(await(store->audit(10))->size(), 1u);
}

}  // namespace
}  // namespace gitaiops::store
