// Any text in a comment's place: few commands, each known or with words that say why not, and a
// reply that stays what it is: short, hidden marker first, nothing of the text outside of code.
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "controller/commands/comment.h"
#include "controller/commands/decide.h"

using namespace gitaiops;
using namespace gitaiops::commands;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Without what stands in backticks, by the rule that a run ends at the next one of its length.
std::string prose(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    const auto run = std::min(line.find_first_not_of('`', i), line.size()) - i;
    if (run == 0) {
      out += line[i++];
      continue;
    }
    auto end = line.find(std::string(run, '`'), i + run);
    while (end != line.npos && end + run < line.size() && line[end + run] == '`')
      end = line.find(std::string(run, '`'), line.find_first_not_of('`', end));
    if (end == line.npos) return out + std::string(line.substr(i));
    i = end + run;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const auto comment = read(body);
  require(comment.commands.size() <= kMostCommands);
  require(!comment.more || comment.commands.size() == kMostCommands);
  std::vector<std::string> paragraphs;
  for (const auto& command : comment.commands) {
    require(body.find("/gitaiops") != body.npos);
    require(command.argument.size() <= kLongestArgument);
    require(command.verb != Verb::unknown || !command.mistake.empty());
    require(command.mistake.empty() || command.argument.empty());
    if (!command.mistake.empty()) paragraphs.push_back(command.mistake);
    note::View view;
    const auto chosen = to_retry(view, command.argument);
    require(chosen.jobs.empty() && !chosen.words.empty());
    paragraphs.push_back(chosen.words);
    paragraphs.push_back(words_of({"act", command.argument}, std::nullopt));
  }
  const std::string reply = compose(paragraphs, 31);
  require(to_utf8(reply) == reply && reply.starts_with("<!-- gitaiops:reply v1 31 -->\n"));
  std::string_view rest = reply;
  rest.remove_prefix(rest.find('\n') + 1);
  for (const auto line : split(rest, '\n')) {
    const std::string words = prose(line);
    require(!line.starts_with('/') && words.find_first_of("@<#!~&[$") == words.npos);
  }
  const Reply kept{{"main", 42, 7, 31, "abc"}, {5}, {{body, {{"act", body}}, true}}};
  const auto again = read_reply(payload_of(kept));
  require(again && again->answers.size() == 1 && again->answers[0].retries.size() == 1);
  return 0;
}
