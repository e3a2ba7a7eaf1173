// A history as a file: a commit a line (engines/triage/history.h), packed by gzip or not, read no
// further than needed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result/result.h"
#include "engines/triage/history.h"

namespace gitaiops::cli {

class HistoryFile {
 public:
  static Result<HistoryFile> open(const std::string& path);
  HistoryFile(HistoryFile&&) noexcept;
  ~HistoryFile();

  // Gives the commits up to a time, those of earlier calls left out. Clocks jump back: what stands
  // behind a newer commit is not older.
  Status advance(int64_t until_s, const std::function<void(const triage::Commit&)>& each);

 private:
  class Lines;
  explicit HistoryFile(std::unique_ptr<Lines> lines);
  Result<std::optional<triage::Commit>> next();

  std::unique_ptr<Lines> lines_;
  std::optional<triage::Commit> waiting_;
  int64_t newest_s_ = INT64_MIN;
};

}  // namespace gitaiops::cli
