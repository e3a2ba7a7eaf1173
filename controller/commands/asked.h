// A comment that is heard, while its commands are carried out. Private to this folder.
#pragma once

#include <optional>
#include <string>

#include "controller/commands/commands.h"
#include "controller/commands/decide.h"

namespace gitaiops::commands {

// Nothing: she is none.
Task<Result<std::optional<gitlab::Member>>> member_of(gitlab::Gitlab& gitlab, int64_t project,
                                                      int64_t user);

struct Commands::Asked {
  Place place;
  gitlab::Gitlab* gitlab = nullptr;
  UnixMicros at;
  gitlab::Note note;
  Comment comment;
  gitlab::MergeRequest merge_request;
  std::optional<note::View> view;  // once something needed it
  std::optional<bool> mute;
  std::vector<Answer> answers;
  store::WorkOutcome outcome;

  std::string object() const {
    return "merge request " + std::to_string(place.iid) + " of " +
           (merge_request.project_path.empty() ? "project " + std::to_string(place.project_id)
                                               : merge_request.project_path);
  }
  store::AuditRecord audit(std::string act, std::string object, std::string outcome_words) const {
    return {.at = at,
            .actor = "user:" + note.author,
            .act = std::move(act),
            .instance = place.instance,
            .project_id = place.project_id,
            .object = std::move(object),
            .outcome = std::move(outcome_words)};
  }
  std::string in_note() const { return "asked for in note " + std::to_string(place.note); }
};

}  // namespace gitaiops::commands
