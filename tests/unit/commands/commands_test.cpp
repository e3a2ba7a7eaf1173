// The commands between a store and a GitLab in memory.
#include "controller/commands/commands.h"

#include <gmock/gmock.h>

#include "controller/acting/acting.h"
#include "controller/commands/decide.h"
#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/reactions/memory_store.h"

namespace gitaiops::commands {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kAna = 11, kGus = 12, kMal = 13;

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() {
    gitlab::MergeRequest mr;
    mr.iid = 7;
    mr.project_id = mr.source_project_id = 42;
    mr.project_path = "grp/demo";
    mr.state = "opened";
    mr.sha = "abc";
    gitlab_.merge_requests[{42, 7}] = mr;
    gitlab_.people[42] = {{{kAna, "ana"}, true, 30}, {{kGus, "gus"}, true, 10}};
    view_.place = "main/42/7";
  }

  // A failed job of the newest pipeline, at GitLab and in the view.
  note::JobView& failed(int64_t id, const std::string& name) {
    gitlab::Job at;
    at.id = id;
    at.name = name;
    at.status = "failed";
    gitlab_.all_pipelines[77].push_back(at);
    note::JobView& job = view_.jobs.emplace_back();
    job.id = id;
    job.name = name;
    job.status = "failed";
    job.project_id = 42;
    job.pipeline_id = 77;
    fleet::v1::JobReport report;
    report.mutable_diagnosis()->set_category("compile_error");
    report.mutable_diagnosis()->mutable_root_cause()->set_line(3);
    report.mutable_diagnosis()->mutable_root_cause()->set_text("main.cpp:1: error: @all");
    job.report = report;
    return job;
  }
  int64_t comment(const std::string& body, int64_t author = kAna) {
    gitlab::Note note;
    note.id = next_++;
    note.author_id = author;
    note.author = author == kAna ? "ana" : author == kGus ? "gus" : "mal";
    note.body = body;
    note.created_at = clock_.now();
    gitlab_.discussions["d" + std::to_string(note.id)] = {note};
    return note.id;
  }

  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    spawn(loop_.get_executor(), "test", [](Task<T> t, std::optional<T>& o) -> Task<void> {
      o.emplace(co_await std::move(t));
    }(std::move(task), out));
    loop_.restart();
    loop_.run();
    return std::move(*out);
  }
  queue::Verdict hear(int64_t note) {
    const auto work = work_for("main", 42, 7, note, "d" + std::to_string(note), clock_.now());
    EXPECT_EQ(work.kind, "command.run");
    auto verdict = run(commands().run({1, 1, work.kind, work.unique_key, work.payload, 1}));
    store_.apply(verdict.outcome);
    return verdict;
  }
  // Everything that waits of this kind, once.
  void do_work(const std::string& kind) {
    auto items = store_.items;
    for (const auto& item : items) {
      if (item.work.kind != kind) continue;
      auto verdict = run(kind == "act.do" ? acting_.act(item.work) : commands().reply(item.work));
      if (std::holds_alternative<queue::Done>(verdict.what))
        std::erase_if(store_.items, [&](const auto& one) { return one.work.id == item.work.id; });
      store_.apply(verdict.outcome);
    }
  }
  // What was answered to the comment, without the marker; empty: nothing.
  std::string answer(int64_t note) {
    const auto& notes = gitlab_.discussions["d" + std::to_string(note)];
    if (notes.size() < 2) return {};
    EXPECT_EQ(notes.size(), 2u);
    const std::string marker = "<!-- gitaiops:reply v1 " + std::to_string(note) + " -->\n";
    EXPECT_TRUE(notes[1].body.starts_with(marker)) << notes[1].body;
    return notes[1].body.substr(marker.size());
  }
  std::string answered(const std::string& body, int64_t author = kAna) {
    const auto note = comment(body, author);
    hear(note);
    do_work("act.do");
    do_work("command.reply");
    return answer(note);
  }
  std::vector<std::string> audited() const {
    std::vector<std::string> out;
    for (const auto& one : store_.audits)
      out.push_back(one.actor + " " + one.act + " " + one.outcome);
    return out;
  }
  Commands& commands() {
    if (!commands_)
      commands_ = std::make_unique<Commands>(
          store_, clock_, std::map<std::string, gitlab::Gitlab*>{{"main", &gitlab_}}, options_);
    return *commands_;
  }

  asio::io_context loop_;
  FakeClock clock_;
  store::MemoryStore store_;
  gitlab::FakeGitlab gitlab_;
  note::View view_;
  std::vector<std::string> told_;
  Options options_{
      .look = [this](store::MergeRequestKey, gitlab::MergeRequest) -> Task<Result<note::View>> {
        co_return view_;
      },
      .on_command =
          [this](std::string_view command, std::string_view outcome) {
            told_.push_back(std::string(command) + " " + std::string(outcome));
          }};
  std::unique_ptr<Commands> commands_;
  acting::Acting acting_{store_, clock_, {{"main", &gitlab_}}, {}};
  int64_t next_ = 31;
};

