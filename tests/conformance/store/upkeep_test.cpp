#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

fleet::v1::Envelope finished(uint64_t seq, int64_t job, UnixMicros at, std::size_t bytes = 0) {
  auto e = reported(seq, key(job, "a/b"));
  e.mutable_job_report()->set_finished_at_us(at.value);
  e.mutable_job_report()->add_notes(std::string(bytes, 'n'));
  return e;
}

TEST_P(StoreConformance, SweepingByAgeTakesOldJobsAndWhatHangsOnThem) {
  const auto agent = enroll(everything());
  for (int64_t i = 1; i <= 500; ++i)
    ASSERT_TRUE(accept(agent, finished(static_cast<uint64_t>(i), i, kNow + -1000 + i)).ok());
  const auto note_on = [this](std::string subject, UnixMicros at) {
    ASSERT_TRUE(await(store->advance("c", 0, {{"k", "x", "", kNow}})).ok());
    const auto work = *await(store->lease(kNow, kSecond));
    WorkOutcome outcome;
    outcome.note = Note{std::move(subject), "gl", 0, "a/b", "body", 0, at};
    ASSERT_TRUE(await(store->finish(*work, outcome)).ok());
  };
  const auto old_note = "job/" + job_of(1).id;
  const auto new_note = "job/" + job_of(500).id;
  note_on(old_note, kNow);
  note_on(new_note, kNow);
  note_on("mr/gl/1/1", kNow + -900);
  ASSERT_TRUE(await(store->add_audit({kNow + -900, "operator", "old", "", 0, "", ""})).ok());
  ASSERT_TRUE(await(store->add_audit({kNow, "operator", "new", "", 0, "", ""})).ok());
  EXPECT_EQ(*await(store->sweep({kNow + -550, 0})), 449);
  const auto left = job_ids(everything());
  ASSERT_EQ(left.size(), 51u);
  EXPECT_EQ(left.back(), 450);
  EXPECT_EQ(await(store->note(everything(), old_note)).error().code(), Code::not_found);
  EXPECT_TRUE(await(store->note(everything(), new_note)).ok());
  EXPECT_EQ(await(store->note(everything(), "mr/gl/1/1")).error().code(), Code::not_found);
  ASSERT_EQ(await(store->audit(10))->size(), 1u);
  EXPECT_EQ(await(store->audit(10))->at(0).act, "new");
  EXPECT_EQ(*await(store->sweep({kNow + -550, 0})), 0);
  // What is gone is still known to have been received.
  EXPECT_TRUE(accept(agent, finished(1, 1, kNow))->duplicate);
}

TEST_P(StoreConformance, SweepingBySizeTakesTheOldestUntilItFits) {
  const auto agent = enroll(everything());
  for (int64_t i = 1; i <= 600; ++i)
    ASSERT_TRUE(
        accept(agent, finished(static_cast<uint64_t>(i), i, kNow + -1000 + i, 10'000)).ok());
  const auto removed = await(store->sweep({{0}, 3'000'000}));
  ASSERT_TRUE(removed.ok()) << removed.error().to_string();
  EXPECT_GE(*removed, 300);
  EXPECT_LE(*removed, 599);
  const auto left = await(store->jobs(everything(), {}, {"", 200}));
  EXPECT_EQ(left->items.front().key.job_id, 600);
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path()))
    bytes += file.file_size();
  EXPECT_LE(bytes, 3'200'000u) << "the files themselves have shrunk";
}

TEST_P(StoreConformance, EventsGoOnlyBehindEveryCursorAndTheirNumbersNeverComeBack) {
  const auto agent = enroll(everything());
  for (int64_t i = 1; i <= 9; ++i)
    ASSERT_TRUE(accept(agent, finished(static_cast<uint64_t>(i), i, kNow)).ok());
  ASSERT_EQ(events().size(), 10u);
  ASSERT_TRUE(await(store->sweep({kNow + 1, 0})).ok());
  EXPECT_EQ(events().size(), 10u) << "nobody has read them";
  ASSERT_TRUE(await(store->advance("slow", 4, {})).ok());
  ASSERT_TRUE(await(store->advance("quick", 10, {})).ok());
  ASSERT_TRUE(await(store->sweep({kNow, 0})).ok());
  EXPECT_EQ(events().size(), 10u) << "they are not old";
  ASSERT_TRUE(await(store->sweep({kNow + 1, 0})).ok());
  ASSERT_EQ(events().size(), 6u);
  EXPECT_EQ(events().front().number, 5u);
  ASSERT_TRUE(await(store->advance("slow", 10, {})).ok());
  ASSERT_TRUE(await(store->sweep({kNow + 1, 0})).ok());
  EXPECT_EQ(events().size(), 0u);
  reopen();
  ASSERT_TRUE(accept(agent, finished(10, 10, kNow)).ok());
  EXPECT_EQ(events().at(0).number, 11u);
  EXPECT_TRUE(await(store->advance("slow", 11, {})).ok());
}

TEST_P(StoreConformance, ABackupIsAStoreOfItsOwn) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(accept(agent, reported(1, key(1, "a/b"))).ok());
  std::filesystem::create_directory(folder / "copy");
  ASSERT_TRUE(await(store->backup(folder / "copy/store.db")).ok());
  EXPECT_EQ(await(store->backup(folder / "copy/store.db")).error().code(), Code::already_exists);
  ASSERT_TRUE(accept(agent, reported(2, key(2, "a/b"))).ok());
  const auto copy = GetParam().open(folder / "copy", clock);
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(*await((*copy)->count_jobs(everything(), {})), 1);
  EXPECT_EQ(*await((*copy)->high_water(agent, 1)), 1u);
  EXPECT_EQ(job_ids(everything()).size(), 2u);
}

TEST_P(StoreConformance, Ping) {
  EXPECT_TRUE(await(store->ping()).ok());
}

}  // namespace
}  // namespace gitaiops::store
