// docs/configure.md is what the schemas say. After changing a schema: GITAIOPS_UPDATE=1
// ./build/dev/bin/test_config_docs
#include <cstdlib>

#include <gtest/gtest.h>

#include "agent/config/config.h"
#include "base/io/files.h"
#include "controller/config/config.h"

namespace gitaiops {
namespace {

std::string page() {
  return "# Configuration\n\n"
         "Both daemons read one TOML file. An unknown key, a wrong type or a value out of range is "
         "an error that names file, line,\n"
         "column and the nearest known key; `check-config` checks without starting, "
         "`sample-config` prints a commented file.\n"
         "Secrets never stand in a file: keys ending in `_file` name the file that holds one (mode "
         "0600).\n\n" +
         agent::schema().markdown() + "\n" + controller::schema().markdown();
}

TEST(ConfigurationReference, IsWhatTheSchemasSay) {
  const std::filesystem::path file =
      std::filesystem::path(GITAIOPS_SOURCE_DIR) / "docs/configure.md";
  if (std::getenv("GITAIOPS_UPDATE")) {
    ASSERT_TRUE(write_file_atomic(file, page()).ok());
  }
  EXPECT_EQ(read_file(file).value_or(""), page())
      << "run: GITAIOPS_UPDATE=1 ./build/dev/bin/test_config_docs";
}

TEST(SampleConfiguration, IsValidOnceTheRequiredKeysAreThere) {
  const auto agent = agent::schema().parse(agent::schema().sample(), "agent.toml");
  EXPECT_TRUE(agent.ok()) << agent.error().to_string();
  const auto controller =
      controller::schema().parse(controller::schema().sample(), "controller.toml");
  EXPECT_TRUE(controller.ok()) << controller.error().to_string();
}

TEST(AgentConfiguration, NamesWhatMakesNoSense) {
  agent::Config config;
  config.controller.address = "c:7461";
  EXPECT_NE(agent::check(config).error().to_string().find("[[gitlab]]"), std::string::npos);
  config.gitlab.push_back({"main", "gitlab.example.com"});
  EXPECT_NE(agent::check(config).error().to_string().find("https://"), std::string::npos);
  config.gitlab[0].url = "https://gitlab.example.com";
  EXPECT_TRUE(agent::check(config).ok());
  config.gitlab.push_back(config.gitlab[0]);
  EXPECT_NE(agent::check(config).error().to_string().find("stands twice"), std::string::npos);
}

}  // namespace
}  // namespace gitaiops
