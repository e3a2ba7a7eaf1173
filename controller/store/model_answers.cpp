// What models said, and what it cost.
#include <nlohmann/json.hpp>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

using nlohmann::json;

constexpr std::string_view kAnswerColumns =
    "SELECT job, instance, project_id, prompt, fingerprint, content, model, cost_microusd, reused, "
    "at, said FROM model_answers WHERE ";

std::string said_to_json(const std::optional<Explanation>& said) {
  if (!said) return {};
  json lines = json::array();
  for (const auto& line : said->lines)
    lines.push_back({{"number", line.number}, {"text", line.text}});
  return json{{"explanation", said->explanation},
              {"fix", said->fix},
              {"owner", said->owner},
              {"confidence", said->confidence},
              {"lines", lines}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

// Ours, so it is as said_to_json() made it.
std::optional<Explanation> said_from_json(const std::string& text) {
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  Explanation out{value.value("explanation", ""),
                  value.value("fix", ""),
                  value.value("owner", ""),
                  value.value("confidence", ""),
                  {}};
  for (const auto& line : value.value("lines", json::array()))
    out.lines.push_back({line.value("number", uint64_t{0}), line.value("text", "")});
  return out;
}

ModelAnswer to_answer(const Rows& rows) {
  ModelAnswer out;
  out.job = rows.text(0);
  out.instance = rows.text(1);
  out.project_id = rows.integer(2);
  out.prompt = rows.text(3);
  out.fingerprint = rows.text(4);
  out.content = rows.text(5);
  out.model = rows.text(6);
  out.cost_microusd = rows.integer(7);
  out.reused = rows.integer(8) != 0;
  out.at = rows.time(9);
  out.said = said_from_json(rows.text(10));
  return out;
}

std::optional<ModelAnswer> newest(Connection& c, const std::string& which,
                                  std::initializer_list<sqlite::Value> values) {
  auto rows = c.query(std::string(kAnswerColumns) + which + " ORDER BY n DESC LIMIT 1", values);
  if (!rows.next()) return std::nullopt;
  return to_answer(rows);
}

}  // namespace

void SqliteStore::keep_answer(Connection& c, const ModelAnswer& a, UnixMicros now) {
  if (!c.integer("SELECT 1 FROM jobs WHERE id = ?", {a.job})) return;  // retention was faster
  c.run(
      "INSERT OR REPLACE INTO model_answers(job, instance, project_id, prompt, fingerprint, "
      "content, model, cost_microusd, reused, at, said) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {a.job, a.instance, a.project_id, a.prompt, a.fingerprint, a.content, a.model,
       a.cost_microusd, a.reused, a.at, said_to_json(a.said)});
  if (a.said) append_event(c, {0, "job.explained", a.instance, a.project_id, a.job, now});
}

void SqliteStore::add_use(Connection& c, const ModelUse& u) {
  c.run(
      "INSERT INTO model_use(day, instance, project_id, project_path, model, requests, "
      "prompt_tokens, cached_tokens, output_tokens, cost_microusd, reused, saved_microusd) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT(day, instance, project_id, model) DO UPDATE SET "
      "project_path = excluded.project_path, requests = requests + excluded.requests, "
      "prompt_tokens = prompt_tokens + excluded.prompt_tokens, "
      "cached_tokens = cached_tokens + excluded.cached_tokens, "
      "output_tokens = output_tokens + excluded.output_tokens, "
      "cost_microusd = cost_microusd + excluded.cost_microusd, "
      "reused = reused + excluded.reused, saved_microusd = saved_microusd + "
      "excluded.saved_microusd",
      {u.day, u.instance, u.project_id, u.project_path, u.model, u.requests, u.prompt_tokens,
       u.cached_tokens, u.output_tokens, u.cost_microusd, u.reused, u.saved_microusd});
}

Task<Result<std::vector<ModelAnswer>>> SqliteStore::model_answers(std::vector<std::string> jobs) {
  return database_->read([jobs](Connection& c) -> Result<std::vector<ModelAnswer>> {
    std::vector<ModelAnswer> out;
    for (const auto& job : jobs)
      if (auto found = newest(c, "job = ?", {job})) out.push_back(std::move(*found));
    return out;
  });
}

Task<Result<std::optional<ModelAnswer>>> SqliteStore::earlier_answer(
    std::string instance, int64_t project_id, std::string prompt, std::string content,
    std::string fingerprint, UnixMicros since) {
  return database_->read([instance, project_id, prompt, content, fingerprint,
                          since](Connection& c) -> Result<std::optional<ModelAnswer>> {
    const std::string ours = "instance = ? AND project_id = ? AND prompt = ? AND at >= ? AND ";
    auto same = newest(c, ours + "content = ?", {instance, project_id, prompt, since, content});
    if (same || fingerprint.empty()) return same;
    return newest(c, ours + "fingerprint = ? AND said <> ''",
                  {instance, project_id, prompt, since, fingerprint});
  });
}

Task<Result<bool>> SqliteStore::reserve(ModelUse wish, ModelLimits limits) {
  return database_->write([this, wish, limits](Connection& c) -> Result<bool> {
    const auto fits = [&](const std::string& which, std::initializer_list<sqlite::Value> values,
                          int64_t most_cost, int64_t most_tokens) {
      auto rows = c.query(
          "SELECT coalesce(sum(cost_microusd), 0), coalesce(sum(prompt_tokens + output_tokens), 0) "
          "FROM model_use WHERE day = ?" +
              which,
          values);
      return rows.next() && rows.integer(0) + wish.cost_microusd <= most_cost &&
             rows.integer(1) + wish.prompt_tokens + wish.output_tokens <= most_tokens;
    };
    if (!fits("", {wish.day}, limits.cost_microusd, limits.tokens)) return false;
    if (!fits(" AND instance = ? AND project_id = ?", {wish.day, wish.instance, wish.project_id},
              limits.project_cost_microusd, limits.project_tokens))
      return false;
    add_use(c, wish);
    return true;
  });
}

Task<Result<Page<ModelUse>>> SqliteStore::model_use(Scope scope, ModelUseFilter filter,
                                                    PageRequest page) {
  return database_->read([scope, filter, page](Connection& c) -> Result<Page<ModelUse>> {
    ASSIGN_OR_RETURN(const auto before, before_of(page));
    const ScopeClause clause(scope);
    auto rows = c.query(
        "SELECT n, day, instance, project_id, project_path, model, requests, prompt_tokens, "
        "cached_tokens, output_tokens, cost_microusd, reused, saved_microusd FROM model_use WHERE "
        "n < ? AND " +
            clause.sql() +
            " AND instance = coalesce(?, instance) AND project_path = coalesce(?, project_path) "
            "AND day >= coalesce(?, day) AND day <= coalesce(?, day) ORDER BY n DESC LIMIT ?",
        {before, clause.glob(), filter.instance, filter.project_path, filter.from_day,
         filter.to_day, page.limit + 1});
    return page_of<ModelUse>(rows, page, [](const Rows& row) {
      return ModelUse{row.integer(1), row.text(2),     row.integer(3),  row.text(4),
                      row.text(5),    row.integer(6),  row.integer(7),  row.integer(8),
                      row.integer(9), row.integer(10), row.integer(11), row.integer(12)};
    });
  });
}

}  // namespace gitaiops::store
