// Who was proposed as a reviewer and was the wrong one: told once for a merge request and a person.
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr int64_t kMostTold = 10'000;  // of a project; the oldest go

}  // namespace

void SqliteStore::keep_wrong_reviewer(Connection& c, const WrongReviewer& told) {
  c.run(
      "INSERT OR REPLACE INTO wrong_reviewers(instance, project_id, iid, user_id, said_by, at) "
      "VALUES(?, ?, ?, ?, ?, ?)",
      {told.instance, told.project_id, told.iid, told.user_id, told.said_by, told.at});
  c.run(
      "DELETE FROM wrong_reviewers WHERE n IN (SELECT n FROM wrong_reviewers WHERE instance = ? "
      "AND project_id = ? ORDER BY n DESC LIMIT -1 OFFSET ?)",
      {told.instance, told.project_id, kMostTold});
}

Task<Status> SqliteStore::add_wrong_reviewer(WrongReviewer told) {
  return database_->write([this, told](Connection& c) -> Status {
    keep_wrong_reviewer(c, told);
    return {};
  });
}

Task<Result<std::vector<WrongReviewer>>> SqliteStore::wrong_reviewers(std::string instance,
                                                                      int64_t project_id,
                                                                      UnixMicros since) {
  return database_->read(
      [instance, project_id, since](Connection& c) -> Result<std::vector<WrongReviewer>> {
        std::vector<WrongReviewer> out;
        auto rows = c.query(
            "SELECT iid, user_id, said_by, at FROM wrong_reviewers WHERE instance = ? AND "
            "project_id = ? AND at >= ? ORDER BY n",
            {instance, project_id, since});
        while (rows.next())
          out.push_back({instance,
                         project_id,
                         rows.integer(0),
                         rows.integer(1),
                         rows.text(2),
                         {rows.integer(3)}});
        return out;
      });
}

}  // namespace gitaiops::store
