// Recognising a failure again, and what passing runs say about a failing one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/diagnosis/job_log.h"

namespace gitaiops::diagnosis {
namespace {

using testing::IsEmpty;
using testing::Not;

std::string failing_test(int n) {
  const std::string s = std::to_string(n);
  return "$ pytest\n____________ test_adds ____________\n\n    def test_adds():\n>       assert "
         "ring(" +
         s + ") == 3\nE       assert " + s + " == 3\n\ntests/test_ring.py:" + s +
         ": AssertionError\nFAILED tests/test_ring.py::test_adds - assert " + s + " == 3";
}

TEST(Fingerprint, NumbersDoNotMatterAndNamesDo) {
  const Diagnosis a = diagnose_job(failing_test(7)), b = diagnose_job(failing_test(8));
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(a.fingerprint.substr(0, 3), "v1:");
  EXPECT_EQ(a.fingerprint.size(), 19u);
  const Diagnosis other =
      diagnose_job("$ pytest\nFAILED tests/test_ring.py::test_grows - assert 7 == 3");
  EXPECT_NE(a.fingerprint, other.fingerprint);
}

TEST(Similarity, OfTheSameOfAnotherAndOfNone) {
  const Diagnosis a = diagnose_job(failing_test(7)), b = diagnose_job(failing_test(8));
  const Diagnosis other =
      diagnose_job("$ make\nring.c:3:1: error: expected ';'\n    3 | int x\n      |      ^");
  ASSERT_EQ(a.minhash.size(), kMinhashSlots);
  EXPECT_EQ(similarity(a.minhash, a.minhash), 1);
  EXPECT_GT(similarity(a.minhash, b.minhash), kSimilar);
  EXPECT_LT(similarity(a.minhash, other.minhash), 0.3);
  EXPECT_EQ(similarity(a.minhash, {}), 0);
  EXPECT_EQ(similarity_keys(a.minhash).size(), 16u);
  EXPECT_THAT(similarity_keys({}), IsEmpty());
  EXPECT_EQ(similarity_keys(a.minhash), similarity_keys(diagnose_job(failing_test(7)).minhash));
}

constexpr std::string_view kNoise = "$ make test\nerror: no display found, 3 windows skipped\n";

TEST(Novelty, WhatPassingRunsPrintIsLessSuspect) {
  const std::string failing = std::string(kNoise) + "the ring was not closed: cannot continue";
  EXPECT_THAT(diagnose_job(failing).root_cause->text, testing::StartsWith("error: no display"));
  Analyzer passing(builtin_rules());
  passing.learn();
  passing.feed(job(kNoise, "Job succeeded"));
  EXPECT_EQ(passing.finish().outcome, Outcome::passed);
  EXPECT_EQ(passing.templates().size(), 1u);
  Baseline baseline;
  baseline.add_templates(passing.templates());
  Analyzer again(builtin_rules(), &baseline);
  again.feed(job(failing));
  EXPECT_THAT(again.finish().root_cause->text, testing::StartsWith("the ring was not closed"));
}

// A weight, not a filter: with nothing new, known lines count as ever.
TEST(Novelty, ALogWithoutAnythingNewIsJudgedAsIfAlone) {
  Baseline baseline;
  baseline.add(job(kNoise, "Job succeeded"));
  Analyzer a(builtin_rules(), &baseline);
  a.feed(job(kNoise));
  const Diagnosis with = a.finish(), without = diagnose_job(kNoise);
  EXPECT_EQ(with.root_cause->text, without.root_cause->text);
  EXPECT_EQ(with.confidence, without.confidence);
}

TEST(Novelty, NothingIsKeptUnlessAsked) {
  Analyzer a(builtin_rules());
  a.feed(job(kNoise));
  a.finish();
  EXPECT_THAT(a.templates(), IsEmpty());
}

}  // namespace
}  // namespace gitaiops::diagnosis
