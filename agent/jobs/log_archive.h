// Logs of failed jobs, kept on the host for questions that come later: peeled and redacted before
// they touch the disk, one file a job, bounded in count of bytes and in age. Losing one loses no
// report: a file that cannot be written or read is left out.
//
// Format: one line a log line, "<number>\t<text>\n"; named "<instance's hash>-<job id>.log", 0600.
// A file is written as ".part" and renamed when it is whole; parts left by a crash are removed at
// open(). Thread safety: the loop's thread; keep() gives others their turn after each chunk.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "agent/sources/fact.h"
#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::agent {

struct LogArchiveOptions {
  std::filesystem::path folder;
  int64_t age_us = 7 * 24 * 3600 * kMicrosPerSecond;  // 0: nothing is kept
  uint64_t max_bytes = 256ull << 20;                  // of all files; the oldest go first
  uint64_t job_bytes = 16ull << 20;                   // of one; its end is what is kept of more
};

class LogArchive {
 public:
  // Reads the next bytes of a log from an offset; empty at its end.
  using Read = std::function<Result<std::string>(int64_t offset, std::size_t limit)>;

  LogArchive(LogArchiveOptions options, const Clock& clock);
  // Makes the folder, and removes what a crash left.
  Status open();
  // `size`: the log's bytes, so that the end of a long one can be kept.
  Task<Status> keep(JobRef job, Read read, uint64_t size);
  // not_found: not kept, or not any more, or the log has no such line.
  Result<diagnosis::Excerpt> lines_around(const JobRef& job, uint64_t line, uint32_t before,
                                          uint32_t after) const;
  void sweep();

 private:
  std::filesystem::path file_of(const JobRef& job) const;

  const LogArchiveOptions options_;
  const Clock& clock_;
};

}  // namespace gitaiops::agent
