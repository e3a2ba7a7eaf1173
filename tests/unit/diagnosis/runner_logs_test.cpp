// Whole logs as gitlab-runner writes them, with and without its time stamps: what the engine says
// of everyday failures. A shell runner's bash reports `exit status 1` whatever the command's code
// was.
#include <gtest/gtest.h>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

struct Job {
  const char* name;
  const char* output;  // "$ x" lines are commands
  const char* verdict;
  const char* category;
  const char* owner;
  const char* root;  // part of the root cause
};

constexpr Job kJobs[] = {
    {"compiler",
     "$ make\ng++ -c ring.cpp -o ring.o\nring.cpp:7:12: error: 'sizee' was not declared in this "
     "scope\n    7 |     return sizee;\n      |            ^~~~~\nmake: *** [Makefile:4: ring.o] "
     "Error 1",
     "exit status 1", "compile_error", "code", "'sizee' was not declared"},
    {"unittest",
     "$ python3 -m unittest -v\ntest_adds (test_ring.RingTest.test_adds) ... FAIL\n\n"
     "======================================================================\n"
     "FAIL: test_adds (test_ring.RingTest.test_adds)\n"
     "----------------------------------------------------------------------\n"
     "Traceback (most recent call last):\n  File \"/builds/g/p/test_ring.py\", line 6, in "
     "test_adds\n    self.assertEqual(1 + 1, 3)\nAssertionError: 2 != 3\n\nFAILED (failures=1)",
     "exit status 1", "test_failure", "test", "test_adds"},
    {"killed in a script",
     "$ ./train --epochs 90\nloading\nbash: line 160:  4242 Killed                  ./train "
     "--epochs 90",
     "exit status 1", "oom_killed", "runner", "4242 Killed"},
    {"killed, with its code",
     "$ ./train --epochs 90\nloading\nbash: line 160:  4242 Killed                  ./train "
     "--epochs 90",
     "exit status 137", "oom_killed", "runner", "4242 Killed"},
    {"killed compiler",
     "$ make -j8\ng++ -c ring.cpp\ng++: fatal error: Killed signal terminated program cc1plus\n"
     "compilation terminated.\nmake: *** [Makefile:3: ring.o] Error 1",
     "exit status 1", "oom_killed", "runner", "Killed signal"},
    {"npm's words after jest's",
     "$ npm test\n\n> ring@1.0.0 test\n> jest\n\nFAIL src/ring.test.js\n  \xe2\x97\x8f Ring "
     "\xe2\x80\xba adds\n\n    expect(received).toBe(expected)\n\n    Expected: 3\n    Received: "
     "2\n\nTests:       1 failed, 1 total\nnpm ERR! Test failed.  See above for more details.\n"
     "npm ERR! code ELIFECYCLE\nnpm ERR! errno 1",
     "exit status 1", "test_failure", "test", "Ring \xe2\x80\xba adds"},
    {"pip conflict",
     "$ pip install -r requirements.txt\nCollecting flask==2.0.0\nERROR: Cannot install flask and "
     "werkzeug==3.0.0 because these package versions have conflicting dependencies.\n\nThe "
     "conflict is caused by:\n    The user requested werkzeug==3.0.0\n    flask 2.0.0 depends on "
     "Werkzeug<3.0\n\nERROR: ResolutionImpossible: for help visit https://pip.example/help",
     "exit status 1", "dep_conflict", "dependency", "conflicting dependencies"},
    {"docker rate limit",
     "$ docker pull alpine:3.20\nError response from daemon: toomanyrequests: You have reached "
     "your pull rate limit.",
     "exit status 1", "rate_limited", "infrastructure", "toomanyrequests"},
    {"clone 502",
     "$ git clone https://git.example.org/g/lib.git\nCloning into 'lib'...\nfatal: unable to "
     "access "
     "'https://git.example.org/g/lib.git/': The requested URL returned error: 502",
     "exit status 128", "git_transient", "infrastructure", "502"},
    {"full disk", "$ cp big out/\ncp: error writing 'out/big': No space left on device",
     "exit status 1", "disk_full", "runner", "No space left"},
    {"system failure", "$ make\nall good",
     "(system failure): prepare environment: exit status 1. Check the shell's profile",
     "runner_system", "runner", "system failure"},
    {"timeout", "$ make soak\nstep 1", "execution took longer than 1h0m0s seconds", "job_timeout",
     "runner", "took longer"},
    {"canceled", "$ make soak\nstep 1", "canceled", "canceled", "user", "canceled"},
};

