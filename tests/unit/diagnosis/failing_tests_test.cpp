// The names of failing tests, as different reporters print them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/diagnosis/job_log.h"

namespace gitaiops::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names(std::string_view output) {
  std::vector<std::string> out;
  for (const auto& test : diagnose_job(output).failing_tests) out.push_back(test.name);
  return out;
}

TEST(FailingTests, APytestHeadingAndItsSummaryAreOneTest) {
  const Diagnosis d = diagnose_job(
      "$ pytest\n___________ RingTest.test_adds[two words] ___________\nE   assert 2 == 3\n"
      "FAILED tests/test_ring.py::RingTest::test_adds[two words] - assert 2 == 3");
  ASSERT_EQ(d.failing_tests.size(), 1u);
  EXPECT_EQ(d.failing_tests[0].name, "tests/test_ring.py::RingTest::test_adds[two words]");
  EXPECT_EQ(d.failing_tests[0].file, "tests/test_ring.py");
}

TEST(FailingTests, PytestHeadingsAloneAndCollectionErrors) {
  EXPECT_THAT(names("$ pytest\n_______ RingTest.test_adds _______\nE   assert 2 == 3\n"
                    "_______ ERROR collecting tests/test_box.py _______\nE   ImportError: box\n"
                    "______ summary ______\n"),
              ElementsAre("RingTest.test_adds", "tests/test_box.py"));
}

TEST(FailingTests, MochaSuitesAreJoinedUpToTheColon) {
  EXPECT_THAT(
      names("$ mocha\n  Ring\n    1) adds two\n    \xe2\x9c\x93 grows\n\n  1 failing\n\n"
            "  1) Ring\n       when empty\n         adds two:\n     AssertionError: 1 == 2\n"
            "      at Context.<anonymous> (test/ring.js:4:5)\n"),
      ElementsAre("Ring when empty adds two"));
  EXPECT_THAT(names("$ mocha\n  1 failing\n\n  1) Ring adds two:\n     Error: 1 == 2\n"),
              ElementsAre("Ring adds two"));
}

TEST(FailingTests, AListThatIsNotATestReportNamesNone) {
  EXPECT_THAT(names("$ ./ask\n  1) take the first\n  2) take the second\nerror: nobody chose\n"),
              IsEmpty());
}

TEST(FailingTests, JestWithAndWithoutSuites) {
  EXPECT_THAT(names("$ jest\n  \xe2\x97\x8f Ring \xe2\x80\xba adds\n\n    expect(received)\n\n"
                    "  \xe2\x97\x8f writes to a stream\n\n    expect(received)\n"),
              ElementsAre("Ring \xe2\x80\xba adds", "writes to a stream"));
}

TEST(FailingTests, JavaReporters) {
  EXPECT_THAT(names("$ ant test\n    [junit] Testcase: adds(org.example.RingTest):\tFAILED\n"
                    "    [junit]   JUnit Jupiter:BoxTest:opens()\n"),
              ElementsAre("adds(org.example.RingTest)", "BoxTest:opens()"));
  EXPECT_THAT(names("$ mvn test\nFailed tests: \n  adds(org.example.RingTest): expected 3\n"),
              ElementsAre("adds(org.example.RingTest)"));
}

struct Named {
  const char* output;  // of one failing job
  const char* name;
  const char* file;
  uint64_t line;  // 0: the log does not tell
};

