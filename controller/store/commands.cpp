// Comments whose commands were carried out, and the merge requests whose note is muted.
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int64_t kRemembered = 7 * 24 * 3600 * kMicrosPerSecond;

}  // namespace

void SqliteStore::keep_commanded(Connection& c, const Commanded& of, bool note_differs) {
  c.run("INSERT OR IGNORE INTO commanded VALUES(?, ?, ?, ?, ?, ?, ?)",
        {of.instance, of.project_id, of.note_id, of.iid, of.user_id, of.commands, of.at});
  c.run("DELETE FROM commanded WHERE at < ?", {of.at + -kRemembered});
  if (of.mute && *of.mute)
    c.run("INSERT OR REPLACE INTO mutes VALUES(?, ?, ?, ?, ?)",
          {of.instance, of.project_id, of.iid, of.username, of.at});
  if (of.mute && !*of.mute)
    c.run("DELETE FROM mutes WHERE instance = ? AND project_id = ? AND iid = ?",
          {of.instance, of.project_id, of.iid});
  if (!of.mute && !note_differs) return;
  const std::string place =
      of.instance + "/" + std::to_string(of.project_id) + "/" + std::to_string(of.iid);
  append_event(c, {0, "merge_request.changed", of.instance, of.project_id, place, of.at});
}

Task<Result<bool>> SqliteStore::was_commanded(std::string instance, int64_t project_id,
                                              int64_t note_id) {
  return database_->read([instance, project_id, note_id](Connection& c) -> Result<bool> {
    return c
        .integer("SELECT 1 FROM commanded WHERE instance = ? AND project_id = ? AND note_id = ?",
                 {instance, project_id, note_id})
        .has_value();
  });
}

Task<Result<int64_t>> SqliteStore::commands_of(std::string instance, int64_t user_id,
                                               UnixMicros since) {
  return database_->read([instance, user_id, since](Connection& c) -> Result<int64_t> {
    return c
        .integer(
            "SELECT coalesce(sum(commands), 0) FROM commanded WHERE instance = ? AND user_id = ? "
            "AND at > ?",
            {instance, user_id, since})
        .value_or(0);
  });
}

Task<Result<std::string>> SqliteStore::muted_by(std::string instance, int64_t project_id,
                                                int64_t iid) {
  return database_->read([instance, project_id, iid](Connection& c) -> Result<std::string> {
    auto rows =
        c.query("SELECT muted_by FROM mutes WHERE instance = ? AND project_id = ? AND iid = ?",
                {instance, project_id, iid});
    return rows.next() ? rows.text(0) : std::string();
  });
}

}  // namespace gitaiops::store
