#include "base/io/folder.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gitaiops {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    std::string pattern = (fs::temp_directory_path() / "folder-XXXXXX").string();
    top_ = ::mkdtemp(pattern.data());
    root_ = top_ / "tree";
    fs::create_directory(root_);
  }
  ~FolderTest() override { fs::remove_all(top_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  Folder folder() const { return Folder::open(root_).value(); }

  fs::path top_, root_;
};

TEST_F(FolderTest, ListsRegularFilesByPath) {
  write("b/package.json", "{}");
  write("a.txt", "");
  write("b/deep/er/go.mod", "");
  const auto found = folder().list({});
  EXPECT_THAT(found.files, ElementsAre("a.txt", "b/deep/er/go.mod", "b/package.json"));
  EXPECT_THAT(found.unreadable, IsEmpty());
  EXPECT_FALSE(found.cut_short);
}

TEST_F(FolderTest, GoesOnlyWhereItIsAskedTo) {
  write("node_modules/x/package.json", "{}");
  write("src/package.json", "{}");
  Folder::Walk walk;
  walk.enter = [](std::string_view path) { return path != "node_modules"; };
  EXPECT_THAT(folder().list(walk).files, ElementsAre("src/package.json"));
}

TEST_F(FolderTest, LinksFifosAndLoopsAreNoFiles) {
  write("real", "x");
  fs::create_symlink("/etc/passwd", root_ / "link");
  fs::create_directory_symlink(".", root_ / "loop");
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(folder().list({}).files, ElementsAre("real"));
  EXPECT_FALSE(folder().read("link", 1 << 20).ok());
  EXPECT_FALSE(folder().read("loop/real", 1 << 20).ok());
  const auto pipe = folder().read("pipe", 1 << 20);
  ASSERT_FALSE(pipe.ok());
  EXPECT_THAT(pipe.error().to_string(), HasSubstr("no regular file"));
}

TEST_F(FolderTest, NothingOutsideIsRead) {
  std::ofstream(top_ / "secret") << "s";
  EXPECT_FALSE(folder().read("../secret", 100).ok());
  EXPECT_FALSE(folder().read((top_ / "secret").string(), 100).ok());
  fs::create_directory_symlink(top_, root_ / "up");
  EXPECT_FALSE(folder().read("up/secret", 100).ok());
}

TEST_F(FolderTest, ReadsUpToItsLimit) {
  write("five", "12345");
  EXPECT_EQ(folder().read("five", 5).value(), "12345");
  const auto over = folder().read("five", 4);
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error().code(), Code::resource_exhausted);
  EXPECT_THAT(over.error().to_string(), HasSubstr("larger than the limit of 4 bytes"));
}

TEST_F(FolderTest, BoundsCutAWalkShort) {
  for (int i = 0; i < 20; ++i) write("f" + std::to_string(i), "");
  Folder::Walk few;
  few.max_entries = 10;
  const auto found = folder().list(few);
  EXPECT_TRUE(found.cut_short);
  EXPECT_EQ(found.files.size(), 10u);
}

TEST_F(FolderTest, TooDeepIsSaid) {
  write("a/b/c/file", "");
  Folder::Walk shallow;
  shallow.max_depth = 2;
  const auto found = folder().list(shallow);
  EXPECT_THAT(found.files, IsEmpty());
  EXPECT_THAT(found.unreadable, ElementsAre("a/b/c: nested too deeply"));
}

TEST_F(FolderTest, AFolderThatCannotBeReadIsNamedAndTheRestListed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root can read any folder";
  write("closed/x", "");
  write("open/y", "");
  fs::permissions(root_ / "closed", fs::perms::none);
  const auto found = folder().list({});
  fs::permissions(root_ / "closed", fs::perms::owner_all);
  EXPECT_THAT(found.files, ElementsAre("open/y"));
  EXPECT_THAT(found.unreadable, ElementsAre("closed: Permission denied"));
}

}  // namespace
}  // namespace gitaiops
