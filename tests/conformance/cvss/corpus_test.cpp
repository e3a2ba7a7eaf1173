// Scores against those on which two other calculators agree.
#include "tests/corpus.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "base/bytes/bytes.h"
#include "engines/scanner/cvss/cvss.h"

namespace gitaiops::scanner {
namespace {

TEST(CvssCorpus, ScoresAreTheSame) {
  const auto folder = corpus("scanner/cvss");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  std::ifstream in(*folder / "vectors.tsv");
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const auto fields = split(line, '\t');
    const auto score = cvss_score(fields[0]);
    const auto wanted = parse_double(fields[1]);
    ASSERT_EQ(score.has_value(), wanted.has_value()) << line;
    if (!score) continue;
    const bool four = fields[0].starts_with("CVSS:4");
    EXPECT_NEAR(four ? score->with_threat : score->base, *wanted, 0.001) << line;
    // The recorded temporal scores are not always rounded up, as the specification asks.
    if (!four) {
      EXPECT_NEAR(score->with_threat, *parse_double(fields[2]), 0.1001) << line;
    }
  }
  EXPECT_GT(lines, 1000);
}

}  // namespace
}  // namespace gitaiops::scanner