// One test in every reporter's own words: its name, and its place where the log has it.
const Named kNamed[] = {
    {"$ mvn test\n[ERROR] org.example.RingTest.adds -- Time elapsed: 0.01 s <<< FAILURE!\n"
     "java.lang.AssertionError: 2\n\tat org.junit.Assert.fail(Assert.java:89)\n"
     "\tat org.example.RingTest.adds(RingTest.java:42)\n[ERROR]   RingTest.adds:42 2",
     "org.example.RingTest.adds", "RingTest.java", 42},
    {"$ mvn test\nadds[1: a b](org.example.RingTest)  Time elapsed: 0.1 sec  <<< ERROR!",
     "adds[1: a b](org.example.RingTest)", "", 0},
    {"$ mvn test\nFailed tests: \n  adds on instance "
     "adds(org.example.RingTest)(org.example.RingTest)",
     "org.example.RingTest.adds", "", 0},
    {"$ mvn test\n[ERROR] Errors: \n[ERROR]   RingTest>BaseTest.adds:7 \xc2\xbb NullPointer",
     "RingTest.adds", "", 7},
    {"$ gradle test\norg.example.RingTest > adds FAILED\n    java.lang.AssertionError at "
     "RingTest.java:17",
     "org.example.RingTest.adds", "RingTest.java", 17},
    {"$ gradle test\nSuite > Test > org.example.RingTest.adds FAILED", "org.example.RingTest.adds",
     "", 0},
    {"$ ant test\n    [junit] Testsuite: org.example.RingTest\n    [junit] Testcase: grows took "
     "0.1 sec\n"
     "    [junit] Testcase: adds took 0.2 sec\n    [junit] \tFAILED\n    [junit] expected 3",
     "org.example.RingTest.adds", "", 0},
    {"$ sbt test\n[info] RingSpec:\n[info] - should add *** FAILED *** (3 milliseconds)",
     "RingSpec.should add", "", 0},
    {"$ sbt test\n[error] Test org.example.RingTest.adds failed: expected 3, took 0.1 sec",
     "org.example.RingTest.adds", "", 0},
    {"$ pytest\n______ RingTest.test_adds ______\n\n    def test_adds(self):\n>       assert 2 == "
     "3\n"
     "E       assert 2 == 3\n\ntests/test_ring.py:12: AssertionError",
     "RingTest.test_adds", "tests/test_ring.py", 12},
    {"$ pytest -v\ntests/test_ring.py::test_adds[a-b c] FAILED                [ 50%]",
     "tests/test_ring.py::test_adds[a-b c]", "tests/test_ring.py", 0},
    {"$ pytest\n_ ERROR collecting tests/a/very/long/path/test_ring.py _\nE   ImportError: box",
     "tests/a/very/long/path/test_ring.py", "tests/a/very/long/path/test_ring.py", 0},
    {"$ python3 -m unittest\n"
     "======================================================================\n"
     "FAIL: test_adds (ring.test_ring.RingTest.test_adds)\n"
     "----------------------------------------------------------------------\n"
     "Traceback (most recent call last):\n  File \"/app/ring/core.py\", line 3, in wrap\n"
     "  File \"/app/ring/test_ring.py\", line 6, in test_adds\nAssertionError: 2 != 3",
     "test_adds (ring.test_ring.RingTest.test_adds)", "/app/ring/test_ring.py", 6},
    {"$ nosetests\n======================================================================\n"
     "FAIL: A ring adds what it is given\n"
     "----------------------------------------------------------------------\nTraceback",
     "A ring adds what it is given", "", 0},
    {"$ jest\nFAIL src/ring.test.js\n  \xe2\x97\x8f Ring \xe2\x80\xba adds\n\n    "
     "expect(received)\n\n"
     "      at Object.toBe (node_modules/expect/index.js:1:2)\n"
     "      at Object.<anonymous> (src/ring.test.js:9:17)",
     "Ring \xe2\x80\xba adds", "src/ring.test.js", 9},
    {"$ vitest run\n\n FAIL  src/ring.test.ts > ring > adds\nAssertionError: expected 2\n"
     " \xe2\x9d\xaf src/ring.test.ts:5:9",
     "ring > adds", "src/ring.test.ts", 5},
    {"$ playwright test\n  1) [chromium] \xe2\x80\xba tests/ring.spec.ts:12:3 \xe2\x80\xba ring "
     "\xe2\x80\xba adds "
     "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80",
     "ring \xe2\x80\xba adds", "tests/ring.spec.ts", 12},
    {"$ karma start\nFAILED TESTS:\n  ring\n    \xe2\x9c\x96 adds two\n      expected 2",
     "adds two", "", 0},
    {"$ mocha\n  1 failing\n\n  1) Ring adds:\n     Error: no\n      at Context.<anonymous> "
     "(test/ring.js:4:5)",
     "Ring adds", "test/ring.js", 4},
    {"$ go test ./...\n--- FAIL: TestAdds (0.00s)\n    ring_test.go:9: got 3\nFAIL", "TestAdds",
     "ring_test.go", 9},
    {"$ go test ./...\npanic: test timed out after 10m0s\nrunning tests:\n\tTestGrows (10m0s)",
     "TestGrows", "", 0},
    {"$ cargo test\ntest ring::adds ... FAILED\n\nfailures:\n\n---- ring::adds stdout ----\n"
     "thread 'ring::adds' panicked at src/ring.rs:12:9:\nassertion failed",
     "ring::adds", "src/ring.rs", 12},
    {"$ cargo nextest run\n        FAIL [   0.005s] ring::unit ring::adds", "ring::adds", "", 0},
    {"$ rspec\n  1) Ring adds two\n     Failure/Error: expect(2).to eq(3)\n     # "
     "./spec/ring_spec.rb:5:in `block'\n\n"
     "rspec ./spec/ring_spec.rb:3 # Ring adds two",
     "Ring adds two", "./spec/ring_spec.rb", 3},
    {"$ rake test\n  1) Failure:\nRingTest#test_adds [test/ring_test.rb:12]:\nExpected: 3",
     "RingTest#test_adds", "test/ring_test.rb", 12},
    {"$ phpunit\nThere was 1 failure:\n\n1) Tests\\RingTest::testAdds with data set #0 (1, 2)\n"
     "Failed asserting that 3 matches expected 4.\n\n/app/tests/RingTest.php:15",
     "Tests\\RingTest::testAdds with data set #0 (1, 2)", "/app/tests/RingTest.php", 15},
    {"$ dotnet test\n  Failed Ring.Tests.RingTests.Adds [12 ms]\n  Error Message:\n   "
     "Assert.Equal() Failure\n"
     "  Stack Trace:\n     at Ring.Tests.RingTests.Adds() in /app/RingTests.cs:line 9",
     "Ring.Tests.RingTests.Adds", "/app/RingTests.cs", 9},
    {"$ ctest\n  1/2 Test #1: ring_adds .....***Failed    0.02 sec\n\nThe following tests FAILED:\n"
     "\t  1 - ring_adds (Failed)",
     "ring_adds", "", 0},
    {"$ ./ring_test\n[ RUN      ] Ring.Adds\n/app/ring_test.cc:12: Failure\nExpected equality\n"
     "[  FAILED  ] Ring.Adds (0 ms)",
     "Ring.Adds", "/app/ring_test.cc", 12},
    {"$ ./ring_test\nring_test.cpp(12): error: in \"ring/adds\": check 2 == 3 has failed",
     "ring/adds", "ring_test.cpp", 12},
    {"$ ./ring_test\nTEST CASE:  a ring adds\n\nring_test.cpp:9: ERROR: CHECK( 2 == 3 ) is NOT "
     "correct!",
     "a ring adds", "ring_test.cpp", 9},
    {"$ "
     "./"
     "ring_test\n-------------------------------------------------------------------------------\n"
     "rings add\n-------------------------------------------------------------------------------\n"
     "ring_test.cpp:4\n"
     "...............................................................................\n\n"
     "ring_test.cpp:7: FAILED:\n  REQUIRE( 2 == 3 )",
     "rings add", "ring_test.cpp", 7},
    {"$ prove -v\nnot ok 3 - adds two\n#   Failed test 'adds two'\n#   at t/ring.t line 12.",
     "adds two", "t/ring.t", 12},
    {"$ bats test\nnot ok 1 adds two\n# (in test file test/ring.bats, line 4)", "adds two",
     "test/ring.bats", 4},
    {"$ mix test\n  1) test adds two (RingTest)\n     test/ring_test.exs:5\n     Assertion with == "
     "failed",
     "test adds two (RingTest)", "test/ring_test.exs", 5},
    {"$ lein test\nFAIL in (test-adds) (ring_test.clj:7)\nexpected: 3", "test-adds",
     "ring_test.clj", 7},
    {"$ swift test\nTest Case 'RingTests.testAdds' failed (0.1 seconds)", "RingTests.testAdds", "",
     0},
    {"$ Rscript check.R\n\xe2\x94\x80\xe2\x94\x80 Failure (test-ring.R:3:3): adds two "
     "\xe2\x94\x80\xe2\x94\x80\xe2\x94\x80",
     "adds two", "test-ring.R", 3},
    {"$ busted\n[  FAILED  ] spec/ring_spec.lua @ 12: ring adds", "ring adds", "spec/ring_spec.lua",
     12},
    {"$ bazel test //...\n//ring:adds_test                     FAILED in 1.2s", "//ring:adds_test",
     "", 0},
};

