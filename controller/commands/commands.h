// What people ask for in comments on a merge request: `/gitaiops retry` and its like.
//
//   A new comment has a command → read it again at GitLab and carry it out, once, if its author
//   may. It was carried out          → one short reply in the comment's discussion.
//
// A payload is not believed: the comment, its author and her rights are what GitLab says when the
// command is carried out (Developer or more, and active). Comments of ours, confidential ones,
// those of yesterday and edits are not heard. Somebody who is no member gets silence, as does who
// asks for more than 20 commands in an hour; both stand in the audit trail. Whatever a command does
// is written down in one transaction with who asked for it, under the comment's id: a delivery that
// comes again, or a crash, does nothing twice. Retries are acts (acting/) and done there. A reply
// is found again by a hidden first line, so it is not written twice either, and keeps the rules of
// the note (note/note.h).
// Thread safety: one executor.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "controller/gitlab/gitlab.h"
#include "controller/note/note.h"
#include "controller/queue/queue.h"
#include "controller/reactions/reactions.h"
#include "controller/store/store.h"

namespace gitaiops::commands {

// The work for a new comment that may hold a command. `discussion`: GitLab's id; empty: not known,
// then there is no reply.
store::NewWork work_for(const std::string& instance, int64_t project_id, int64_t merge_request,
                        int64_t note, const std::string& discussion, UnixMicros now);

struct Options {
  // As reactions::Reactions::look().
  std::function<Task<Result<note::View>>(store::MergeRequestKey, gitlab::MergeRequest)> look;
  // Absent: nobody is ever proposed.
  std::function<Task<reactions::Proposal>(std::string instance, gitlab::MergeRequest)> reviewers =
      {};
  // The work that has a model explain a failed job that somebody wants explained; nothing: this one
  // may not be asked about. Absent: there is no model.
  std::function<std::optional<store::NewWork>(const fleet::v1::JobReport&)> explain = {};
  // Told of each command: its word, and "done", "refused" (too little rights, or its words are
  // wrong), "silent" (no member) or "limited".
  std::function<void(std::string_view command, std::string_view outcome)> on_command = {};
};

class Commands {
 public:
  // Everything given must outlive this.
  Commands(store::Store& store, const Clock& clock,
           std::map<std::string, gitlab::Gitlab*> instances, Options options);

  // Registers the handlers of "command.run" and "command.reply".
  void attach(queue::Worker& worker);

  Task<queue::Verdict> run(store::Work work);
  Task<queue::Verdict> reply(store::Work work);

 private:
  struct Asked;
  Task<queue::Verdict> carry_out_all(Asked& asked);
  Task<Status> carry_out(Asked& asked, std::size_t command);
  Task<Status> retry(Asked& asked, std::string name);
  Task<Status> explain(Asked& asked);
  Task<Status> wrong_reviewer(Asked& asked, std::string username);
  Task<Status> look(Asked& asked);
  queue::Verdict refused(Asked& asked, std::string_view outcome, std::string why,
                         std::string words);
  queue::Verdict finished(Asked& asked);
  struct Replying;
  Task<Result<bool>> find_words(Replying& replying);
  Task<queue::Verdict> write_reply(Replying& replying);

  store::Store& store_;
  const Clock& clock_;
  std::map<std::string, gitlab::Gitlab*> instances_;
  Options options_;
};

}  // namespace gitaiops::commands
