// What people ask for in comments on merge requests. Part of store.h, whose rules hold here as
// well; include that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::store {

// A comment whose commands were carried out or refused, and what they change about the note.
// Comments of a week ago are forgotten; nobody acts on one as old.
struct Commanded {
  std::string instance;
  int64_t project_id = 0, iid = 0;  // of the merge request
  int64_t note_id = 0;              // GitLab's, of the comment
  int64_t user_id = 0;              // who wrote it
  std::string username;
  int64_t commands = 0;
  UnixMicros at;
  std::optional<bool> mute = std::nullopt;  // with event "merge_request.changed"
};

class Commands {
 public:
  virtual ~Commands() = default;
  virtual Task<Result<bool>> was_commanded(std::string instance, int64_t project_id,
                                           int64_t note_id) = 0;
  // How many commands somebody gave since then.
  virtual Task<Result<int64_t>> commands_of(std::string instance, int64_t user_id,
                                            UnixMicros since) = 0;
  // Whose wish it is that a merge request's note is left as it is; empty: nobody's.
  virtual Task<Result<std::string>> muted_by(std::string instance, int64_t project_id,
                                             int64_t iid) = 0;
};

}  // namespace gitaiops::store
