#include "engines/triage/history.h"

#include <algorithm>
#include <array>

#include <simdjson.h>

#include "base/bytes/bytes.h"
#include "engines/triage/lowered.h"

namespace gitaiops::triage {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kDeepest = 16;
constexpr std::size_t kMostFiles = 10'000;
constexpr std::size_t kMostPeople = 100;
constexpr std::size_t kLongestMessage = 16 << 10;
constexpr int64_t kMostLines = 100'000'000;  // of a file
constexpr int64_t kLatest = 0xffff'ffff;

Error wrong(std::string_view member, std::string_view what) {
  return Error(Code::invalid_argument, "\"" + std::string(member) + "\" " + std::string(what));
}

Result<std::string> text_in(dom::object object, std::string_view member) {
  dom::element element;
  if (object[member].get(element) != simdjson::SUCCESS) return wrong(member, "is missing");
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) return wrong(member, "is no text");
  return std::string(text);
}

// Absent is none.
Result<std::vector<std::string>> people_in(dom::object object, std::string_view member) {
  std::vector<std::string> people;
  dom::element element;
  if (object[member].get(element) != simdjson::SUCCESS) return people;
  dom::array array;
  if (element.get_array().get(array) != simdjson::SUCCESS) return wrong(member, "is no list");
  for (const dom::element one : array) {
    std::string_view name;
    if (one.get_string().get(name) != simdjson::SUCCESS || name.empty())
      return wrong(member, "holds something that is no name");
    if (people.size() < kMostPeople) people.emplace_back(name);
  }
  return people;
}

// A name, or [name, lines added, lines deleted]; the lines are kept where all files have them.
Status read_files(dom::object object, Commit& commit) {
  dom::array array;
  if (object["files"].get_array().get(array) != simdjson::SUCCESS)
    return wrong("files", "is missing or no list");
  bool counted = true;
  for (const dom::element one : array) {
    std::string_view name;
    dom::array parts;
    LineCount lines;
    if (one.get_string().get(name) == simdjson::SUCCESS) {
      counted = false;
    } else if (one.get_array().get(parts) != simdjson::SUCCESS ||
               parts.at(0).get_string().get(name) != simdjson::SUCCESS) {
      return wrong("files", "holds something that names no file");
    } else if (parts.at(1).get_int64().get(lines.added) != simdjson::SUCCESS ||
               parts.at(2).get_int64().get(lines.deleted) != simdjson::SUCCESS || lines.added < 0 ||
               lines.deleted < 0 || lines.added > kMostLines || lines.deleted > kMostLines) {
      counted = false;
    }
    if (name.empty()) return wrong("files", "holds something that names no file");
    if (commit.files.size() == kMostFiles) continue;
    commit.files.emplace_back(name);
    commit.lines.push_back(lines);
  }
  if (!counted) commit.lines.clear();
  return {};
}

// Not worth refusing a commit for: nobody is named by it.
std::string message_in(dom::object object) {
  for (const auto* member : {"message", "subject"}) {
    std::string_view text;
    if (object[member].get_string().get(text) == simdjson::SUCCESS)
      return truncate_utf8(text, kLongestMessage);
  }
  return {};
}

Result<Commit> to_commit(dom::element element) {
  dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS)
    return Error(Code::invalid_argument, "a commit is a JSON object");
  Commit commit;
  ASSIGN_OR_RETURN(commit.id, text_in(object, "commit"));
  ASSIGN_OR_RETURN(commit.author, text_in(object, "author"));
  if (object["date"].get_int64().get(commit.time_s) != simdjson::SUCCESS || commit.time_s < 0 ||
      commit.time_s > kLatest)
    return wrong("date", "is missing, or no Unix time in seconds from 1970 to 2106");
  RETURN_IF_ERROR(read_files(object, commit));
  commit.message = message_in(object);
  ASSIGN_OR_RETURN(commit.reviewers, people_in(object, "reviewers"));
  ASSIGN_OR_RETURN(commit.acks, people_in(object, "acks"));
  return commit;
}

Result<dom::element> parse(dom::parser& parser, std::string_view json,
                           simdjson::padded_string& padded) {
  if (parser.allocate(std::max<std::size_t>(json.size(), 256), kDeepest) != simdjson::SUCCESS)
    return Error(Code::resource_exhausted, "the JSON is too large");
  padded = simdjson::padded_string(json);
  dom::element root;
  if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS)
    return Error(Code::invalid_argument,
                 std::string("not JSON: ") + simdjson::error_message(error));
  return root;
}

}  // namespace

Result<Commit> read_commit(std::string_view json) {
  dom::parser parser;
  simdjson::padded_string padded;
  ASSIGN_OR_RETURN(const auto root, parse(parser, json, padded));
  return to_commit(root);
}

Result<std::vector<Commit>> read_cases(std::string_view json) {
  dom::parser parser;
  simdjson::padded_string padded;
  ASSIGN_OR_RETURN(const auto root, parse(parser, json, padded));
  dom::array array;
  if (root.get_array().get(array) != simdjson::SUCCESS)
    return Error(Code::invalid_argument, "cases are a JSON array of objects");
  std::vector<Commit> cases;
  for (const dom::element one : array) {
    ASSIGN_OR_RETURN(auto commit, to_commit(one), "case " + std::to_string(cases.size() + 1));
    cases.push_back(std::move(commit));
  }
  return cases;
}

bool is_machine(std::string_view person) {
  constexpr std::array<std::string_view, 7> kParts = {
      "jenkins", "buildbot", "build bot", "automat", "gerrit code review", "noreply", "[bot]"};
  constexpr std::array<std::string_view, 6> kEnds = {"-bot", " bot", "_bot", "-ci", " ci", "_ci"};
  const auto lower = lowered(person);
  return lower == "bot" || lower == "ci" ||
         std::ranges::any_of(kParts, [&](auto part) { return lower.find(part) != lower.npos; }) ||
         std::ranges::any_of(kEnds, [&](auto end) { return lower.ends_with(end); });
}

}  // namespace gitaiops::triage
