#include "base/sqlite/connection.h"

#include <cerrno>
#include <cstring>
#include <unordered_map>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sqlite3.h>

#include "base/sqlite/checksum.h"
#include "base/sqlite/sqlite.h"

namespace gitaiops::sqlite {
namespace {

constexpr std::size_t kPreparedLimit = 128;
constexpr int kCacheKib = 8 << 10;

bool is_disk_error(int code, int system_errno) {
  return code == SQLITE_FULL || system_errno == ENOSPC || system_errno == EDQUOT ||
         system_errno == EFBIG;
}

// SQLite's error in the words and kinds of ours.
Error to_error(sqlite3* handle, std::string_view doing) {
  const int extended = sqlite3_extended_errcode(handle);
  const int code = extended & 0xff;
  const int system =
      code == SQLITE_IOERR || code == SQLITE_CANTOPEN ? sqlite3_system_errno(handle) : 0;
  const char* file = sqlite3_db_filename(handle, "main");
  const std::string where = std::string(file != nullptr ? file : "database") + ": ";
  const std::string why = sqlite3_errmsg(handle);
  if (is_disk_error(code, system))
    return {Code::resource_exhausted,
            where + "no space left on the disk or within the file's limit; nothing was stored"};
  switch (code) {
    case SQLITE_IOERR:
      if (extended == SQLITE_IOERR_DATA)
        return {Code::data_loss, where + "a page is not what was written (its checksum differs)"};
      if (extended == SQLITE_IOERR_READ || extended == SQLITE_IOERR_SHORT_READ ||
          extended == SQLITE_IOERR_CORRUPTFS)
        return {Code::data_loss, where + "the disk cannot be read: " + why};
      return {Code::resource_exhausted, where + "the disk cannot be written (" +
                                            (system != 0 ? std::strerror(system) : why.c_str()) +
                                            "); nothing was stored"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::data_loss, where + why};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::unavailable, where + "another process holds the lock"};
    case SQLITE_NOMEM:
      return {Code::resource_exhausted, where + why};
    case SQLITE_CONSTRAINT:
      return {Code::already_exists, where + why};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Code::permission_denied, where + why};
    case SQLITE_CANTOPEN:
      return {Code::unavailable,
              where + why + (system != 0 ? std::string(" (") + std::strerror(system) + ")" : "")};
    default:
      return {Code::internal,
              where + why + " (" + std::to_string(extended) + ") in: " + std::string(doing)};
  }
}

void bind(SQLite::Statement& statement, int index, const Value& value) {
  struct Binder {
    SQLite::Statement& statement;
    int index;
    void operator()(std::monostate) const { statement.bind(index); }
    void operator()(int64_t v) const { statement.bind(index, v); }
    void operator()(double v) const { statement.bind(index, v); }
    void operator()(std::string_view v) const { statement.bind(index, std::string(v)); }
    void operator()(Blob v) const {
      // A null pointer would bind NULL; an empty blob is not that.
      statement.bind(index, v.bytes.empty() ? "" : v.bytes.data(),
                     static_cast<int>(v.bytes.size()));
    }
  };
  std::visit(Binder{statement, index}, value.held);
}

}  // namespace

struct Connection::Handle {
  SQLite::Database database;
  std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>>
      prepared;  // after the database: destroyed first
};

Connection::Connection(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Mode mode) {
  try {
    const int flags = mode == Mode::read_only ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE;
    std::unique_ptr<Handle> handle(
        new Handle{SQLite::Database(path, flags, kBusyTimeout.count(), checksum_vfs()), {}});
    sqlite3_extended_result_codes(handle->database.getHandle(), 1);
    if (mode == Mode::read_write) reserve_checksums(handle->database.getHandle());
    std::unique_ptr<Connection> connection(new Connection(std::move(handle)));
    std::string settings =
        "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
        "PRAGMA cache_size = -" +
        std::to_string(kCacheKib) + "; PRAGMA synchronous = FULL;" +
        // Statements that may have to be undone in part keep pages aside. In memory: a service has
        // no other folder to write to, and somebody else's full /tmp is not our full disk.
        "PRAGMA temp_store = MEMORY;";
    if (mode == Mode::read_only) settings += "PRAGMA query_only = ON;";
    RETURN_IF_ERROR(connection->execute(settings));
    return connection;
  } catch (const SQLite::Exception& e) {
    const int code = e.getErrorCode() & 0xff;
    const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return Error(damaged ? Code::data_loss : Code::unavailable, path + ": " + e.what());
  }
}

