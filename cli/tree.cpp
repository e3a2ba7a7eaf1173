#include "cli/tree.h"

#include <filesystem>

namespace gitaiops::cli {

Result<FolderTree> FolderTree::open(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto kind = fs::status(path, error).type();
  if (kind != fs::file_type::regular && kind != fs::file_type::directory &&
      kind != fs::file_type::not_found && kind != fs::file_type::none)
    return Error(Code::invalid_argument, path + " is neither a folder nor a regular file");
  if (kind == fs::file_type::regular) {
    const fs::path file(path);
    ASSIGN_OR_RETURN(auto folder, Folder::open(file.has_parent_path() ? file.parent_path() : "."));
    FolderTree tree(std::move(folder));
    tree.files_.push_back(file.filename().string());
    return tree;
  }
  ASSIGN_OR_RETURN(auto folder, Folder::open(path));
  FolderTree tree(std::move(folder));
  auto listing = tree.folder_.list(
      {.max_entries = kMaxTreeEntries,
       .max_depth = kMaxFolderDepth,
       .enter = [](std::string_view below) { return scanner::holds_own_files(below); }});
  tree.files_ = std::move(listing.files);
  for (const auto& said : listing.unreadable) {
    const auto colon = said.rfind(": ");
    tree.problems_.push_back(
        {said.substr(0, colon), 0, "the folder cannot be read: " + said.substr(colon + 2)});
  }
  for (const auto& other : listing.others)
    if (scanner::is_manifest(other))
      tree.problems_.push_back(
          {other, 0, "it is a link, a FIFO or a device; only regular files are read"});
  if (listing.cut_short)
    tree.problems_.push_back({".", 0,
                              "there are more than " + std::to_string(kMaxTreeEntries) +
                                  " files and folders; the rest is left out"});
  return tree;
}

Result<std::string> FolderTree::read(std::string_view path) const {
  auto bytes = folder_.read(path, kMaxFileBytes);
  if (bytes) return bytes;
  // Whoever tells the problem names the file himself.
  const auto& message = bytes.error().message();
  if (!message.starts_with(std::string(path) + " is ")) return bytes;
  return Error(bytes.error().code(), "it" + message.substr(path.size()));
}

}  // namespace gitaiops::cli
