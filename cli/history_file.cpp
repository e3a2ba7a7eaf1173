#include "cli/history_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include <zlib.h>

#include "base/bytes/bytes.h"

namespace gitaiops::cli {
namespace {

constexpr std::size_t kLargestLine = 16 << 20;

}  // namespace

// Each line of a file, packed or not.
class HistoryFile::Lines {
 public:
  explicit Lines(const std::string& path)
      : path_(path), file_(::gzopen(path.c_str(), "rbe"), ::gzclose) {}
  bool is_open() const { return file_ != nullptr; }

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

HistoryFile::HistoryFile(std::unique_ptr<Lines> lines) : lines_(std::move(lines)) {}
HistoryFile::HistoryFile(HistoryFile&&) noexcept = default;
HistoryFile::~HistoryFile() = default;

Result<HistoryFile> HistoryFile::open(const std::string& path) {
  auto lines = std::make_unique<Lines>(path);
  if (!lines->is_open()) return errno_error("open", path);
  return HistoryFile(std::move(lines));
}

Status HistoryFile::advance(int64_t until_s,
                            const std::function<void(const triage::Commit&)>& each) {
  for (;;) {
    if (!waiting_) {
      ASSIGN_OR_RETURN(waiting_, next());
      if (!waiting_) return {};
      newest_s_ = std::max(newest_s_, waiting_->time_s);
    }
    if (newest_s_ > until_s) return {};
    each(*waiting_);
    waiting_.reset();
  }
}

Result<std::optional<triage::Commit>> HistoryFile::next() {
  for (std::string line;;) {
    ASSIGN_OR_RETURN(const bool more, lines_->next(line));
    if (!more) return std::optional<triage::Commit>();
    if (trimmed(line).empty()) continue;
    ASSIGN_OR_RETURN(auto commit, triage::read_commit(line), lines_->place());
    return std::optional(std::move(commit));
  }
}

}  // namespace gitaiops::cli
