#include "cli/tree.h"

#include <filesystem>

namespace gitaiops::cli {

Result<FolderTree> FolderTree::open(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto kind = fs::status(path, error).type();
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
  if (listing.cut_short)
    tree.problems_.push_back({".", 0,
                              "there are more than " + std::to_string(kMaxTreeEntries) +
                                  " files and folders; the rest is left out"});
  return tree;
}

}  // namespace gitaiops::cli
