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

}  // namespace
}  // namespace gitaiops::diagnosis
