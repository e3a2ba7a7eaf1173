#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/commands.h"

namespace gitaiops::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Suggest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("gitaiops_suggest_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "lib");
    std::filesystem::create_directories(folder_ / "doc");
    shell(
        "git init -q -b main . && git config user.name 'Ann Lee' && "
        "git config user.email ann@a.example");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void shell(const std::string& script) {
    const auto command = "cd '" + folder_.string() +
                         "' && export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 && " +
                         script;
    ASSERT_EQ(std::system(command.c_str()), 0) << script;
  }
  void commit(const std::string& file, const std::string& trailer,
              const std::string& author = "Ann Lee <ann@a.example>") {
    const auto number = std::to_string(++number_);
    shell("echo " + number + " > " + file + " && git add . && git commit -q --author '" + author +
          "' -m 'change " + number + "' -m '" + trailer + "'");
  }
  int run(SuggestOptions options) {
    options.repository = folder_.string();
    return suggest_reviewers(options, {out_, err_, false});
  }

  std::filesystem::path folder_;
  std::ostringstream out_, err_;
  int number_ = 0;
};

TEST_F(Suggest, NamesPeopleOfThePlaceWithTheirReasons) {
  for (int i = 0; i < 4; ++i) commit("lib/a.c", "Reviewed-by: Ben Ode <ben@b.example>");
  for (int i = 0; i < 4; ++i) commit("doc/a.md", "Reviewed-by: Cem Dal <cem@c.example>");
  EXPECT_EQ(run({.paths = {"lib/b.c"}, .author = "ANN@a.example"}), kDone) << err_.str();
  EXPECT_THAT(out_.str(),
              StartsWith("Ben Ode: gave 4 of the last 4 reviews in lib, last review today\n"));
  EXPECT_THAT(out_.str(), HasSubstr("\nCem Dal: "));
  EXPECT_THAT(out_.str(), Not(HasSubstr("Ann Lee")));
}

TEST_F(Suggest, ARangeBringsItsFilesAndItsAuthor) {
  commit("lib/a.c", "Reviewed-by: Ben Ode <ben@b.example>");
  commit("doc/a.md", "Reviewed-by: Cem Dal <cem@c.example>");
  shell("git checkout -q -b topic");
  commit("doc/b.md", "x", "Cem Dal <cem@c.example>");
  shell("git checkout -q main");
  commit("lib/c.c", "later on main");
  EXPECT_EQ(run({.range = "main..topic", .format = "json"}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("{\"commits\":3,\"cut_short\":false,\"reviewers\":["));
  EXPECT_THAT(out_.str(), Not(HasSubstr("Cem Dal")));
}

TEST_F(Suggest, WithoutReviewsChangesCount) {
  commit("lib/a.c", "x", "Dan Eld <dan@d.example>");
  commit("doc/a.md", "x");
  EXPECT_EQ(run({.paths = {"lib/a.c"}, .author = "Ann Lee"}), kDone);
  EXPECT_EQ(out_.str(), "Dan Eld: made 1 of the last 1 changes in lib, last change today\n");
}

TEST_F(Suggest, WhatCannotBeAnsweredIsSaid) {
  EXPECT_EQ(run({.paths = {"a"}}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no commit \"HEAD\""));
  commit("a", "x");
  EXPECT_EQ(run({}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--paths"));
  EXPECT_EQ(run({.range = "main"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("wants A..B"));
  EXPECT_EQ(run({.range = "main..--output=x"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no commit \"--output=x\""));
  EXPECT_EQ(run({.range = "main..main"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("changes no files"));
  EXPECT_EQ(run({.paths = {"a"}, .author = "Ann Lee"}), kDone);
  EXPECT_EQ(out_.str(), "Nobody but the author is known to this history.\n");
}

}  // namespace
}  // namespace gitaiops::cli