TEST(FailingTests, EveryReporterNamesOneTestAndItsPlace) {
  for (const Named& expected : kNamed) {
    const Diagnosis d = diagnose_job(expected.output);
    ASSERT_EQ(d.failing_tests.size(), 1u) << expected.output << "\n"
                                          << testing::PrintToString(names(expected.output));
    const FailingTest& test = d.failing_tests[0];
    EXPECT_EQ(test.name, expected.name) << expected.output;
    EXPECT_EQ(test.file, expected.file) << expected.output;
    EXPECT_EQ(test.line.value_or(0), expected.line) << expected.output;
    EXPECT_EQ(d.failing_tests_total, 1u);
  }
}

TEST(FailingTests, LinesThatOnlyLookLikeTestsNameNone) {
  for (const char* output :
       {"$ npx eslint .\n  \xe2\x9c\x96 eslint --fix found some errors\n\xe2\x9c\x96 3 problems (3 "
        "errors, 0 warnings)",
        "$ gradle build\n> Task :ring:test FAILED\n:ring:compileJava FAILED",
        "$ ninja\nFAILED: ring.o\nFAILED: cd /app && cmake -P run.cmake",
        "$ ./run\n---- end stdout ----\nERROR: no tests ran\nFAIL: 3",
        "$ ./run\nnot ok 3 - adds # TODO later\n[  FAILED  ] 2 tests, listed below:",
        "$ mvn test\n[ERROR] Tests run: 3, Failures: 1, Errors: 0, Time elapsed: 1 s <<< FAILURE!"})
    EXPECT_THAT(names(output), IsEmpty()) << output;
}

