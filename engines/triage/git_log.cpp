#include "engines/triage/git_log.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/triage/blame.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kLongestPath = 4096;
constexpr std::size_t kMostTrailers = 100;  // of one message
constexpr std::size_t kLargestMailmap = 4 << 20;
constexpr int64_t kLatest = 0xffff'ffff;
constexpr std::string_view kEnds = "See merge request ";

bool is_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// "3\t1\tpath"; of what is no text "-\t-\tpath".
std::optional<FileChange> counted_file(std::string_view text) {
  const auto first = text.find('\t');
  const auto second = first == text.npos ? first : text.find('\t', first + 1);
  if (second == text.npos) return std::nullopt;
  const auto lines = [](std::string_view number) { return parse_int(number).value_or(0); };
  return FileChange{std::string(text.substr(second + 1)), lines(text.substr(0, first)),
                    lines(text.substr(first + 1, second - first - 1))};
}

bool starts_with_word(std::string_view line, std::string_view lower) {
  return line.size() >= lower.size() &&
         std::ranges::equal(line.substr(0, lower.size()), lower, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? char(a - 'A' + 'a') : a) == b;
         });
}

}  // namespace

std::vector<std::string> log_arguments() {
  return {"log",
          "-z",
          "--raw",
          "--no-renames",
          "--no-abbrev",
          "--no-color",
          "--no-ext-diff",
          "--no-textconv",
          "--no-show-signature",
          "--no-mailmap",
          "--no-notes",
          "--no-decorate",
          "--no-follow",
          "--root",
          "--ignore-submodules=none",
          "-O/dev/null",
          "--encoding=UTF-8",
          "--format=tformat:%H%x00%ct%x00%an%x00%ae%x00%B%x00"};
}

Error LogReader::broken(std::string_view what) const {
  return Error(Code::data_loss,
               "git's log, field " + std::to_string(tokens_) + ": " + std::string(what));
}

Status LogReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\0');
    auto part = bytes.substr(0, end);
    if (piece_.size() + part.size() > kLargestText) {
      part = part.substr(0, kLargestText - piece_.size());
      dropped_ = true;
    }
    if (end == std::string_view::npos) {
      piece_ += part;
      return {};
    }
    if (piece_.empty()) {
      RETURN_IF_ERROR(token(part));
    } else {
      piece_ += part;
      RETURN_IF_ERROR(token(piece_));
      piece_.clear();
    }
    dropped_ = false;
    bytes.remove_prefix(end + 1);
  }
  return {};
}

Status LogReader::finish() {
  if (!piece_.empty() || (begun_ && await_ != Await::record))
    return broken("it ends in the middle of a commit");
  if (begun_) on_commit_(std::move(commit_));
  begun_ = false;
  await_ = Await::id;
  return {};
}

Status LogReader::token(std::string_view text) {
  ++tokens_;
  if (await_ == Await::record) return record(text);
  if (await_ == Await::path) {
    if (text.empty()) return broken("a path is empty");
    if (!dropped_ && text.size() <= kLongestPath) keep({std::string(text), -1, -1});
    await_ = Await::record;
    return {};
  }
  return header(text);
}

Status LogReader::header(std::string_view text) {
  switch (await_) {
    case Await::id:
      if (!is_id(text)) return broken("no commit id");
      commit_ = {};
      commit_.id = text;
      begun_ = true;
      await_ = Await::time;
      return {};
    case Await::time: {
      const auto time = parse_int(text);
      if (!time) return broken("no time");
      commit_.time_s = std::clamp<int64_t>(*time, 0, kLatest);
      await_ = Await::name;
      return {};
    }
    case Await::name:
      commit_.author.name = text;
      await_ = Await::email;
      return {};
    case Await::email:
      commit_.author.email = text;
      if (commit_.author.name.empty()) commit_.author.name = text;
      await_ = Await::message;
      return {};
    case Await::message:
      commit_.message = text;
      await_ = Await::end;
      return {};
    default:
      if (!text.empty()) return broken("a commit's header goes on where it should end");
      await_ = Await::record;
      return {};
  }
}

// ":100644 100644 <id> <id> M", then a path; "3\t1\tpath", "-\t-\tpath"; or the next commit's id.
Status LogReader::record(std::string_view text) {
  if (text.starts_with('\n')) text.remove_prefix(1);
  if (text.starts_with(':')) {
    await_ = Await::path;
    return {};
  }
  if (auto change = counted_file(text)) {
    if (change->path.empty()) return broken("a path is empty");
    if (!dropped_ && change->path.size() <= kLongestPath) count(std::move(*change));
    return {};
  }
  if (!is_id(text)) return broken("neither a file nor a commit");
  on_commit_(std::move(commit_));
  await_ = Await::id;
  return header(text);
}

