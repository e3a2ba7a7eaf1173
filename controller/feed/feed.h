// Fetches the configured sources of advisories on a schedule and has the index built from them.
//
// A source is asked whether it changed (ETag, Last-Modified) and downloaded beside the copy in use,
// at most kMaxDownload bytes and kDownloadLimit long. Whether the new one is good, the building
// tells; a source that is broken or away changes nothing. Thread safety: one executor.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/outgoing/outgoing.h"

namespace gitaiops::feed {

constexpr std::size_t kMaxDownload = std::size_t{2} << 30;
constexpr std::chrono::minutes kDownloadLimit{30};
constexpr std::chrono::minutes kBuildLimit{30};
constexpr std::chrono::minutes kRetry{10};  // after a source that could not be fetched

class Feed {
 public:
  struct Options {
    std::vector<std::string> sources;  // URLs, files and folders
    std::filesystem::path folder;      // copies and index.gdb
    int64_t refresh_us = 0;
  };
  // Runs build(), elsewhere.
  using Build = std::function<Task<Status>()>;

  Feed(Options options, Outgoing& web, const Clock& clock, Build build);

  // Until stop(). The first time at once, where the index is not younger than the interval.
  Task<void> run();
  void stop() { stopping_.set(); }
  // Once: fetches all, then builds. An error: at least one source or the building failed.
  Task<Status> refresh();

  // That could not be fetched or used the last time.
  std::size_t failed() const { return failed_.size(); }

 private:
  Task<Status> fetch(std::string source);
  std::chrono::microseconds until_next() const;
  void judge(const std::string& source, const Status& status);

  const Options options_;
  Outgoing& web_;
  const Clock& clock_;
  const Build build_;
  std::set<std::string> failed_;
  Event stopping_;
};

// Builds folder/index.gdb from the copies in the folder and the files and folders named, and puts
// it in place in one step. A fresh download that cannot be used, or that has less than half of the
// records of the one before it, is set aside (".refused") and told on `err`; the one before it is
// used. An error: the index is as it was, because no source had a record or it could not be
// written. Blocking, and for a process of its own (gitaiops-controller advisories build): it takes
// a gigabyte for a moment and reads what others wrote, and neither must touch the service.
Status build(const std::filesystem::path& folder, const std::vector<std::string>& sources,
             std::ostream& err);

}  // namespace gitaiops::feed
