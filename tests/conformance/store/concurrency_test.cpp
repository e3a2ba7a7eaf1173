#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

// Agents, a reader of the outbox and workers at once, each on its own thread: nothing is lost,
// doubled or skipped.
TEST_P(StoreConformance, ManyThreadsAgree) {
  constexpr int kAgents = 3;
  constexpr int64_t kJobs = 100;
  constexpr uint64_t kEvents = kAgents + kAgents * kJobs;
  std::vector<std::string> agents;
  for (int i = 0; i < kAgents; ++i) agents.push_back(enroll(everything()));
  std::atomic<int> failed = 0;
  std::mutex mutex;
  std::multiset<std::string> done;
  std::vector<std::thread> threads;
  for (int a = 0; a < kAgents; ++a)
    threads.emplace_back([&, a] {
      for (int64_t i = 1; i <= kJobs; ++i) {
        const auto envelope = reported(static_cast<uint64_t>(i), key(a * 1000 + i, "a/b"));
        if (!await(store->accept(agents[a], 1, envelope, kNow)).ok()) ++failed;
        if (!await(store->accept(agents[a], 1, envelope, kNow))->duplicate) ++failed;
      }
    });
  threads.emplace_back([&] {
    for (uint64_t at = 0; at < kEvents;) {
      gitaiops::testing::await(store->wait_event(at, std::chrono::minutes(1)));
      std::vector<NewWork> work;
      const auto fresh = await(store->events_after(at, 7));
      for (const auto& event : *fresh) {
        if (event.number != ++at) ++failed;  // a gap
        work.push_back({event.type, event.subject, "", kNow});
      }
      if (!await(store->advance("reader", at, work)).ok()) ++failed;
    }
  });
  for (int w = 0; w < 2; ++w)
    threads.emplace_back([&] {
      for (;;) {
        const auto work = await(store->lease(kNow, 3600 * kSecond));
        if (*work) {
          const std::lock_guard lock(mutex);
          done.insert((*work)->unique_key);
          if (!await(store->finish(**work, {})).ok()) ++failed;
          continue;
        }
        {
          const std::lock_guard lock(mutex);
          if (done.size() >= kEvents) return;
        }
        gitaiops::testing::await(store->wait_work(kNow, std::chrono::milliseconds(20)));
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(done.size(), kEvents);
  EXPECT_EQ(std::set<std::string>(done.begin(), done.end()).size(), kEvents) << "each once";
  EXPECT_EQ(*await(store->count_jobs(everything(), {})), kAgents * kJobs);
}

}  // namespace
}  // namespace gitaiops::store
