// Five hundred random sequences of calls, each answer compared with a model that fits on two
// screens.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

struct ModelJob {
  std::string path;
  bool reported = false;
};

struct ModelItem {
  int order = 0;
  std::string key, payload;
  int64_t not_before = 0;
  int attempts = 0;
  std::optional<int64_t> lease_until;
  int64_t due() const { return lease_until.value_or(not_before); }
};

struct Model {
  std::map<std::pair<std::string, int64_t>, ModelJob> jobs;  // (instance, job id), in no order
  std::map<std::string, Ids> arrival;                        // instance → job ids as they came
  std::map<std::pair<std::string, uint64_t>, uint64_t> high_water;  // (agent, epoch)
  std::vector<std::string> events;  // types; the i-th has number i + 1
  std::vector<ModelItem> queue;
  std::map<std::string, uint64_t> cursors;
  int64_t dead = 0;
  int next_order = 0;

  void put(const std::string& key, const std::string& payload, int64_t not_before) {
    for (auto& item : queue)
      if (item.key == key && !item.lease_until) {
        item.payload = payload;
        item.not_before = std::min(item.not_before, not_before);
        return;
      }
    queue.push_back({next_order++, key, payload, not_before, 0, std::nullopt});
  }

  ModelItem* lease(int64_t now, int64_t lease_us) {
    ModelItem* best = nullptr;
    for (auto& item : queue) {
      const bool behind =
          !item.lease_until && std::any_of(queue.begin(), queue.end(), [&](const ModelItem& other) {
            return other.key == item.key && other.lease_until;
          });
      if (item.due() > now || behind) continue;
      if (best == nullptr ||
          std::pair(item.due(), item.order) < std::pair(best->due(), best->order))
        best = &item;
    }
    if (best == nullptr) return nullptr;
    ++best->attempts;
    best->lease_until = now + lease_us;
    return best;
  }

  // The item of a lease, taken out of the queue; nullopt when the lease is no longer the newest
  // one.
  std::optional<ModelItem> end(int order, int attempts) {
    for (auto it = queue.begin(); it != queue.end(); ++it)
      if (it->order == order && it->attempts == attempts && it->lease_until) {
        const ModelItem item = *it;
        queue.erase(it);
        return item;
      }
    return std::nullopt;
  }

  void retry(ModelItem item, int64_t not_before) {
    for (auto& other : queue)
      if (other.key == item.key && !other.lease_until) {
        other.not_before = std::min(other.not_before, not_before);
        other.attempts = std::max(other.attempts, item.attempts);
        return;
      }
    item.lease_until.reset();
    item.not_before = not_before;
    queue.push_back(item);
  }
};

struct Held {
  Work work;
  int order = 0;
};

class Sequence {
 public:
  Sequence(Store& store, Model& model, std::vector<Held>& held, int number,
           std::map<std::string, Scope> agents)
      : store_(store),
        model_(model),
        held_(held),
        random_(static_cast<unsigned>(number)),
        agents_(std::move(agents)),
        instance_("i" + std::to_string(number)),
        epoch_(static_cast<uint64_t>(number)),
        now_(kNow.value + number * 1000) {}

  void step() {
    now_ += pick(50);
    switch (pick(8)) {
      case 0:
      case 1:
        return accept();
      case 2:
        return read_jobs();
      case 3:
        return put();
      case 4:
        return lease();
      case 5:
        return end();
      case 6:
        return read_outbox();
      default:
        return read_queue();
    }
  }

 private:
  int64_t pick(int64_t below) {
    return std::uniform_int_distribution<int64_t>(0, below - 1)(random_);
  }
  template <class T>
  static T run(Task<T> task) {
    return gitaiops::testing::await(std::move(task));
  }

