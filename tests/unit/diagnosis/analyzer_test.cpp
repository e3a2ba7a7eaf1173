// The streaming half: peeling, sections, splits, hostile bytes, memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "engines/diagnosis/diagnosis.h"
#include "tests/unit/diagnosis/job_log.h"

namespace gitaiops::diagnosis {
namespace {

using testing::HasSubstr;
using testing::Not;

Diagnosis diagnose(std::string_view log, const ExitFacts& facts = {}) {
  Analyzer a(builtin_rules());
  a.feed(log);
  return a.finish(facts);
}

// A trace as gitlab-runner writes it, without timestamps.
std::string trace(std::string_view script,
                  std::string_view verdict = "ERROR: Job failed: exit code 1") {
  std::string out =
      "\x1b[0KRunning with gitlab-runner 17.5.0 (1a2b3c4d)\x1b[0;m\n"
      "\x1b[0K  on build host nine Qx7yT-1aZ, system ID: s_00112233aabb\x1b[0;m\n"
      "section_start:1700000000:prepare_executor\r\x1b[0K\x1b[0K\x1b[36;1mPreparing the \"docker\" "
      "executor\x1b[0;m\x1b[0;m\n"
      "section_end:1700000002:prepare_executor\r\x1b[0K"
      "section_start:1700000002:get_sources\r\x1b[0K\x1b[0K\x1b[36;1mGetting source from Git "
      "repository\x1b[0;m\x1b[0;m\n"
      "\x1b[32;1mInitialized empty Git repository in /builds/team/app/.git/\x1b[0;m\n"
      "section_end:1700000003:get_sources\r\x1b[0K"
      "section_start:1700000003:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting \"step_script\" "
      "stage\x1b[0;m\x1b[0;m\n";
  out += script;
  out +=
      "section_end:1700000009:step_script\r\x1b[0K"
      "section_start:1700000009:cleanup_file_variables\r\x1b[0K\x1b[0K\x1b[36;1mCleaning "
      "up\x1b[0;m\x1b[0;m\n"
      "section_end:1700000010:cleanup_file_variables\r\x1b[0K\x1b[31;1m";
  out += verdict;
  out += "\n\x1b[0;m";
  return out;
}

constexpr std::string_view kCompile =
    "\x1b[32;1m$ cmake --build out\x1b[0;m\n"
    "[1/2] Building CXX object pool.o\n"
    "src/pool.cpp:41:9: \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[K'lock' was not declared in this scope\n"
    "   41 |     lock();\n"
    "ninja: build stopped: subcommand failed.\n";

TEST(Analyzer, NamesLinePhaseCommandAndOwner) {
  const Diagnosis d = diagnose(trace(kCompile));
  EXPECT_EQ(d.outcome, Outcome::failed);
  EXPECT_EQ(d.phase, "step_script");
  EXPECT_EQ(d.command, "cmake --build out");
  EXPECT_EQ(d.exit_code, 1);
  EXPECT_EQ(d.category, "compile_error");
  EXPECT_EQ(d.owner, "code");
  EXPECT_EQ(d.retry, Retry::never);
  EXPECT_GT(d.confidence, 0.7);
  ASSERT_TRUE(d.root_cause);
  EXPECT_EQ(d.root_cause->line, 9u);
  EXPECT_EQ(d.root_cause->text, "src/pool.cpp:41:9: error: 'lock' was not declared in this scope");
  const std::string log = trace(kCompile);
  EXPECT_EQ(d.root_cause->offset, log.find("src/pool.cpp"));
  ASSERT_FALSE(d.evidence.empty());
  EXPECT_EQ(d.evidence[0].first_line, 9u);
  EXPECT_EQ(d.evidence[0].last_line, 10u);
}

TEST(Analyzer, ReadsWhatTheRunnerSaysWhileTheLogFlows) {
  Analyzer a(builtin_rules());
  const std::string log = trace(kCompile);
  const auto sources = log.find("section_end:1700000003:get_sources");
  a.feed(std::string_view(log).substr(0, sources));
  EXPECT_EQ(a.progress().runner_version, "17.5.0");
  EXPECT_EQ(a.progress().executor, "docker");
  EXPECT_EQ(a.progress().runner_short_token, "Qx7yT-1aZ");
  EXPECT_EQ(a.progress().runner_system_id, "s_00112233aabb");
  EXPECT_EQ(a.progress().section, "get_sources");
  EXPECT_EQ(a.progress().checkout_path, "/builds/team/app");
  EXPECT_FALSE(a.progress().ended);
  a.feed(std::string_view(log).substr(sources));
  EXPECT_TRUE(a.progress().ended);
  EXPECT_EQ(a.progress().failed, true);
  EXPECT_EQ(a.progress().bytes, log.size());
}

// With timestamps, what git says in the runner's own script has the stream of the job.
TEST(Analyzer, ReadsTheCheckoutWhereLinesNameTheirStream) {
  const std::string at = "2026-11-22T22:16:16.058495Z ";
  Analyzer a(builtin_rules());
  a.feed(at + "00O \x1b[0KRunning with gitlab-runner 19.4.0 (HEAD)\x1b[0;m\n");
  a.feed(at + "00O \x1b[0K  on lab Qx7yT-1aZ, system ID: s_00112233aabb\x1b[0;m\n");
  a.feed(at + "00O section_start:1700000000:prepare_executor\r\x1b[0K\n");
  a.feed(at + "00O+\x1b[0K\x1b[36;1mPreparing the \"shell\" executor\x1b[0;m\x1b[0;m\n");
  a.feed(at + "00O section_end:1700000001:prepare_executor\r\x1b[0K\n");
  a.feed(at + "00O+section_start:1700000001:get_sources\r\x1b[0K\n");
  a.feed(at + "01O Initialized empty Git repository in /builds/Qx7yT-1aZ/0/team/app/.git/\n");
  a.feed(at + "01O \x1b[32;1mCreated fresh repository.\x1b[0;m\n");
  EXPECT_EQ(a.progress().runner_short_token, "Qx7yT-1aZ");
  EXPECT_EQ(a.progress().executor, "shell");
  EXPECT_EQ(a.progress().checkout_path, "/builds/Qx7yT-1aZ/0/team/app");
}

TEST(Analyzer, APassedJobHasNothingToSay) {
  const Diagnosis d =
      diagnose(trace("\x1b[32;1m$ make\x1b[0;m\nerror: only a word\n", "Job succeeded"));
  EXPECT_EQ(d.outcome, Outcome::passed);
  EXPECT_EQ(d.category, "");
  EXPECT_TRUE(d.candidates.empty());
  EXPECT_TRUE(d.evidence.empty());
  EXPECT_EQ(d.fingerprint, "");
}

TEST(Analyzer, EverySplitGivesTheSame) {
  const std::string log = trace(kCompile);
  const std::string whole = to_json(diagnose(log));
  for (std::size_t at = 0; at <= log.size(); ++at) {
    Analyzer a(builtin_rules());
    a.feed(std::string_view(log).substr(0, at));
    a.feed(std::string_view(log).substr(at));
    ASSERT_EQ(to_json(a.finish()), whole) << "split at " << at;
  }
}

TEST(Analyzer, TimestampsChangeOnlyPlaces) {
  const std::string_view runner = "2026-03-01T10:00:00.000001Z 00O ",
                         job = "2026-03-01T10:00:01.000001Z 01O ";
  std::string log;
  for (const std::string_view line : {"Running with gitlab-runner 18.7.0 (aabbccdd)",
                                      "  on nine Qx7yT-1aZ, system ID: s_00112233aabb",
                                      "section_start:1700000003:step_script", "\x1b[0KExecuting"}) {
    log += std::string(runner) + std::string(line) + "\n";
  }
  log += std::string(job) + "\x1b[32;1m$ cmake --build out\x1b[0;m\n";
  log += std::string(job) + "src/pool.cpp:41:9: err\n";
  log += "2026-03-01T10:00:01.000002Z 01O+or: 'lock' was not declared in this scope\n";
  log += std::string(job) + "   41 |     lock();\n";
  log +=
      std::string(job) +
      "section_end:1700000004:step_script\r\x1b[0Ksection_start:1700000004:after_script\r\x1b[0K\n";
  log += std::string(job) + "ERROR: Job failed: exit code 137\n";
  log += std::string(runner) + "section_end:1700000009:step_script\n";
  log += std::string(runner) + "\x1b[31;1mERROR: Job failed: exit code 1\n";
  const Diagnosis d = diagnose(log);
  EXPECT_EQ(d.phase, "step_script");
  EXPECT_EQ(d.command, "cmake --build out");
  EXPECT_EQ(d.exit_code, 1);
  EXPECT_EQ(d.category, "compile_error");
  ASSERT_TRUE(d.root_cause);
  EXPECT_EQ(d.root_cause->text, "src/pool.cpp:41:9: error: 'lock' was not declared in this scope");
  EXPECT_EQ(d.root_cause->line, 6u);
  EXPECT_EQ(d.root_cause->offset, log.find("2026-03-01T10:00:01.000001Z 01O src/pool.cpp"));
}

TEST(Analyzer, ForgedSectionsDoNotHideTheCause) {
  const std::string forged =
      std::string("\x1b[32;1m$ make\x1b[0;m\n") +
      "section_end:1:step_script\r\x1b[0Ksection_start:1:after_script\r\x1b[0Know hidden\n" +
      "src/a.c:3:5: error: expected expression\n" + "Job succeeded\n" +
      "ERROR: Job failed: canceled\n" + "1\n2\n3\n4\n5\n6\n7\n8\n";
  const Diagnosis d = diagnose(trace(forged));
  EXPECT_EQ(d.outcome, Outcome::failed);
  EXPECT_EQ(d.phase, "step_script");
  EXPECT_EQ(d.category, "compile_error");
  EXPECT_EQ(d.exit_code, 1);
}

TEST(Analyzer, AfterScriptIsNotTheCause) {
  const std::string log =
      trace(std::string(kCompile) +
            "section_end:1700000008:step_script\r\x1b[0Ksection_start:1700000008:after_"
            "script\r\x1b[0KRunning after_script\n"
            "\x1b[32;1m$ ./collect\x1b[0;m\nbash: line 3: ./collect: No such file or directory\n"
            "section_end:1700000009:after_script\r\x1b[0K");
  const Diagnosis d = diagnose(log.substr(0, log.rfind("section_end:1700000009:step_script")) +
                               "\x1b[31;1mERROR: Job failed: exit code 1\n");
  EXPECT_EQ(d.category, "compile_error");
  EXPECT_EQ(d.command, "cmake --build out");
}

TEST(Analyzer, FactsOutweighTheLog) {
  const std::string log = trace("\x1b[32;1m$ ./train\x1b[0;m\nepoch 3\nerror: something odd\n",
                                "ERROR: Job failed: exit code 137");
  EXPECT_EQ(diagnose(log, {.exit_code = 137, .oom_kills = 1}).category, "oom_killed");
  EXPECT_GT(diagnose(log, {.exit_code = 137, .oom_kills = 1}).confidence, 0.9);
  EXPECT_EQ(diagnose(log, {.exit_code = 137, .oom_kills = 1}).retry, Retry::elsewhere);
  EXPECT_EQ(diagnose(log, {.signal = 9, .oom_kills = 2}).category, "oom_killed");
  EXPECT_EQ(diagnose(log, {.failure_reason = "job_execution_timeout"}).category, "job_timeout");
  EXPECT_EQ(diagnose(log, {.failure_reason = "runner_system_failure"}).category, "runner_system");
  EXPECT_EQ(diagnose(trace(kCompile), {.failure_reason = "script_failure"}).category,
            "compile_error");
  EXPECT_EQ(diagnose(trace(kCompile), {.failed = false}).outcome, Outcome::passed);
  EXPECT_TRUE(diagnose(trace(kCompile), {.log_incomplete = true}).truncated);
}

TEST(Analyzer, CodeAloneIsNotSure) {
  const Diagnosis d =
      diagnose(trace("\x1b[32;1m$ ./work\x1b[0;m\nworking\n", "ERROR: Job failed: exit code 137"));
  EXPECT_EQ(d.category, "oom_killed");
  EXPECT_LT(d.confidence, 0.5);
}

TEST(Analyzer, SaysUnknownWhenItDoesNotKnow) {
  const Diagnosis d =
      diagnose(trace("\x1b[32;1m$ ./work\x1b[0;m\nthe moon is in the wrong house\n"));
  EXPECT_EQ(d.category, "unknown");
  EXPECT_EQ(d.owner, "");
  EXPECT_LT(d.confidence, 0.5);
  ASSERT_TRUE(d.root_cause);
  EXPECT_EQ(d.root_cause->text, "the moon is in the wrong house");
}

TEST(Analyzer, LinesOfPassingRunsAreLessSuspect) {
  const std::string noise = "app.py:3: error: Module has no attribute \"old\"  [attr-defined]\n";
  const std::string log = trace("\x1b[32;1m$ ./check\x1b[0;m\n" + noise +
                                "ModuleNotFoundError: No module named 'yaml'\n");
  Baseline baseline;
  baseline.add(trace("\x1b[32;1m$ ./check\x1b[0;m\n" + noise, "Job succeeded"));
  Analyzer a(builtin_rules(), &baseline);
  a.feed(log);
  EXPECT_EQ(a.finish().category, "missing_module");
}

TEST(Analyzer, FingerprintForgetsNumbersOnly) {
  const auto print = [](std::string_view line) {
    return diagnose(trace("\x1b[32;1m$ make\x1b[0;m\n" + std::string(line))).fingerprint;
  };
  const auto first = print("src/a.c:3:5: error: expected expression\n");
  EXPECT_THAT(first, testing::MatchesRegex("v1:[0-9a-f]{16}"));
  EXPECT_EQ(first, print("src/a.c:97:12: error: expected expression\n"));
  EXPECT_NE(first, print("src/b.c:3:5: error: expected expression\n"));
}

TEST(Analyzer, FindsFailingTests) {
  const Diagnosis d =
      diagnose(trace("\x1b[32;1m$ pytest\x1b[0;m\n"
                     "_______ test_sum _______\n>       assert add(1, 1) == 3\nE       assert 2 == "
                     "3\n\ntests/test_add.py:4: AssertionError\n"
                     "FAILED tests/test_add.py::test_sum - assert 2 == 3\n= 1 failed in 0.1s =\n"));
  EXPECT_EQ(d.category, "test_failure");
  ASSERT_EQ(d.failing_tests.size(), 1u);
  EXPECT_EQ(d.failing_tests[0].name, "tests/test_add.py::test_sum");
  EXPECT_EQ(d.failing_tests[0].file, "tests/test_add.py");
}

TEST(Analyzer, RetryNeedsNoSignOfBrokenCode) {
  const std::string dns = "curl: (6) Could not resolve host: files.example.org\n";
  EXPECT_EQ(diagnose(trace("\x1b[32;1m$ make\x1b[0;m\n" + dns)).retry, Retry::backoff);
  const Diagnosis both =
      diagnose(trace("\x1b[32;1m$ make\x1b[0;m\nsrc/a.c:3:5: error: expected expression\n" + dns));
  EXPECT_EQ(both.retry, Retry::never);
}

TEST(Analyzer, TheLimitOfTheRunnerIsNoticed) {
  const Diagnosis d = diagnose(
      "section_start:1700000003:step_script\r\x1b[0K\x1b[32;1m$ ./chatty\x1b[0;m\nhello\n"
      "\x1b[33;1mJob's log exceeded limit of 4194304 bytes.\nJob execution will continue but no "
      "more output will be collected.\x1b[0;m\n",
      {.failed = true});
  EXPECT_TRUE(d.truncated);
  EXPECT_EQ(d.category, "log_limit");
}

// ---- hostile input ----

void expect_clean(const Diagnosis& d) {
  const auto clean = [](std::string_view text) {
    EXPECT_EQ(to_utf8(text), text);
    EXPECT_THAT(std::string(text), Not(HasSubstr("\x1b")));
  };
  if (d.root_cause) clean(d.root_cause->text);
  for (const auto& c : d.candidates) clean(c.line.text);
  for (const auto& e : d.evidence) clean(e.text);
  for (const auto& e : d.packet) clean(e.text);
  for (const auto& t : d.failing_tests) clean(t.name);
  clean(d.command);
  std::size_t evidence = 0, packet = 0;
  for (const auto& e : d.evidence) evidence += e.text.size();
  for (const auto& e : d.packet) packet += e.text.size();
  EXPECT_LE(evidence, 8u << 10);
  EXPECT_LE(packet, 16u << 10);
  EXPECT_LE(d.candidates.size(), 10u);
}

// Lines that differ in numbers only are told three times; the room is for what else the step said.
TEST(Analyzer, PacketDoesNotDrownInOneLine) {
  std::string output = "$ make check\nconfiguring for the unusual board\n";
  for (int i = 0; i < 300; ++i)
    output += "worker " + std::to_string(i) + ": could not reach the license helper, goes on\n";
  for (int i = 0; i < 40; ++i) output += "step " + std::to_string(i) + " is done\n";
  output += "src/ring.c:7:3: error: expected ';' before 'return'\n";
  for (int i = 0; i < 20; ++i) output += "linking part " + std::to_string(i) + "\n";
  const Diagnosis d = diagnose_job(output);
  EXPECT_EQ(d.category, "compile_error");
  std::string told;
  for (const auto& e : d.packet) told += e.text + "\n";
  EXPECT_NE(told.find("src/ring.c:7:3"), told.npos);
  EXPECT_NE(told.find("step 0 is done"), told.npos);
  EXPECT_NE(told.find("linking part 19"), told.npos);
}

TEST(Hostile, InvalidUtf8AndNul) {
  std::string junk = "\xff\xfe error: \xc3\x28 bad\n";
  junk += std::string("nul \0 inside error: x\n", 22);
  junk += "\xf0\x9f\x92 error: cut\n";
  const Diagnosis d = diagnose(trace("\x1b[32;1m$ x\x1b[0;m\n" + junk));
  expect_clean(d);
  EXPECT_EQ(d.outcome, Outcome::failed);
}

TEST(Hostile, BrokenAndNestedEscapes) {
  std::string junk;
  for (const char* s :
       {"\x1b[", "\x1b[31", "\x1b[\x1b[31;1merror: x", "\x1b]0;title", "\x1b]0;title\x07 error: y",
        "\x1b", "\x1b[999999999999m", "\x1bPq\x1b\\", "\r\r\r", "\b\b\b\b",
        "section_start:", "section_start:1:", "section_start:x:y\r",
        "section_end:99999999999999999999:step_script\r\x1b[0K"}) {
    junk += s;
    junk += "\n";
  }
  expect_clean(diagnose(trace("\x1b[32;1m$ x\x1b[0;m\n" + junk)));
}

TEST(Hostile, OneEndlessLine) {
  Analyzer a(builtin_rules());
  a.feed("section_start:1700000003:step_script\r\x1b[0K\x1b[32;1m$ x\x1b[0;m\nerror: before\n");
  const std::string piece(64 << 10, 'x');
  for (int i = 0; i < 1024; ++i) a.feed(piece);
  a.feed(" error: at the very end\nERROR: Job failed: exit code 1\n");
  const Diagnosis d = a.finish();
  expect_clean(d);
  EXPECT_EQ(d.lines, 4u);
  EXPECT_EQ(d.outcome, Outcome::failed);
}

TEST(Hostile, AMillionLinesStayBounded) {
  builtin_rules();
  Analyzer warm(builtin_rules());
  warm.feed("error: warm the pools\n");
  warm.finish();
  malloc_trim(0);
  const auto before = mallinfo2();
  Analyzer a(builtin_rules());
  std::string piece;
  for (int i = 0; i < 1000; ++i) {
    piece += "src/file" + std::to_string(i % 7) + ".c:" + std::to_string(i) +
             ":1: error: expected expression near token " + std::to_string(i) + "\n";
  }
  std::size_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    a.feed(piece);
    const auto now = mallinfo2();
    most = std::max(most, now.uordblks + now.hblkhd - before.uordblks - before.hblkhd);
  }
  EXPECT_LT(most, 1u << 20);
  const Diagnosis d = a.finish({.failed = true});
  expect_clean(d);
  EXPECT_EQ(d.lines, 1'000'000u);
  EXPECT_EQ(d.category, "compile_error");
  EXPECT_EQ(d.root_cause->line, 1u);
}

TEST(Hostile, LongLinesAndManySectionsStayBounded) {
  Analyzer warm(builtin_rules());
  warm.feed("error: warm the pools\n");
  warm.finish();
  malloc_trim(0);
  const auto before = mallinfo2();
  Analyzer a(builtin_rules());
  std::size_t most = 0;
  for (int i = 0; i < 3000; ++i) {
    a.feed("2026-03-01T10:00:00.000001Z 0" + std::to_string(i % 9) +
           "O error: " + std::string(8000, 'y') + "\n");
    a.feed("section_start:1:step_" + std::to_string(i) + "\r\x1b[0K\x1b[32;1m$ " +
           std::string(2000, 'c') + "\x1b[0;m\n");
    a.feed("travis_fold:start:after_" + std::to_string(i) + "\r\x1b[0K\n");
    a.feed("The command \"" + std::string(900, 'z') + "\" exited with 3.\n--- FAIL: Test" +
           std::to_string(i) + "\n");
    const auto now = mallinfo2();
    most = std::max(most, now.uordblks + now.hblkhd - before.uordblks - before.hblkhd);
  }
  EXPECT_LT(most, 1u << 20);
  const Diagnosis d = a.finish({.failed = true});
  expect_clean(d);
  EXPECT_LE(d.failing_tests.size(), 500u);
}

TEST(Hostile, ALogThatEndsInMidLine) {
  Analyzer a(builtin_rules());
  a.feed("$ make\nring.c:3:5: error: expected expr");
  const Diagnosis d = a.finish({.failed = true});
  EXPECT_EQ(d.category, "compile_error");
  ASSERT_TRUE(d.root_cause);
  EXPECT_EQ(d.root_cause->line, 2u);
  EXPECT_EQ(d.root_cause->text, "ring.c:3:5: error: expected expr");
}

TEST(Hostile, MixedEncodings) {
  Analyzer a(builtin_rules());
  a.feed("caf\xe9 in Latin-1\n\xef\xbb\xbf with a mark\ncaf\xc3\xa9 in UTF-8\n");
  a.feed(std::string_view("\xff\xfe\x65\0\x72\0\x72\0\n", 9));
  a.feed("ring.c:3:5: error: unknown type name 'caf\xe9'\n");
  const Diagnosis d = a.finish({.failed = true});
  expect_clean(d);
  EXPECT_EQ(d.category, "compile_error");
}

TEST(Hostile, EmptyLog) {
  const Diagnosis d = diagnose("", {.failed = true, .exit_code = 1});
  EXPECT_EQ(d.outcome, Outcome::failed);
  EXPECT_EQ(d.category, "unknown");
  EXPECT_FALSE(d.root_cause);
  EXPECT_EQ(diagnose("").outcome, Outcome::unknown);
}

// ---- other systems ----

TEST(OtherSystems, TravisLog) {
  const Diagnosis d = diagnose(
      "travis_fold:start:install\r\x1b[0Ktravis_time:start:0a\r\x1b[0K$ npm install\r\nnpm WARN "
      "old lockfile\r\n"
      "travis_time:end:0a:start=1,finish=2,duration=1\r\x1b[0Ktravis_fold:end:install\r\x1b[0K"
      "travis_time:start:0b\r\x1b[0K$ npm test\r\nFAIL src/sum.test.js\r\n  \xe2\x97\x8f Sum "
      "\xe2\x80\xba adds two\r\n\r\n    expect(received).toBe(expected)\r\n"
      "travis_time:end:0b:start=1,finish=2,duration=1\r\x1b[0K\r\n\x1b[31;1mThe command \"npm "
      "test\" exited with 1.\x1b[0m\r\n"
      "travis_fold:start:after_failure\r\x1b[0K$ ./report\r\nbash: ./report: Permission "
      "denied\r\n\r\nDone. Your build exited with 1.\r\n");
  EXPECT_EQ(d.outcome, Outcome::failed);
  EXPECT_EQ(d.exit_code, 1);
  EXPECT_EQ(d.command, "npm test");
  EXPECT_EQ(d.category, "test_failure");
  ASSERT_EQ(d.failing_tests.size(), 1u);
  EXPECT_EQ(d.failing_tests[0].name, "Sum \xe2\x80\xba adds two");
}

TEST(OtherSystems, GithubLog) {
  const Diagnosis d = diagnose(
      "2026-03-01T10:00:00.0000001Z ##[group]Run make\n2026-03-01T10:00:00.0000001Z make\n"
      "2026-03-01T10:00:01.0000001Z src/a.c:3:5: error: expected expression\n"
      "2026-03-01T10:00:01.0000002Z make: *** [a.o] Error 1\n2026-03-01T10:00:01.0000003Z "
      "##[error]Process completed with exit code 2.\n"
      "2026-03-01T10:00:02.0000001Z Post job cleanup.\n");
  EXPECT_EQ(d.category, "compile_error");
  EXPECT_EQ(d.exit_code, 2);
  EXPECT_EQ(d.root_cause->line, 3u);
}

}  // namespace
}  // namespace gitaiops::diagnosis
