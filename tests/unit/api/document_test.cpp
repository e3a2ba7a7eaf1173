// docs/openapi.yaml and the code say the same: the same routes, and every member the API sends is
// described.
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "api_fixture.h"

namespace gitaiops::api {
namespace {

std::string document() {
  std::ifstream file(GITAIOPS_SOURCE_DIR "/docs/openapi.yaml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "GET /api/v1/jobs" for every operation: paths stand two spaces deep, their methods four.
std::set<std::string> documented_routes() {
  std::set<std::string> found;
  std::istringstream lines(document());
  std::string line, path;
  bool in_paths = false;
  const std::regex method("^    (get|put|post|patch|delete|head|options):$");
  while (std::getline(lines, line)) {
    if (!line.empty() && line[0] != ' ') in_paths = line == "paths:";
    if (!in_paths) continue;
    std::smatch match;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    if (std::regex_match(line, match, method)) {
      std::string verb = match[1];
      for (char& c : verb) c = static_cast<char>(std::toupper(c));
      found.insert(verb + " " + path);
    }
  }
  return found;
}

void collect_names(const nlohmann::json& json, std::set<std::string>& names) {
  if (json.is_object()) {
    for (const auto& [name, value] : json.items()) {
      names.insert(name);
      collect_names(value, names);
    }
  } else if (json.is_array()) {
    for (const auto& value : json) collect_names(value, names);
  }
}

TEST(OpenApi, RoutesOfCodeAndDocumentAreTheSame) {
  std::set<std::string> coded;
  for (const auto& route : routes()) coded.insert(route.method + " " + route.path);
  EXPECT_EQ(documented_routes(), coded);
  EXPECT_GE(coded.size(), 10u);
}

TEST_F(ApiTest, EveryMemberSentIsDescribed) {
  store_.all_agents = {
      {"agent-1", "host", "0.1.0", "", {"x"}, {{"main", "grp/*"}}, {}, {}, {}, {}, 0}};
  const store::Passed passed{5, "sha", true, 7, {}};
  store::Failure failure;
  failure.id = "f1";
  failure.occurrences.emplace_back().passed = passed;
  store_.package_name = "npm:qs";
  store_.all_uses = {{}};
  store_.all_uses[0].instance = "main";
  store_.all_uses[0].project_path = "grp/a";
  store_.vulnerable.all.emplace_back();
  store::Inventory inventory;
  inventory.instance = "main";
  inventory.project_id = 1;
  inventory.project_path = "grp/a";
  inventory.ref = "main";
  store_.inventories = {inventory};
  store::Matched matched;
  matched.project_path = "grp/a";
  matched.ref = "main";
  store_.vulnerable.matched = {matched};
  store_.vulnerable.changes.listed.emplace_back();
  store_.all_failures = {failure};
  store_.seen.emplace().passed = passed;
  store_.hosts.emplace_back().agent_id = "agent-1";
  store_.all_audit = {{{}, "operator", "agent.revoke", "", 0, "agent-1", "done"}};
  reviewers_ = [](store::Scope, std::string, std::string,
                  std::vector<std::string>) -> Task<Result<Reviewers>> {
    Reviewers out;
    out.people.emplace_back();
    co_return out;
  };
  store::TriagedMergeRequest triaged;
  triaged.instance = "main";
  triaged.project_id = 1;
  triaged.iid = 7;
  triaged.project_path = "grp/a";
  triaged.triage.risk.emplace();
  triaged.triage.size.emplace();
  triaged.triage.kind.emplace();
  triaged.triage.effort.emplace();
  triaged.triage.required_reviews.emplace_back();
  store_.triage.rows = {triaged};
  store::ReadMergeRequest read;
  read.instance = "main";
  read.project_id = 1;
  read.iid = 7;
  read.project_path = "grp/a";
  read.said.emplace().points.emplace_back();
  store_.read.rows = {read};
  std::set<std::string> names;
  for (const std::string& target :
       {std::string("/api/v1/jobs?limit=1&count=true"), std::string("/api/v1/jobs/") + kJobA,
        std::string("/api/v1/jobs/") + kJobA + "/note", std::string("/api/v1/agents"),
        std::string("/api/v1/me"), std::string("/api/v1/failures"),
        std::string("/api/v1/failures/f1"), std::string("/api/v1/failing_hosts"),
        std::string("/api/v1/audit"), std::string("/api/v1/packages?ecosystem=npm&name=qs"),
        std::string("/api/v1/vulnerabilities"), std::string("/api/v1/merge_requests"),
        std::string("/api/v1/merge_requests/main/1/7"),
        std::string("/api/v1/projects/main/1/dependency_changes?from=main&to=main"),
        std::string("/api/v1/reviewers?project=grp/a&path=a"), std::string("/health"),
        std::string("/none")}) {
    collect_names(body(target, "of-all"), names);
  }
  EXPECT_GT(names.size(), 100u);
  const auto text = document();
  for (const auto& name : names) EXPECT_NE(text.find(" " + name + ":"), std::string::npos) << name;
}

TEST_F(ApiTest, TheDocumentIsServedAsItIs) {
  EXPECT_EQ(ask("/api/v1/openapi.yaml", "").body, document());
}

}  // namespace
}  // namespace gitaiops::api
