// What models said of merge requests' changes: one row each, the words as JSON.
#include <nlohmann/json.hpp>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

using nlohmann::json;

std::string reading_to_json(const std::optional<Reading>& said) {
  if (!said) return {};
  json points = json::array();
  for (const auto& point : said->points)
    points.push_back({{"path", point.path},
                      {"line", point.line},
                      {"removed", point.removed},
                      {"why", point.why},
                      {"guideline", point.guideline}});
  return json{{"kind", triage::to_string(said->kind)},
              {"risk", triage::to_string(said->risk)},
              {"confidence", said->confidence},
              {"points", points}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

// Ours, so it is as reading_to_json() made it; a damaged row is one without words.
std::optional<Reading> reading_from_json(const std::string& text) {
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  try {
    Reading out;
    const auto kind = triage::read_type(value.at("kind").get<std::string>());
    const auto risk = triage::read_level(value.at("risk").get<std::string>());
    if (!kind || !risk) return std::nullopt;
    out.kind = *kind;
    out.risk = *risk;
    out.confidence = value.at("confidence").get<std::string>();
    for (const auto& point : value.at("points"))
      out.points.push_back({point.at("path").get<std::string>(), point.at("line").get<int64_t>(),
                            point.at("removed").get<bool>(), point.at("why").get<std::string>(),
                            point.at("guideline").get<std::string>()});
    return out;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

void SqliteStore::keep_reading(Connection& c, const ReadMergeRequest& r, UnixMicros now) {
  const bool known = c.integer(
                          "SELECT 1 FROM readings WHERE instance = ? AND project_id = ? AND iid = "
                          "? AND sha = ? AND said <> ''",
                          {r.instance, r.project_id, r.iid, r.sha})
                         .has_value();
  c.run(
      "INSERT OR REPLACE INTO readings(instance, project_id, iid, project_path, sha, prompt, "
      "content, model, cost_microusd, at, said) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {r.instance, r.project_id, r.iid, r.project_path, r.sha, r.prompt, r.content, r.model,
       r.cost_microusd, r.at, reading_to_json(r.said)});
  // A scope is resolved against the projects that are known.
  c.run("INSERT OR IGNORE INTO projects(instance, path) VALUES(?, ?)",
        {r.instance, r.project_path});
  if (r.said && !known)
    append_event(
        c, {0, "merge_request.read", r.instance, r.project_id,
            r.instance + "/" + std::to_string(r.project_id) + "/" + std::to_string(r.iid), now});
}

Task<Result<ReadMergeRequest>> SqliteStore::reading(Scope scope, std::string instance,
                                                    int64_t project_id, int64_t iid) {
  return database_->read(
      [scope, instance, project_id, iid](Connection& c) -> Result<ReadMergeRequest> {
        const ScopeClause clause(scope);
        auto rows = c.query(
            "SELECT instance, project_id, iid, project_path, sha, prompt, content, model, "
            "cost_microusd, at, said FROM readings WHERE " +
                clause.sql() + " AND instance = ? AND project_id = ? AND iid = ?",
            {clause.glob(), instance, project_id, iid});
        if (!rows.next()) return Error(Code::not_found, "no model read this merge request");
        return ReadMergeRequest{rows.text(0),
                                rows.integer(1),
                                rows.integer(2),
                                rows.text(3),
                                rows.text(4),
                                rows.text(5),
                                rows.text(6),
                                rows.text(7),
                                rows.integer(8),
                                rows.time(9),
                                reading_from_json(rows.text(10))};
      });
}

}  // namespace gitaiops::store
