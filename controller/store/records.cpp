// Notes, and what finished work leaves behind.
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {

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
  for (const auto& decision : outcome.decisions) decide(c, decision, now);
  if (outcome.ended) end_act(c, *outcome.ended, now);
  if (outcome.triaged) keep_triaged(c, *outcome.triaged, now);
  if (outcome.labels) keep_labels(c, *outcome.labels);
  if (outcome.read) keep_reading(c, *outcome.read, now);
  if (outcome.answer) keep_answer(c, *outcome.answer, now);
  for (const auto& use : outcome.model_use) add_use(c, use);
  for (const auto& told : outcome.wrong_reviewers) keep_wrong_reviewer(c, told);
  if (outcome.commanded) keep_commanded(c, *outcome.commanded, !outcome.wrong_reviewers.empty());
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

}  // namespace gitaiops::store