void LogReader::keep(FileChange change) {
  ++commit_.files_in_all;
  if (commit_.files.size() < most_files_) commit_.files.push_back(std::move(change));
}

// A file's line of --numstat completes what --raw said of it before.
void LogReader::count(FileChange change) {
  const auto same = std::ranges::find(commit_.files, change.path, &FileChange::path);
  if (same != commit_.files.end()) *same = std::move(change);
}

std::vector<FileChange> read_numstat(std::string_view text, std::size_t most) {
  std::vector<FileChange> out;
  for (const auto record : split(text, '\0')) {
    if (out.size() == most) break;
    auto file = counted_file(record);
    if (file && !file->path.empty() && file->path.size() <= kLongestPath)
      out.push_back(std::move(*file));
  }
  return out;
}

// A line's first character says what it is; a hunk ends where the next file's header begins, which
// none of its lines can look like.
void AddedLines::feed(std::string_view bytes) {
  while (!bytes.empty() && !full()) {
    if (at_ == At::start) {
      in_hunk_ = bytes.front() == '@' || (in_hunk_ && bytes.front() != 'd');
      at_ = in_hunk_ && bytes.front() == '+' ? At::added : At::skipped;
      if (at_ == At::added) bytes.remove_prefix(1);
    }
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (at_ == At::added) text_ += part.substr(0, most_ - text_.size());
    if (end == bytes.npos) return;
    if (at_ == At::added && !full()) text_ += '\n';
    at_ = At::start;
    bytes.remove_prefix(end + 1);
  }
}

std::vector<Signed> trailers(std::string_view message) {
  struct Key {
    std::string_view word;
    Trailer trailer;
  };
  constexpr std::array<Key, 7> kKeys = {{{"reviewed-by:", Trailer::review},
                                         {"approved-by:", Trailer::review},
                                         {"acked-by:", Trailer::ack},
                                         {"tested-by:", Trailer::ack},
                                         {"reviewed-and-tested-by:", Trailer::review},
                                         {"co-authored-by:", Trailer::authorship},
                                         {"co-developed-by:", Trailer::authorship}}};
  std::vector<Signed> found;
  for (const auto line : split(message, '\n')) {
    for (const auto& key : kKeys) {
      if (!starts_with_word(line, key.word)) continue;
      auto by = read_signature(trimmed(line.substr(key.word.size())));
      if (by && found.size() < kMostTrailers) found.push_back({key.trailer, std::move(*by)});
    }
  }
  return found;
}

int64_t merge_request_of(std::string_view message) {
  int64_t number = 0;
  for (const auto raw : split(message, '\n')) {
    const auto line = trimmed(raw);
    if (!line.starts_with(kEnds)) continue;
    const auto mark = line.rfind('!');
    if (mark == std::string_view::npos) continue;
    if (const auto read = parse_int(line.substr(mark + 1)); read && *read > 0) number = *read;
  }
  return number;
}

std::set<std::string> read_ignored_revisions(std::string_view text) {
  std::set<std::string> ids;
  for (const auto line : split(text, '\n')) {
    const auto id = trimmed(line.substr(0, line.find('#')));
    if (is_id(id)) ids.emplace(id);
  }
  return ids;
}

namespace {

// What git prints, at most `limit` bytes; empty where git fails: the file is not there.
std::string printed_or_nothing(const Git& git, std::vector<std::string> arguments,
                               std::size_t limit) {
  std::string out;
  const auto status = git(std::move(arguments), [&](std::string_view bytes) -> Status {
    if (out.size() + bytes.size() > limit)
      return Error(Code::resource_exhausted, "larger than is read");
    out += bytes;
    return {};
  });
  return status.ok() ? out : "";
}

Result<std::vector<LoggedCommit>> read_log(const Git& git, std::vector<std::string> more,
                                           const std::string& tip, const std::string& since,
                                           ReadBounds bounds) {
  std::vector<LoggedCommit> commits;
  LogReader reader([&](LoggedCommit commit) { commits.push_back(std::move(commit)); },
                   bounds.most_files);
  auto arguments = log_arguments();
  arguments.insert(arguments.end(), more.begin(), more.end());
  if (bounds.lines) arguments.push_back("--numstat");
  arguments.push_back("--max-count=" + std::to_string(bounds.most_commits));
  arguments.insert(arguments.end(), {"--end-of-options", tip});
  if (!since.empty()) arguments.push_back("^" + since);
  arguments.push_back("--");
  RETURN_IF_ERROR(
      git(std::move(arguments), [&](std::string_view bytes) { return reader.feed(bytes); }));
  RETURN_IF_ERROR(reader.finish());
  return commits;
}

class Assembly {
 public:
  Assembly(const Git& git, const std::string& tip, Known known)
      : ignored_(read_ignored_revisions(printed_or_nothing(
            git, {"cat-file", "blob", tip + ":.git-blame-ignore-revs"}, kLargestMailmap))) {
    history_.people = std::move(known.people);
    if (known.tip.empty())
      history_.people = People(Mailmap(
          printed_or_nothing(git, {"cat-file", "blob", tip + ":.mailmap"}, kLargestMailmap)));
  }

