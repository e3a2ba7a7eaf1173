// Scores worked out by hand from FIRST's formulas and tables.
#include "engines/scanner/cvss/cvss.h"

#include <gtest/gtest.h>

namespace gitaiops::scanner {
namespace {

double base(std::string_view vector) {
  const auto score = cvss_score(vector);
  EXPECT_TRUE(score) << vector;
  return score ? score->base : -1;
}

TEST(Cvss, Version2) {
  EXPECT_DOUBLE_EQ(base("AV:N/AC:L/Au:N/C:C/I:C/A:C"), 10.0);
  EXPECT_DOUBLE_EQ(base("(AV:N/AC:M/Au:N/C:N/I:P/A:N)"), 4.3);
  EXPECT_DOUBLE_EQ(base("AV:N/AC:L/Au:N/C:N/I:N/A:N"), 0.0);
  EXPECT_DOUBLE_EQ(cvss_score("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:U/RL:OF/RC:UC")->with_threat, 6.7);
}

TEST(Cvss, Version3) {
  EXPECT_DOUBLE_EQ(base("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), 9.8);
  EXPECT_DOUBLE_EQ(base("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"), 6.1);
  EXPECT_DOUBLE_EQ(base("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"), 10.0);
  EXPECT_DOUBLE_EQ(base("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"), 0.0);
  EXPECT_DOUBLE_EQ(
      cvss_score("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:X")->with_threat, 8.5);
}

TEST(Cvss, Version4) {
  EXPECT_DOUBLE_EQ(base("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"), 10.0);
  EXPECT_DOUBLE_EQ(base("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"), 9.3);
  EXPECT_DOUBLE_EQ(base("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"), 0.0);
  // Unreported exploits lower the score, a safety impact raises it; neither is in the base.
  const auto threat =
      cvss_score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U");
  EXPECT_DOUBLE_EQ(threat->base, 9.3);
  EXPECT_LT(threat->with_threat, 9.3);
  const auto safety =
      cvss_score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/MSI:S");
  EXPECT_GT(safety->with_threat, 9.3);
}

TEST(Cvss, RefusesWhatIsNoVector) {
  for (const std::string_view vector :
       {"", "CVSS:3.1", "CVSS:5.0/AV:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
        "CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:C/I:C/A:Z",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:U", "CVSS:3.1//",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:S/SA:N",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:Q"})
    EXPECT_FALSE(cvss_score(vector)) << vector;
}

TEST(Cvss, SeverityWords) {
  EXPECT_EQ(severity_of(0.0), Severity::none);
  EXPECT_EQ(severity_of(3.9), Severity::low);
  EXPECT_EQ(severity_of(4.0), Severity::medium);
  EXPECT_EQ(severity_of(7.0), Severity::high);
  EXPECT_EQ(severity_of(9.0), Severity::critical);
  EXPECT_EQ(severity_of("MODERATE"), Severity::medium);
  EXPECT_EQ(severity_of("Critical"), Severity::critical);
  EXPECT_EQ(severity_of("grave"), std::nullopt);
  EXPECT_EQ(to_string(Severity::high), "high");
}

}  // namespace
}  // namespace gitaiops::scanner
