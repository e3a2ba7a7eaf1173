// Bad days of the disk: damaged files, foreign files, no space.
#include <fstream>
#include <future>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sqlite/sqlite.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::sqlite {
namespace {

using testing::await;
using testing::TemporaryFolder;

constexpr std::string_view kSchema[] = {"CREATE TABLE t(k INTEGER PRIMARY KEY, v)"};

Options options_for(const std::filesystem::path& path) {
  Options options;
  options.path = path;
  options.application_id = 0x11223344;
  options.migrations = kSchema;
  return options;
}

Status insert(Database& db, int64_t k, std::size_t bytes) {
  return await(db.write([k, bytes](Connection& c) -> Status {
    c.run("INSERT INTO t VALUES(?, ?)", {k, Blob{std::string(bytes, 'x')}});
    return {};
  }));
}

int64_t count(Database& db) {
  return await(db.read([](Connection& c) -> Result<int64_t> {
           return c.integer("SELECT count(*) FROM t").value_or(-1);
         }))
      .value_or(-2);
}

void fill(const std::filesystem::path& path) {
  auto db = Database::open(options_for(path));
  ASSERT_TRUE(db.ok());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(insert(**db, i, 5000).ok());
}

TEST(DatabaseFaults, GarbageIsDataLoss) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.db") << std::string(20'000, '?');
  const auto db = Database::open(options_for(folder / "a.db"));
  ASSERT_FALSE(db.ok());
  EXPECT_EQ(db.error().code(), Code::data_loss);
}

TEST(DatabaseFaults, ATruncatedFileIsDataLoss) {
  const TemporaryFolder folder;
  for (const std::size_t size : {100'000, 50'001, 4096 * 3, 700, 16}) {
    const auto path = folder / ("a" + std::to_string(size) + ".db");
    fill(path);
    std::filesystem::resize_file(path, size);
    const auto db = Database::open(options_for(path));
    ASSERT_FALSE(db.ok()) << size;
    EXPECT_EQ(db.error().code(), Code::data_loss) << size << " " << db.error().to_string();
  }
}

TEST(DatabaseFaults, AnotherApplicationsDatabaseIsNotTouched) {
  const TemporaryFolder folder;
  fill(folder / "a.db");
  auto other = options_for(folder / "a.db");
  other.application_id = 5;
  const auto refused = Database::open(other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::data_loss);
  EXPECT_NE(refused.error().to_string().find("another application"), std::string::npos);
  auto db = Database::open(options_for(folder / "a.db"));
  ASSERT_TRUE(db.ok());
  EXPECT_EQ(count(**db), 50);
}

TEST(DatabaseFaults, AFileAtItsLimitRefusesAndGoesOnWhenThereIsRoom) {
  const TemporaryFolder folder;
  auto options = options_for(folder / "a.db");
  options.max_file_bytes = 200'000;
  auto db = Database::open(options);
  ASSERT_TRUE(db.ok());
  int64_t stored = 0;
  Status last;
  while ((last = insert(**db, stored, 10'000)).ok()) ++stored;
  EXPECT_EQ(last.error().code(), Code::resource_exhausted);
  EXPECT_NE(last.error().to_string().find("no space"), std::string::npos);
  EXPECT_EQ(count(**db), stored);
  EXPECT_TRUE(insert(**db, 1000, 10).ok()) << "what fits is stored";
  ASSERT_TRUE(await((*db)->write([](Connection& c) -> Status {
                return c.run("DELETE FROM t WHERE k < 5"), Status();
              })).ok());
  EXPECT_TRUE(insert(**db, 1001, 10'000).ok());
}

TEST(DatabaseFaults, OneTooLargeClosureDoesNotTakeItsNeighboursWithIt) {
  const TemporaryFolder folder;
  auto options = options_for(folder / "a.db");
  options.max_file_bytes = 200'000;
  auto db = Database::open(options);
  ASSERT_TRUE(db.ok());
  std::promise<void> queued;
  std::promise<Status> answers[3];
  (*db)->write_later(
      [&queued](Connection&) -> Status { return queued.get_future().wait(), Status(); },
      [](Status) {});
  for (int i = 0; i < 3; ++i)
    (*db)->write_later(
        [i](Connection& c) -> Status {
          c.run("INSERT INTO t VALUES(?, ?)", {i, Blob{std::string(i == 1 ? 500'000 : 100, 'x')}});
          return {};
        },
        [&answers, i](Status s) { answers[i].set_value(std::move(s)); });
  queued.set_value();
  EXPECT_TRUE(answers[0].get_future().get().ok());
  EXPECT_EQ(answers[1].get_future().get().error().code(), Code::resource_exhausted);
  EXPECT_TRUE(answers[2].get_future().get().ok());
  EXPECT_EQ(count(**db), 2);
}

// In a child process: a file size limit makes write(2) itself fail, as on a full disk. The exit
// status names the step.
int run_out_of_space(const std::filesystem::path& path) {
  ::signal(SIGXFSZ, SIG_IGN);
  auto db = Database::open(options_for(path));
  if (!db.ok()) return 1;
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 300'000;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  int64_t stored = 0;
  Status last;
  while (stored < 1000 && (last = insert(**db, stored, 10'000)).ok()) ++stored;
  if (last.ok() || last.error().code() != Code::resource_exhausted) return 2;
  if (count(**db) != stored) return 3;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  if (!insert(**db, 5000, 10'000).ok()) return 4;
  return count(**db) == stored + 1 ? 0 : 5;
}

TEST(DatabaseFaults, AFullDiskRefusesAndSpaceMakesItWorkAgain) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run_out_of_space(folder / "a.db"));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto db = Database::open(options_for(folder / "a.db"));
  ASSERT_TRUE(db.ok()) << db.error().to_string();
}

}  // namespace
}  // namespace gitaiops::sqlite
