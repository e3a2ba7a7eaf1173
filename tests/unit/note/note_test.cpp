#include "controller/note/note.h"

#include <gtest/gtest.h>

#include "controller/note/words.h"
#include "engines/diagnosis/diagnosis.h"
#include "tests/fuzz/note/invariants.h"

namespace gitaiops::note {
namespace {

JobView failed_unit() {
  fleet::v1::JobReport report;
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  report.set_exit_code(1);
  report.set_wall_us(63'000'000);
  report.mutable_usage()->mutable_cpu_us()->set_value(41'000'000);
  report.mutable_usage()->mutable_memory_peak_bytes()->set_value(512 << 20);
  auto& d = *report.mutable_diagnosis();
  d.set_category("test_failure");
  d.set_owner("test");
  d.set_retry("never");
  d.set_confidence(0.93);
  d.set_command("pytest -q");
  d.mutable_root_cause()->set_line(119);
  d.mutable_root_cause()->set_text("E  assert 3 == 4");
  auto& excerpt = *d.add_evidence();
  excerpt.set_first_line(117);
  excerpt.set_last_line(121);
  excerpt.set_text(
      "def test_total():\n    cart = Cart()\nE  assert 3 == 4\n\ntests/test_cart.py:41: "
      "AssertionError");
  auto& test = *d.add_failing_tests();
  test.set_name("test_total");
  test.set_file("tests/test_cart.py");
  test.set_line(41);
  return {.id = 9,
          .name = "unit",
          .status = "failed",
          .failure_reason = "script_failure",
          .web_url = "https://gitlab.example/grp/demo/-/jobs/9",
          .allow_failure = false,
          .report = report};
}

JobView passed(int64_t id, std::string name) {
  JobView job;
  job.id = id;
  job.name = std::move(name);
  job.status = "success";
  job.report.emplace().set_wall_us(2'000'000);
  return job;
}

View view_of(std::vector<JobView> jobs) {
  View view;
  view.place = "main/42/7";
  view.pipeline_status = "failed";
  view.jobs = std::move(jobs);
  return view;
}

std::string composed(const View& view) {
  const std::string note = Composer().compose(view);
  EXPECT_EQ(broken_rule(note), std::nullopt) << note;
  return note;
}

std::string visible(const std::string& note) {
  return note.substr(0, note.find("<details>"));
}

TEST(Note, ASectionThatIsNotWantedIsLeftOut) {
  auto view = view_of({failed_unit()});
  ASSERT_NE(composed(view).find("CPU 41 s"), std::string::npos);
  view.unwanted = {"usage"};
  EXPECT_EQ(composed(view).find("CPU 41 s"), std::string::npos);
  EXPECT_NE(composed(view).find("test_total"), std::string::npos);
}

TEST(Note, WithoutTheFailuresWhatIsLeftStands) {
  auto view = view_of({failed_unit()});
  view.unwanted = {"failures"};
  EXPECT_EQ(composed(view), "");
  view.acts.push_back({.job_name = "unit",
                       .category = "disk_full",
                       .state = "done",
                       .detail = "",
                       .status = "success"});
  EXPECT_TRUE(
      visible(composed(view)).starts_with(marker("main/42/7") + "\nAbout this merge request:\n"));
  view.acts.clear();
  view.unwanted = {"failures", "usage"};
  view.has_note = true;
  EXPECT_EQ(composed(view), marker("main/42/7") + "\nThere is nothing to say any more.\n");
}

TEST(Note, AProjectThatWantsNoneHasNone) {
  auto view = view_of({failed_unit()});
  view.wanted = false;
  EXPECT_EQ(composed(view), "");
  view.has_note = true;  // of before: it must not stand for ever
  EXPECT_EQ(composed(view),
            marker("main/42/7") +
                "\nNotes are switched off for this project by its file `.gitaiops.yml`.\n");
}

TEST(Note, GuidelinesAreNamedAndTheirWordsFolded) {
  auto view = view_of({failed_unit()});
  for (int i = 1; i <= 7; ++i)
    view.guidelines.push_back({"G" + std::to_string(i), "1. Do @this\n2. ```not``` that"});
  const auto note = composed(view);
  EXPECT_NE(visible(note).find("Guidelines for what it touches: `G1`, `G2`, `G3`, `G4`, `G5` and 2 "
                               "more\n"),
            std::string::npos)
      << note;
  EXPECT_NE(note.find("Guideline `G7`:\n\n````text\n  1 | 1. Do @this\n  2 | 2. ```not``` that\n"),
            std::string::npos)
      << note;
  EXPECT_EQ(Composer().compose({.place = "main/42/7",
                                .pipeline_status = "success",
                                .jobs = {},
                                .guidelines = view.guidelines}),
            "")
      << "no note for this alone";
}

TEST(Note, MistakesInTheProjectsFileAreFolded) {
  auto view = view_of({failed_unit()});
  view.mistakes = {".gitaiops.yml, line 2: nothing is called \"@all `</details>\" here"};
  const auto note = composed(view);
  EXPECT_EQ(visible(note).find("line 2"), std::string::npos);
  EXPECT_NE(note.find("- ``.gitaiops.yml, line 2: nothing is called \"@all `</details>\" here``"),
            std::string::npos)
      << note;
}

Seen seen_times(int64_t times) {
  Seen seen;
  seen.times = times;
  seen.first_at = {1'700'000'000'000'000};  // 2023-11-14
  return seen;
}

TEST(Note, OneQuietLineOnWhatWasSeenBefore) {
  auto job = failed_unit();
  job.seen = seen_times(4);
  job.seen->cure = Seen::Cure::retry;
  EXPECT_NE(visible(composed(view_of({job})))
                .find("\nSeen 4 times before in this project since 2023-11-14, last passed after a "
                      "retry.\n"),
            std::string::npos)
      << composed(view_of({job}));
  Seen once = seen_times(1);
  once.cure = Seen::Cure::change;
  once.sha = "0123456789abcdef";
  once.flaky = true;
  EXPECT_EQ(seen_line(once),
            "Flaky: this job passed on the same commit. Seen 1 time before in this project since "
            "2023-11-14, last passed after a change (`01234567`).");
  Seen theirs;
  theirs.elsewhere_times = 12;
  theirs.elsewhere_projects = 3;
  EXPECT_EQ(seen_line(theirs), "New in this project, seen 12 times in 3 other projects.");
  EXPECT_EQ(seen_line(Seen()), "");
}

TEST(Note, TellsWhatWasDoneByItself) {
  auto view = view_of({passed(10, "unit")});
  view.pipeline_status = "success";
  view.acts = {{"unit", "dns", "done", "", "success", true}};
  const auto note = composed(view);
  EXPECT_NE(note.find("- `unit` (host name does not resolve) was retried"), std::string::npos)
      << note;
  EXPECT_NE(note.find("once (GitLab chooses the runner, it may be the same one); it passed.\n"),
            std::string::npos)
      << note;
  view.acts = {{"unit", "dns", "intended", "", "", false}};
  EXPECT_NE(composed(view).find("will be retried automatically, once."), std::string::npos);
  view.acts = {{"a`b@all", "dns", "refused", "<b>x</b>\n/close", "", false}};
  EXPECT_NE(composed(view).find("was not: "), std::string::npos);
}

TEST(Note, TellsWhatSomebodyAskedFor) {
  auto view = view_of({passed(10, "unit")});
  const auto told = [&](const std::string& state, const std::string& status) {
    view.acts = {{"unit", "job 9", state, "403 @all", status, false, "ana`s"}};
    const auto note = composed(view);
    const auto at = note.find("- `unit` ");
    return at == note.npos ? note : note.substr(at, note.find('\n', at) - at);
  };
  EXPECT_EQ(told("intended", ""), "- `unit` will be retried for ``ana`s``.");
  EXPECT_EQ(told("done", ""), "- `unit` was retried for ``ana`s``.");
  EXPECT_EQ(told("done", "success"), "- `unit` was retried for ``ana`s``; it passed.");
  EXPECT_EQ(told("refused", ""),
            "- `unit` was to be retried for ``ana`s``, but was not: `403 @all`");
}

TEST(Note, AMutedOneSaysByWhoseWishOnce) {
  const std::string once = muted("<!-- m -->\nwords\n", "ana");
  EXPECT_EQ(once,
            "<!-- m -->\nwords\n\nMuted by `ana`; a comment with `/gitaiops unmute` ends that.\n");
  EXPECT_EQ(muted(once, "ana"), once);
}

TEST(Note, InShortIsWhatTheRulesFound) {
  const auto view = view_of({failed_unit()});
  const auto words = in_short(view.jobs.at(0));
  EXPECT_TRUE(
      words.starts_with("`unit` — test failure: `test_total` (`tests/test_cart.py:41`) · "
                        "Looks like a problem of **the tests**"))
      << words;
  EXPECT_NE(words.find("\nLog line 119: `"), std::string::npos) << words;
  auto secret = view;
  secret.quote_logs = false;
  EXPECT_EQ(in_short(for_readers(secret).jobs.at(0)).find("test_total"), std::string::npos);
  JobView unwatched;
  unwatched.name = "build";
  EXPECT_EQ(in_short(unwatched), "`build` failed where no agent watched.\n");
}

TEST(Note, NamesTheCauseWithTheLinesThatProveIt) {
  EXPECT_EQ(composed(view_of({failed_unit()})),
            "<!-- gitaiops:note v1 main/42/7 -->\n"
            "**1 job failed:** `unit` — test failure: `test_total` (`tests/test_cart.py:41`)\n"
            "\n"
            "[Log line 119](https://gitlab.example/grp/demo/-/jobs/9#L119) · Looks like a problem "
            "of **the tests**; "
            "a retry will not help (93 % sure)\n"
            "```text\n"
            "  117 | def test_total():\n"
            "  118 |     cart = Cart()\n"
            "> 119 | E  assert 3 == 4\n"
            "  121 | tests/test_cart.py:41: AssertionError\n"
            "```\n"
            "\n"
            "CPU 41 s · peak memory 512 MiB · wall 1 min 3 s\n"
            "\n"
            "<details><summary>More about the failure</summary>\n"
            "\n"
            "**`unit`**\n"
            "\n"
            "Command: `pytest -q`\n"
            "\n"
            "</details>\n");
}

// A unittest's heading, rulers and traceback: the few lines there is room for are those that tell.
JobView failed_discount() {
  JobView job = failed_unit();
  auto& d = *job.report->mutable_diagnosis();
  d.mutable_root_cause()->set_line(27);
  d.mutable_root_cause()->set_text("FAIL: test_discount (__main__.CartTest.test_discount)");
  auto& excerpt = *d.mutable_evidence(0);
  excerpt.set_first_line(26);
  excerpt.set_last_line(35);
  excerpt.set_text(
      "======================================================================\n"
      "FAIL: test_discount (__main__.CartTest.test_discount)\n"
      "----------------------------------------------------------------------\n"
      "Traceback (most recent call last):\n"
      "  File \"/builds/shop/cart/test_cart.py\", line 7, in test_discount\n"
      "    self.assertEqual(price - discount, 80)\n"
      "AssertionError: 85 != 80\n"
      "\n"
      "======================================================================\n"
      "ERROR: test_other (__main__.CartTest.test_other)");
  d.clear_failing_tests();
  d.add_failing_tests()->set_name("test_discount (__main__.CartTest.test_discount)");
  d.add_failing_tests()->set_name("test_other (__main__.CartTest.test_other)");
  return job;
}

TEST(Note, ShowsTheAssertionAndNoRulers) {
  const JobView job = failed_discount();
  const std::string note = composed(view_of({job, job, job}));
  EXPECT_NE(visible(note).find("`unit` — test failure: `test_discount` and 1 more · [Log line 27]"),
            note.npos)
      << note;
  EXPECT_NE(visible(note).find("```text\n"
                               "> 27 | FAIL: test_discount (__main__.CartTest.test_discount)\n"
                               "  32 | AssertionError: 85 != 80\n"
                               "```\n"),
            note.npos)
      << note;
  EXPECT_NE(note.find("  26 | ====="), note.npos) << "the fold has the excerpt whole";
  EXPECT_NE(note.find("2 failing tests:\n\n- `test_discount (__main__.CartTest.test_discount)`\n"),
            note.npos);
  EXPECT_EQ(note.find("\n\n\n"), note.npos) << note;
}

TEST(Note, AnExcerptThatSaysNothingIsNoFence) {
  JobView job = failed_unit();
  job.report->mutable_diagnosis()->clear_root_cause();
  job.report->mutable_diagnosis()->mutable_evidence(0)->set_text("\n---\n\n===\n");
  const std::string note = composed(view_of({job}));
  EXPECT_EQ(note.find("```"), note.npos) << note;
  EXPECT_EQ(note.find("\n\n\n"), note.npos) << note;
}

TEST(Words, EveryBuiltInCategoryHasItsOwn) {
  for (const auto& category : diagnosis::rule_categories(*diagnosis::builtin_rules())) {
    EXPECT_TRUE(has_words(category.id)) << category.id;
  }
  EXPECT_EQ(category_words("oom_killed"), "killed for memory (out of memory)");
  EXPECT_EQ(category_words("house_rule"), "house rule");
  EXPECT_EQ(category_words("@all"), "`@all`");
}

TEST(Note, IsSilentWhereThereIsNothingToSay) {
  EXPECT_EQ(composed(view_of({})), "");
  EXPECT_EQ(composed(view_of({passed(1, "lint")})), "");
  JobView unwatched = failed_unit();
  unwatched.report.reset();
  EXPECT_EQ(composed(view_of({unwatched})), "");
  JobView canceled = failed_unit();
  canceled.status = "canceled";
  EXPECT_EQ(composed(view_of({canceled})), "");
}

TEST(Note, SaysOnceThatAllIsGreenNow) {
  View view = view_of({passed(1, "lint")});
  view.has_note = true;
  view.pipeline_status = "success";
  EXPECT_EQ(composed(view),
            "<!-- gitaiops:note v1 main/42/7 -->\n**All green now.** Every job of the newest "
            "pipeline passed.\n");
  view.pipeline_status = "running";
  EXPECT_EQ(composed(view),
            "<!-- gitaiops:note v1 main/42/7 -->\n**No failure left.** No job of the newest "
            "pipeline has failed so far.\n");
  JobView unwatched = failed_unit();
  unwatched.report.reset();
  view.jobs.push_back(unwatched);
  EXPECT_EQ(composed(view),
            "<!-- gitaiops:note v1 main/42/7 -->\n**1 job failed where no agent watched**, so "
            "there is no cause to show\n");
}

TEST(Note, SixFailedJobsStayWithinTheVisibleLines) {
  std::vector<JobView> jobs;
  for (int64_t i = 6; i >= 1; --i) {
    jobs.push_back(failed_unit());
    jobs.back().id = i;
    jobs.back().name = "job-" + std::to_string(i);
  }
  const std::string note = composed(view_of(jobs));
  EXPECT_NE(note.find("**6 jobs failed:** `job-1`, `job-2`, `job-3`, `job-4` and 2 more\n"),
            note.npos)
      << note;
  EXPECT_NE(visible(note).find("`job-3` — test failure"), note.npos);
  EXPECT_EQ(visible(note).find("`job-5`"), note.npos);
  EXPECT_NE(note.find("`job-5` — test failure"), note.npos);
  EXPECT_NE(visible(note).find("CPU 4 min 6 s in all · peak memory up to 512 MiB (`job-1`) · wall "
                               "up to 1 min 3 s (`job-1`)"),
            note.npos)
      << note;
  EXPECT_NE(note.find("| `job-6` | 41 s | 512 MiB | 1 min 3 s |"), note.npos);
}

TEST(Note, FoldsWhatMayFail) {
  JobView allowed = failed_unit();
  allowed.allow_failure = true;
  const std::string note = composed(view_of({allowed}));
  EXPECT_NE(note.find("**Nothing blocks.** 1 job that may fail did: `unit`\n"), note.npos) << note;
  EXPECT_EQ(visible(note).find("assert"), note.npos) << note;
  EXPECT_NE(note.find("E  assert 3 == 4"), note.npos);

  JobView blocking = failed_unit();
  blocking.id = 10;
  blocking.name = "build";
  const std::string both = composed(view_of({allowed, blocking}));
  EXPECT_NE(both.find("**1 job failed:** `build`"), both.npos) << both;
  EXPECT_EQ(visible(both).find("`unit`"), both.npos) << both;
  EXPECT_NE(both.find("1 failed job that may fail, usage of 2 jobs</summary>"), both.npos) << both;
}

TEST(Note, TakesNothingFromTheLogToReadersWhoMayNotSeeIt) {
  JobView job = failed_unit();
  auto& report = *job.report;
  // "secret" in every free text of the report, and two failing tests.
  report.set_failure_reason("secret reason");
  report.add_notes("secret note");
  report.add_trimmed("secret part");
  report.mutable_log()->set_availability(fleet::v1::LogFacts::AVAILABILITY_PARTIAL);
  report.mutable_log()->set_reason("secret loss");
  auto& d = *report.mutable_diagnosis();
  d.set_phase("secret phase");
  d.set_command("secret command");
  d.set_fingerprint("secret fingerprint");
  d.mutable_root_cause()->set_text("secret cause");
  d.mutable_evidence(0)->set_text("secret line\nsecret line");
  d.mutable_failing_tests(0)->set_name("secret_test");
  d.mutable_failing_tests(0)->set_file("secret/file.py");
  d.add_failing_tests()->set_name("secret_other_test");
  View view = view_of({job});
  EXPECT_NE(composed(view).find("secret"), std::string::npos);
  view.quote_logs = false;
  EXPECT_EQ(composed(view),
            "<!-- gitaiops:note v1 main/42/7 -->\n"
            "**1 job failed:** `unit` — test failure\n"
            "\n"
            "[Job](https://gitlab.example/grp/demo/-/jobs/9) · Looks like a problem of **the "
            "tests**; a retry will not help (93 % sure)\n"
            "\n"
            "CPU 41 s · peak memory 512 MiB · wall 1 min 3 s\n"
            "\n"
            "<details><summary>More about the failure</summary>\n"
            "\n"
            "**`unit`**\n"
            "\n"
            "- A part of the log is missing.\n"
            "- The log is not quoted here: not every reader of this note may see it.\n"
            "\n"
            "</details>\n");
  // Several jobs, one that may fail: the same holds in each part of the note.
  view.jobs.push_back(job);
  view.jobs.push_back(job);
  view.jobs.back().allow_failure = true;
  EXPECT_EQ(composed(view).find("secret"), std::string::npos) << composed(view);
}

fleet::v1::ContainerUsage& add_container(JobView& job, const std::string& kind) {
  auto& container = *job.report->mutable_usage()->add_containers();
  container.set_kind(kind);
  return container;
}

TEST(Note, SaysWhichLimitsAContainerMet) {
  JobView job = failed_unit();
  auto& build = add_container(job, "build");
  build.set_memory_limit_bytes(64 << 20);
  build.mutable_memory_peak_bytes()->set_value(64 << 20);
  build.mutable_oom_kills()->set_value(1);
  build.mutable_cpu_throttled_us()->set_value(12'000'000);
  auto& service = add_container(job, "service");
  service.set_memory_limit_bytes(100 << 20);
  service.mutable_memory_peak_bytes()->set_value(98 << 20);
  auto note = composed(view_of({job}));
  EXPECT_NE(
      visible(note).find(
          "The build container reached its memory limit of 64 MiB: the kernel killed 1 process "
          "in it.  \nThe build container was held back by its CPU limit for 12 s.  \n"
          "A service container held 98 MiB of its memory limit of 100 MiB, file cache "
          "included.\n"),
      note.npos)
      << note;
  auto view = view_of({job});
  view.quote_logs = false;
  EXPECT_NE(composed(view).find("the kernel killed 1 process"), note.npos)
      << "no word of the log's";
}

TEST(Note, LimitsThatWereNotMetAreNotMentioned) {
  JobView job = failed_unit();
  auto& build = add_container(job, "@all");
  build.set_memory_limit_bytes(64 << 20);
  build.mutable_memory_peak_bytes()->set_value(32 << 20);
  build.mutable_oom_kills()->set_value(0);
  build.mutable_cpu_throttled_us()->set_value(900'000);
  EXPECT_EQ(composed(view_of({job})).find("limit"), std::string::npos);
  build.mutable_oom_kills()->set_value(2);
  build.set_memory_limit_bytes(0);
  const auto note = composed(view_of({job}));
  EXPECT_NE(note.find("In a container of the job the kernel killed 2 processes for memory."),
            note.npos)
      << note;
}

TEST(Note, SaysWhatItDoesNotKnow) {
  JobView job = failed_unit();
  job.report->mutable_diagnosis()->Clear();
  job.report->clear_diagnosis();
  job.report->clear_usage();
  job.report->mutable_log()->set_availability(fleet::v1::LogFacts::AVAILABILITY_UNAVAILABLE);
  job.report->mutable_log()->set_reason("the agent started after the job");
  const std::string note = composed(view_of({job}));
  EXPECT_NE(note.find("**1 job failed:** `unit` — cause not recognised, exit code 1\n"), note.npos)
      << note;
  EXPECT_NE(note.find("- The log was not available: `the agent started after the job`"), note.npos);
  EXPECT_EQ(note.find("sure"), note.npos);
  EXPECT_EQ(note.find("CPU"), note.npos) << "absent, not 0";
}

TEST(Note, KeepsTheNumbersOfElidedExcerpts) {
  JobView job = failed_unit();
  auto& excerpt = *job.report->mutable_diagnosis()->mutable_evidence(0);
  excerpt.set_first_line(10);
  excerpt.set_last_line(119);
  excerpt.set_text("first\n… (108 lines)\nE  assert 3 == 4");
  EXPECT_NE(composed(view_of({job})).find("   10 | first\n> 119 | E  assert 3 == 4\n"),
            std::string::npos);
  // A log that forges the elision moves no number.
  excerpt.set_first_line(118);
  excerpt.set_last_line(120);
  excerpt.set_text("… (50 lines)\nE  assert 3 == 4\nend");
  EXPECT_NE(composed(view_of({job}))
                .find("  118 | … (50 lines)\n> 119 | E  assert 3 == 4\n  120 | end\n"),
            std::string::npos);
}

TEST(Note, HostileTextStaysText) {
  JobView job = failed_unit();
  job.name = "`@all` | <!-- x -->\n/close";
  job.failure_reason = "/approve";
  auto& d = *job.report->mutable_diagnosis();
  d.mutable_evidence(0)->set_text("```\n/merge\n@all\n<script>\n\u202e![x](http://x) #1");
  d.set_command("/shrug\n/label ~bug");
  d.mutable_failing_tests(0)->set_file("a`b|c\n/close");
  d.mutable_failing_tests(0)->set_name("</details>\n\n@root");
  job.report->add_notes("![](http://evil.example) @all");
  job.web_url = "https://gitlab.example/x)[y](http://evil.example";
  composed(view_of({job, job, job, job}));
  View view = view_of({job});
  view.place = "a-->b/1/2 --><img>";
  EXPECT_TRUE(composed(view).starts_with("<!-- gitaiops:note v1 a-__b/1/2_-___img_ -->\n"));
}

TEST(Note, StaysBelowItsSize) {
  std::vector<JobView> jobs;
  for (int64_t i = 0; i < 60; ++i) {
    jobs.push_back(failed_unit());
    jobs.back().id = i;
    auto& excerpt = *jobs.back().report->mutable_diagnosis()->mutable_evidence(0);
    excerpt.set_last_line(216);
    excerpt.clear_text();
    for (int line = 0; line < 100; ++line) excerpt.mutable_text()->append(80, 'x').append("\n");
  }
  const std::string note = composed(view_of(jobs));
  EXPECT_GT(note.size(), 40u << 10);
  EXPECT_NE(note.find("More is left out here"), note.npos);
}

// Later sections join without the first ones knowing.
class Risk final : public Section {
 public:
  std::string_view name() const override { return "risk"; }
  Contribution contribute(const View&) const override {
    return {.worth_a_note = true,
            .headline = "Risk: low",
            .blocks = {{.shown = "Touches one file.\n", .folded = "", .fold_title = ""}}};
  }
};

TEST(Note, TakesFurtherSections) {
  const Composer composer({failures(), usage(), std::make_shared<Risk>()});
  const std::string note = composer.compose(view_of({failed_unit()}));
  EXPECT_EQ(broken_rule(note), std::nullopt);
  EXPECT_NE(note.find("wall 1 min 3 s\n\nTouches one file.\n"), note.npos) << note;
}

TEST(Reviewers, StandInANoteThatSaysSomethingElse) {
  View view{.place = "main/42/7", .pipeline_status = "failed", .jobs = {failed_unit()}};
  view.reviewers = {
      {"ben", "Ben Ode", "gave 4 of the last 5 reviews in lib/a_b, last review today", "lib/a_b"},
      {"cem", "", "changed files nearby", ""}};
  const auto note = Composer().compose(view);
  EXPECT_NE(note.find("- Ask `ben` (`Ben Ode`): gave 4 of the last 5 reviews in `lib/a_b`, last "
                      "review today\n- or `cem`: changed files nearby\n"),
            std::string::npos)
      << note;
  EXPECT_EQ(broken_rule(note), std::nullopt) << note;
}

TEST(Reviewers, MakeANoteOnlyWhereThatIsWanted) {
  View view{.place = "main/42/7", .pipeline_status = "running", .jobs = {}};
  view.reviewers = {{"ben", "", "changed files nearby", ""}};
  EXPECT_EQ(Composer().compose(view), "");
  view.reviewers_alone = true;
  EXPECT_NE(Composer().compose(view).find("Ask `ben`"), std::string::npos);
}

TEST(Reviewers, ForeignNamesStayCode) {
  View view{.place = "main/42/7", .pipeline_status = "failed", .jobs = {failed_unit()}};
  view.reviewers = {{"a`@all", "/approve\n@x <b>", "gave 1 of `@all", "`@all"},
                    {"b", "", "look [here](http://x) @all", ""},
                    {"c", "", "in x, @all", "x"}};
  const auto note = Composer().compose(view);
  EXPECT_EQ(broken_rule(note), std::nullopt) << note;
}

}  // namespace
}  // namespace gitaiops::note
