// A folder on this machine as the scanner's Tree.
//
// As base/io/folder.h has it: regular files only, no symbolic link is followed, nothing outside of
// the folder or on another filesystem is read, no FIFO or device is waited for. Folders of
// installed packages (scanner::holds_own_files) are left out. What cannot be listed, what goes over
// a limit, and a manifest that is a link or no file are Problems; a file over kMaxFileBytes fails
// to read.
//
// Thread safety: read() may be called from several threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/io/folder.h"
#include "engines/scanner/inventory.h"

namespace gitaiops::cli {

inline constexpr std::size_t kMaxTreeEntries = 1'000'000;
inline constexpr std::size_t kMaxFolderDepth = 100;
inline constexpr std::size_t kMaxFileBytes = 32u << 20;

class FolderTree final : public scanner::Tree {
 public:
  // A folder, or one file, which then is all of the tree.
  static Result<FolderTree> open(const std::string& path);

  const std::vector<std::string>& files() const override { return files_; }
  Result<std::string> read(std::string_view path) const override;
  const std::vector<scanner::Problem>& problems() const { return problems_; }

 private:
  explicit FolderTree(Folder folder) : folder_(std::move(folder)) {}

  Folder folder_;
  std::vector<std::string> files_;
  std::vector<scanner::Problem> problems_;
};

}  // namespace gitaiops::cli
