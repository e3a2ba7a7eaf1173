// Work that was given up: looked at, and put back when somebody says so.
#include "base/bytes/bytes.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

DeadLetter to_letter(const Rows& rows) {
  DeadLetter letter;
  letter.id = rows.integer(0);
  letter.kind = rows.text(1);
  letter.key = rows.text(2);
  letter.payload = rows.text(3);
  letter.attempts = static_cast<int>(rows.integer(4));
  letter.why = rows.text(5);
  letter.at = rows.time(6);
  return letter;
}

constexpr std::string_view kLetterColumns =
    "SELECT id, kind, unique_key, payload, attempts, why, at FROM dead_letters ";

std::string letters_where(std::string_view rest) {
  std::string sql(kLetterColumns);
  sql.append(rest);
  return sql;
}

Result<DeadLetter> find(Connection& c, int64_t id) {
  auto rows = c.query(letters_where("WHERE id = ?"), {id});
  if (!rows.next()) return Error(Code::not_found, "no dead letter " + std::to_string(id));
  return to_letter(rows);
}

}  // namespace

Task<Result<Page<DeadLetter>>> SqliteStore::dead_letters(PageRequest page) {
  return database_->read([page](Connection& c) -> Result<Page<DeadLetter>> {
    ASSIGN_OR_RETURN(const auto before, before_of(page));
    auto rows =
        c.query(letters_where("WHERE id < ? ORDER BY id DESC LIMIT ?"), {before, page.limit + 1});
    return page_of<DeadLetter>(rows, page, to_letter);
  });
}

Task<Result<DeadLetter>> SqliteStore::dead_letter(int64_t id) {
  return database_->read([id](Connection& c) -> Result<DeadLetter> { return find(c, id); });
}

Task<Status> SqliteStore::replay_dead_letter(int64_t id, AuditRecord audit, UnixMicros now) {
  return database_->write([this, id, audit, now](Connection& c) -> Status {
    ASSIGN_OR_RETURN(const DeadLetter letter, find(c, id));
    put_work(c, {letter.kind, letter.key, letter.payload, now});
    c.run("DELETE FROM dead_letters WHERE id = ?", {id});
    write_audit(c, audit);
    return {};
  });
}

}  // namespace gitaiops::store
