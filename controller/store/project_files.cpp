// The files by which projects decide for themselves, as they were read last.
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {

Task<Status> SqliteStore::keep_project_file(ProjectFile file, std::vector<NewWork> work) {
  auto act = [this, file, work](Connection& c) -> Status {
    if (file.text.empty())
      c.run("DELETE FROM project_files WHERE instance = ? AND project_id = ?",
            {file.instance, file.project_id});
    else
      c.run(
          "INSERT OR REPLACE INTO project_files(instance, project_id, project_path, text) "
          "VALUES(?, ?, ?, ?)",
          {file.instance, file.project_id, file.project_path, file.text});
    for (const auto& item : work) put_work(c, item);
    return {};
  };
  return database_->write(std::move(act));
}

Task<Result<std::vector<ProjectFile>>> SqliteStore::project_files() {
  return database_->read([](Connection& c) -> Result<std::vector<ProjectFile>> {
    std::vector<ProjectFile> out;
    auto rows = c.query(
        "SELECT instance, project_id, project_path, text FROM project_files ORDER BY instance, "
        "project_id",
        {});
    while (rows.next()) out.push_back({rows.text(0), rows.integer(1), rows.text(2), rows.text(3)});
    return out;
  });
}

}  // namespace gitaiops::store
