// Opening a database file: whose it is, whether it is whole, which schema it has.
#pragma once

#include <memory>

#include "base/io/files.h"
#include "base/sqlite/sqlite.h"

namespace gitaiops::sqlite {

struct OpenFile {
  Fd lock;  // held while open, when exclusive
  std::unique_ptr<Connection> writer;
};

// Creates or opens, checks and migrates; errors as Database::open.
Result<OpenFile> open_file(const Options& options);
// Makes a written file and its name in its folder durable.
Status sync_file_and_folder(const std::filesystem::path& path);

}  // namespace gitaiops::sqlite
