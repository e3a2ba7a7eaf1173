// docs/metrics.md and the sample alert rules are what the catalogue says. After changing it:
// GITAIOPS_UPDATE=1 ./build/dev/bin/test_metrics
#include "base/metrics/catalogue.h"

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace gitaiops::metrics {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(std::string(GITAIOPS_SOURCE_DIR) + "/" + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string page() {
  return "# Metrics\n\n"
         "Names follow Prometheus' conventions: SI units at the end, `_total` for what only grows. "
         "The last column says when an\n"
         "operator should be told; `packaging/prometheus/gitaiops.rules.yml` has a rule for "
         "each.\n\n"
         "## Agent\n\nAt `http://127.0.0.1:9417/metrics` on each host (`status.port`).\n\n" +
         document(agent_metrics()) +
         "\n## Controller\n\nAt `/metrics` of the API (`api.port`).\n\n" +
         document(controller_metrics());
}

std::vector<Definition> all() {
  std::vector<Definition> out(agent_metrics().begin(), agent_metrics().end());
  out.insert(out.end(), controller_metrics().begin(), controller_metrics().end());
  return out;
}

std::set<std::string> in_rules() {
  const std::string rules = content_of("packaging/prometheus/gitaiops.rules.yml");
  const std::regex name("gitaiops_[a-z0-9_]+");
  std::set<std::string> out;
  for (std::sregex_iterator it(rules.begin(), rules.end(), name), end; it != end; ++it)
    out.insert(std::regex_replace(it->str(), std::regex("_bucket$"), ""));
  return out;
}

TEST(Catalogue, IsTheDocumentation) {
  if (std::getenv("GITAIOPS_UPDATE"))
    std::ofstream(std::string(GITAIOPS_SOURCE_DIR) + "/docs/metrics.md") << page();
  EXPECT_EQ(content_of("docs/metrics.md"), page())
      << "run: GITAIOPS_UPDATE=1 ./build/dev/bin/test_metrics";
}

TEST(Catalogue, CanBeDeclared) {
  Registry agent, controller;
  agent.declare(agent_metrics());
  controller.declare(controller_metrics());
  EXPECT_NE(agent.render().find("\ngitaiops_agent_spool_oldest_age_seconds 0\n"),
            std::string::npos);
}

TEST(Catalogue, NamesSayWhoseTheyAreAndUseBaseUnits) {
  const std::regex small_unit("_(us|ms|micros|millis|milliseconds|kb|mb|kib|mib|percent)(_|$)");
  std::set<std::string> names;
  for (const auto& metric : all()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(metric.name.starts_with("gitaiops_")) << metric.name;
    EXPECT_FALSE(std::regex_search(metric.name, small_unit)) << metric.name;
    EXPECT_TRUE(metric.help.ends_with(".")) << metric.name;
    EXPECT_EQ(metric.alert.find('|'), std::string::npos) << metric.name;
  }
}

TEST(SampleAlerts, UseOnlyMetricsThatExist) {
  std::set<std::string> known;
  for (const auto& metric : all()) known.insert(metric.name);
  for (const auto& name : in_rules()) EXPECT_TRUE(known.contains(name)) << name;
}

TEST(SampleAlerts, ThereIsARuleForEveryMetricThatIsToBeAlertedOn) {
  const auto ruled = in_rules();
  for (const auto& metric : all()) {
    if (metric.alert.empty()) continue;
    EXPECT_TRUE(ruled.contains(metric.name)) << metric.name;
  }
}

}  // namespace
}  // namespace gitaiops::metrics
