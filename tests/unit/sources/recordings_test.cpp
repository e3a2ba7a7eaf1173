// The log of a real runner, where the corpus is at hand.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "agent/sources/runner_log.h"
#include "tests/corpus.h"

namespace gitaiops::agent {
namespace {

TEST(Recordings, ARealRunnersLog) {
  const auto unpacked = corpus("runner");
  if (!unpacked) GTEST_SKIP() << "the corpus is not here: set GITAIOPS_CORPUS";
  const auto& folder = *unpacked;
  const auto instances = InstanceMap::make({{"lab", "http://127.0.0.1:18080"}}).value();
  for (const auto& [name, outcome] :
       {std::pair{"ok", "passed"}, {"fail", "failed"}, {"range", "passed"}}) {
    RunnerLogReader reader(instances);
    std::ifstream file(folder / ("runner." + std::string(name) + ".log"));
    std::vector<Fact> facts;
    for (std::string line; std::getline(file, line);)
      reader.feed(line, {1'795'354'200'000'000}, 0, facts);
    std::map<Field, std::string> found;
    for (const auto& fact : facts) {
      EXPECT_EQ(fact.job, (JobRef{"lab", 4242}));
      found[fact.field] = fact.value;
    }
    EXPECT_EQ(found[Field::outcome], outcome) << name;
    EXPECT_EQ(found[Field::project_path], "grp/demo");
    EXPECT_EQ(found[Field::project_id], "77");
    EXPECT_EQ(found[Field::runner_short], "glrt-AbC");
    EXPECT_EQ(found[Field::exit_code], std::string(name) == "fail" ? "3" : "");
    EXPECT_GT(std::stoll(found[Field::duration_us]), 7'000'000);
  }
}

}  // namespace
}  // namespace gitaiops::agent
