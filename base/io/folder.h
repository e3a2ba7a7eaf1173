// A folder that was opened once, and what lies beneath it. Never through a symbolic link, out of
// the folder, or onto another filesystem; only regular files are read, and none is waited for (a
// FIFO or a device is no regular file). Whoever writes the folder meanwhile can make a read fail,
// not lead it elsewhere. Blocking.
//
// Needs openat2 (Linux 5.6).
//
// Thread safety: const methods may be called from several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/io/files.h"
#include "base/result/result.h"

namespace gitaiops {

class Folder {
 public:
  // Links in `path` itself are followed; what lies beneath is held to the rules above.
  static Result<Folder> open(const std::filesystem::path& path);
  explicit Folder(Fd folder) : fd_(std::move(folder)) {}

  struct Walk {
    std::size_t max_entries = 500'000;  // files and folders looked at
    std::size_t max_depth = 64;
    // Whether to go into a folder, by its path; nullptr: into all.
    std::function<bool(std::string_view path)> enter = nullptr;
    // Asked now and then; true ends the walk early.
    std::function<bool()> enough = nullptr;
  };
  struct Listing {
    std::vector<std::string> files;       // regular ones, '/' between the parts, sorted
    std::vector<std::string> unreadable;  // folders, with the reason: "x: Permission denied"
    std::vector<std::string> others;      // links, FIFOs, devices, sorted: the first ten thousand
    bool cut_short = false;               // a bound was reached: there may be more
  };
  Listing list(const Walk& walk) const;

  // A regular file of at most `limit` bytes.
  Result<std::string> read(std::string_view path, std::size_t limit) const;

 private:
  Fd fd_;
};

}  // namespace gitaiops
