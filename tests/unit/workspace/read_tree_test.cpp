// Real folders, as a runner leaves them.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/workspace/workspace.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

class ReadTreeTest : public ::testing::Test {
 protected:
  ReadTreeTest() {
    std::string pattern = (fs::temp_directory_path() / "checkout-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    write(".git/HEAD", std::string(kCommit) + "\n");
  }
  ~ReadTreeTest() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  TreeReading read() const {
    return read_tree(Folder::open(root_).value(), [] { return false; });
  }

  fs::path root_;
};

TEST_F(ReadTreeTest, FindsPackagesAndTheCommit) {
  write("requirements.txt", "requests==2.31.0\n");
  const auto reading = read();
  EXPECT_EQ(reading.commit, kCommit);
  EXPECT_THAT(reading.content_hash, SizeIs(64));
  ASSERT_THAT(reading.inventory.sets, SizeIs(1));
  ASSERT_THAT(reading.inventory.sets[0].packages, SizeIs(1));
  EXPECT_EQ(reading.inventory.sets[0].packages[0].name, "requests");
  EXPECT_EQ(reading.inventory.sets[0].packages[0].version, "2.31.0");
}

TEST_F(ReadTreeTest, TheHashTellsContentsApartAndNothingElse) {
  write("requirements.txt", "requests==2.31.0\n");
  const auto first = read().content_hash;
  write("src/main.py", "print()\n");
  EXPECT_EQ(read().content_hash, first);
  write("requirements.txt", "requests==2.32.0\n");
  EXPECT_NE(read().content_hash, first);
}

TEST_F(ReadTreeTest, WhatIsInstalledInTheTreeIsNotTheProjects) {
  write("node_modules/left-pad/package.json", R"({"name":"left-pad","version":"1.0.0"})");
  EXPECT_THAT(read().inventory.sets, IsEmpty());
}

TEST_F(ReadTreeTest, ABranchsHeadOrNoneIsNoCommit) {
  write(".git/HEAD", "ref: refs/heads/main\n");
  EXPECT_EQ(read().commit, "");
  fs::remove(root_ / ".git/HEAD");
  EXPECT_EQ(read().commit, "");
}

TEST_F(ReadTreeTest, LinksLeadNowhere) {
  std::ofstream(root_.string() + ".outside") << "requests==2.31.0\n";
  fs::create_symlink(root_.string() + ".outside", root_ / "requirements.txt");
  EXPECT_THAT(read().inventory.sets, IsEmpty());
  fs::remove(root_.string() + ".outside");
}

TEST_F(ReadTreeTest, BrokenAndHugeManifestsAreProblemsAndTheRestIsRead) {
  write("web/package-lock.json", "{\"lockfileVersion\": 3, \"packages\": {");
  write("api/requirements.txt", "flask==3.0.0\n");
  fs::create_directories(root_ / "big");
  std::ofstream(root_ / "big/requirements.txt").put('x');
  fs::resize_file(root_ / "big/requirements.txt", 500ull << 20);
  const auto reading = read();
  ASSERT_THAT(reading.inventory.sets, Not(IsEmpty()));
  std::string problems;
  for (const auto& problem : reading.inventory.problems)
    problems += problem.file + ": " + problem.reason + "\n";
  EXPECT_THAT(problems, HasSubstr("web/package-lock.json"));
  EXPECT_THAT(problems, HasSubstr("big/requirements.txt"));
  EXPECT_THAT(problems, HasSubstr("larger than the limit"));
}

TEST_F(ReadTreeTest, AWalkThatIsEndedEarlySaysSo) {
  for (int i = 0; i < 600; ++i) write("f/" + std::to_string(i), "");
  const auto reading = read_tree(Folder::open(root_).value(), [] { return true; });
  ASSERT_THAT(reading.inventory.problems, Not(IsEmpty()));
  EXPECT_THAT(reading.inventory.problems.back().reason, HasSubstr("too large"));
}

}  // namespace
}  // namespace gitaiops::agent
