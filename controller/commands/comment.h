// What a comment asks for: foreign text in, commands out. Pure; private to this folder; one pass
// over the text, which may be anything. Fuzzed by tests/fuzz/commands.
//
// A command is a line of its own that begins with "/gitaiops", as GitLab's quick actions do: not in
// a fence or indented as code, not quoted ("> …", or between lines of ">>>"), not in an HTML
// comment as templates have them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::commands {

enum class Verb { explain, retry, reviewers, wrong_reviewer, mute, unmute, help, unknown };

struct Command {
  Verb verb = Verb::unknown;
  std::string argument;  // a job's or a person's name; of an unknown one its word. Foreign
  std::string mistake;   // why it cannot be carried out, in our words; empty: it can
  bool operator==(const Command&) const = default;
};

struct Comment {
  std::vector<Command> commands;  // without repetitions
  bool more = false;              // there were more than kMostCommands
};
inline constexpr std::size_t kMostCommands = 5;
inline constexpr std::size_t kLongestArgument = 255;  // as GitLab's names

Comment read(std::string_view body);

// "wrong-reviewer"
std::string_view word_of(Verb verb);

}  // namespace gitaiops::commands