TEST_F(CommandsTest, FailedJobsAreRetriedOnceForWhoAskedForIt) {
  failed(5, "build");
  failed(6, "unit");
  failed(8, "lint").allow_failure = true;
  EXPECT_EQ(answered("/gitaiops retry"), "- `build` is retried.\n- `unit` is retried.\n");
  EXPECT_THAT(gitlab_.writes, ElementsAre("retry 5", "retry 6", "reply"));
  EXPECT_THAT(audited(), ElementsAre("user:ana command.retry done, asked for in note 31",
                                     "user:ana job.retry decided: asked for in note 31",
                                     "user:ana job.retry decided: asked for in note 31",
                                     "user:ana job.retry done", "user:ana job.retry done",
                                     "reaction:commands command.reply done"));
  EXPECT_THAT(told_, ElementsAre("retry done"));
  // The same delivery again, and the same wish in another comment.
  hear(31);
  EXPECT_TRUE(store_.items.empty());
  EXPECT_EQ(answered("/gitaiops retry unit"),
            "- `unit` was not retried: it was asked for before, or too often.\n");
}

TEST_F(CommandsTest, AJobIsRetriedByNameAndGitLabsWordsAreGiven) {
  failed(8, "lint").allow_failure = true;
  failed(9, "a`b");
  gitlab_.failures.emplace("retry_job", Error(Code::permission_denied, "403 @all not allowed"));
  EXPECT_EQ(answered("/gitaiops retry lint"), "- `lint` was not retried: `403 @all not allowed`\n");
  EXPECT_EQ(answered("/gitaiops retry none"), "No job of the newest pipeline is called `none`.\n");
  view_.jobs[1].status = "success";
  EXPECT_EQ(answered("/gitaiops retry a`b"), "``a`b`` has not failed: GitLab says success.\n");
  EXPECT_EQ(answered("/gitaiops retry"), "No job that blocks the newest pipeline has failed.\n");
}

TEST_F(CommandsTest, NoMoreThanTenRetries) {
  for (int i = 0; i < 12; ++i) failed(100 + i, "job" + std::to_string(i));
  const std::string words = answered("/gitaiops retry\n/gitaiops retry job0");
  EXPECT_THAT(words, HasSubstr("- `job9` is retried.\n\nThat are the first 10; retry the others"));
  EXPECT_EQ(gitlab_.writes.size(), 11u) << "the reply is one";
}

TEST_F(CommandsTest, WhoHasNotTheRightsIsToldAndStrangersAreNot) {
  EXPECT_EQ(answered("/gitaiops mute", kGus),
            "That takes the role Developer in this project, or more.\n");
  EXPECT_EQ(answered("/gitaiops mute", kMal), "");
  gitlab_.people[42][0].active = false;
  EXPECT_EQ(answered("/gitaiops mute"), "");
  EXPECT_TRUE(store_.commanded.mutes.empty());
  EXPECT_THAT(told_, ElementsAre("mute refused", "mute silent", "mute silent"));
  EXPECT_THAT(audited(),
              ElementsAre("user:gus command.refuse no developer of the project, asked for in note "
                          "31",
                          "reaction:commands command.reply done",
                          "user:mal command.refuse no active member of the project, asked for in "
                          "note 32",
                          "user:ana command.refuse no active member of the project, asked for in "
                          "note 33"));
}