  void accept() {
    static const std::vector<std::string> kPaths = {"a/one", "a/two", "b/one"};
    auto agent = agents_.begin();
    std::advance(agent, pick(static_cast<int64_t>(agents_.size())));
    const auto seq = static_cast<uint64_t>(1 + pick(12));
    const int64_t job_id = 1 + pick(6);
    const auto& path = kPaths[static_cast<std::size_t>(pick(3))];
    const bool report = pick(2) == 0;
    const auto k = key(job_id, path, 0, instance_);
    const auto answer = run(
        store_.accept(agent->first, epoch_, report ? reported(seq, k) : started(seq, k), {now_}));

    auto& high = model_.high_water[{agent->first, epoch_}];
    if (seq <= high) {
      ASSERT_TRUE(answer.ok() && answer->duplicate);
      ASSERT_EQ(answer->high_water_seq, high);
      return;
    }
    high = seq;
    const auto known = model_.jobs.find({instance_, job_id});
    const bool permitted =
        allows(agent->second, instance_, path) &&
        (known == model_.jobs.end() || allows(agent->second, instance_, known->second.path));
    if (!permitted) {
      ASSERT_FALSE(answer.ok());
      ASSERT_EQ(answer.error().code(), Code::permission_denied);
      return;
    }
    ASSERT_TRUE(answer.ok()) << answer.error().to_string();
    ASSERT_EQ(answer->high_water_seq, seq);
    const bool duplicate = known != model_.jobs.end() && (known->second.reported || !report);
    ASSERT_EQ(answer->duplicate, duplicate);
    if (duplicate) return;
    if (known == model_.jobs.end()) model_.arrival[instance_].push_back(job_id);
    model_.jobs[{instance_, job_id}] = {path, report};
    model_.events.push_back(report ? "job.reported" : "job.started");
  }

  void read_jobs() {
    const Scope scope =
        pick(2) == 0 ? Scope{{instance_, "a/*"}} : Scope{{"*", "*/one"}, {instance_, "b/*"}};
    JobFilter filter;
    filter.instance = instance_;
    Ids expected;
    const auto& all = model_.arrival[instance_];
    for (auto id = all.rbegin(); id != all.rend(); ++id)
      if (allows(scope, instance_, model_.jobs.at({instance_, *id}).path)) expected.push_back(*id);
    Ids seen;
    std::string after;
    do {
      const auto page =
          run(store_.jobs(scope, filter, {after, static_cast<std::size_t>(1 + pick(4))}));
      ASSERT_TRUE(page.ok());
      for (const auto& job : page->items) {
        seen.push_back(job.key.job_id);
        ASSERT_EQ(job.running(), !model_.jobs.at({instance_, job.key.job_id}).reported);
      }
      after = page->next;
    } while (!after.empty());
    ASSERT_EQ(seen, expected);
    ASSERT_EQ(*run(store_.count_jobs(scope, filter)), static_cast<int64_t>(expected.size()));
    const int64_t one = 1 + pick(6);
    ASSERT_EQ(run(store_.job_by_key(scope, instance_, one)).ok(),
              std::find(expected.begin(), expected.end(), one) != expected.end());
  }

  void put() {
    const std::string k = "key" + std::to_string(pick(4));
    const std::string payload = std::to_string(pick(1000));
    const int64_t not_before = now_ + pick(100) - 50;
    const std::string consumer = "c" + std::to_string(pick(2));
    const auto newest = static_cast<int64_t>(model_.events.size());
    const auto upto = static_cast<uint64_t>(pick(newest + 2));
    std::vector<NewWork> work = {{"kind", k, payload, {not_before}}};
    const auto answer = run(store_.advance(consumer, upto, std::move(work)));
    ASSERT_EQ(answer.ok(), upto <= model_.events.size());
    if (answer.ok()) {
      model_.put(k, payload, not_before);
      model_.cursors[consumer] = std::max(model_.cursors[consumer], upto);
    }
    ASSERT_EQ(*run(store_.cursor(consumer)), model_.cursors[consumer]);
  }

