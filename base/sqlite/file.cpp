#include "base/sqlite/file.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gitaiops::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr int kJournalBytes = 4 << 20;

Status sync_one(const fs::path& path, int flags) {
  const Fd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd) return errno_error("open", path.native());
  if (::fsync(fd.get()) != 0) return errno_error("fsync", path.native());
  return {};
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

Status create_if_absent(const fs::path& path) {
  const auto folder = folder_of(path);
  std::error_code error;
  if (!fs::exists(folder, error)) {
    if (!fs::create_directories(folder, error) && error)
      return errno_error(error.value(), "create the folder", folder.native());
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  // Only created here, never opened when it exists: closing a descriptor would drop the locks that
  // another connection of this process holds on the file (POSIX locks belong to the process).
  const Fd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (!fd && errno != EEXIST) return errno_error("create", path.native());
  if (!fd) return {};
  return sync_one(folder, O_RDONLY | O_DIRECTORY);
}

Result<Fd> lock_file(const fs::path& path) {
  const std::string name = path.native() + "-lock";
  Fd fd(::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) return errno_error("create", name);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK)
    return Error(Code::unavailable, path.native() + " is in use by another process");
  return errno_error("lock", name);
}

int64_t number(Connection& c, std::string_view sql) {
  return c.integer(sql).value_or(0);
}

Status check_owner(Connection& c, const Options& options) {
  const int64_t id = number(c, "PRAGMA application_id");
  const int64_t version = number(c, "PRAGMA user_version");
  const int64_t tables = number(c, "SELECT count(*) FROM sqlite_schema");
  RETURN_IF_ERROR(c.take_failure());
  const bool fresh = id == 0 && version == 0 && tables == 0;
  if (!fresh && id != options.application_id)
    return Error(Code::data_loss, options.path.native() +
                                      " is a database of another application (id " +
                                      std::to_string(id) + "); it was not touched");
  const auto known = static_cast<int64_t>(options.migrations.size());
  if (version > known)
    return Error(Code::unimplemented,
                 options.path.native() + " was written by a newer version (schema " +
                     std::to_string(version) + ", this program knows " + std::to_string(known) +
                     "); install that version again, or restore a backup taken before the upgrade");
  return {};
}

Status check_whole(Connection& c, const Options& options) {
  std::string verdict;
  {
    auto rows = c.query("PRAGMA quick_check(1)");
    verdict = rows.next() ? rows.text(0) : "no answer";
  }
  RETURN_IF_ERROR(c.take_failure());
  if (verdict == "ok") return {};
  return Error(Code::data_loss, options.path.native() + " is damaged: " + verdict);
}

Status migrate(Connection& c, const Options& options) {
  for (std::size_t i = 0; i < options.migrations.size(); ++i) {
    RETURN_IF_ERROR(c.execute("BEGIN IMMEDIATE"));
    // Asked inside the transaction: another process may have just done it.
    Status status;
    if (number(c, "PRAGMA user_version") == static_cast<int64_t>(i)) {
      status = c.execute(std::string(options.migrations[i]));
      if (status.ok()) status = c.execute("PRAGMA user_version = " + std::to_string(i + 1));
      if (status.ok())
        status = c.execute("PRAGMA application_id = " + std::to_string(options.application_id));
    }
    if (auto failed = c.take_failure(); !failed.ok()) status = failed;
    if (status.ok()) status = c.execute("COMMIT");
    if (!status.ok()) {
      if (c.in_transaction()) (void)c.execute("ROLLBACK");
      return status.error().within("bringing " + options.path.native() + " to schema " +
                                   std::to_string(i + 1));
    }
  }
  return {};
}

Status settle(Connection& c, const Options& options) {
  // auto_vacuum must be chosen before the first page is written; on an existing file it changes
  // nothing.
  std::string settings =
      "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA secure_delete = FAST;"
      "PRAGMA journal_size_limit = " +
      std::to_string(kJournalBytes) + ";";
  RETURN_IF_ERROR(c.execute(settings));
  if (options.max_file_bytes == 0) return {};
  const int64_t page = number(c, "PRAGMA page_size");
  RETURN_IF_ERROR(c.take_failure());
  return c.execute("PRAGMA max_page_count = " +
                   std::to_string(static_cast<int64_t>(options.max_file_bytes) / page));
}

}  // namespace

Status sync_file_and_folder(const fs::path& path) {
  RETURN_IF_ERROR(sync_one(path, O_RDONLY));
  return sync_one(folder_of(path), O_RDONLY | O_DIRECTORY);
}

Result<OpenFile> open_file(const Options& options) {
  if (options.path.empty() || options.path == ":memory:")
    return Error(Code::invalid_argument, "a database needs a file; there is none in memory");
  RETURN_IF_ERROR(create_if_absent(options.path));
  OpenFile file;
  if (options.exclusive) {
    ASSIGN_OR_RETURN(file.lock, lock_file(options.path));
  }
  ASSIGN_OR_RETURN(file.writer,
                   Connection::open(options.path.native(), Connection::Mode::read_write));
  Connection& c = *file.writer;
  RETURN_IF_ERROR(check_owner(c, options));
  RETURN_IF_ERROR(check_whole(c, options));
  RETURN_IF_ERROR(settle(c, options));
  RETURN_IF_ERROR(migrate(c, options));
  return file;
}

}  // namespace gitaiops::sqlite