TEST_F(CommandsTest, JobsOfAForkAreRetriedForItsDevelopers) {
  failed(5, "build").project_id = 43;
  EXPECT_THAT(answered("/gitaiops retry"), HasSubstr("that takes the role Developer there"));
  EXPECT_THAT(gitlab_.writes, ElementsAre("reply"));
  gitlab_.people[43] = {{{kAna, "ana"}, true, 40}};
  EXPECT_EQ(answered("/gitaiops retry"), "- `build` is retried.\n");
  EXPECT_EQ(store_.acts.begin()->second.project_id, 43);
}

TEST_F(CommandsTest, CommentsThatAreNotHeard) {
  const auto ours = comment("/gitaiops mute", gitlab::FakeGitlab::kBot);
  const auto secret = comment("/gitaiops mute");
  gitlab_.discussions["d" + std::to_string(secret)][0].confidential = true;
  const auto old = comment("/gitaiops mute");
  gitlab_.discussions["d" + std::to_string(old)][0].created_at =
      clock_.now() + -25 * 3600 * kMicrosPerSecond;
  const auto quoted = comment("> /gitaiops mute");
  const auto gone = comment("/gitaiops mute");
  gitlab_.discussions.erase("d" + std::to_string(gone));
  for (const auto note : {ours, secret, old, quoted, gone}) {
    const auto verdict = hear(note);
    EXPECT_TRUE(std::holds_alternative<queue::Done>(verdict.what));
  }
  EXPECT_TRUE(store_.audits.empty() && store_.items.empty() && store_.commanded.comments.empty());
}

TEST_F(CommandsTest, TwentyCommandsAnHourAndThenSilence) {
  for (int i = 0; i < 20; ++i) EXPECT_NE(answered("/gitaiops mute"), "");
  const auto writes = gitlab_.writes.size();
  EXPECT_EQ(answered("/gitaiops unmute"), "");
  EXPECT_EQ(gitlab_.writes.size(), writes);
  EXPECT_EQ(store_.commanded.mutes.size(), 1u);
  EXPECT_EQ(told_.back(), "unmute limited");
  EXPECT_THAT(audited().back(), HasSubstr("more commands than 20 within an hour"));
  clock_.advance(3601 * kMicrosPerSecond);
  EXPECT_NE(answered("/gitaiops unmute"), "");
  EXPECT_TRUE(store_.commanded.mutes.empty());
}

TEST_F(CommandsTest, AReplyIsWrittenOnceWhateverIsLost) {
  const auto note = comment("/gitaiops help");
  hear(note);
  gitlab_.failures.emplace("reply", Error(Code::unavailable, "no answer"));
  do_work("command.reply");
  EXPECT_EQ(answer(note), "");
  gitlab_.failures.clear();
  auto twice = store_.items;
  do_work("command.reply");
  EXPECT_THAT(answer(note), HasSubstr("- `/gitaiops explain`"));
  store_.items = twice;  // written, and then the power failed
  do_work("command.reply");
  EXPECT_THAT(answer(note), HasSubstr("- `/gitaiops explain`"));
}

TEST_F(CommandsTest, AReplyWaitsForTheRetriesButNotForever) {
  failed(5, "build");
  const auto note = comment("/gitaiops retry");
  hear(note);
  do_work("command.reply");
  EXPECT_EQ(answer(note), "");
  clock_.advance(61 * kMicrosPerSecond);
  do_work("command.reply");
  EXPECT_EQ(answer(note), "- `build` will be retried as soon as GitLab lets us.\n");
}

TEST_F(CommandsTest, ADiscussionThatIsNotTheCommentsGetsNoReply) {
  const auto note = comment("/gitaiops help");
  hear(note);
  gitlab_.discussions["d" + std::to_string(note)][0].id = 999;
  do_work("command.reply");
  EXPECT_TRUE(gitlab_.writes.empty());
  EXPECT_THAT(audited().back(), HasSubstr("failed: its discussion"));
  EXPECT_TRUE(store_.items.empty());
}

TEST_F(CommandsTest, WhyJobsFailedIsSaidInShort) {
  EXPECT_EQ(answered("/gitaiops explain"), "No job of the newest pipeline has failed.\n");
  failed(5, "build");
  EXPECT_EQ(answered("/gitaiops explain"),
            "`build` — compile error\nLog line 3: `main.cpp:1: error: @all`\n");
  for (int i = 6; i < 10; ++i) failed(i, "unit" + std::to_string(i));
  const auto words = answered("/gitaiops explain");
  EXPECT_THAT(words, HasSubstr("`unit7`"));
  EXPECT_THAT(words, Not(HasSubstr("`unit8`")));
  EXPECT_THAT(words, HasSubstr("\n2 more failed.\n"));
}

