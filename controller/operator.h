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
#include "controller/feed/feed.h"
#include "controller/store/store.h"

namespace gitaiops::controller {

struct TokenRequest {
  bool api = false;  // for the REST API; else for enrolling agents
  std::string name;  // API: whose it is
  std::string ttl = "1h";
  int64_t uses = 1;                   // enrolment only
  std::string certificate_life;       // enrolment only; empty: the configuration's
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
// What was done to the outside world and by operators, newest first.
Task<Status> list_audit(store::Store& store, std::size_t limit, std::ostream& out);
// data_loss names the first record that is not as it was written. `noted`: "N:HASH" as somebody
// wrote it down elsewhere; empty: none.
Task<Status> verify_audit(store::Store& store, std::string noted, std::ostream& out);
// JSON lines, one record each, from number `from` on.
Task<Status> export_audit(store::Store& store, int64_t from, std::ostream& out);
// `state`: only of that one; empty: all.
Task<Status> list_events(store::Store& store, std::string state, std::size_t limit,
                         std::ostream& out);
Task<Status> show_event(store::Store& store, std::string id, std::ostream& out);
Task<Status> replay_event(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out);
Task<Status> list_dead_letters(store::Store& store, std::size_t limit, const Clock& clock,
                               std::ostream& out);
// `which`: an id, or "all".
Task<Status> replay_dead_letters(store::Store& store, std::string which, const Clock& clock,
                                 std::ostream& out);
Task<Status> revoke_agent(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out);
// One step of replacing the certificate authority, see enrollment::rotate_authority.
Task<Status> rotate_authority(store::Store& store, const Config& config, bool at_once,
                              const Clock& clock, std::ostream& out);
// With the key: the authority goes into a second file, `to` with ".key" behind it.
Task<Status> backup(store::Store& store, const Config& config, std::filesystem::path to,
                    bool with_key, const Clock& clock, std::ostream& out);
// Puts such a copy in place of the database, which is kept beside it; and the authority, when the
// copy has its key and none is here. The service must not run; nothing is changed after an error.
Status restore(const Config& config, const std::filesystem::path& from, const Clock& clock,
               std::ostream& out);

// Fetches the sources of advisories and has the index built by a command of this program that reads
// the same configuration. What is given must outlive it.
std::unique_ptr<feed::Feed> make_feed(const Config& config,
                                      const std::filesystem::path& config_path, Outgoing& web,
                                      const Clock& clock);
// Once, now. A running service notices the index by itself.
Status refresh_advisories(const Config& config, const std::filesystem::path& config_path,
                          const Clock& clock);
// That command.
Status build_advisories(const Config& config, std::ostream& err);

// As root: goes on as the owner of the state folder, so that what is written is the service's.
// Makes the folder for the unit's user when the service was never started.
Status become_service_user(const std::filesystem::path& state_dir);

// Where the authority lives and by which names agents reach this controller.
enrollment::Options enrollment_options(const Config& config);

// For a terminal: control characters as "\\x1b", one line; and padded to a column.
std::string shown(std::string_view stored);
std::string column(std::string_view stored, std::size_t width);
// "5m ago"
std::string age(UnixMicros now, std::optional<UnixMicros> at);

// "main:group/*" → glob; "group/*" means every instance.
store::Scope parse_scope(const std::vector<std::string>& projects);

}  // namespace gitaiops::controller
