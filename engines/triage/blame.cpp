#include "engines/triage/blame.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/triage/lowered.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kShortest = 7, kLongest = 64;  // of a commit's name
constexpr std::size_t kMostNamed = 50;               // by one message
constexpr int64_t kHotfixWindowS = 14 * 86'400;
constexpr std::size_t kMostRecent = 500;
constexpr std::size_t kLargestHotfix = 20;  // files; larger is no hurry
constexpr std::size_t kLargestBlamed = 100;
constexpr std::size_t kMostAlike = 16;  // commits whose names begin alike: by chance never so many
constexpr std::string_view kReverts = "this reverts commit ";

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_';
}

// The commit's name that a text begins with. A number alone is an issue's: "Fixes: 1234567".
std::optional<std::string> name_at(std::string_view low) {
  std::size_t digits = 0;
  while (digits < low.size() && is_hex(low[digits])) ++digits;
  if (digits < kShortest || digits > kLongest) return std::nullopt;
  if (digits < low.size() && is_word(low[digits])) return std::nullopt;
  const auto name = low.substr(0, digits);
  const bool number = std::ranges::all_of(name, [](char c) { return c <= '9'; });
  if (number && digits < 12) return std::nullopt;
  return std::string(name);
}

// "fixes: 1f2e3d4", "fixes: commit 1f2e3d4"
std::optional<std::string> trailer(std::string_view line) {
  for (const std::string_view key : {"fixes:", "fixes commit "}) {
    if (!line.starts_with(key)) continue;
    auto rest = trimmed(line.substr(key.size()));
    if (rest.starts_with("commit ")) rest = trimmed(rest.substr(7));
    return name_at(rest);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Named> named_in(std::string_view message) {
  std::vector<Named> out;
  const auto low = lowered(message);
  const auto add = [&](std::optional<std::string> id, Sign sign) {
    if (!id || out.size() >= kMostNamed) return;
    if (std::ranges::none_of(out, [&](const Named& n) { return n.id == *id; }))
      out.push_back({std::move(*id), sign});
  };
  for (auto at = low.find(kReverts); at != low.npos; at = low.find(kReverts, at + 1))
    add(name_at(std::string_view(low).substr(at + kReverts.size())), Sign::revert);
  for (const auto line : split(low, '\n')) add(trailer(trimmed(line)), Sign::fixes);
  return out;
}

bool is_hotfix(std::string_view message) {
  constexpr std::array<std::string_view, 7> kSays = {
      "hotfix",          "hot-fix", "hot fix", "urgent fix", "emergency fix", "quick fix for prod",
      "fix broken build"};
  const auto title = lowered(message.substr(0, message.find('\n')));
  return std::ranges::any_of(kSays, [&](std::string_view words) {
    const auto at = title.find(words);
    return at != title.npos && (at == 0 || !is_word(title[at - 1]));
  });
}

std::string title_and_blame(std::string_view message) {
  constexpr std::size_t kLongestKept = 4 << 10, kLongestLine = 500;
  std::string out;
  for (const auto line : split(message, '\n')) {
    const auto text = trimmed(line).substr(0, kLongestLine);
    if (!out.empty() && named_in(text).empty()) continue;
    if (out.size() + text.size() > kLongestKept) break;
    out += out.empty() ? "" : "\n";
    out += text;
  }
  return out;
}

const std::size_t* Blamer::find(std::string_view id) const {
  const auto [first, last] = by_prefix_.equal_range(std::string(id.substr(0, kShortest)));
  const std::size_t* found = nullptr;
  for (auto at = first; at != last; ++at) {
    const auto& full = ids_[at->second - (next_ - ids_.size())];
    if (!full.starts_with(id) && !id.starts_with(full)) continue;
    if (found) return nullptr;  // it could be either
    found = &at->second;
  }
  return found;
}

void Blamer::forget() {
  const auto number = next_ - ids_.size();
  const auto [first, last] = by_prefix_.equal_range(ids_.front().substr(0, kShortest));
  const auto at = std::find_if(first, last, [&](const auto& one) { return one.second == number; });
  if (at != last) by_prefix_.erase(at);
  ids_.pop_front();
}

std::vector<Blame> Blamer::add(const Commit& commit) {
  std::vector<Blame> out;
  const auto blame = [&](std::size_t number, Sign sign) {
    if (std::ranges::none_of(out, [&](const Blame& b) { return b.commit == number; }))
      out.push_back({number, next_, sign});
  };
  for (const auto& named : named_in(commit.message))
    if (const auto* number = find(named.id)) blame(*number, named.sign);
  const bool hurried = is_hotfix(commit.message);
  if (hurried && out.empty() && commit.files.size() <= kLargestHotfix) {
    const auto at = std::find_if(recent_.rbegin(), recent_.rend(), [&](const Recent& one) {
      return commit.time_s - one.time_s <= kHotfixWindowS &&
             std::ranges::find_first_of(one.files, commit.files) != one.files.end();
    });
    if (at != recent_.rend()) blame(at->number, Sign::hotfix);
  }
  ids_.push_back(lowered(commit.id.substr(0, kLongest)));
  if (auto prefix = ids_.back().substr(0, kShortest); by_prefix_.count(prefix) < kMostAlike)
    by_prefix_.emplace(std::move(prefix), next_);
  if (!hurried && commit.files.size() <= kLargestBlamed)
    recent_.push_back({next_, commit.time_s, commit.files});
  if (recent_.size() > kMostRecent) recent_.pop_front();
  ++next_;
  if (ids_.size() > most_) forget();
  return out;
}

std::vector<Blame> blames(std::span<const Commit> commits) {
  Blamer blamer(commits.size());
  std::vector<Blame> out;
  for (const auto& commit : commits) std::ranges::move(blamer.add(commit), std::back_inserter(out));
  return out;
}

}  // namespace gitaiops::triage
