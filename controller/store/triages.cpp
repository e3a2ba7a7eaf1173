// Triaged merge requests: one row each, the triage as JSON.
#include <array>

#include <nlohmann/json.hpp>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The value whose word it is; the words are the engine's.
template <class T>
std::optional<T> read_word(const json& object, const char* key, int values) {
  const auto word = object.value(key, std::string());
  for (int i = 0; i < values; ++i)
    if (to_string(static_cast<T>(i)) == word) return static_cast<T>(i);
  return std::nullopt;
}

json optional_number(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}
std::optional<double> read_number(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

json risk_to_json(const triage::Risk& risk) {
  return {{"level", to_string(risk.level)},
          {"percentile", risk.percentile},
          {"probability", risk.probability},
          {"calibrated", risk.calibrated},
          {"reasons", risk.reasons}};
}
triage::Risk risk_from(const json& j) {
  triage::Risk out;
  out.level = read_word<triage::Level>(j, "level", 3).value_or(triage::Level::low);
  out.percentile = j.value("percentile", 0.0);
  out.probability = j.value("probability", 0.0);
  out.calibrated = j.value("calibrated", false);
  out.reasons = j.value("reasons", std::vector<std::string>());
  return out;
}

json size_to_json(const triage::Size& size) {
  json out = {{"files", size.files},
              {"complexity", to_string(size.complexity)},
              {"percentile", optional_number(size.percentile)}};
  if (size.lines) out["lines"] = {size.lines->added, size.lines->deleted};
  if (size.lines_to_read) out["to_read"] = *size.lines_to_read;
  return out;
}
triage::Size size_from(const json& j) {
  triage::Size out;
  out.files = j.value("files", int64_t{0});
  out.complexity =
      read_word<triage::Complexity>(j, "complexity", 5).value_or(triage::Complexity::trivial);
  out.percentile = read_number(j, "percentile");
  const auto lines = j.value("lines", std::vector<int64_t>());
  if (lines.size() == 2) out.lines = triage::LineCount{lines[0], lines[1]};
  if (j.contains("to_read")) out.lines_to_read = j.value("to_read", int64_t{0});
  return out;
}

json effort_to_json(const triage::Effort& effort) {
  return {{"p50_h", effort.p50_h},
          {"p80_h", effort.p80_h},
          {"from_history", effort.from_history},
          {"percentile", optional_number(effort.percentile)}};
}
triage::Effort effort_from(const json& j) {
  return {j.value("p50_h", 0.0), j.value("p80_h", 0.0), j.value("from_history", false),
          read_number(j, "percentile")};
}

std::string triage_to_json(const triage::Triage& t) {
  json out = {{"priority", to_string(t.priority)},
              {"labels", t.labels},
              {"reasons", t.reasons},
              {"reviews", json::array()}};
  if (t.risk) out["risk"] = risk_to_json(*t.risk);
  if (t.size) out["size"] = size_to_json(*t.size);
  if (t.effort) out["effort"] = effort_to_json(*t.effort);
  if (t.kind)
    out["kind"] = {{"type", to_string(t.kind->type)},
                   {"confidence", t.kind->confidence},
                   {"said", t.kind->said},
                   {"other", t.kind->other ? to_string(*t.kind->other) : ""}};
  for (const auto& review : t.required_reviews)
    out["reviews"].push_back(
        {{"area", review.area}, {"reasons", review.reasons}, {"files", review.files}});
  return text_of(out);
}

// What this program wrote; a damaged row throws, and the caller makes it data_loss.
triage::Triage triage_from(const json& j) {
  triage::Triage out;
  out.priority = read_word<triage::Priority>(j, "priority", 4).value_or(triage::Priority::normal);
  out.labels = j.value("labels", std::vector<std::string>());
  out.reasons = j.value("reasons", std::vector<std::string>());
  if (j.contains("risk")) out.risk = risk_from(j["risk"]);
  if (j.contains("size")) out.size = size_from(j["size"]);
  if (j.contains("effort")) out.effort = effort_from(j["effort"]);
  if (j.contains("kind")) {
    const auto& k = j["kind"];
    if (const auto type = triage::read_type(k.value("type", std::string())))
      out.kind = triage::Kind{*type, k.value("confidence", 0.0), k.value("said", false),
                              triage::read_type(k.value("other", std::string()))};
  }
  for (const auto& one : j.value("reviews", json::array()))
    out.required_reviews.push_back({one.value("area", std::string()),
                                    one.value("reasons", std::vector<std::string>()),
                                    one.value("files", std::vector<std::string>())});
  return out;
}

std::string labels_to_json(const OwnLabels& labels) {
  return text_of({{"set", labels.set},
                  {"declined", labels.declined},
                  {"adding", labels.adding},
                  {"removing", labels.removing}});
}
OwnLabels labels_from(const json& j) {
  const auto list = [&](const char* key) { return j.value(key, std::vector<std::string>()); };
  return {list("set"), list("declined"), list("adding"), list("removing")};
}

constexpr std::string_view kColumns =
    "n, instance, project_id, iid, project_path, title, web_url, sha, input, basis, body, labels, "
    "at FROM triages t";

// A row that cannot be read is one that says nothing.
TriagedMergeRequest to_triaged(const Rows& rows) {
  TriagedMergeRequest out;
  out.instance = rows.text(1);
  out.project_id = rows.integer(2);
  out.iid = rows.integer(3);
  out.project_path = rows.text(4);
  out.title = rows.text(5);
  out.web_url = rows.text(6);
  out.sha = rows.text(7);
  out.input = rows.text(8);
  out.basis = rows.text(9);
  try {
    out.triage = triage_from(json::parse(rows.text(10)));
    out.labels = labels_from(json::parse(rows.text(11)));
  } catch (const json::exception&) {
    out.input.clear();  // it is looked at again
  }
  out.at = rows.time(12);
  return out;
}

}  // namespace

