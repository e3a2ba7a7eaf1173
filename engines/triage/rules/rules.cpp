#include "engines/triage/rules/rules.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <toml++/toml.h>

#include "base/bytes/bytes.h"
#include "engines/triage/paths.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kLargestText = 256 << 10;
constexpr std::size_t kMostRules = 200, kMostValues = 200;
constexpr std::size_t kLongestValue = 256;
constexpr std::size_t kLongestLabel = 255;      // GitLab's own limit
constexpr std::size_t kMostLookedAt = 4 << 20;  // of the added lines
constexpr std::size_t kMostFiles = 3;

using Names = std::initializer_list<std::string_view>;

// Reads tables and keeps the first thing that is wrong with them.
class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  void only(const toml::table& table, Names keys) {
    for (const auto& [key, node] : table) {
      if (std::ranges::find(keys, key.str()) != keys.end()) continue;
      const std::vector<std::string_view> known(keys);
      const auto meant = nearest(key.str(), known);
      fail(node, "unknown key \"" + shown(key.str()) + "\"" +
                     (meant ? "; did you mean \"" + std::string(*meant) + "\"?"
                            : "; known are " + listed(known)));
    }
  }

  std::string text(const toml::table& table, std::string_view key) {
    const auto* node = table.get(key);
    if (!node) return fail(table, "\"" + std::string(key) + "\" is missing"), std::string();
    return value(*node, key);
  }

  std::vector<std::string> texts(const toml::table& table, std::string_view key) {
    std::vector<std::string> out;
    const auto* node = table.get(key);
    if (!node) return out;
    const auto* array = node->as_array();
    if (!array || array->empty() || array->size() > kMostValues)
      return fail(*node,
                  "\"" + std::string(key) + "\" is a list of 1 to 200 texts: [\"…\", \"…\"]"),
             out;
    for (const auto& item : *array) out.push_back(value(item, key));
    return out;
  }

  std::vector<Type> types(const toml::table& table) {
    std::vector<Type> out;
    for (const auto& word : texts(table, "types")) {
      const auto type = read_type(word);
      if (!type) {
        fail(*table.get("types"), "\"" + shown(word) +
                                      "\" is no type; known are feature, bugfix, refactor, "
                                      "security, performance, docs, test, build, ci, chore");
        break;
      }
      out.push_back(*type);
    }
    return out;
  }

  int64_t count(const toml::table& table, std::string_view key) {
    const auto* node = table.get(key);
    if (!node) return 0;
    const auto number = node->value_exact<int64_t>();
    if (!number || *number < 1) fail(*node, "\"" + std::string(key) + "\" is a number from 1");
    return number.value_or(0);
  }

  void fail(const toml::node& at, std::string what) {
    if (!problem_)
      problem_ =
          Error(Code::invalid_argument,
                name_ + ":" + std::to_string(at.source().begin.line) + ": " + std::move(what));
  }
  const std::optional<Error>& problem() const { return problem_; }

 private:
  std::string value(const toml::node& node, std::string_view key) {
    auto text = node.value_exact<std::string>();
    if (!text || trimmed(*text).empty() || text->size() > kLongestValue) {
      fail(node, "\"" + std::string(key) + "\" needs text of 1 to 256 bytes");
      return {};
    }
    return *std::move(text);
  }
  static std::string shown(std::string_view text) {
    return truncate_utf8(to_utf8(text.substr(0, 100)), 40);
  }
  static std::string listed(const std::vector<std::string_view>& words) {
    std::string out;
    for (const auto word : words) out += (out.empty() ? "" : ", ") + std::string(word);
    return out;
  }

  const std::string& name_;
  std::optional<Error> problem_;
};