  // Newest first: the names that people use now are theirs.
  void add(LoggedCommit commit, bool merge) {
    if (ignored_.contains(commit.id) || commit.files.empty()) return;
    Numbered one;
    one.merge = merge;
    one.author = history_.people.add(commit.author);
    one.merge_request = merge_request_of(commit.message);
    for (auto& signed_by : trailers(commit.message))
      one.signed_by.emplace_back(signed_by.trailer, history_.people.add(signed_by.by));
    commit.message = title_and_blame(commit.message);
    one.commit = std::move(commit);
    numbered_.push_back(std::move(one));
  }

  RepositoryHistory finish() {
    std::ranges::stable_sort(numbered_, std::greater<>(),
                             [](const Numbered& one) { return one.commit.time_s; });
    for (auto one = numbered_.rbegin(); one != numbered_.rend(); ++one) named(*one);
    return std::move(history_);
  }

 private:
  struct Numbered {
    LoggedCommit commit;
    uint32_t author = 0;
    bool merge = false;
    int64_t merge_request = 0;
    std::vector<std::pair<Trailer, uint32_t>> signed_by;
  };

  void named(Numbered& one) {
    const auto& people = history_.people;
    Commit out;
    out.id = std::move(one.commit.id);
    out.time_s = one.commit.time_s;
    out.author = people.name(one.author);
    const auto put = [&](std::vector<std::string>& list, uint32_t person) {
      const auto& name = people.name(person);
      if (!people.machine(person) && std::ranges::find(list, name) == list.end())
        list.push_back(name);
    };
    for (const auto& [trailer, person] : one.signed_by) {
      if (trailer == Trailer::review) put(out.reviewers, person);
      if (trailer == Trailer::ack) put(out.acks, person);
      if (trailer == Trailer::authorship) put(out.co_authors, person);
    }
    // Who merges has agreed; whose work it is stands in the commits that it brings.
    if (one.merge) {
      if (!people.machine(one.author)) put(out.acks, one.author);
      out.author.clear();
    } else if (people.machine(one.author)) {
      return;
    }
    out.message = std::move(one.commit.message);
    const bool counted = std::ranges::none_of(
        one.commit.files, [](const FileChange& file) { return file.added < 0; });
    for (auto& file : one.commit.files) {
      if (counted) out.lines.push_back({file.added, file.deleted});
      out.files.push_back(std::move(file.path));
    }
    history_.commits.push_back(std::move(out));
    history_.merge_requests.push_back(one.merge_request);
  }

  std::set<std::string> ignored_;
  std::vector<Numbered> numbered_;
  RepositoryHistory history_;
};

}  // namespace

Result<RepositoryHistory> read_repository(const Git& git, const std::string& tip, ReadBounds bounds,
                                          Known known) {
  if (!is_id(tip)) return Error(Code::invalid_argument, "\"" + tip + "\" is no commit id");
  ASSIGN_OR_RETURN(auto commits, read_log(git, {"--no-merges"}, tip, known.tip, bounds),
                   "reading commits");
  ASSIGN_OR_RETURN(auto merges,
                   read_log(git,
                            {"--merges", "--first-parent", "--diff-merges=first-parent",
                             "--fixed-strings", "--grep=See merge request "},
                            tip, known.tip, bounds),
                   "reading merges");
  const bool cut_short = commits.size() >= bounds.most_commits;
  const auto oldest = commits.empty() ? 0 : commits.back().time_s;
  Assembly assembly(git, tip, std::move(known));
  for (auto& commit : commits) assembly.add(std::move(commit), false);
  for (auto& merge : merges)
    if (!cut_short || merge.time_s >= oldest) assembly.add(std::move(merge), true);
  auto history = assembly.finish();
  history.cut_short = cut_short;
  return history;
}

}  // namespace gitaiops::triage
