#include "engines/triage/project_history.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "engines/triage/lowered.h"

namespace gitaiops::triage {
namespace {

constexpr double kDayS = 86'400;
constexpr double kYearS = 365 * kDayS;
constexpr std::size_t kLargestCommit = 100;  // that says something of each of its files
constexpr std::size_t kFilesLookedAt = 1'000;
constexpr std::size_t kCommitsOfFile = 300;    // that are told apart from those of other files
constexpr std::size_t kCommitsOfPerson = 500;  // whose age counts
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

// The first two parts of a path's folder: "drivers/net" of drivers/net/mlx5/mlx5.c.
std::string_view subsystem_of(std::string_view path) {
  const auto first = path.find('/');
  if (first == path.npos) return {};
  const auto second = path.find('/', first + 1);
  return path.substr(0, second == path.npos ? first : second);
}

// Words that begin so: "fix", "Fixes", "crashed", but no "prefix".
bool speaks_of_fix(std::string_view text) {
  constexpr std::array<std::string_view, 7> kWords = {"fix",   "bug",  "defect",  "patch",
                                                      "crash", "leak", "overflow"};
  const auto low = lowered(text);
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    for (auto at = low.find(word); at != low.npos; at = low.find(word, at + 1))
      if (at == 0 || !letter(low[at - 1])) return true;
    return false;
  });
}

double entropy_of(const std::vector<LineCount>& lines, std::size_t files) {
  double all = 0;
  for (const auto& one : lines) all += static_cast<double>(one.added + one.deleted);
  if (all <= 0) return std::log2(static_cast<double>(std::max<std::size_t>(files, 1)));
  double bits = 0;
  for (const auto& one : lines)
    if (const double part = static_cast<double>(one.added + one.deleted) / all; part > 0)
      bits -= part * std::log2(part);
  return bits;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

Change as_change(const Commit& commit) {
  Change change{commit.author, commit.files, commit.time_s};
  change.title = first_line(commit.message);
  change.lines = commit.lines;
  return change;
}

template <class T>
void keep_newest(std::vector<T>& values, std::size_t most) {
  if (values.size() >= 2 * most) values.erase(values.begin(), values.end() - most);
}

}  // namespace

uint32_t ProjectHistory::subsystem(std::string_view path) {
  return subsystems_
      .try_emplace(std::string(subsystem_of(path)), static_cast<uint32_t>(subsystems_.size()))
      .first->second;
}

void ProjectHistory::touch(const Commit& commit, Person& author) {
  std::set<uint32_t> subsystems;
  const auto number = static_cast<uint32_t>(commits_);
  for (std::size_t i = 0; i < commit.files.size(); ++i) {
    auto& file = files_[commit.files[i]];
    file.last_s = newest_s_;
    if (i < commit.lines.size())
      file.lines =
          std::max<int64_t>(0, file.lines + commit.lines[i].added - commit.lines[i].deleted);
    if (std::ranges::find(file.authors, author.number) == file.authors.end())
      file.authors.push_back(author.number);
    ++file.changes;
    file.commits.push_back(number);
    keep_newest(file.commits, kCommitsOfFile);
    subsystems.insert(subsystem(commit.files[i]));
  }
  for (const auto one : subsystems) ++author.by_subsystem[one];
}

void ProjectHistory::add(const Commit& commit) {
  newest_s_ = std::max(newest_s_, commit.time_s);
  for (const auto& blame : blamer_.add(commit)) {
    const auto oldest = commits_ - past_.size();
    if (blame.commit >= oldest) past_[blame.commit - oldest].risky = true;
  }
  const bool telling = !commit.author.empty() && !commit.files.empty() &&
                       commit.files.size() <= kLargestCommit && !is_machine(commit.author);
  // A commit that tells nothing keeps its place among the numbers, so that blame finds the right
  // one.
  past_.push_back(
      {{telling ? features(as_change(commit)) : risk::Features{}, newest_s_, false}, telling});
  if (past_.size() > kPast) past_.pop_front();
  ++commits_;
  if (commit.author.empty()) return;  // a merge: its commits stand for themselves
  auto [place, fresh] = people_.try_emplace(commit.author);
  if (fresh) place->second.number = static_cast<uint32_t>(people_.size());
  if (commit.files.size() <= kLargestCommit) touch(commit, place->second);
  ++place->second.commits;
  place->second.newest_s.push_back(newest_s_);
  keep_newest(place->second.newest_s, kCommitsOfPerson);
}

void ProjectHistory::add(const ReviewTime& review) {
  if (!(review.hours >= 0) || !std::isfinite(review.hours) || review.lines < 0) return;
  reviews_.push_back(review);
  if (reviews_.size() > kReviewTimes) reviews_.pop_front();
}

risk::Features ProjectHistory::features(const Change& change) const {
  using namespace risk;
  Features out;
  out.fill(kUnknown);
  if (change.files.empty()) return out;
  std::set<std::string_view> folders, subsystems;
  for (const auto& path : change.files) {
    folders.insert(folder_of(path));
    subsystems.insert(subsystem_of(path));
  }
  out[ns] = static_cast<double>(subsystems.size());
  out[nd] = static_cast<double>(folders.size());
  out[nf] = static_cast<double>(change.files.size());
  if (!change.title.empty()) out[fix] = speaks_of_fix(change.title);
  if (change.lines.size() == change.files.size()) {
    out[la] = out[ld] = 0;
    for (const auto& one : change.lines) {
      out[la] += static_cast<double>(one.added);
      out[ld] += static_cast<double>(one.deleted);
    }
    out[entropy] = entropy_of(change.lines, change.files.size());
  }
  if (commits_ == 0) return out;
  const auto looked_at = std::min(change.files.size(), kFilesLookedAt);
  std::set<uint32_t> authors;
  std::vector<uint32_t> commits;
  double lines = 0, days = 0, known = 0, changes = 0;
  for (std::size_t i = 0; i < looked_at; ++i) {
    const auto found = files_.find(change.files[i]);
    if (found == files_.end()) continue;
    const auto& file = found->second;
    known += 1;
    lines += static_cast<double>(file.lines);
    days += std::max(0.0, static_cast<double>(change.time_s - file.last_s) / kDayS);
    authors.insert(file.authors.begin(), file.authors.end());
    changes += file.changes;
    if (looked_at > 1) commits.insert(commits.end(), file.commits.begin(), file.commits.end());
  }
  // A commit that changed several of the files counts once.
  std::ranges::sort(commits);
  out[nuc] = changes - static_cast<double>(std::ranges::unique(commits).size());
  out[ndev] = static_cast<double>(authors.size());
  out[lt] = lines / static_cast<double>(looked_at);
  out[age] = known > 0 ? days / known : 0;
  out[exp] = out[rexp] = out[sexp] = 0;
  const auto author = people_.find(change.author);
  if (author == people_.end()) return out;
  out[exp] = author->second.commits;
  for (const auto when : author->second.newest_s)
    out[rexp] += 1 / (1 + std::max(0.0, static_cast<double>(change.time_s - when)) / kYearS);
  for (const auto path : subsystems)
    if (const auto number = subsystems_.find(std::string(path)); number != subsystems_.end())
      if (const auto count = author->second.by_subsystem.find(number->second);
          count != author->second.by_subsystem.end())
        out[sexp] += count->second;
  return out;
}

}  // namespace gitaiops::triage
