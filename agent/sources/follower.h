// Follows a growing file by its lines through rotation by renaming, rotation by copy and
// truncation, and restarts.
//
// A position is device, inode and offset, and a hash of the bytes before it, so that a re-used
// inode or a file that was truncated and has grown past the offset again is noticed (it is then
// read from its beginning). When the file we stood in was renamed in the same folder
// ("runner.log.1") it is read to its end first.
//
// Blocking, but only on a regular file, at most one chunk a step. Thread safety: none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/files.h"

namespace gitaiops::agent {

struct FilePosition {
  uint64_t device = 0, inode = 0, offset = 0;
  std::string before;      // hash of the up to 64 bytes before the offset, hexadecimal
  int64_t read_at_us = 0;  // when the end of the file was last seen
};

class FileFollower {
 public:
  enum class From { beginning, end };
  // `position`: continue there; else the file, if it exists now, is taken up at `from`. A file that
  // appears later is read from its beginning.
  FileFollower(std::filesystem::path path, std::optional<FilePosition> position, From from);

  struct Step {
    std::vector<std::string> lines;  // complete ones, without their line end
    bool more = false;               // there is more to read now
    bool switched = false;           // a new file was begun
    uint64_t too_long = 0;           // lines over 64 KiB, skipped
    int64_t late_us = 0;             // the lines may have been written this much before `now`
  };
  // Reads what is new, at most 256 KiB. not_found, permission_denied: the file; it is tried again
  // at the next step.
  Result<Step> step(UnixMicros now);

  // After the last line that was delivered.
  FilePosition position() const;
  // Delivered everything and nothing is open that could still grow unseen.
  bool at_end() const { return at_end_; }

 private:
  Status open(UnixMicros now);
  Status open_saved();
  Status begin(Fd fd, uint64_t offset);
  bool rewritten(uint64_t size) const;
  void cut(std::string_view chunk, Step& step);

  std::filesystem::path path_;
  std::optional<FilePosition> saved_;
  From from_;
  Fd fd_;
  uint64_t device_ = 0, inode_ = 0;
  uint64_t offset_ = 0;    // of the next byte to read
  std::string partial_;    // the begun line
  std::string tail_;       // the last 64 bytes before offset_
  bool skipping_ = false;  // inside a line that is too long
  bool first_open_ = true;
  bool at_end_ = false;
  int renamed_steps_ = 0;  // how often the end was seen after the path had become another file
  int64_t read_at_us_ = 0;
};

}  // namespace gitaiops::agent
