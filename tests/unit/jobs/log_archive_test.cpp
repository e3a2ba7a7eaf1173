#include "agent/jobs/log_archive.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/sqlite/await.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;
using gitaiops::testing::await;

class LogArchiveTest : public ::testing::Test {
 protected:
  LogArchive open(LogArchiveOptions options = {}) {
    options.folder = folder.path() / "logs";
    LogArchive archive(options, clock);
    EXPECT_TRUE(archive.open().ok());
    return archive;
  }
  static Status keep(LogArchive& archive, int64_t job, std::string log) {
    LogArchive::Read read = [log](int64_t offset, std::size_t limit) -> Result<std::string> {
      return offset >= static_cast<int64_t>(log.size())
                 ? std::string()
                 : log.substr(static_cast<std::size_t>(offset), limit);
    };
    return await(archive.keep({"main", job}, read, log.size()));
  }
  std::size_t count(const std::string& suffix) const {
    std::size_t n = 0;
    for (const auto& entry : fs::directory_iterator(folder.path() / "logs"))
      n += entry.path().extension() == suffix;
    return n;
  }
  gitaiops::testing::TemporaryFolder folder{gitaiops::testing::TemporaryFolder::Where::memory};
  FakeClock clock;
};

TEST_F(LogArchiveTest, KeepsLogsRedactedOverARestart) {
  {
    auto archive = open();
    ASSERT_TRUE(keep(archive, 7, "one\npass\x1b[1mword=hunter2hunter2\nthree\n").ok());
  }
  auto archive = open();
  const auto lines = archive.lines_around({"main", 7}, 2, 1, 1);
  ASSERT_TRUE(lines.ok());
  EXPECT_TRUE(lines->text.starts_with("one\n")) << lines->text;
  EXPECT_TRUE(lines->text.ends_with("\nthree")) << lines->text;
  EXPECT_EQ(lines->text.find("hunter2"), std::string::npos);
  EXPECT_EQ(archive.lines_around({"main", 8}, 2, 1, 1).error().code(), Code::not_found);
  EXPECT_EQ(archive.lines_around({"other", 7}, 2, 1, 1).error().code(), Code::not_found);
  EXPECT_EQ(archive.lines_around({"main", 7}, 9, 1, 1).error().code(), Code::not_found);
  for (const auto& entry : fs::directory_iterator(folder.path() / "logs")) {
    std::ifstream in(entry.path());
    const std::string kept((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(kept.find("hunter2"), std::string::npos);
    EXPECT_EQ(fs::status(entry.path()).permissions() & fs::perms::all,
              fs::perms::owner_read | fs::perms::owner_write);
  }
}

TEST_F(LogArchiveTest, OfALongLogTheEndIsKeptWithItsNumbers) {
  auto archive = open({.folder = {}, .job_bytes = 100'000});
  std::string log;
  for (int i = 1; i <= 100'000; ++i) log += "row " + std::to_string(i) + "\n";
  ASSERT_TRUE(keep(archive, 7, log).ok());
  EXPECT_EQ(archive.lines_around({"main", 7}, 99'999, 0, 0)->text, "row 99999");
  const auto early = archive.lines_around({"main", 7}, 5, 0, 0);
  ASSERT_FALSE(early.ok());
  EXPECT_NE(early.error().message().find("only the end is kept"), std::string::npos);
}

TEST_F(LogArchiveTest, IsBoundedInBytesAndAge) {
  auto archive = open({.folder = {}, .max_bytes = 3000});
  for (int64_t job = 1; job <= 5; ++job)
    ASSERT_TRUE(keep(archive, job, std::string(900, 'x') + "\n").ok());
  EXPECT_LE(count(".log"), 3u);
  EXPECT_GE(count(".log"), 1u);
  auto young = open({.folder = {}, .age_us = 1});
  EXPECT_EQ(count(".log"), 0u);
  auto none = open({.folder = {}, .age_us = 0});
  ASSERT_TRUE(keep(none, 9, "x\n").ok());
  EXPECT_EQ(count(".log"), 0u);
}

TEST_F(LogArchiveTest, ALogThatCannotBeReadLeavesNothing) {
  auto archive = open();
  LogArchive::Read broken = [](int64_t, std::size_t) -> Result<std::string> {
    return Error(Code::internal, "input/output error");
  };
  EXPECT_FALSE(await(archive.keep({"main", 7}, broken, 10)).ok());
  EXPECT_EQ(count(".part") + count(".log"), 0u);
  std::ofstream(folder.path() / "logs" / "x.log.part") << "left by a crash";
  auto again = open();
  EXPECT_EQ(count(".part"), 0u);
}

}  // namespace
}  // namespace gitaiops::agent
