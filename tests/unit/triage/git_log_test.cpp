#include "engines/triage/git_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::triage {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kA(40, 'a'), kB(40, 'b'), kC(40, 'c');

std::string header(const std::string& id, int64_t time, const std::string& name,
                   const std::string& email, const std::string& message) {
  return id + "\0"s + std::to_string(time) + "\0"s + name + "\0"s + email + "\0"s + message +
         "\0\0"s;
}

std::string raw(const std::string& path) {
  return ":100644 100644 " + kA + " " + kB + " M\0"s + path + "\0"s;
}

struct Log {
  std::vector<LoggedCommit> commits;
  Status status;
};

Log read(const std::string& bytes, std::size_t step = SIZE_MAX, std::size_t most_files = 100) {
  Log log;
  LogReader reader([&](LoggedCommit one) { log.commits.push_back(std::move(one)); }, most_files);
  for (std::size_t at = 0; at < bytes.size() && log.status.ok(); at += std::min(step, bytes.size()))
    log.status = reader.feed(std::string_view(bytes).substr(at, step));
  if (log.status.ok()) log.status = reader.finish();
  return log;
}

TEST(GitLog, ReadsCommitsWithAndWithoutFilesInAnyPieces) {
  const auto bytes = header(kA, 30, "Ann Lee", "ann@a.example", "one\n\ntext\n") + "\n" +
                     raw("lib/a b.c") + raw(":odd\t1\t2") +
                     header(kB, 20, "Ben", "ben@b.example", "empty\n") +
                     header(kC, 10, "", "cem@c.example", "") + "\n" + raw("x");
  for (const std::size_t step : {SIZE_MAX, std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    const auto log = read(bytes, step);
    ASSERT_TRUE(log.status.ok()) << log.status.error().to_string();
    ASSERT_THAT(log.commits, SizeIs(3));
    EXPECT_EQ(log.commits[0].id, kA);
    EXPECT_EQ(log.commits[0].time_s, 30);
    EXPECT_EQ(log.commits[0].author, (Signature{"Ann Lee", "ann@a.example"}));
    EXPECT_EQ(log.commits[0].message, "one\n\ntext\n");
    EXPECT_THAT(log.commits[0].files,
                ElementsAre(FileChange{"lib/a b.c"}, FileChange{":odd\t1\t2"}));
    EXPECT_THAT(log.commits[1].files, IsEmpty());
    EXPECT_EQ(log.commits[2].author.name, "cem@c.example");
    EXPECT_THAT(log.commits[2].files, ElementsAre(FileChange{"x"}));
  }
}

TEST(GitLog, LineCountsStandWithTheirFiles) {
  const auto log = read(header(kA, 1, "A", "a@a.example", "m") + "\n" + raw("a.c") + raw("b.png") +
                        "3\t1\ta.c\0"s + "-\t-\tb.png\0"s);
  ASSERT_TRUE(log.status.ok());
  EXPECT_THAT(log.commits.at(0).files,
              ElementsAre(FileChange{"a.c", 3, 1}, FileChange{"b.png", 0, 0}));
  EXPECT_EQ(log.commits.at(0).files_in_all, 2u);
}

TEST(GitLog, ACommitsLinesAreKnownWhereGitCountedThem) {
  const Git git = [](std::vector<std::string> arguments, const auto& on_output) -> Status {
    if (arguments.front() != "log") return Error(Code::not_found, "no such file");
    const bool lines = std::ranges::find(arguments, "--numstat") != arguments.end();
    if (std::ranges::find(arguments, "--merges") != arguments.end()) return {};
    return on_output(header(kA, 1, "A", "a@a.example", "m") + "\n" + raw("a.c") + raw("b.png") +
                     (lines ? "3\t1\ta.c\0-\t-\tb.png\0"s : ""s));
  };
  const auto counted = read_repository(git, kA, {.lines = true}).value().commits.at(0);
  ASSERT_THAT(counted.lines, SizeIs(2));
  EXPECT_EQ(counted.lines[0].added, 3);
  EXPECT_EQ(counted.lines[0].deleted, 1);
  EXPECT_EQ(counted.lines[1].added, 0);
  EXPECT_THAT(read_repository(git, kA).value().commits.at(0).lines, IsEmpty());
}

TEST(GitLog, AChangesFilesWithTheirLines) {
  EXPECT_THAT(read_numstat("3\t1\ta b.c\0-\t-\tb.png\0odd\0\0"s, 10),
              ElementsAre(FileChange{"a b.c", 3, 1}, FileChange{"b.png", 0, 0}));
  EXPECT_THAT(read_numstat("3\t1\ta\0004\t4\tb\0"s, 1), SizeIs(1));
}

TEST(GitLog, TheAddedLinesOfADiffInAnyPieces) {
  const std::string diff =
      "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f()\n-old\n"
      "-diff --git\n+new\n+++ b/not a header\n\\ No newline at end of file\n"
      "diff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -0,0 +1 @@\n+last";
  for (const std::size_t step : {SIZE_MAX, std::size_t{1}, std::size_t{5}}) {
    AddedLines lines(1000);
    for (std::size_t at = 0; at < diff.size(); at += std::min(step, diff.size()))
      lines.feed(std::string_view(diff).substr(at, step));
    EXPECT_EQ(lines.take(), "new\n++ b/not a header\nlast");
  }
  AddedLines few(5);
  few.feed(diff);
  EXPECT_TRUE(few.full());
  EXPECT_EQ(few.take(), "new\n+");
}

TEST(GitLog, ManyFilesAreCountedNotKept) {
  std::string bytes = header(kA, 1, "A", "a@a.example", "m") + "\n";
  for (int i = 0; i < 500; ++i) bytes += raw("f" + std::to_string(i));
  const auto log = read(bytes, SIZE_MAX, 101);
  EXPECT_THAT(log.commits.at(0).files, SizeIs(101));
  EXPECT_EQ(log.commits.at(0).files_in_all, 500u);
}

TEST(GitLog, AHugeMessageIsCutAndTheRestStillRead) {
  const auto log = read(header(kA, 1, "A", "a@a.example", std::string(3 << 20, 'x')) +
                        header(kB, 2, "B", "b@b.example", "m"));
  ASSERT_TRUE(log.status.ok());
  EXPECT_EQ(log.commits.at(0).message.size(), LogReader::kLargestText);
  EXPECT_EQ(log.commits.at(1).id, kB);
}

TEST(GitLog, WhatIsNoLogIsRefusedWithItsPlace) {
  EXPECT_THAT(read("fatal: x\0"s).status.error().to_string(), HasSubstr("field 1: no commit id"));
  EXPECT_FALSE(read(kA + "\0"s + "soon\0"s).status.ok());
  EXPECT_FALSE(read(header(kA, 1, "A", "a", "m") + "stray\0"s).status.ok());
  EXPECT_FALSE(read(header(kA, 1, "A", "a", "m") + "\n" + ":100644\0"s).status.ok());
  EXPECT_FALSE(read(header(kA, 1, "A", "a", "m") + "\n" + ":100644\0\0"s).status.ok());
  EXPECT_FALSE(read(kA + "\0"s + "1\0"s).status.ok());
  EXPECT_TRUE(read("").status.ok());
}

TEST(GitLog, TrailersWhereverTheyStand) {
  EXPECT_THAT(trailers("box: a\n\nReviewed-by: Ann Lee <ann@a.example>\n\n* second commit\n\n"
                       "acked-by: \"Cem, D.\" <cem@c.example>\nCo-Authored-By: <dan@d.example>\n"
                       "Reviewed-by: nobody\nNot-Reviewed-by: E <e@e.example>\n"
                       "Tested-by: F <f@f.example> # on two machines\n"),
              ElementsAre(Signed{Trailer::review, {"Ann Lee", "ann@a.example"}},
                          Signed{Trailer::ack, {"Cem, D.", "cem@c.example"}},
                          Signed{Trailer::authorship, {"dan@d.example", "dan@d.example"}},
                          Signed{Trailer::ack, {"F", "f@f.example"}}));
}

TEST(GitLog, TheMergeRequestThatAMergeEnds) {
  EXPECT_EQ(merge_request_of("Merge branch 'x' into 'main'\n\nTitle\n\n"
                             "See merge request group/sub/project!12\n"),
            12);
  EXPECT_EQ(merge_request_of("See merge request https://git.example/g/p/-/merge_requests!7"), 7);
  EXPECT_EQ(merge_request_of("See merge request group/project!"), 0);
  EXPECT_EQ(merge_request_of("See merge request group/project!-3"), 0);
  EXPECT_EQ(merge_request_of("see !12"), 0);
}

TEST(GitLog, IgnoredRevisionsAreFullIds) {
  EXPECT_THAT(read_ignored_revisions("# formatted\n" + kA + "\n  " + kB + " # by a tool\nabc\n"),
              ElementsAre(kA, kB));
}

TEST(People, MailmapByAddressAndName) {
  const Mailmap map(
      "# comment\nAnn Lee <ann@a.example>\nBen <ben@b.example> <old@b.example>\n"
      "Cem Dal <cem@c.example> C <SHARED@x.example>\n<new@e.example> <old@e.example>\nnonsense\n");
  EXPECT_EQ(map.resolve({"annie", "ANN@a.example"}), (Signature{"Ann Lee", "ANN@a.example"}));
  EXPECT_EQ(map.resolve({"B", "old@b.example"}), (Signature{"Ben", "ben@b.example"}));
  EXPECT_EQ(map.resolve({"c", "shared@x.example"}), (Signature{"Cem Dal", "cem@c.example"}));
  EXPECT_EQ(map.resolve({"Other", "shared@x.example"}), (Signature{"Other", "shared@x.example"}));
  EXPECT_EQ(map.resolve({"Eve", "old@e.example"}), (Signature{"Eve", "new@e.example"}));
}

TEST(People, OneByAddressOrFullName) {
  People people;
  const auto now = people.add({"Ann Lee-Roth", "ann@new.example"});
  const auto before = people.add({"Ann Lee", "ANN@new.example"});
  const auto long_ago = people.add({"ann  lee", "ann@old.example"});
  const auto other = people.add({"Ann", "other@x.example"});
  const auto another = people.add({"Ann", "another@x.example"});
  EXPECT_EQ(people.name(now), "Ann Lee-Roth");
  EXPECT_EQ(people.name(before), "Ann Lee-Roth");
  EXPECT_EQ(people.name(long_ago), "Ann Lee-Roth");
  EXPECT_EQ(people.name(other), "Ann");
  EXPECT_EQ(people.name(another), "Ann <another@x.example>");
  EXPECT_THAT(people.known().at("Ann Lee-Roth").emails,
              ElementsAre("ann@new.example", "ann@old.example"));
}

TEST(People, AHostsAddressIsNobodys) {
  People people;
  const auto a = people.add({"ann", "noreply@host.example"});
  const auto b = people.add({"ben", "noreply@host.example"});
  EXPECT_NE(people.name(a), people.name(b));
}

TEST(People, MachinesByNameOrAddress) {
  EXPECT_TRUE(is_machine(Signature{"Renovate", "project_42_bot_1f2e@noreply.host.example"}));
  EXPECT_TRUE(is_machine(Signature{"dependabot", "49+dependabot[bot]@users.example"}));
  EXPECT_FALSE(is_machine(Signature{"Abbot Costa", "abbot@x.example"}));
}

// A git that answers from a table.
Git answers(std::vector<std::pair<std::string, std::string>> by_word) {
  return [by_word](std::vector<std::string> arguments,
                   const std::function<Status(std::string_view)>& on_output) -> Status {
    for (const auto& [word, text] : by_word)
      for (const auto& argument : arguments)
        if (argument.ends_with(word)) return on_output(text);
    return Error(Code::invalid_argument, "git: no such thing");
  };
}

TEST(Repository, CommitsOldestFirstWithTheirReviewers) {
  const auto log =
      header(
          kC, 30, "Ann Lee", "ann@a.example",
          "lib: c\n\nReviewed-by: Ben Ode <ben@b.example>\nReviewed-by: ci-bot <ci@x.example>\n") +
      "\n" + raw("lib/a.c") + header(kB, 20, "fmt-bot", "fmt@x.example", "format") + "\n" +
      raw("lib/a.c") + header(std::string(40, 'd'), 15, "Ann Lee", "ann@a.example", "reformat") +
      "\n" + raw("lib/a.c") +
      header(kA, 10, "Annie", "ann@a.example", "first\n\nCo-authored-by: Ben Ode <b@old.example>") +
      "\n" + raw("lib/b.c");
  const auto merge = header(std::string(40, 'e'), 25, "Cem Dal", "cem@c.example",
                            "Merge branch\n\nSee merge request g/p!4") +
                     "\n" + raw("lib/a.c");
  const auto history =
      read_repository(answers({{":.git-blame-ignore-revs", std::string(40, 'd') + "\n"},
                               {":.mailmap", "Ben O. Ode <ben@b.example>\n"},
                               {"--no-merges", log},
                               {"--merges", merge}}),
                      kC);
  ASSERT_TRUE(history.ok()) << history.error().to_string();
  ASSERT_THAT(history->commits, SizeIs(3));
  EXPECT_EQ(history->commits[0].author, "Ann Lee");
  EXPECT_THAT(history->commits[0].co_authors, ElementsAre("Ben Ode"));
  EXPECT_EQ(history->commits[1].author, "");
  EXPECT_THAT(history->commits[1].acks, ElementsAre("Cem Dal"));
  EXPECT_THAT(history->merge_requests, ElementsAre(0, 4, 0));
  EXPECT_THAT(history->commits[2].reviewers, ElementsAre("Ben O. Ode"));
  EXPECT_THAT(history->commits[2].files, ElementsAre("lib/a.c"));
}

TEST(Repository, ATipIsAnIdAndGitsFailureIsTold) {
  EXPECT_FALSE(read_repository(answers({}), "--output=/etc/passwd").ok());
  EXPECT_THAT(read_repository(answers({}), kA).error().to_string(), HasSubstr("reading commits"));
}

}  // namespace
}  // namespace gitaiops::triage
