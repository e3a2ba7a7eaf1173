// The log of a real runner, where the corpus is at hand.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "agent/sources/runner_log.h"

namespace gitaiops::agent {
namespace {

// GITAIOPS_CORPUS, or what the corpus' own program unpacks.
std::filesystem::path corpus() {
  if (const char* set = std::getenv("GITAIOPS_CORPUS")) return set;
  const auto unpack =
      std::filesystem::path(GITAIOPS_SOURCE_DIR) / ".." / "shared" / "corpus" / "unpack";
  if (!std::filesystem::exists(unpack)) return {};
  std::FILE* out = ::popen((unpack.string() + " runner 2>/dev/null").c_str(), "r");
  char line[4096] = "";
  if (out && !std::fgets(line, sizeof line, out)) line[0] = 0;
  if (out) ::pclose(out);
  return std::string(line).substr(0, std::string(line).find('\n'));
}

TEST(Recordings, ARealRunnersLog) {
  const auto folder = corpus() / "runner";
  if (!std::filesystem::exists(folder / "runner.ok.log"))
    GTEST_SKIP() << "the corpus is not here: set GITAIOPS_CORPUS";
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
