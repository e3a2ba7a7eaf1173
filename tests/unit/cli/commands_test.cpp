#include "cli/commands.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Commands : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("gitaiops_cli_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_ / "rules");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  int run(DiagnoseOptions options) { return diagnose(options, {out_, err_, false}); }

  std::filesystem::path folder_;
  std::ostringstream out_, err_;
  const std::string log_ =
      "section_start:1:step_script\r\x1b[0K\x1b[32;1m$ make\x1b[0;m\nbox.c:3:5: error: expected "
      "expression\n"
      "section_end:2:step_script\r\x1b[0KERROR: Job failed: exit code 2\n";
};

TEST_F(Commands, DiagnoseExplainsAndIsDone) {
  EXPECT_EQ(run({.file = write("a.log", log_)}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("The compiler rejects the code"));
  EXPECT_THAT(out_.str(), HasSubstr("2 > box.c:3:5: error: expected expression"));
  EXPECT_THAT(out_.str(), HasSubstr("step_script, $ make, exit code 2"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(Commands, JsonHasTheSchema) {
  EXPECT_EQ(run({.file = write("a.log", log_), .format = "json"}), kDone);
  EXPECT_THAT(out_.str(), StartsWith(R"({"schema":"gitaiops.diagnosis/1","log":{"bytes":)"));
  EXPECT_THAT(out_.str(),
              HasSubstr(R"("category":"compile_error","owner":"code","retry":"never")"));
}

TEST_F(Commands, ARetryOfAnUnknownCauseIsNotKnown) {
  EXPECT_EQ(run({.file = write("a.log", "ls\n"), .format = "json"}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr(R"("category":"unknown","owner":null,"retry":null)"));
  out_.str("");
  EXPECT_EQ(run({.file = write("a.log", "ls\n")}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("retry    not known"));
}

// Neither a terminal's commands nor what turns the order of reading around.
TEST_F(Commands, WhatCannotBeSeenIsWrittenOut) {
  const auto file = write("a.log",
                          "box.c:3:5: error: a\xC2\x9B"
                          "31m b\xE2\x80\xAE"
                          "c\xE2\x81\xA6"
                          "d\xE2\x80\x8B"
                          "e\xEF\xBB\xBF"
                          "f \xC3\xA9 \xE2\x80\xA6\nERROR: Job failed: exit code 1\n");
  for (const std::string format : {"text", "markdown"}) {
    out_.str("");
    EXPECT_EQ(run({.file = file, .format = format}), kDone);
    EXPECT_THAT(
        out_.str(),
        HasSubstr("a\\u{9B}31m b\\u{202E}c\\u{2066}d\\u{200B}e\\u{FEFF}f \xC3\xA9 \xE2\x80\xA6"));
    for (const std::string raw :
         {"\xC2\x9B", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\x8B", "\xEF\xBB\xBF"})
      EXPECT_THAT(out_.str(), Not(HasSubstr(raw)));
  }
}

TEST_F(Commands, HiddenSecretsAreToldOnce) {
  EXPECT_EQ(run({.file = write("a.log",
                               "box.c:3:5: error: password=Zk9mQ2vb7\n"
                               "ERROR: Job failed: exit code 1\n")}),
            kDone);
  EXPECT_THAT(out_.str(), HasSubstr("password=[REDACTED]"));
  EXPECT_THAT(out_.str(), HasSubstr("note     secrets are hidden\n"));
}

TEST_F(Commands, MarkdownFencesWhatTheJobWrote) {
  EXPECT_EQ(run({.file = write("a.log",
                               "box.c:3:5: error: ```` @all <b>\nERROR: Job failed: exit code 2\n"),
                 .format = "markdown"}),
            kDone);
  EXPECT_THAT(out_.str(), HasSubstr("`````text\n"));
}

TEST_F(Commands, UnreadableFilesAreNamed) {
  EXPECT_EQ(run({.file = (folder_ / "gone.log").string()}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("gone.log: No such file or directory"));
  EXPECT_EQ(run({.file = write("a.log", log_), .baselines = {"/gone/base.log"}}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("baseline: "));
  EXPECT_EQ(run({.file = write("a.log", log_), .rules = {"/gone/rules"}}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("/gone/rules: No such file or directory"));
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(Commands, OwnRulesAreUsedAndBadOnesRefusedByName) {
  write("rules/own.toml",
        "[[rule]]\nid = \"moon\"\ncategory = \"service_unready\"\nweight = 0.9\nmatch = ['^the "
        "moon is down$']\npositive = ['the moon is down']\n"
        "[[rule]]\nid = \"broken\"\ncategory = \"dns\"\nweight = 0.9\nmatch = ['(unclosed']\n"
        "[[rule]]\nid = \"untrue\"\ncategory = \"dns\"\nweight = 0.9\nmatch = ['abc']\npositive = "
        "['xyz']\n"
        "[[rule]]\nid = \"lost\"\ncategory = \"dnss\"\nweight = 0.9\nmatch = ['abc']\n"
        "[[rule]]\nid = \"heavy\"\ncategory = \"dns\"\nweight = 7\nmatch = ['abc']\n");
  const std::string rules = (folder_ / "rules").string();
  EXPECT_EQ(run({.file = write("a.log", "the moon is down\nERROR: Job failed: exit code 1\n"),
                 .format = "json",
                 .rules = {rules}}),
            kDone);
  EXPECT_THAT(out_.str(), HasSubstr(R"("category":"service_unready")"));
  EXPECT_THAT(err_.str(), HasSubstr("own.toml:11: rule broken: \"(unclosed\""));
  EXPECT_THAT(err_.str(), HasSubstr("rule untrue: the positive example \"xyz\" does not match"));
  EXPECT_THAT(err_.str(), HasSubstr("rule lost: no category \"dnss\""));
  EXPECT_THAT(err_.str(), HasSubstr("rule heavy: \"weight\" must be above 0"));
  EXPECT_THAT(err_.str(), Not(HasSubstr("moon")));
}

TEST_F(Commands, RulesAreListedAndExplained) {
  EXPECT_EQ(list_rules({}, {out_, err_, false}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("oom_killed"));
  EXPECT_EQ(explain_rule("dns", {}, {out_, err_, false}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("A host name does not resolve"));
  EXPECT_EQ(explain_rule("dnss", {}, {out_, err_, false}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean \"dns\"?"));
}

TEST_F(Commands, ARuleFileIsTested) {
  const auto good = write("good.toml", R"(
[[rule]]
id = "ring"
category = "compile_error"
weight = 0.9
match = ['ring is round']
positive = ['the ring is round']
)");
  EXPECT_EQ(test_rules(good, {out_, err_, false}), kDone);
  EXPECT_EQ(out_.str(), "1 rule accepted, 1 example holds\n");
  EXPECT_THAT(err_.str(), IsEmpty());
  const auto bad = write("bad.toml", R"(
[[rule]]
id = "square"
category = "compile_error"
weight = 0.9
match = ['ring is square']
positive = ['the ring is round']
)");
  EXPECT_EQ(test_rules(bad, {out_, err_, false}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("rule square: the positive example"));
  EXPECT_EQ(test_rules((folder_ / "none.toml").string(), {out_, err_, false}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("none.toml"));
}

// Vectorscan and RE2 know no backtracking: what could cost too much is refused when it is read.
TEST_F(Commands, HostileRulesAreRefusedByNameAndTheRestWork) {
  std::string rules = R"(
[[rule]]
id = "good"
category = "compile_error"
weight = 0.95
match = ['ring is round']
)";
  const std::vector<std::string> hostile{"(a+)+\\1",
                                         "(?=a)b",
                                         "a*",
                                         "",
                                         "(a{1,9999}){1,9999}",
                                         "[",
                                         "(",
                                         "x" + std::string(3000, 'y')};
  for (std::size_t i = 0; i < hostile.size(); ++i)
    rules += "[[rule]]\nid = \"hostile_" + std::to_string(i) +
             "\"\ncategory = \"compile_error\"\nweight = 0.9\nmatch = ['" + hostile[i] + "']\n";
  write("rules/hostile.toml", rules);
  const auto log = write("a.log", "ring is round\nERROR: Job failed: exit code 1\n");
  EXPECT_EQ(run({.file = log, .rules = {(folder_ / "rules").string()}}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("ring is round"));
  EXPECT_THAT(out_.str(), HasSubstr("compile_error"));
  for (std::size_t i = 0; i < hostile.size(); ++i)
    EXPECT_THAT(err_.str(), HasSubstr("rule hostile_" + std::to_string(i) + ":"));
  EXPECT_THAT(err_.str(), Not(HasSubstr("rule good")));
}

TEST_F(Commands, AnEmptyAndAPassedLogSaySo) {
  EXPECT_EQ(run({.file = write("empty.log", "")}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("empty"));
  out_.str("");
  EXPECT_EQ(run({.file = write("passed.log", "$ make\nJob succeeded\n")}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("passed"));
  out_.str("");
  EXPECT_EQ(run({.file = write("empty.log", ""), .format = "markdown"}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("empty"));
}

}  // namespace
}  // namespace gitaiops::cli
