// Notes, the audit trail, and what finished work leaves behind.
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {

void write_audit(Connection& c, const AuditRecord& r) {
  c.run(
      "INSERT INTO audit(at, actor, act, instance, project_id, object, outcome) VALUES(?, ?, ?, ?, "
      "?, ?, ?)",
      {r.at, r.actor, r.act, r.instance, r.project_id, r.object, r.outcome});
}

void SqliteStore::apply_outcome(Connection& c, const WorkOutcome& outcome, UnixMicros now) {
  for (const auto& record : outcome.audit) write_audit(c, record);
  if (outcome.note) {
    const Note& note = *outcome.note;
    std::string before;
    {
      auto rows = c.query("SELECT body FROM notes WHERE subject = ?", {note.subject});
      if (rows.next()) before = rows.text(0);
    }
    c.run(
        "INSERT INTO notes VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET "
        "instance = ?2, project_id = ?3, project_path = ?4, body = ?5, gitlab_note_id = ?6, "
        "updated_at = ?7",
        {note.subject, note.instance, note.project_id, note.project_path, note.body,
         note.gitlab_note_id, note.updated_at});
    // A scope is resolved against the projects that are known.
    c.run("INSERT OR IGNORE INTO projects(instance, path) VALUES(?, ?)",
          {note.instance, note.project_path});
    if (before != note.body)
      append_event(c, {0, "note.changed", note.instance, note.project_id, note.subject, now});
  }
  for (const auto& work : outcome.follow_up) put_work(c, work);
  if (outcome.decision) decide(c, *outcome.decision, now);
  if (outcome.ended) end_act(c, *outcome.ended, now);
}

Task<Result<Note>> SqliteStore::note(Scope scope, std::string subject) {
  return database_->read([scope, subject](Connection& c) -> Result<Note> {
    const ScopeClause clause(scope);
    auto rows = c.query(
        "SELECT subject, instance, project_id, project_path, body, gitlab_note_id, updated_at FROM "
        "notes WHERE " +
            clause.sql() + " AND subject = ?",
        {clause.glob(), subject});
    if (!rows.next()) return Error(Code::not_found, "no such note");
    return Note{rows.text(0), rows.text(1),    rows.integer(2), rows.text(3),
                rows.text(4), rows.integer(5), rows.time(6)};
  });
}

Task<Result<std::vector<AuditRecord>>> SqliteStore::audit(std::size_t limit) {
  return database_->read([limit](Connection& c) -> Result<std::vector<AuditRecord>> {
    std::vector<AuditRecord> out;
    auto rows = c.query(
        "SELECT at, actor, act, instance, project_id, object, outcome FROM audit ORDER BY n DESC "
        "LIMIT ?",
        {limit});
    while (rows.next())
      out.push_back({rows.time(0), rows.text(1), rows.text(2), rows.text(3), rows.integer(4),
                     rows.text(5), rows.text(6)});
    return out;
  });
}

Task<Status> SqliteStore::add_audit(AuditRecord record) {
  return database_->write(
      [record](Connection& c) -> Status { return write_audit(c, record), Status(); });
}

}  // namespace gitaiops::store
