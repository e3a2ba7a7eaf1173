// The decisions: values in, values out. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/commands/comment.h"
#include "controller/gitlab/gitlab.h"
#include "controller/note/note.h"
#include "controller/store/store.h"

namespace gitaiops::commands {

inline constexpr int64_t kHour = 3600 * kMicrosPerSecond;
inline constexpr int64_t kMostAnHour = 20;  // commands of one person
inline constexpr std::size_t kMostRetries = 10;
inline constexpr std::size_t kMostExplained = 3;  // in words of a reply

// What a person may do in a project, as GitLab tells.
enum class Standing { stranger, too_little, enough };
Standing standing_of(const std::optional<gitlab::Member>& member);

// Whether a comment is heard at all: a person's, for everybody to read, and of today.
bool is_heard(const gitlab::Note& note, int64_t our_user, UnixMicros now);

// The failed jobs that a retry is about: the one that is named, else all that block.
struct Chosen {
  std::vector<const note::JobView*> jobs;  // at most kMostRetries
  std::string words;  // why there are none, or that there were more; Markdown, may be empty
};
Chosen to_retry(const note::View& view, const std::string& name);

// Failed jobs that somebody may want explained.
std::vector<const note::JobView*> failed_jobs(const note::View& view);

// ---- The reply ----

// One answer to one command. What is not known yet when the command is carried out is looked up
// when the reply is written.
struct Answer {
  std::string words;  // Markdown
  struct Retry {
    std::string act, job;  // its id in the store; the job's name, foreign
  };
  std::vector<Retry> retries = {};
  bool reviewers = false;  // then `words` is not used
};

// The retry's fate in one line; `act` is nothing where it was not decided.
std::string words_of(const Answer::Retry& retry, const std::optional<store::Act>& act);
std::string help_words();
// The whole reply: the hidden marker by which it is found again, then one paragraph each.
std::string compose(const std::vector<std::string>& paragraphs, int64_t note);
const gitlab::Note* own_reply(const std::vector<gitlab::Note>& notes, int64_t our_user,
                              int64_t note);

// ---- Work ----

inline constexpr std::string_view kRun = "command.run";
inline constexpr std::string_view kReply = "command.reply";

// The comment with the command.
struct Place {
  std::string instance;
  int64_t project_id = 0, iid = 0, note = 0;
  std::string discussion;  // GitLab's id; empty: not known
  std::string key() const;
};
struct Reply {
  Place place;
  UnixMicros at;  // when the commands were carried out
  std::vector<Answer> answers;
};
std::string payload_of(const Place& place);
std::string payload_of(const Reply& reply);
std::optional<Place> read_place(std::string_view payload);
std::optional<Reply> read_reply(std::string_view payload);

}  // namespace gitaiops::commands
