// gitaiops reviewers: who should have looked at past changes, by what was known before them. The
// way to see how good the suggestions are for one's own project.
#include "engines/triage/reviewers.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <ostream>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "cli/commands.h"

namespace gitaiops::cli {
namespace {

using triage::Commit;

constexpr std::size_t kLargestLine = 16 << 20;
constexpr std::size_t kLargestCases = 256 << 20;
constexpr std::size_t kNamed = 20;     // people a case
constexpr std::size_t kExplained = 3;  // of them with a reason
constexpr int64_t kDay = 86'400;

// Each line of a file, packed or not.
class Lines {
 public:
  static Result<Lines> open(const std::string& path) {
    Lines lines(path);
    if (!lines.file_) return errno_error("open", path);
    return lines;
  }

  // False at the end.
  Result<bool> next(std::string& line) {
    for (;;) {
      const auto end = text_.find('\n', at_);
      if (end != std::string::npos || (done_ && at_ < text_.size())) {
        line = text_.substr(at_, end - at_);
        at_ = end == std::string::npos ? text_.size() : end + 1;
        ++number_;
        return true;
      }
      if (done_) return false;
      text_.erase(0, std::exchange(at_, 0));
      if (text_.size() > kLargestLine)
        return Error(Code::resource_exhausted, place(number_ + 1) + ": a line of over 16 MiB");
      RETURN_IF_ERROR(read());
    }
  }
  std::string place() const { return place(number_); }

 private:
  explicit Lines(const std::string& path)
      : path_(path), file_(::gzopen(path.c_str(), "rbe"), ::gzclose) {}

  Status read() {
    std::array<char, 1 << 16> piece;
    const int n = ::gzread(file_.get(), piece.data(), piece.size());
    int state = Z_OK;
    const char* why = ::gzerror(file_.get(), &state);
    if (n < 0 || (n == 0 && state == Z_BUF_ERROR))
      return Error(Code::data_loss, path_ + " cannot be unpacked: " + why);
    done_ = n == 0;
    text_.append(piece.data(), static_cast<std::size_t>(n));
    return {};
  }
  std::string place(std::size_t number) const { return path_ + ":" + std::to_string(number); }

  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
  std::string text_;
  std::size_t at_ = 0, number_ = 0;
  bool done_ = false;
};

// Gives the history to the engine up to a time, reading no further than needed.
class History {
 public:
  explicit History(Lines lines) : lines_(std::move(lines)) {}

  Status advance(triage::Reviewers& reviewers, int64_t until_s) {
    for (;;) {
      if (!waiting_) {
        ASSIGN_OR_RETURN(waiting_, next());
        if (!waiting_) return {};
        newest_s_ = std::max(newest_s_, waiting_->time_s);
      }
      if (newest_s_ > until_s) return {};
      reviewers.add(*waiting_);
      waiting_.reset();
    }
  }

 private:
  Result<std::optional<Commit>> next() {
    for (std::string line;;) {
      ASSIGN_OR_RETURN(const bool more, lines_.next(line));
      if (!more) return std::optional<Commit>();
      if (trimmed(line).empty()) continue;
      ASSIGN_OR_RETURN(auto commit, triage::read_commit(line), lines_.place());
      return std::optional(std::move(commit));
    }
  }

  Lines lines_;
  std::optional<Commit> waiting_;
  int64_t newest_s_ = INT64_MIN;  // clocks jump back: what came later is not older
};

std::string answer(const Commit& one, const std::vector<triage::Suggestion>& found) {
  nlohmann::ordered_json out = {{"commit", to_utf8(one.id)},
                                {"reviewers", nlohmann::ordered_json::array()},
                                {"reasons", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    out["reviewers"].push_back(to_utf8(found[i].person));
    if (i < kExplained) out["reasons"].push_back(to_utf8(found[i].reason));
  }
  return out.dump();
}

Status rank(const ReviewersOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto lines, Lines::open(options.history));
  ASSIGN_OR_RETURN(const auto text, read_file(options.cases, kLargestCases));
  ASSIGN_OR_RETURN(const auto cases, triage::read_cases(text), options.cases);
  std::vector<std::size_t> order(cases.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return cases[i].time_s; });
  History history(std::move(lines));
  triage::Reviewers reviewers;
  std::vector<std::string> answers(cases.size());
  for (const auto i : order) {
    const auto& one = cases[i];
    RETURN_IF_ERROR(history.advance(reviewers, one.time_s - options.embargo_days * kDay));
    answers[i] = answer(one, reviewers.suggest({one.author, one.files, one.time_s}, kNamed));
  }
  terminal.out << "[";
  for (std::size_t i = 0; i < answers.size(); ++i)
    terminal.out << (i == 0 ? "\n" : ",\n") << answers[i];
  terminal.out << "\n]\n";
  return {};
}

}  // namespace

int rank_reviewers(const ReviewersOptions& options, const Terminal& terminal) {
  const auto done = rank(options, terminal);
  if (done.ok()) return kDone;
  terminal.err << "gitaiops: " << done.error().to_string() << "\n";
  return kUsage;
}

}  // namespace gitaiops::cli
