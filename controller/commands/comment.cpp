#include "controller/commands/comment.h"

#include <algorithm>

#include "controller/note/note.h"

namespace gitaiops::commands {
namespace {

constexpr std::string_view kPrefix = "/gitaiops";
constexpr std::string_view kBlank = " \t\r\f\v";
constexpr std::size_t kCodeIndent = 4;
constexpr std::size_t kShownWord = 60;

constexpr std::pair<std::string_view, Verb> kWords[] = {
    {"explain", Verb::explain},     {"retry", Verb::retry},
    {"reviewers", Verb::reviewers}, {"wrong-reviewer", Verb::wrong_reviewer},
    {"mute", Verb::mute},           {"unmute", Verb::unmute},
    {"help", Verb::help},
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::size_t run_of(std::string_view text, char c) {
  return std::min(text.find_first_not_of(c), text.size());
}

// Which lines are a person's own words.
class Reader {
 public:
  // Nothing: what GitLab shows as code, as quoted or not at all.
  std::string_view own_words(std::string_view line) {
    const std::size_t indent = run_of(line, ' ');
    const std::string_view text = trimmed(line);
    if (fence_ != 0) {
      const auto run = run_of(text, fence_);
      if (indent < kCodeIndent && run >= fence_length_ && run == text.size()) fence_ = 0;
      return {};
    }
    if (hidden_) {
      hidden_ = text.find("-->") == text.npos;
      return {};
    }
    if (text == ">>>") quoted_ = !quoted_;
    if (quoted_ || text.empty() || indent >= kCodeIndent || line[indent] == '\t') return {};
    if (opens_fence(text) || text.front() == '>') return {};
    if (text.starts_with("<!--")) {
      hidden_ = text.find("-->") == text.npos;
      return {};
    }
    return text;
  }

 private:
  bool opens_fence(std::string_view text) {
    const char c = text.front();
    if (c != '`' && c != '~') return false;
    const auto run = run_of(text, c);
    if (run < 3 || (c == '`' && text.find('`', run) != text.npos)) return false;
    fence_ = c;
    fence_length_ = run;
    return true;
  }

  char fence_ = 0;  // 0: in none
  std::size_t fence_length_ = 0;
  bool hidden_ = false, quoted_ = false;
};

// "`unit`" and "unit" are one name.
std::string_view without_ticks(std::string_view text) {
  const auto ticks = std::min(run_of(text, '`'), text.size() / 2);
  if (ticks == 0 || !text.ends_with(text.substr(0, ticks))) return text;
  return trimmed(text.substr(ticks, text.size() - 2 * ticks));
}

bool is_username(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

std::string usage(Verb verb) {
  return "`/gitaiops " + std::string(word_of(verb)) + "`";
}

void take_argument(Command& command, std::string_view text) {
  text = without_ticks(text);
  const bool person = command.verb == Verb::wrong_reviewer;
  if (person && text.starts_with('@')) text.remove_prefix(1);
  if (text.size() > kLongestArgument) {
    command.mistake = "What follows " + usage(command.verb) + " is too long for a name.";
  } else if (person && !is_username(text)) {
    command.mistake = usage(command.verb) + " takes one user name, as in `/gitaiops " +
                      std::string(word_of(command.verb)) + " @ben`.";
  } else if (!person && command.verb != Verb::retry && !text.empty()) {
    command.mistake = usage(command.verb) + " takes nothing after it.";
  } else {
    command.argument = text;
  }
}

Command command_of(std::string_view rest) {
  const auto end = std::min(rest.find_first_of(kBlank), rest.size());
  const auto word = rest.substr(0, end);
  Command out;
  if (word.empty()) {
    out.verb = Verb::help;
    return out;
  }
  const auto* known = std::ranges::find(kWords, word, &std::pair<std::string_view, Verb>::first);
  if (known == std::end(kWords)) {
    out.mistake =
        note::code_span(word, kShownWord) + " is no command; `/gitaiops help` lists them.";
    return out;
  }
  out.verb = known->second;
  take_argument(out, trimmed(rest.substr(end)));
  return out;
}

}  // namespace

std::string_view word_of(Verb verb) {
  const auto* found = std::ranges::find(kWords, verb, &std::pair<std::string_view, Verb>::second);
  return found == std::end(kWords) ? "unknown" : found->first;
}

Comment read(std::string_view body) {
  Comment out;
  Reader reader;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    auto text = reader.own_words(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
    if (!text.starts_with(kPrefix)) continue;
    text.remove_prefix(kPrefix.size());
    if (!text.empty() && kBlank.find(text.front()) == kBlank.npos) continue;
    auto command = command_of(trimmed(text));
    if (std::ranges::find(out.commands, command) != out.commands.end()) continue;
    if (out.commands.size() == kMostCommands) {
      out.more = true;
      break;
    }
    out.commands.push_back(std::move(command));
  }
  return out;
}

}  // namespace gitaiops::commands