ReviewRule read_rule(const toml::table& table, Reader& reader) {
  reader.only(table, {"area", "reason", "paths", "text", "types", "min_files"});
  ReviewRule rule;
  rule.area = reader.text(table, "area");
  rule.reason = reader.text(table, "reason");
  for (const auto& pattern : reader.texts(table, "paths")) {
    const bool takes_away = pattern.starts_with('!');
    (takes_away ? rule.but_not : rule.paths)
        .emplace_back(std::string_view(pattern).substr(takes_away));
  }
  if (rule.paths.empty() && !rule.but_not.empty())
    reader.fail(*table.get("paths"),
                "\"paths\" only takes away; add what it takes from, or \"**\"");
  for (auto& words : reader.texts(table, "text")) {
    std::ranges::transform(words, words.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    rule.text.push_back(std::move(words));
  }
  rule.types = reader.types(table);
  rule.min_files = reader.count(table, "min_files");
  if (rule.paths.empty() && rule.text.empty() && rule.types.empty() && rule.min_files == 0)
    reader.fail(table, "the rule names no condition: add paths, text, types or min_files");
  return rule;
}

void read_reviews(const toml::table& root, Reader& reader, Rules& rules) {
  const auto* node = root.get("review");
  if (!node) return;
  const auto* array = node->as_array();
  if (!array || array->size() > kMostRules)
    return reader.fail(*node, "rules are written as [[review]], at most 200 of them");
  for (const auto& item : *array) {
    const auto* table = item.as_table();
    if (!table) return reader.fail(item, "rules are written as [[review]]");
    rules.reviews.push_back(read_rule(*table, reader));
  }
}

void read_labels(const toml::table& root, Reader& reader, Rules& rules) {
  const auto* node = root.get("labels");
  if (!node) return;
  const auto* table = node->as_table();
  if (!table) return reader.fail(*node, "labels are written as [labels]");
  reader.only(*table, {"allow"});
  rules.allowed_labels = reader.texts(*table, "allow");
  for (const auto& label : rules.allowed_labels)
    if (label.size() > kLongestLabel || label.find(',') != label.npos)
      reader.fail(*table->get("allow"), "a label has at most 255 bytes and no comma");
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Both in lower case. Where the words end in a letter, the text's word ends there, too.
bool says(std::string_view text, std::string_view words) {
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) {
    const auto end = at + words.size();
    const bool begins = !is_word(words.front()) || at == 0 || !is_word(text[at - 1]);
    const bool ends = !is_word(words.back()) || end == text.size() || !is_word(text[end]);
    if (begins && ends) return true;
  }
  return false;
}

// nullopt: the rule does not hold; else the files that say so.
std::optional<std::vector<std::string>> holds(const ReviewRule& rule, const Change& change,
                                              std::optional<Type> type, std::string_view added) {
  std::vector<std::string> files;
  if (static_cast<int64_t>(change.files.size()) < rule.min_files) return std::nullopt;
  if (!rule.types.empty() && (!type || std::ranges::find(rule.types, *type) == rule.types.end()))
    return std::nullopt;
  if (!rule.text.empty() &&
      std::ranges::none_of(rule.text, [&](const auto& words) { return says(added, words); }))
    return std::nullopt;
  if (rule.paths.empty()) return files;
  for (const auto& file : change.files) {
    const auto hits = [&](const Glob& glob) { return glob.matches(file); };
    if (std::ranges::none_of(rule.paths, hits) || std::ranges::any_of(rule.but_not, hits)) continue;
    const auto role = role_of(file);
    if (role == Role::test || role == Role::generated || role == Role::docs) continue;
    files.push_back(file);
    if (files.size() == kMostFiles) break;
  }
  if (files.empty()) return std::nullopt;
  return files;
}

}  // namespace

Result<Rules> Rules::read(std::string_view text, const std::string& name) {
  if (text.size() > kLargestText)
    return Error(Code::resource_exhausted, name + " is larger than 256 KiB");
  try {
    const toml::table root = toml::parse(text, name);
    Rules rules;
    Reader reader(name);
    reader.only(root, {"review", "labels"});
    read_reviews(root, reader, rules);
    read_labels(root, reader, rules);
    if (reader.problem()) return *reader.problem();
    return rules;
  } catch (const toml::parse_error& e) {
    return Error(Code::invalid_argument, name + ":" + std::to_string(e.source().begin.line) + ": " +
                                             std::string(e.description()));
  } catch (const std::exception& e) {
    return Error(Code::invalid_argument, name + ": " + e.what());
  }
}

const Rules& Rules::usual() {
  static const Rules rules = [] {
    auto read = Rules::read(usual_text(), "usual.toml");
    if (!read.ok()) std::abort();  // it is built in, and tested
    return *std::move(read);
  }();
  return rules;
}

std::vector<RequiredReview> required_reviews(const Change& change, std::optional<Type> type,
                                             const Rules& rules) {
  std::string added(change.added_text.substr(0, kMostLookedAt));
  std::ranges::transform(added, added.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::vector<RequiredReview> out;
  for (const auto& rule : rules.reviews) {
    auto files = holds(rule, change, type, added);
    if (!files) continue;
    auto found = std::ranges::find(out, rule.area, &RequiredReview::area);
    if (found == out.end()) found = out.insert(out.end(), {rule.area, {}, {}});
    if (std::ranges::find(found->reasons, rule.reason) == found->reasons.end())
      found->reasons.push_back(rule.reason);
    for (auto& file : *files)
      if (found->files.size() < kMostFiles &&
          std::ranges::find(found->files, file) == found->files.end())
        found->files.push_back(std::move(file));
  }
  return out;
}

}  // namespace gitaiops::triage
