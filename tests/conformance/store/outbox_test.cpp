#include <thread>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using namespace std::chrono_literals;

TEST_P(StoreConformance, EventsAreNumberedWithoutGapsWhateverIsRefused) {
  const auto agent = enroll(scope_of("a/*"));
  uint64_t seq = 0;
  for (int64_t i = 1; i <= 30; ++i)
    (void)accept(agent, reported(++seq, key(i, i % 3 ? "a/b" : "forbidden/x")));
  const auto all = events();
  ASSERT_EQ(all.size(), 21u);  // the enrolment and twenty reports
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].number, i + 1);
  EXPECT_EQ(await(store->events_after(19, 100))->size(), 2u);
  EXPECT_EQ(await(store->events_after(0, 5))->back().number, 5u);
  EXPECT_EQ(await(store->events_after(21, 5))->size(), 0u);
}

TEST_P(StoreConformance, AdvancingPutsTheWorkInTheSameTransaction) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(1, key(1, "a/b"))).ok());
  EXPECT_EQ(*await(store->cursor("notes")), 0u);
  EXPECT_EQ(await(store->advance("notes", 3, {{"note.update", "k", "{}", kNow}})).error().code(),
            Code::invalid_argument)
      << "there is no third event";
  EXPECT_EQ(*await(store->cursor("notes")), 0u);
  EXPECT_EQ(await(store->queue_stats())->waiting, 0);
  ASSERT_TRUE(
      await(store->advance("notes", 2,
                           {{"note.update", "k", "{}", kNow}, {"job.resolve", "k", "{}", kNow}}))
          .ok());
  EXPECT_EQ(*await(store->cursor("notes")), 2u);
  EXPECT_EQ(*await(store->cursor("other")), 0u);
  EXPECT_EQ(await(store->queue_stats())->waiting, 2);
  ASSERT_TRUE(await(store->advance("notes", 1, {})).ok());
  EXPECT_EQ(*await(store->cursor("notes")), 2u) << "never backwards";
  reopen();
  EXPECT_EQ(*await(store->cursor("notes")), 2u);
}

TEST_P(StoreConformance, AWaiterWakesForAnEventFromAnotherThread) {
  const auto agent = enroll(everything());
  gitaiops::testing::await(store->wait_event(0, 1h));   // there already
  gitaiops::testing::await(store->wait_event(1, 1ms));  // the limit
  std::thread writer;
  gitaiops::testing::await([](Store& s, std::thread& thread, std::string id) -> Task<void> {
    thread = std::thread(
        [&s, id] { EXPECT_TRUE(await(s.accept(id, 1, reported(1, key(1, "a/b")), kNow)).ok()); });
    co_await s.wait_event(1, 1h);
  }(*store, writer, agent));
  writer.join();
  EXPECT_EQ(events().size(), 2u);
}

}  // namespace
}  // namespace gitaiops::store
