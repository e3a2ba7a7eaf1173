// GitLab tells by itself: POST /webhooks/gitlab/{instance}.
//
// A request is checked (signature.h), written down as it came, and answered 200 with nothing in it;
// GitLab gives up after 10 s and switches off hooks that fail, so that is all that happens before
// the answer. Then the router reads what waits, many at a time, and settles it: GitLab's word goes
// to whatever waits for it, in the transaction that marks the delivery as read (route.h). So
// nothing is lost by a crash, and nothing is done twice: not by GitLab's retries (Idempotency-Key;
// the hash of hook and body where an older GitLab has none), and not by several hooks telling the
// same, since the work of the queue is keyed by what it is about.
//
// Answers: 200 accepted or known already, also of what nothing here reacts to; 401 not proven to be
// GitLab's; 404 no such instance, or no secret for it; 413 too large; 503 with Retry-After: the
// disk is full or too slow. Thread safety: one executor.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock/clock.h"
#include "base/http/message.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "controller/store/store.h"

namespace gitaiops::webhooks {

// Work that carries out the commands of a new comment on a merge request. Absent: nobody knows any.
struct Comment {
  std::string instance;
  int64_t project_id = 0, merge_request = 0, note = 0;
  std::string discussion;  // GitLab's id; empty: not known
};
using CommandWork = std::function<store::NewWork(const Comment& comment, UnixMicros now)>;

struct Options {
  // By instance: files with the secrets that are good now, the current and the one before it.
  std::map<std::string, std::vector<std::filesystem::path>> secrets;
  std::size_t max_bytes = 10 << 20;  // of a payload
  std::size_t max_in_flight = 256;   // requests that wait for the disk; beyond: 503
  // Work that fetches a failed job's log, see fetching; nothing: not of this project.
  std::function<std::optional<store::NewWork>(const std::string& instance,
                                              const std::string& project_path, int64_t project_id,
                                              int64_t job_id, UnixMicros now)>
      fetch = {};
  CommandWork command = {};
  // Told of each request: "stored", "known", "forged", "late", "unproven", "refused", "overloaded";
  // and of each delivery that was read: its type and state.
  std::function<void(std::string_view instance, std::string_view result)> on_request = {};
  std::function<void(std::string_view type, std::string_view state)> on_settled = {};
};

// What a file of a secret must hold; invalid_argument says what is wrong.
Status check_secret_file(const std::filesystem::path& file);

class Webhooks {
 public:
  // invalid_argument, or what reading a file says: a secret that is none.
  static Result<std::unique_ptr<Webhooks>> make(Options options, store::Inbox& inbox,
                                                const Clock& clock);
  ~Webhooks();

  // How large a body may be whose head this is: a small one where it cannot be GitLab's.
  std::size_t body_limit(const std::string& instance, const http::Headers& headers) const;
  Task<http::Response> take(std::string instance, http::Request request);
  // Reads what waits, until stop().
  Task<void> run();
  void stop() { stopping_.set(); }
  // Reads what waits now; how many.
  Task<Result<std::size_t>> read_some();

 private:
  struct Instance;
  Webhooks(Options options, store::Inbox& inbox, const Clock& clock);
  void refuse(const std::string& instance, Instance& of, std::string_view why,
              const http::Request& request);
  http::Response overloaded(const std::string& instance);

  Options options_;
  store::Inbox& inbox_;
  const Clock& clock_;
  std::map<std::string, std::unique_ptr<Instance>> instances_;
  std::size_t in_flight_ = 0;
  Event stopping_;
};

}  // namespace gitaiops::webhooks
