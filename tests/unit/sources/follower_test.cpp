#include "agent/sources/follower.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

class Follower : public testing::Test {
 protected:
  Follower() : folder_(fs::temp_directory_path() / ("follower-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Follower() override { fs::remove_all(folder_); }

  fs::path log() const { return folder_ / "runner.log"; }
  void append(const std::string& text, const fs::path& path) {
    std::ofstream(path, std::ios::app) << text;
  }
  void append(const std::string& text) { append(text, log()); }
  // All lines that are there now, over as many steps as a rotation needs.
  static std::vector<std::string> lines(FileFollower& follower, int64_t now = 1'000'000) {
    std::vector<std::string> all;
    for (int i = 0; i < 8; ++i)
      if (auto step = follower.step({now}); step.ok())
        all.insert(all.end(), step->lines.begin(), step->lines.end());
    return all;
  }
  fs::path folder_;
};

TEST_F(Follower, StartsAtTheEndAndKeepsBegunLinesBack) {
  append("old\n");
  FileFollower follower(log(), {}, FileFollower::From::end);
  EXPECT_THAT(lines(follower), IsEmpty());
  append("one\r\ntw");
  EXPECT_THAT(lines(follower), ElementsAre("one"));
  append("o\n");
  EXPECT_THAT(lines(follower), ElementsAre("two"));
}

TEST_F(Follower, AFileThatAppearsLaterIsReadWhole) {
  FileFollower follower(log(), {}, FileFollower::From::end);
  EXPECT_EQ(follower.step({1}).error().code(), Code::not_found);
  append("one\n");
  EXPECT_THAT(lines(follower), ElementsAre("one"));
}

TEST_F(Follower, ContinuesAtItsPosition) {
  append("one\ntwo\nthr");
  FilePosition position;
  {
    FileFollower follower(log(), {}, FileFollower::From::beginning);
    EXPECT_THAT(lines(follower), ElementsAre("one", "two"));
    position = follower.position();
  }
  append("ee\n");
  FileFollower follower(log(), position, FileFollower::From::end);
  const auto step = follower.step({4'000'000});
  ASSERT_TRUE(step.ok());
  EXPECT_THAT(step->lines, ElementsAre("three"));
  EXPECT_EQ(step->late_us, 3'000'000) << "written at any time since the last look";
}

TEST_F(Follower, RotationByRenaming) {
  append("one\n");
  FileFollower follower(log(), {}, FileFollower::From::beginning);
  EXPECT_THAT(lines(follower), ElementsAre("one"));
  fs::rename(log(), folder_ / "runner.log.1");
  append("late\n", folder_ / "runner.log.1");
  append("two\n");
  EXPECT_THAT(lines(follower), ElementsAre("late", "two"));
}

TEST_F(Follower, RotationWhileAway) {
  append("one\n");
  FilePosition position;
  {
    FileFollower follower(log(), {}, FileFollower::From::beginning);
    lines(follower);
    position = follower.position();
  }
  append("two\n");
  fs::rename(log(), folder_ / "runner.log.1");
  append("three\n");
  FileFollower follower(log(), position, FileFollower::From::end);
  EXPECT_THAT(lines(follower), ElementsAre("two", "three"));
}

TEST_F(Follower, RotationByCopyAndTruncation) {
  append("one\ntwo\n");
  FileFollower follower(log(), {}, FileFollower::From::beginning);
  EXPECT_THAT(lines(follower), ElementsAre("one", "two"));
  fs::resize_file(log(), 0);
  append("3\n");
  EXPECT_THAT(lines(follower), ElementsAre("3"));
  fs::resize_file(log(), 0);
  append("longer than before\n");
  EXPECT_THAT(lines(follower), ElementsAre("longer than before"));
}

TEST_F(Follower, AnInodeUsedAgainIsNoticed) {
  append("one\ntwo\n");
  FilePosition position;
  {
    FileFollower follower(log(), {}, FileFollower::From::beginning);
    lines(follower);
    position = follower.position();
  }
  fs::resize_file(log(), 0);
  append("entirely other content\n");
  FileFollower follower(log(), position, FileFollower::From::end);
  EXPECT_THAT(lines(follower), ElementsAre("entirely other content"));
}

TEST_F(Follower, LinesWithoutEndAreSkippedAndCounted) {
  append(std::string(100 << 10, 'x'));
  FileFollower follower(log(), {}, FileFollower::From::beginning);
  EXPECT_EQ(follower.step({1})->too_long, 1u);
  append("xxx\nnext\n");
  EXPECT_THAT(lines(follower), ElementsAre("next"));
}

TEST_F(Follower, AFolderIsNotAFile) {
  FileFollower follower(folder_, {}, FileFollower::From::end);
  EXPECT_EQ(follower.step({1}).error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace gitaiops::agent
