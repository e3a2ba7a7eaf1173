#include "cli/fix.h"

#include <filesystem>
#include <ostream>

#include <sys/stat.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"

namespace gitaiops::cli {
namespace {

namespace fs = std::filesystem;

Status write_manifest(const fs::path& path, const std::string& before, const std::string& after) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return errno_error("stat", path.native());
  if (!S_ISREG(status.st_mode))
    return Error(Code::invalid_argument, path.string() + " is no regular file");
  ASSIGN_OR_RETURN(const auto now, read_file(path, kMaxFileBytes));
  if (now != before)
    return Error(Code::unavailable, path.string() + " changed while it was being read");
  constexpr mode_t kPermissions = 07777;
  return write_file_atomic(path, after, status.st_mode & kPermissions);
}

}  // namespace

void write_manifests(const std::string& root, const FolderTree& tree, scanner::Rewriting& rewriting,
                     const Terminal& terminal) {
  std::error_code none;
  const fs::path base =
      fs::is_directory(root, none) ? fs::path(root) : fs::path(root).parent_path();
  for (const auto& [path, bytes] : rewriting.files) {
    const auto before = tree.read(path);
    const Status done = before ? write_manifest(base / path, *before, bytes) : before.error();
    if (done.ok()) continue;
    terminal.err << "gitaiops: could not write " << to_utf8(path) << ": "
                 << to_utf8(done.error().to_string()) << "\n";
    for (auto& outcome : rewriting.outcomes) {
      std::erase(outcome.also, path);
      if (outcome.written && outcome.file == path)
        outcome = {.written = false, .file = {}, .also = {}, .why_not = done.error().to_string()};
    }
  }
}

}  // namespace gitaiops::cli
