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

// A configuration's problems as `check-config` tells them.
template <class Schema>
std::string told(const Schema& schema, std::string_view toml, typename Schema::Check check) {
  const auto parsed = schema.parse(toml, "c.toml", check);
  return parsed.ok() ? "" : parsed.error().message();
}

std::string agent_told(std::string_view toml) {
  return told(agent::schema(), "controller.address = \"c:7461\"\n" + std::string(toml),
              agent::check_with_files);
}
std::string controller_told(std::string_view toml) {
  return told(controller::schema(), toml, controller::check_with_files);
}
const std::string kGitlab = "[[gitlab]]\nid = \"a\"\nurl = \"https://gitlab.example.com\"\n";

TEST(ControllerConfiguration, Retries) {
  EXPECT_EQ(controller_told("[[retry]]\nproject = \"grp/*\"\nowners = [\"runner\"]\n"), "");
  EXPECT_NE(controller_told("[[retry]]\nproject = \"grp/*\"\n").find("names no cause"),
            std::string::npos);
  EXPECT_NE(controller_told("[[retry]]\nproject = \"*\"\nowners = [\"code\"]\n")
                .find("\"code\" is none of infrastructure, runner"),
            std::string::npos);
  EXPECT_NE(controller_told("[[retry]]\nowners = [\"runner\"]\n").find("project"),
            std::string::npos);
}

TEST(AgentConfiguration, GitlabInstances) {
  EXPECT_EQ(agent_told(kGitlab), "");
  EXPECT_TRUE(agent_told("").starts_with("c.toml: gitlab: no [[gitlab]] is configured"))
      << agent_told("");
  EXPECT_EQ(agent_told("[[gitlab]]\nid = \"a\"\nurl = \"gitlab.example.com\"\n"),
            "c.toml:4:7: gitlab.url: \"gitlab.example.com\" does not start with https:// or "
            "http://");
  EXPECT_EQ(agent_told(kGitlab + "[[gitlab]]\nid = \"a\"\nurl = \"https://b\"\n"),
            "c.toml:6:6: gitlab.id: \"a\" stands twice");
  EXPECT_EQ(
      agent_told(kGitlab + "[[gitlab]]\nid = \"b\"\nurl = \"https://gitlab.example.com/\"\n"),
      "c.toml:7:7: gitlab.url: \"https://gitlab.example.com/\" stands twice: which of the two "
      "a job belongs to is unclear");
}

TEST(AgentConfiguration, WhatMakesNoSense) {
  const auto with = [](const std::string& section) { return agent_told(section + kGitlab); };
  EXPECT_EQ(with("[runner]\nlog = \"file\"\nlog_file = \"\"\n"),
            "c.toml:4:12: runner.log_file: is empty; runner.log = \"file\" needs the file's path");
  EXPECT_EQ(with("[runner]\nlog = \"none\"\n"),
            "c.toml:3:7: runner.log: is \"none\" and runner.usage_log_dir is empty: nothing would "
            "tell the agent which jobs run");
  EXPECT_EQ(with("[runner]\ndebug_address = \"10.0.0.1:9252\"\n"),
            "c.toml:3:17: runner.debug_address: \"10.0.0.1:9252\" is not on this host; expected "
            "127.0.0.1:PORT, [::1]:PORT or localhost:PORT");
  EXPECT_EQ(with("[runner]\ndebug_address = \"[::1]:9252\"\n"), "");
  EXPECT_EQ(with("[state]\ndir = \"\"\n"),
            "c.toml:3:7: state.dir: is empty; the agent needs a folder for its identity");
  EXPECT_EQ(with("[diagnosis]\nrules_dir = \"/nowhere/rules\"\n"),
            "c.toml:3:13: diagnosis.rules_dir: \"/nowhere/rules\" is not a folder that can be "
            "read: No such file or directory");
  EXPECT_EQ(told(agent::schema(), "[controller]\naddress = \"c\"\n" + kGitlab, agent::check),
            "c.toml:2:11: controller.address: \"c\" is not host:port");
}

TEST(ControllerConfiguration, Listeners) {
  EXPECT_EQ(controller_told(""), "");
  EXPECT_EQ(controller_told("[fleet]\naddress = \"everywhere\"\n"),
            "c.toml:2:11: fleet.address: \"everywhere\" is not an IP address, such as 0.0.0.0 or "
            "127.0.0.1");
  EXPECT_EQ(controller_told("[enrollment]\nport = 7461\n"),
            "c.toml:2:8: enrollment.port: 7461 is taken by fleet.port; each needs its own");
  EXPECT_EQ(controller_told("[api]\naddress = \"127.0.0.1\"\nport = 7462\n"),
            "c.toml:3:8: api.port: 7462 is taken by enrollment.port; each needs its own");
  EXPECT_EQ(controller_told("[fleet]\nport = 0\n[enrollment]\nport = 0\n[api]\nport = 0\n"), "");
  EXPECT_EQ(controller_told("[fleet]\naddress = \"127.0.0.1\"\n[enrollment]\naddress = "
                            "\"127.0.0.2\"\nport = 7461\n"),
            "");
}

TEST(ControllerConfiguration, Files) {
  const std::filesystem::path folder = testing::TempDir();
  const auto token = folder / "config-token";
  const auto gitlab = [&] {
    return controller_told(kGitlab + ("token_file = \"" + token.string() + "\"\n"));
  };
  std::filesystem::remove(token);
  EXPECT_TRUE(gitlab().starts_with("c.toml:4:14: gitlab.token_file: ")) << gitlab();
  EXPECT_NE(gitlab().find("No such file"), std::string::npos) << gitlab();
  ASSERT_TRUE(write_file_atomic(token, "secret", 0644).ok());
  EXPECT_NE(gitlab().find(token.string()), std::string::npos) << gitlab();
  ASSERT_TRUE(write_file_atomic(token, "secret", 0600).ok());
  EXPECT_EQ(gitlab(), "");
  std::filesystem::remove(token);

  EXPECT_EQ(controller_told("[state]\ndir = \"\"\n"),
            "c.toml:2:7: state.dir: is empty; the controller needs a folder for its database");
  const auto tls = controller_told(
      "[api]\ntls_certificate = \"/nowhere/c.pem\"\ntls_key = \"/nowhere/k.pem\"\n");
  EXPECT_NE(tls.find("c.toml:2:19: api.tls_certificate: "), std::string::npos) << tls;
  EXPECT_NE(tls.find("c.toml:3:11: api.tls_key: "), std::string::npos) << tls;
}

}  // namespace
}  // namespace gitaiops