void Connection::fail(Error error) {
  if (!failure_) failure_ = std::move(error);
}

void Connection::fail_from_sqlite(std::string_view doing) {
  fail(to_error(handle_->database.getHandle(), doing));
}

std::unique_ptr<SQLite::Statement> Connection::take_statement(const std::string& sql) {
  if (const auto found = handle_->prepared.find(sql); found != handle_->prepared.end()) {
    auto statement = std::move(found->second);
    handle_->prepared.erase(found);
    return statement;
  }
  return std::make_unique<SQLite::Statement>(handle_->database, sql);
}

void Connection::give_back(const std::string& sql, std::unique_ptr<SQLite::Statement> statement) {
  statement->tryReset();
  if (handle_->prepared.size() >= kPreparedLimit) handle_->prepared.clear();
  handle_->prepared.try_emplace(sql, std::move(statement));
}

Rows Connection::query(std::string_view sql, std::initializer_list<Value> values) {
  return query(sql, std::span(values.begin(), values.size()));
}

Rows Connection::query(std::string_view sql, std::span<const Value> values) {
  std::string text(sql);
  std::unique_ptr<SQLite::Statement> statement;
  if (ok()) {
    try {
      statement = take_statement(text);
      statement->clearBindings();
      int index = 0;
      for (const auto& value : values) bind(*statement, ++index, value);
    } catch (const SQLite::Exception&) {
      fail_from_sqlite(sql);
      statement.reset();
    }
  }
  return Rows(*this, std::move(text), std::move(statement));
}

int64_t Connection::run(std::string_view sql, std::initializer_list<Value> values) {
  auto rows = query(sql, values);
  while (rows.next()) {
  }
  return ok() ? handle_->database.getChanges() : 0;
}

std::optional<int64_t> Connection::integer(std::string_view sql,
                                           std::initializer_list<Value> values) {
  auto rows = query(sql, values);
  if (!rows.next() || rows.is_null(0)) return std::nullopt;
  return rows.integer(0);
}

int64_t Connection::last_insert_id() const {
  return handle_->database.getLastInsertRowid();
}

void Connection::after_commit(std::function<void()> act) {
  hooks_.push_back(std::move(act));
}

void Connection::run_hooks() {
  for (const auto& act : std::exchange(hooks_, {})) act();
}

Status Connection::execute(const std::string& sql) {
  if (failure_) return *failure_;
  if (handle_->database.tryExec(sql) == SQLite::OK) return {};
  return to_error(handle_->database.getHandle(), sql);
}

Status Connection::take_failure() {
  if (!failure_) return {};
  return *std::exchange(failure_, std::nullopt);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_->database.getHandle()) == 0;
}

Status Connection::copy_to(const std::string& to) {
  try {
    SQLite::Database target(to, SQLite::OPEN_READWRITE, kBusyTimeout.count(), checksum_vfs());
    SQLite::Backup copy(target, handle_->database);
    // All pages in one step: the copy is of one instant, and in WAL mode nobody waits for it.
    const int code = copy.executeStep(-1);
    if (code == SQLITE_DONE) return {};
    return to_error(target.getHandle(), "backup");
  } catch (const SQLite::Exception& e) {
    const int code = e.getErrorCode() & 0xff;
    const bool disk = code == SQLITE_FULL || code == SQLITE_IOERR;
    return Error(disk ? Code::resource_exhausted : Code::unavailable, to + ": " + e.what());
  }
}

// ---- Rows ----

Rows::Rows(Connection& connection, std::string sql, std::unique_ptr<SQLite::Statement> statement)
    : connection_(connection), sql_(std::move(sql)), statement_(std::move(statement)) {}

Rows::~Rows() {
  if (statement_) connection_.give_back(sql_, std::move(statement_));
}

bool Rows::next() {
  if (!statement_ || !connection_.ok()) return false;
  const int code = statement_->tryExecuteStep();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_.fail_from_sqlite(sql_);
  statement_.reset();
  return false;
}

int64_t Rows::integer(int column) const {
  return statement_->getColumn(column).getInt64();
}
double Rows::real(int column) const {
  return statement_->getColumn(column).getDouble();
}
bool Rows::is_null(int column) const {
  return statement_->getColumn(column).isNull();
}

std::string Rows::text(int column) const {
  const auto value = statement_->getColumn(column);
  const void* bytes = value.getBlob();
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), value.getBytes());
}

std::optional<UnixMicros> Rows::maybe_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

}  // namespace gitaiops::sqlite