enum class Form { plain, stamped };

std::string log_of(const Job& job, Form form) {
  std::string out;
  int number = 0;
  const auto write = [&](std::string_view stream, const std::string& line) {
    if (form == Form::stamped) {
      char stamp[64];
      std::snprintf(stamp, sizeof stamp, "2026-03-01T10:00:%02d.%06dZ ", number % 60, number);
      out += stamp;
      out += std::string(stream) + " ";
      ++number;
    }
    out += line + "\n";
  };
  write("00O", "Running with gitlab-runner 17.5.0 (1a2b3c4d)");
  write("00O", "  on box AbCdEfGhI, system ID: s_0123456789ab");
  write("00O",
        "section_start:1700000001:get_sources\r\x1b[0K\x1b[0K\x1b[36;1mGetting source from Git "
        "repository\x1b[0;m");
  write("00O", "Checking out 1ecfd275 as detached HEAD (ref is main)...");
  write("00O",
        "section_end:1700000002:get_sources\r\x1b[0Ksection_start:1700000002:step_script\r\x1b[0K"
        "\x1b[0K\x1b[36;1mExecuting \"step_script\" stage of the job script\x1b[0;m");
  for (const auto line : split(job.output, '\n')) {
    const bool echo = line.starts_with("$ ");
    write(echo ? "01O" : "01E",
          echo ? "\x1b[32;1m" + std::string(line) + "\x1b[0;m" : std::string(line));
  }
  write("00O",
        "section_end:1700000005:step_script\r\x1b[0Ksection_start:1700000005:cleanup_file_variables"
        "\r\x1b[0K\x1b[0K\x1b[36;1mCleaning up project directory and file based variables\x1b[0;m");
  write("00O",
        "section_end:1700000006:cleanup_file_variables\r\x1b[0K\x1b[31;1mERROR: Job failed: " +
            std::string(job.verdict));
  write("00O", "\x1b[0;m");
  if (std::string_view(job.verdict).starts_with("("))
    out.replace(out.find("failed: ("), 9, "failed (");
  return out;
}

Diagnosis diagnose(const Job& job, Form form, const ExitFacts& facts = {}) {
  Analyzer a(builtin_rules());
  a.feed(log_of(job, form));
  return a.finish(facts);
}

const Job& job_named(std::string_view name) {
  return *std::find_if(std::begin(kJobs), std::end(kJobs),
                       [&](const Job& j) { return j.name == name; });
}

TEST(RunnerLogs, EverydayFailuresInBothForms) {
  for (const Job& job : kJobs) {
    for (const Form form : {Form::plain, Form::stamped}) {
      const Diagnosis d = diagnose(job, form);
      EXPECT_EQ(d.category, job.category) << job.name;
      EXPECT_EQ(d.owner, job.owner) << job.name;
      ASSERT_TRUE(d.root_cause) << job.name;
      EXPECT_NE(d.root_cause->text.find(job.root), std::string::npos)
          << job.name << ": " << d.root_cause->text;
      EXPECT_EQ("$ " + d.command, std::string(split(job.output, '\n').front())) << job.name;
      EXPECT_GE(d.confidence, 0.6) << job.name;
    }
  }
}

TEST(RunnerLogs, AKillIsAsSureAsWhatSpeaksForMemory) {
  const Diagnosis line = diagnose(job_named("killed in a script"), Form::plain);
  EXPECT_LT(line.confidence, 0.8);  // somebody may have killed it
  EXPECT_EQ(line.exit_code, 1);
  const Diagnosis code = diagnose(job_named("killed, with its code"), Form::plain);
  EXPECT_GT(code.confidence, 0.85);
  const Diagnosis signal = diagnose(job_named("killed in a script"), Form::plain, {.signal = 9});
  EXPECT_GT(signal.confidence, 0.85);
  const Diagnosis kernel = diagnose(job_named("killed in a script"), Form::plain, {.oom_kills = 1});
  EXPECT_GT(kernel.confidence, 0.9);
}

TEST(RunnerLogs, TheEvidenceOfAKillShowsTheCommandAndTheLine) {
  std::string evidence;
  for (const auto& e : diagnose(job_named("killed in a script"), Form::stamped).evidence)
    evidence += e.text + "\n";
  EXPECT_NE(evidence.find("$ ./train --epochs 90\n"), std::string::npos) << evidence;
  EXPECT_NE(evidence.find("bash: line 160:  4242 Killed"), std::string::npos) << evidence;
}

}  // namespace
}  // namespace gitaiops::diagnosis