void SqliteStore::keep_triaged(Connection& c, const TriagedMergeRequest& one, UnixMicros now) {
  const auto body = triage_to_json(one.triage);
  const auto risk = one.triage.risk ? static_cast<int64_t>(one.triage.risk->level) : int64_t{-1};
  bool same = false;
  {
    auto rows = c.query(
        "SELECT 1 FROM triages WHERE instance = ? AND project_id = ? AND iid = ? AND sha = ? AND "
        "body = ?",
        {one.instance, one.project_id, one.iid, one.sha, body});
    same = rows.next();
  }
  c.run(
      "INSERT INTO triages(instance, project_id, iid, project_path, title, web_url, sha, input, "
      "basis, risk, body, labels, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
      "?13) ON CONFLICT(instance, project_id, iid) DO UPDATE SET project_path = ?4, title = ?5, "
      "web_url = ?6, sha = ?7, input = ?8, basis = ?9, risk = ?10, body = ?11, at = ?13",
      {one.instance, one.project_id, one.iid, one.project_path, one.title, one.web_url, one.sha,
       one.input, one.basis, risk, body, labels_to_json(one.labels), one.at});
  // A scope is resolved against the projects that are known.
  c.run("INSERT OR IGNORE INTO projects(instance, path) VALUES(?, ?)",
        {one.instance, one.project_path});
  if (!same)
    append_event(
        c,
        {0, "merge_request.triaged", one.instance, one.project_id,
         one.instance + "/" + std::to_string(one.project_id) + "/" + std::to_string(one.iid), now});
}

Task<Result<TriagedMergeRequest>> SqliteStore::triaged(Scope scope, std::string instance,
                                                       int64_t project_id, int64_t iid) {
  return database_->read(
      [scope, instance, project_id, iid](Connection& c) -> Result<TriagedMergeRequest> {
        const ScopeClause clause(scope);
        auto rows = c.query("SELECT " + std::string(kColumns) + " WHERE " + clause.sql() +
                                " AND instance = ? AND project_id = ? AND iid = ?",
                            {clause.glob(), instance, project_id, iid});
        if (rows.next()) return to_triaged(rows);
        return Error(Code::not_found, "no such merge request was triaged");
      });
}

Task<Result<Page<TriagedMergeRequest>>> SqliteStore::triaged_page(Scope scope, TriageFilter filter,
                                                                  PageRequest page) {
  return database_->read([scope, filter, page](Connection& c) -> Result<Page<TriagedMergeRequest>> {
    ASSIGN_OR_RETURN(const auto before, before_of(page));
    const ScopeClause clause(scope);
    std::string where = clause.sql() + " AND n < ?";
    std::vector<sqlite::Value> values = {clause.glob(), before};
    const auto add = [&](std::string_view condition, const auto& value) {
      if (!value) return;
      where.append(" AND ").append(condition);
      values.emplace_back(*value);
    };
    add("instance = ?", filter.instance);
    add("project_path = ?", filter.project_path);
    add("risk >= ?", filter.least_risk
                         ? std::optional<int64_t>(static_cast<int64_t>(*filter.least_risk))
                         : std::nullopt);
    values.emplace_back(static_cast<int64_t>(page.limit + 1));
    auto rows = c.query(
        "SELECT " + std::string(kColumns) + " WHERE " + where + " ORDER BY n DESC LIMIT ?", values);
    return page_of<TriagedMergeRequest>(rows, page, to_triaged);
  });
}

bool SqliteStore::keep_labels(Connection& c, const LabelsOf& of) {
  return c.run("UPDATE triages SET labels = ? WHERE instance = ? AND project_id = ? AND iid = ?",
               {labels_to_json(of.labels), of.instance, of.project_id, of.iid}) > 0;
}

Task<Status> SqliteStore::plan_labels(LabelsOf labels, AuditRecord audit) {
  return database_->write([this, labels, audit](Connection& c) -> Status {
    if (!keep_labels(c, labels)) return Error(Code::not_found, "no such merge request was triaged");
    write_audit(c, audit);
    return {};
  });
}

}  // namespace gitaiops::store
