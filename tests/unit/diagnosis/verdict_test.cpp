// Verdicts that need more than one line: where a path belongs, which of many lines is the cause,
// and what is said when the lines say nothing.
#include <gtest/gtest.h>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

constexpr const char* kSources =
    "section_start:1:get_sources\r\x1b[0KGetting source from Git repository\n"
    "Reinitialized existing Git repository in /tmp/r/builds/glrt-AbC/1/shop/cart/.git/\n"
    "section_end:2:get_sources\r\x1b[0Ksection_start:2:step_script\r\x1b[0KExecuting\n";

std::string job(const std::string& command, const std::string& output, int code = 1) {
  return kSources + ("\x1b[32;1m$ " + command + "\x1b[0;m\n") + output +
         "section_end:9:step_script\r\x1b[0K\x1b[31;1mERROR: Job failed: exit code " +
         std::to_string(code) + "\x1b[0;m\n";
}

Diagnosis read(const std::string& log) {
  Analyzer a(builtin_rules());
  a.feed(log);
  return a.finish({});
}

TEST(Verdict, TestsAreNamedByTheirPlaceInTheCheckout) {
  const auto d =
      read(job("pytest",
               "FAILED /tmp/r/builds/glrt-AbC/1/shop/cart/tests/test_cart.py::test_total "
               "- assert 3 == 4\n"
               "FAILED /opt/other/test_a.py::test_b - assert 1 == 2\n"));
  ASSERT_EQ(d.failing_tests.size(), 2u);
  EXPECT_EQ(d.failing_tests[0].name, "tests/test_cart.py::test_total");
  EXPECT_EQ(d.failing_tests[0].file, "tests/test_cart.py");
  EXPECT_EQ(d.failing_tests[1].file, "/opt/other/test_a.py");
}

TEST(Verdict, TheFirstOfTenThousandFailingTestsIsTheCause) {
  std::string output;
  for (int i = 0; i < 10000; ++i)
    output += "FAILED tests/test_a.py::test_" + std::to_string(i) + " - assert 0\n";
  const auto d = read(job("pytest", output));
  ASSERT_TRUE(d.root_cause);
  EXPECT_EQ(d.root_cause->text, "FAILED tests/test_a.py::test_0 - assert 0");
  EXPECT_EQ(d.failing_tests.size(), 500u);
  EXPECT_EQ(d.failing_tests_total, 10000u);
  EXPECT_NE(to_text(d, false).find("and 9990 more"), std::string::npos);
  EXPECT_NE(to_markdown(d).find("and 9990 more"), std::string::npos);
}

TEST(Verdict, ANetworkErrorThatATestReportsIsATestFailure) {
  const auto d =
      read(job("pytest",
               "____________ test_fetch ____________\n"
               ">       urlopen(url)\n"
               "E       ConnectionRefusedError: [Errno 111] Connection refused\n"
               "FAILED tests/test_a.py::test_fetch - ConnectionRefusedError: [Errno 111]\n"));
  EXPECT_EQ(d.category, "test_failure");
  EXPECT_EQ(d.retry, Retry::never);
}

TEST(Verdict, ACompilerInsideAPackageInstallationIsPartOfIt) {
  const auto d = read(job("gem install fastring",
                          "ERROR:  Error installing fastring:\n"
                          "\tERROR: Failed to build gem native extension.\n\n"
                          "ring.c:3:10: error: expected ';' before '}' token\n"
                          "make: *** [Makefile:246: ring.o] Error 1\n"));
  EXPECT_EQ(d.category, "native_ext_build");
}

TEST(Verdict, ACrashIsToldByItsExitCode) {
  EXPECT_EQ(read(job("./ring", "working\n", 136)).category, "test_crash");
  EXPECT_EQ(read(job("./ring", "working\n", 124)).category, "job_timeout");
}

TEST(Verdict, WhereNoLineIsRecognisedTheCommandsPurposeIsAGuess) {
  const auto format = read(job("terraform fmt -check", "main.tf\n", 3));
  EXPECT_EQ(format.category, "lint_format");
  EXPECT_LT(format.confidence, 0.5);
  EXPECT_EQ(read(job("make check", "total: got 3\n", 2)).category, "test_failure");
  EXPECT_EQ(read(job("./deploy.sh", "total: got 3\n", 2)).category, "unknown");
}

TEST(Verdict, AFoldIsClosedOnlyByItsOwnEnd) {
  const auto d = read(
      "travis_fold:start:cache.1\r\x1b[0Ksetting up\ntravis_fold:end:cache.1\r\x1b[0K\n"
      "$ make\nring.c:3:1: error: expected ';'\n"
      "The command \"make\" exited with 2.\n"
      "travis_fold:end:cache.2\r\x1b[0K\nDone. Your build exited with 1.\n");
  EXPECT_EQ(d.category, "compile_error");
  EXPECT_GT(d.confidence, 0.6);
}

TEST(Verdict, AGithubJobWithoutAnErrorPassed) {
  EXPECT_EQ(read("error: none\nPost job cleanup.\nCleaning up orphan processes\n").outcome,
            Outcome::passed);
  EXPECT_EQ(read("##[error]it broke\nCleaning up orphan processes\n").outcome, Outcome::unknown);
}

TEST(Verdict, WhatIsNotKnownIsSaid) {
  const auto cut = read("$ make\nring.c:3:1: error: expected ';' befo");
  EXPECT_NE(to_text(cut, false).find("does not say how the job ended"), std::string::npos);
  EXPECT_NE(to_markdown(cut).find("does not say how the job ended"), std::string::npos);
  EXPECT_EQ(to_text(read(""), false), "empty log: nothing to explain\n");
  EXPECT_EQ(to_text(read("\n\n"), false), "no words in the log: nothing to explain\n");
}

}  // namespace
}  // namespace gitaiops::diagnosis
