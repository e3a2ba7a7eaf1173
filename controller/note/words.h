// How the note calls things. Thread safety: pure.
#pragma once

#include <string>
#include <string_view>

#include "controller/note/note.h"

namespace gitaiops::note {

// The diagnosis' category as a reader would say it: "oom_killed" → "killed for memory (out of
// memory)". An id that is not ours (an own rule of the host) goes through word().
std::string category_words(std::string_view id);
bool has_words(std::string_view id);

// "`unit`", or "job 42" where GitLab's name is not known.
std::string name_of(const JobView& job);

// "the tests" for "test"; empty: no owner of ours.
std::string owner_words(std::string_view owner);

// Of what kind the change is, where its author, the rules alone, or the rules and a model together
// are sure.
std::optional<triage::Type> sure_kind(const View& view);

// A model's words, marked as such: two or three lines.
std::string explained(const Explanation& explanation, std::string_view owner_by_rules);
// The lines of the log that it cites.
std::string cited(const Explanation& explanation);

// "`unit` took 5 min 2 s, usually 1 min 3 s on `main`": the farthest from what is usual first.
std::vector<std::string> usage_changes(const View& view);

// "Seen 4 times before in this project since 2026-11-20, last passed after a retry." Empty: there
// is nothing to say.
std::string seen_line(const Seen& seen);

}  // namespace gitaiops::note
