// What fetching and building know of a source's place in the folder. Private to this folder.
#pragma once

#include <filesystem>
#include <string>

namespace gitaiops::feed {

// Where the download of a source is kept in the folder; the source itself when it is a file or
// folder here. A fresh download lies beside it, with ".new" behind the name.
std::filesystem::path copy_of(const std::filesystem::path& folder, const std::string& source);
bool is_url(const std::string& source);

}  // namespace gitaiops::feed