TEST_F(CommandsTest, AModelIsAskedWhereItMayBe) {
  failed(5, "build");
  options_.explain = [](const fleet::v1::JobReport&) {
    return std::optional(store::NewWork{"job.explain", "main/5/asked", "{}", {}});
  };
  EXPECT_THAT(answered("/gitaiops explain"),
              HasSubstr("A model is asked about 1 job; what it says comes into the note"));
  EXPECT_EQ(store_.items.size(), 1u);
  store_.items.clear();
  const auto nobody_asks = [&] {
    EXPECT_THAT(answered("/gitaiops explain"), Not(HasSubstr("A model")));
    EXPECT_TRUE(store_.items.empty());
  };
  view_.quote_logs = false;
  nobody_asks();
  view_.quote_logs = true;
  view_.unwanted = {"explanation"};
  nobody_asks();
  view_.unwanted.clear();
  store_.commanded.mutes[{"main", 42, 7}] = "ana";  // nobody would see the answer
  nobody_asks();
}

TEST_F(CommandsTest, ReviewersAreNamedWithoutTellingThem) {
  EXPECT_EQ(answered("/gitaiops reviewers"),
            "Nobody is proposed here: the server does not look for reviewers.\n");
  commands_.reset();
  reactions::Proposal proposal{{}, true};
  options_.reviewers = [&proposal](std::string, gitlab::MergeRequest) -> Task<reactions::Proposal> {
    co_return proposal;
  };
  const auto note = comment("/gitaiops reviewers");
  hear(note);
  do_work("command.reply");
  EXPECT_EQ(answer(note), "") << "the history is being read";
  proposal.reviewers = {{"ben", "Ben Ode", "gave 3 of the last 9 reviews", ""}};
  do_work("command.reply");
  EXPECT_EQ(answer(note), "- Ask `ben` (`Ben Ode`): gave 3 of the last 9 reviews\n");
}

TEST_F(CommandsTest, AWrongReviewerIsRemembered) {
  gitlab_.people[42].push_back({{14, "Ben"}, true, 30});
  EXPECT_EQ(answered("/gitaiops wrong-reviewer @ben"),
            "`Ben` is not proposed for this merge request again.\n");
  ASSERT_EQ(store_.wrong.size(), 1u);
  EXPECT_EQ(store_.wrong[0].user_id, 14);
  EXPECT_EQ(store_.wrong[0].iid, 7);
  EXPECT_EQ(store_.wrong[0].said_by, "ana");
  EXPECT_EQ(answered("/gitaiops wrong-reviewer @eve"), "`eve` is no member of this project.\n");
  EXPECT_EQ(store_.wrong.size(), 1u);
}

TEST_F(CommandsTest, AMistakeAndTheOthersAreAnsweredInOneReply) {
  EXPECT_EQ(answered("/gitaiops rerun\n/gitaiops mute\n/gitaiops unmute"),
            "`rerun` is no command; `/gitaiops help` lists them.\n\n"
            "The note here stays as it is until somebody asks for `/gitaiops unmute`.\n\n"
            "The note here is kept up to date again.\n");
  EXPECT_THAT(told_, ElementsAre("unknown refused", "mute done", "unmute done"));
  EXPECT_TRUE(store_.commanded.mutes.empty()) << "the last word counts";
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "/gitaiops retry job" + std::to_string(i) + "\n";
  EXPECT_THAT(answered(many), HasSubstr("No more than 5 commands of one comment are read."));
}

TEST_F(CommandsTest, WhatPassesIsTriedAgainAndNothingIsWrittenBefore) {
  failed(5, "build");
  for (const char* call : {"note", "current_user", "member", "merge_request"}) {
    gitlab_.failures = {{call, Error(Code::unavailable, "down")}};
    const auto verdict = hear(comment("/gitaiops retry"));
    EXPECT_TRUE(std::holds_alternative<queue::Failed>(verdict.what)) << call;
    EXPECT_FALSE(verdict.outcome.commanded) << call;
    EXPECT_TRUE(verdict.outcome.decisions.empty() && verdict.outcome.audit.empty()) << call;
  }
}

}  // namespace
}  // namespace gitaiops::commands