TEST(FailingTests, TenThousandAreCountedAndBounded) {
  std::string output = "$ pytest";
  for (int i = 0; i < 10'000; ++i)
    output += "\nFAILED tests/test_ring.py::test_case_" + std::to_string(i) + " - assert 2 == 3";
  const Diagnosis d = diagnose_job(output);
  EXPECT_EQ(d.failing_tests.size(), 500u);
  EXPECT_EQ(d.failing_tests_total, 10'000u);
  EXPECT_EQ(d.failing_tests.front().name, "tests/test_ring.py::test_case_0");
}

TEST(FailingTests, NamesOfAnySizeStayWithinTheirBytes) {
  std::string output = "$ pytest";
  for (int i = 0; i < 2'000; ++i)
    output += "\nFAILED tests/test_ring.py::test_" + std::to_string(i) + "[" +
              std::string(3000, 'a') + "]";
  const Diagnosis d = diagnose_job(output);
  std::size_t bytes = 0;
  for (const auto& test : d.failing_tests) bytes += test.name.size() + test.file.size();
  EXPECT_GT(d.failing_tests.size(), 10u);
  EXPECT_LE(bytes, std::size_t{64} << 10);
}

// Some logs close their lines with a carriage return alone.
TEST(FailingTests, AreReadFromALogWithoutNewlines) {
  std::string log;
  while (log.size() < (64u << 10)) log += "tests/test_ring.py ........ [ 10%]\r";
  log +=
      "____________ test_adds ____________\r\rE   assert 2 == 3\r\rtests/test_ring.py:12: "
      "AssertionError\r";
  Analyzer a(builtin_rules());
  a.feed(log);
  const Diagnosis d = a.finish({.failed = true});
  ASSERT_EQ(d.failing_tests.size(), 1u);
  EXPECT_EQ(d.failing_tests[0].name, "test_adds");
  EXPECT_EQ(d.failing_tests[0].line, 12u);
  ASSERT_TRUE(d.root_cause);
  EXPECT_EQ(log.substr(d.root_cause->offset, d.root_cause->text.size()), d.root_cause->text);
}

}  // namespace
}  // namespace gitaiops::diagnosis
