#include "base/git/git.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gitaiops::git {
namespace {

using testing::HasSubstr;

class Git : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("gitaiops_git_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    shell(
        "git init -q -b main . && git config user.name Ann && git config user.email ann@a.example");
    shell("echo 1 > a && git add a && git commit -q -m one");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void shell(const std::string& script) {
    const auto command = "cd '" + folder_.string() +
                         "' && export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 && " +
                         script;
    ASSERT_EQ(std::system(command.c_str()), 0) << script;
  }
  Command asks(std::vector<std::string> arguments) const {
    return {.repository = folder_, .arguments = std::move(arguments)};
  }
  std::filesystem::path folder_;
};

TEST_F(Git, SaysWhatGitPrints) {
  EXPECT_EQ(output(asks({"log", "--format=%s %an"})).value(), "one Ann");
}

TEST_F(Git, GetsItsInput) {
  auto command = asks({"cat-file", "--batch-check=%(objecttype)"});
  for (int i = 0; i < 20'000; ++i) command.input += "HEAD\n";
  const auto all = output(command);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(std::count(all->begin(), all->end(), '\n'), 19'999);
}

TEST_F(Git, AFailureHasGitsWords) {
  const auto status =
      run(asks({"rev-parse", "--verify", "nowhere"}), [](auto) { return Status(); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), Code::invalid_argument);
  EXPECT_EQ(status.error().message(), "git: Needed a single revision");
}

TEST_F(Git, AFolderWithoutARepositoryIsNamed) {
  const auto status = output({.repository = folder_ / "none", .arguments = {"log"}});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message(), HasSubstr("No such file or directory"));
}

TEST_F(Git, WhatTakesTooLongIsEnded) {
  auto command = asks({"cat-file", "--batch"});
  command.input = std::string(8 << 20, 'x');  // nobody reads what is printed of it
  command.limit = std::chrono::milliseconds(1);
  const auto status = run(command, [](auto) { return Status(); });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), Code::deadline_exceeded);
}

TEST_F(Git, TooMuchOutputIsRefusedAndAReaderMayGiveUp) {
  auto command = asks({"log"});
  command.largest_output = 10;
  EXPECT_EQ(run(command, [](auto) { return Status(); }).error().code(), Code::resource_exhausted);
  EXPECT_EQ(run(asks({"log"}), [](auto) { return Status(Error(Code::cancelled, "enough")); })
                .error()
                .message(),
            "enough");
}

// Everything by which a repository's own configuration makes git start a program of its choice.
TEST_F(Git, ARepositoryStartsNoProgramOfItsOwn) {
  const auto mark = (folder_ / "started").string();
  std::ofstream(folder_ / "evil.sh") << "#!/bin/sh\ntouch " << mark << "\ncat\n";
  shell(
      "chmod +x evil.sh && echo '* diff=evil' > .gitattributes && echo 2 > a && git add -A && "
      "git commit -q -m two");
  const auto evil = (folder_ / "evil.sh").string();
  for (const auto* key :
       {"core.fsmonitor", "core.pager", "pager.log", "core.sshCommand", "diff.external",
        "diff.evil.textconv", "diff.evil.command", "gpg.program", "credential.helper",
        "core.alternateRefsCommand", "core.editor", "core.askPass"})
    shell("git config " + std::string(key) + " " + evil);
  shell(
      "git config log.showSignature true && mkdir -p .git/hooks && cp evil.sh "
      ".git/hooks/post-index-change && cp evil.sh .git/hooks/reference-transaction");
  // Signed, so that showing a signature would start the program that checks it.
  shell(
      "git cat-file commit HEAD | sed '/^committer/a gpgsig -----BEGIN PGP SIGNATURE-----\\n "
      "x\\n -----END PGP SIGNATURE-----' > s && git -c core.fsmonitor=false -c "
      "core.hooksPath=/dev/null update-ref refs/heads/signed $(git hash-object -t commit -w s) && "
      "rm -f started");
  const auto log =
      output(asks({"log", "--raw", "-z", "--no-ext-diff", "--no-textconv", "signed", "--"}));
  EXPECT_TRUE(log.ok()) << log.error().to_string();
  EXPECT_TRUE(output(asks({"diff-tree", "-r", "--name-only", "HEAD~1", "HEAD"})).ok());
  EXPECT_TRUE(output(asks({"status", "--porcelain"})).ok());
  EXPECT_FALSE(std::filesystem::exists(mark));
  // The same without our settings does start it: the test sees what it looks for.
  shell("git status >/dev/null 2>&1; true");
  EXPECT_TRUE(std::filesystem::exists(mark));
}

TEST_F(Git, NoProtocolUnlessAllowed) {
  shell("git init -q --bare other.git");
  const auto other = (folder_ / "other.git").string();
  auto command = asks({"ls-remote", "--", other});
  const auto refused = output(command);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("transport 'file' not allowed"));
  command.protocols = "file";
  EXPECT_TRUE(output(command).ok());
}

// Where a listing of processes would show it.
TEST_F(Git, SettingsTravelInTheEnvironment) {
  auto command = asks({"config", "--get", "http.extraHeader"});
  command.settings = {{"http.extraHeader", "PRIVATE-TOKEN: secret"}};
  EXPECT_EQ(output(command).value(), "PRIVATE-TOKEN: secret");
}

// What the caller's environment says of git does not reach it.
TEST_F(Git, TheCallersEnvironmentStaysOutside) {
  ::setenv("GIT_DIR", "/nonexistent", 1);
  ::setenv("GIT_EXTERNAL_DIFF", "false", 1);
  auto said = output(asks({"log", "--format=%s"}));
  ::unsetenv("GIT_DIR");
  ::unsetenv("GIT_EXTERNAL_DIFF");
  EXPECT_EQ(std::move(said).value_or(""), "one");
}

}  // namespace
}  // namespace gitaiops::git
