// gitaiops risk and gitaiops triage: files in, words or JSON out, and mistakes with their place.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "cli/commands.h"

namespace gitaiops::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TriageCommands : public testing::Test {
 protected:
  TriageCommands() {
    folder_ =
        std::filesystem::temp_directory_path() / ("gitaiops_triage_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~TriageCommands() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return path(name);
  }
  // `count` changes, every second one large, and those are wrong as a rule.
  std::string labelled(int count) const {
    std::string out = "date,bug,la,ld,nf\n";
    for (int i = 0; i < count; ++i) {
      const bool large = i % 2 == 0;
      const bool wrong = large == (i % 10 != 0);
      out += std::to_string(1'600'000'000 + i * 3600) + "," + (wrong ? "1" : "0") + "," +
             std::to_string(large ? 800 + i % 50 : 5 + i % 20) + "," +
             std::to_string(large ? 90 : 2) + "," + (large ? "12" : "1") + "\n";
    }
    return file("labelled.csv", out);
  }
  // Commits by Ann of lib/a.c, one a day; the newest is of 1,700,000,000.
  std::string history(int count) const {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += R"({"commit": ")" + std::string(39, 'a') + std::to_string(i % 10) + R"(", "date": )" +
             std::to_string(1'700'000'000 - (count - 1 - i) * 86'400) +
             R"(, "author": "ann", "files": [["lib/a.c", )" + std::to_string(1 + i % 7) +
             R"(, 1]], "message": "change"})" + "\n";
    return file("history.jsonl", out);
  }
  std::string one_case(const std::string& more = "") const {
    return file("cases.json", R"([{"commit": "bbbbbbb", "date": 1700090000, "author": "ben", )"
                              R"("files": [["lib/auth/login.c", 900, 3], ["lib/a.c", 20, 20]], )"
                              R"("message": "fix(auth): sign in\n\nTwice."})" +
                                  more + "]");
  }
  int train(const RiskOptions& options) { return train_risk(options, terminal()); }
  int score(const RiskOptions& options) { return score_risk(options, terminal()); }
  int triage(const TriageOptions& options) { return triage_changes(options, terminal()); }
  Terminal terminal() {
    out_.str("");
    err_.str("");
    return {out_, err_, false};
  }

  std::filesystem::path folder_;
  std::ostringstream out_, err_;
};

// ---- gitaiops risk ----

TEST_F(TriageCommands, WhatIsLearntTellsLargeChangesFromSmallOnes) {
  ASSERT_EQ(train({labelled(400), path("model")}), kDone) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("learnt from 400 changes of this project, 160 of them"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("too few")));
  const auto asked = file("new.csv", "la,ld,nf\n820,90,12\n6,2,1\nnan,,\n");
  ASSERT_EQ(score({asked, path("model")}), kDone) << err_.str();
  std::istringstream lines(out_.str());
  double large = 0, small = 0, unknown = 0;
  ASSERT_TRUE(lines >> large >> small >> unknown) << out_.str();
  EXPECT_GT(large, 0.6);
  EXPECT_LT(small, 0.4);
  EXPECT_GT(unknown, small);
}

TEST_F(TriageCommands, ExplainedWithPercentileAndCauses) {
  ASSERT_EQ(train({labelled(400), path("model")}), kDone);
  ASSERT_EQ(score({file("new.csv", "la,ld,nf\n2000,90,40\n"), path("model"), true}), kDone);
  std::istringstream fields(out_.str());
  std::string probability, percentile, causes;
  std::getline(fields, probability, '\t');
  std::getline(fields, percentile, '\t');
  std::getline(fields, causes);
  EXPECT_GT(std::stod(percentile), 50) << out_.str();
  EXPECT_THAT(causes, HasSubstr("of changes here)"));
}

TEST_F(TriageCommands, FewLabelsAreTold) {
  ASSERT_EQ(train({labelled(20), path("model")}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("rely on their order only"));
}

TEST_F(TriageCommands, MistakesInLabelsAndModelsAreToldWithTheirPlace) {
  EXPECT_EQ(train({file("bad.csv", "bug,la\n1,2\n1,many\n"), path("model")}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("line 3, column la"));
  EXPECT_THAT(err_.str(), HasSubstr("bad.csv"));
  EXPECT_FALSE(std::filesystem::exists(path("model")));
  EXPECT_EQ(train({file("none.csv", "la\n2\n"), path("model")}), kUsage) << "no labels";
  EXPECT_EQ(train({path("gone.csv"), path("model")}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("gone.csv"));
  EXPECT_EQ(score({file("new.csv", "la\n2\n"), file("model", "no model")}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("model"));
}

// ---- gitaiops triage ----

TEST_F(TriageCommands, ACaseAsJsonByWhatWasKnownBeforeIt) {
  TriageOptions options{.history = history(60), .cases = one_case(), .format = "json"};
  ASSERT_EQ(triage(options), kDone) << err_.str();
  const auto all = nlohmann::json::parse(out_.str());
  ASSERT_EQ(all.size(), 1u);
  const auto& one = all[0];
  EXPECT_EQ(one["commit"], "bbbbbbb");
  EXPECT_EQ(one["type"]["name"], "bugfix");
  EXPECT_EQ(one["type"]["said"], true);
  EXPECT_EQ(one["size"]["added"], 920);
  EXPECT_EQ(one["size"]["complexity"], "large");
  EXPECT_GT(one["size"]["percentile"], 95);
  EXPECT_TRUE(one["risk"].contains("percentile"));
  EXPECT_EQ(one["required_reviews"][0]["area"], "security");
  EXPECT_EQ(one["required_reviews"][0]["files"][0], "lib/auth/login.c");
  EXPECT_EQ(one["effort"]["from_history"], false);
}

TEST_F(TriageCommands, ACaseInWords) {
  TriageOptions options{.history = history(60), .cases = one_case()};
  ASSERT_EQ(triage(options), kDone) << err_.str();
  EXPECT_THAT(out_.str(), StartsWith("bbbbbbb  fix(auth): sign in\n  "));
  EXPECT_THAT(out_.str(), HasSubstr("large · bugfix"));
  EXPECT_THAT(out_.str(), HasSubstr("Needs a review of its security"));
  EXPECT_THAT(out_.str(), HasSubstr("\nRisk is learnt from "));
}

TEST_F(TriageCommands, OwnRulesAndAModelThatWasLearnt) {
  ASSERT_EQ(train({labelled(400), path("model")}), kDone);
  const auto rules = file("own.toml",
                          "[[review]]\narea = \"sound\"\nreason = \"it is loud\"\n"
                          "paths = [\"lib/**\"]\n[labels]\nallow = [\"review:sound\"]\n");
  TriageOptions options{.history = history(60),
                        .cases = one_case(),
                        .model = path("model"),
                        .rules = rules,
                        .format = "json"};
  ASSERT_EQ(triage(options), kDone) << err_.str();
  const auto one = nlohmann::json::parse(out_.str())[0];
  EXPECT_EQ(one["required_reviews"].size(), 1u);
  EXPECT_EQ(one["required_reviews"][0]["area"], "sound");
  EXPECT_EQ(one["labels"], nlohmann::json::array({"review:sound"}));
  EXPECT_EQ(one["risk"]["calibrated"], true);
}

TEST_F(TriageCommands, WhatComesLaterIsNotLookedAt) {
  TriageOptions options{.history = history(30), .cases = one_case(), .format = "json"};
  ASSERT_EQ(triage(options), kDone) << err_.str();
  const auto before = out_.str();
  std::ofstream later(options.history, std::ios::app);
  for (int i = 0; i < 30; ++i)
    later << R"({"commit": "ccccccc", "date": 1800000000, "author": "ben", )"
          << R"("files": [["lib/a.c", 5000, 0]], "message": "fix"})" << "\n";
  later.close();
  ASSERT_EQ(triage(options), kDone) << err_.str();
  EXPECT_EQ(out_.str(), before);
}

TEST_F(TriageCommands, MistakesInFilesAreToldWithTheirPlace) {
  const auto past = history(5);
  EXPECT_EQ(triage({.history = path("gone"), .cases = one_case()}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("gone"));
  EXPECT_EQ(triage({.history = past, .cases = file("bad.json", "[{]")}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("bad.json"));
  const auto rules = file("own.toml", "[[review]]\narea = \"a\"\nreason = \"r\"\npath = [\"x\"]\n");
  EXPECT_EQ(triage({.history = past, .cases = one_case(), .rules = rules}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("own.toml:4: unknown key \"path\"; did you mean \"paths\"?"));
  EXPECT_EQ(triage({.history = past, .cases = one_case(), .model = file("m", "x")}), kUsage);
}

TEST_F(TriageCommands, ThePrintedRulesAreRulesToBeginWith) {
  ASSERT_EQ(print_triage_rules(terminal()), kDone);
  const auto rules = file("own.toml", out_.str());
  TriageOptions options{
      .history = history(5), .cases = one_case(), .rules = rules, .format = "json"};
  ASSERT_EQ(triage(options), kDone) << err_.str();
  EXPECT_EQ(nlohmann::json::parse(out_.str())[0]["required_reviews"][0]["area"], "security");
}

}  // namespace
}  // namespace gitaiops::cli