  void lease() {
    const int64_t lease_us = 1 + pick(100);
    const auto work = run(store_.lease({now_}, lease_us));
    const auto* expected = model_.lease(now_, lease_us);
    ASSERT_TRUE(work.ok());
    ASSERT_EQ((*work).has_value(), expected != nullptr);
    if (expected == nullptr) return;
    ASSERT_EQ((*work)->unique_key, expected->key);
    ASSERT_EQ((*work)->payload, expected->payload);
    ASSERT_EQ((*work)->attempts, expected->attempts);
    held_.push_back({**work, expected->order});
  }

  // Ends one of the leases ever given, stale ones included.
  void end() {
    if (held_.empty()) return;
    const auto at = static_cast<std::size_t>(pick(static_cast<int64_t>(held_.size())));
    const Held held = held_[at];
    if (pick(3) != 0) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
    const int64_t not_before = now_ + pick(60);
    const int64_t how = pick(3);
    WorkOutcome outcome;
    if (how == 0)
      outcome.follow_up.push_back({"kind", held.work.unique_key, "follow", {not_before}});
    const auto answer = how == 0 ? run(store_.finish(held.work, outcome))
                        : how == 1
                            ? run(store_.retry_later(held.work, {not_before}, "why", outcome))
                            : run(store_.give_up(held.work, "why", outcome));
    const auto item = model_.end(held.order, held.work.attempts);
    ASSERT_EQ(answer.ok(), item.has_value());
    if (!item) {
      ASSERT_EQ(answer.error().code(), Code::already_exists);
      return;
    }
    if (how == 0) model_.put(held.work.unique_key, "follow", not_before);
    if (how == 1) model_.retry(*item, not_before);
    if (how == 2) ++model_.dead;
  }

  void read_outbox() {
    const auto after = static_cast<uint64_t>(pick(static_cast<int64_t>(model_.events.size()) + 1));
    const auto found = run(store_.events_after(after, 20));
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->size(), std::min<std::size_t>(20, model_.events.size() - after));
    for (std::size_t i = 0; i < found->size(); ++i) {
      ASSERT_EQ((*found)[i].number, after + i + 1);
      ASSERT_EQ((*found)[i].type, model_.events[after + i]);
    }
  }

  void read_queue() {
    const auto stats = run(store_.queue_stats());
    const auto leased =
        std::count_if(model_.queue.begin(), model_.queue.end(),
                      [](const ModelItem& item) { return item.lease_until.has_value(); });
    ASSERT_EQ(stats->leased, leased);
    ASSERT_EQ(stats->waiting, static_cast<int64_t>(model_.queue.size()) - leased);
    ASSERT_EQ(stats->dead, model_.dead);
  }

  Store& store_;
  Model& model_;
  std::vector<Held>& held_;
  std::mt19937 random_;
  const std::map<std::string, Scope> agents_;
  const std::string instance_;
  const uint64_t epoch_;
  int64_t now_;
};

TEST_P(StoreConformance, RandomSequencesAgreeWithTheModel) {
  Model model;
  std::vector<Held> held;
  std::map<std::string, Scope> agents;
  for (const auto& scope : {everything(), Scope{{"*", "a/*"}}}) agents[enroll(scope)] = scope;
  model.events.assign(agents.size(), "agent.enrolled");
  for (int number = 0; number < 500; ++number) {
    if (number % 50 == 0) reopen();
    Sequence sequence(*store, model, held, number, agents);
    for (int i = 0; i < 40; ++i) {
      sequence.step();
      ASSERT_FALSE(HasFatalFailure()) << "sequence " << number << ", step " << i;
    }
    if (held.size() > 20) held.erase(held.begin(), held.end() - 20);
  }
  EXPECT_GT(model.events.size(), 1000u);
  EXPECT_GT(model.dead, 100);
}

}  // namespace
}  // namespace gitaiops::store
