// What an operator does with the controller's data from the command line, beside a running service
// or without one. Each prints for people to `out` and returns an error whose words name the place
// and the cure.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "controller/config/config.h"
#include "controller/enrollment/enrollment.h"
#include "controller/store/store.h"

namespace gitaiops::controller {

struct TokenRequest {
  bool api = false;  // for the REST API; else for enrolling agents
  std::string name;  // API: whose it is
  std::string ttl = "1h";
  int64_t uses = 1;                   // enrolment only
  std::vector<std::string> labels;    // enrolment only
  std::vector<std::string> projects;  // "instance:glob", e.g. "main:group/*"; empty: everything
  bool admin = false;                 // API: also what concerns the whole fleet
};

Task<Status> create_token(store::Store& store, const Config& config, TokenRequest request,
                          const Clock& clock, std::ostream& out);
Task<Status> list_tokens(store::Store& store, const Clock& clock, std::ostream& out);
Task<Status> revoke_token(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out);
Task<Status> list_agents(store::Store& store, const Clock& clock, std::ostream& out);
Task<Status> revoke_agent(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out);
Task<Status> backup(store::Store& store, const Config& config, std::filesystem::path to,
                    const Clock& clock, std::ostream& out);

// Where the authority lives and by which names agents reach this controller.
enrollment::Options enrollment_options(const Config& config);

// "main:group/*" → glob; "group/*" means every instance.
store::Scope parse_scope(const std::vector<std::string>& projects);

}  // namespace gitaiops::controller
