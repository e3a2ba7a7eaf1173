// One SQLite connection, as the closures of Database::write and Database::read see it.
//
// A statement that fails marks the connection: every later statement of the closure does nothing
// (no rows, 0 changes), and the transaction ends with that error whatever the closure returns. So a
// closure reads as its statements, and only asks about rows:
//   auto rows = c.query("SELECT path FROM projects WHERE instance = ? AND project_id = ?",
//   {instance, id}); if (!rows.next()) return Error(Code::not_found, "…"); return rows.text(0);
// Thread safety: none; a connection lives on one thread and never leaves the closure.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock/clock.h"
#include "base/result/result.h"

namespace SQLite {
class Statement;
}

namespace gitaiops::sqlite {

struct Blob {
  std::string_view bytes;
};

// What a placeholder is bound to; a view that lives as long as the call. Unsigned 64-bit numbers
// keep their bits (they come back through a cast, and order as signed). An empty optional is NULL.
class Value {
 public:
  Value(std::nullopt_t) {}  // NOLINT: implicit by design, as are all here
  template <std::integral I>
  Value(I v) : held(static_cast<int64_t>(v)) {}               // NOLINT
  Value(double v) : held(v) {}                                // NOLINT
  Value(std::string_view v) : held(v) {}                      // NOLINT
  Value(const std::string& v) : held(std::string_view(v)) {}  // NOLINT
  Value(const char* v) : held(std::string_view(v)) {}         // NOLINT
  Value(Blob v) : held(v) {}                                  // NOLINT
  Value(UnixMicros v) : held(v.value) {}                      // NOLINT
  template <class T>
  Value(const std::optional<T>& v) {  // NOLINT
    if (v) *this = Value(*v);
  }
  std::variant<std::monostate, int64_t, double, std::string_view, Blob> held;
};

class Connection;

// The rows of a running query; begins before the first. Columns count from 0; reading one is valid
// after next() was true.
class Rows {
 public:
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();
  // False: there is no further row, or the statement failed (which the connection remembers).
  bool next();
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  // of a text or a blob; empty for NULL
  UnixMicros time(int column) const { return {integer(column)}; }
  bool is_null(int column) const;
  std::optional<UnixMicros> maybe_time(int column) const;

 private:
  friend class Connection;
  Rows(Connection& connection, std::string sql, std::unique_ptr<SQLite::Statement> statement);
  Connection& connection_;
  std::string sql_;
  std::unique_ptr<SQLite::Statement> statement_;  // null once the statement has failed
};

class Connection {
 public:
  enum class Mode { read_write, read_only };
  // Applies the settings of a connection (those of the file are file.h's); the file must exist.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Mode mode);
  ~Connection();

  // Statements are prepared once and kept. `?` placeholders are bound in order.
  Rows query(std::string_view sql, std::initializer_list<Value> values = {});
  Rows query(std::string_view sql, std::span<const Value> values);
  // Runs to the end; the number of rows changed.
  int64_t run(std::string_view sql, std::initializer_list<Value> values = {});
  // The first column of the first row; nullopt when there is no row or it is NULL.
  std::optional<int64_t> integer(std::string_view sql, std::initializer_list<Value> values = {});
  int64_t last_insert_id() const;

  // Runs on this thread once the transaction is durable, before its caller resumes; never if it is
  // rolled back.
  void after_commit(std::function<void()> act);

  bool ok() const { return !failure_; }
  // The closure runs a second and last time, because there was no space for its transaction: it may
  // do with less.
  bool retrying() const { return retrying_; }

  // ---- For Database and for opening ----
  // One or several statements without values, outside the cache; does not run on a failed
  // connection either.
  Status execute(const std::string& sql);
  // What failed since the last call, which forgets it.
  Status take_failure();
  bool in_transaction() const;
  std::size_t hooks() const { return hooks_.size(); }
  void drop_hooks(std::size_t keep) { hooks_.resize(keep); }
  void run_hooks();
  void set_retrying(bool retrying) { retrying_ = retrying; }
  // Copies the whole database, as it is at one instant, into the file `to`.
  Status copy_to(const std::string& to);

 private:
  friend class Rows;
  struct Handle;
  explicit Connection(std::unique_ptr<Handle> handle);
  void fail(Error error);
  void fail_from_sqlite(std::string_view doing);
  std::unique_ptr<SQLite::Statement> take_statement(const std::string& sql);
  void give_back(const std::string& sql, std::unique_ptr<SQLite::Statement> statement);

  std::unique_ptr<Handle> handle_;
  std::optional<Error> failure_;
  std::vector<std::function<void()>> hooks_;
  bool retrying_ = false;
};

}  // namespace gitaiops::sqlite
