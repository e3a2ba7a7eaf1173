#include "base/crypto/crypto.h"
#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr std::string_view kAgentColumns =
    "SELECT id, host_name, version, observation, labels, scope, enrolled_at, last_seen_at, "
    "revoked_at, "
    "certificate_not_after, clock_skew_us, certificate_life_us, generation, holder, clone, "
    "clone_at "
    "FROM agents ";

std::string select_agents(std::string_view rest) {
  std::string sql(kAgentColumns);
  sql.append(rest);
  return sql;
}

Agent to_agent(const Rows& rows) {
  Agent agent;
  agent.id = rows.text(0);
  agent.host_name = rows.text(1);
  agent.version = rows.text(2);
  agent.observation = rows.text(3);
  agent.labels = strings_from_json(rows.text(4));
  agent.scope = scope_from_json(rows.text(5));
  agent.enrolled_at = rows.time(6);
  agent.last_seen_at = rows.maybe_time(7);
  agent.revoked_at = rows.maybe_time(8);
  agent.certificate_not_after = rows.maybe_time(9);
  agent.clock_skew_us = rows.integer(10);
  if (!rows.is_null(11)) agent.certificate_life_us = rows.integer(11);
  agent.generation = static_cast<uint64_t>(rows.integer(12));
  agent.holder = rows.text(13);
  agent.clone = rows.text(14);
  agent.clone_at = rows.maybe_time(15);
  return agent;
}

void insert_agent(Connection& c, const Agent& a) {
  c.run("INSERT INTO agents VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {a.id, a.host_name, a.version, a.observation, strings_to_json(a.labels),
         scope_to_json(a.scope), a.enrolled_at, a.last_seen_at, a.revoked_at,
         a.certificate_not_after, a.clock_skew_us, a.certificate_life_us,
         static_cast<int64_t>(a.generation), a.holder, a.clone, a.clone_at});
}

}  // namespace

Result<Agent> read_agent(Connection& c, const std::string& id) {
  auto rows = c.query(select_agents("WHERE id = ?"), {id});
  if (rows.next()) return to_agent(rows);
  return Error(Code::not_found, "no agent " + id + " is enrolled here");
}

Task<Result<Agent>> SqliteStore::enroll_agent(std::string secret_sha256, Agent agent,
                                              UnixMicros now) {
  if (agent.id.empty()) agent.id = crypto::uuid7(now);
  agent.enrolled_at = now;
  auto act = [this, secret_sha256, agent, now](Connection& c) -> Result<Agent> {
    Agent enrolled = agent;
    std::string token;
    {
      const auto refuse = [](std::string why) {
        return Error(Code::unauthenticated, "the enrolment token " + std::move(why));
      };
      auto rows = c.query(
          "SELECT id, expires_at, uses_left, revoked_at, labels, scope, certificate_life_us FROM "
          "enrollment_tokens WHERE secret_sha256 = ?",
          {secret_sha256});
      if (!rows.next()) return refuse("is not known here");
      if (!rows.is_null(3)) return refuse("was revoked");
      if (rows.time(1) <= now) return refuse("expired at " + to_rfc3339(rows.time(1)));
      if (rows.integer(2) <= 0) return refuse("is used up");
      token = rows.text(0);
      // What an agent may do is the token's to say, never the agent's.
      enrolled.labels = strings_from_json(rows.text(4));
      enrolled.scope = scope_from_json(rows.text(5));
      if (!rows.is_null(6)) {
        enrolled.certificate_life_us = rows.integer(6);
        enrolled.certificate_not_after = now + rows.integer(6);
      }
    }
    if (c.integer("SELECT 1 FROM agents WHERE id = ?", {enrolled.id}))
      return Error(Code::already_exists, "agent " + enrolled.id + " is enrolled already");
    c.run("UPDATE enrollment_tokens SET uses_left = uses_left - 1 WHERE id = ?", {token});
    insert_agent(c, enrolled);
    append_event(c, {0, "agent.enrolled", "", 0, enrolled.id, now});
    return enrolled;
  };
  return database_->write(std::move(act));
}

Task<Result<Agent>> SqliteStore::agent(std::string id) {
  return database_->read([id](Connection& c) { return read_agent(c, id); });
}

Task<Result<std::vector<Agent>>> SqliteStore::agents() {
  return database_->read([](Connection& c) -> Result<std::vector<Agent>> {
    std::vector<Agent> out;
    auto rows = c.query(select_agents("ORDER BY enrolled_at, id"));
    while (rows.next()) out.push_back(to_agent(rows));
    return out;
  });
}

Task<Status> SqliteStore::agent_seen(std::string id, UnixMicros at, std::string version,
                                     std::string observation, int64_t clock_skew_us,
                                     std::optional<UnixMicros> certificate_not_after) {
  return database_->write([id, at, version, observation, clock_skew_us,
                           certificate_not_after](Connection& c) -> Status {
    const auto changed = c.run(
        "UPDATE agents SET last_seen_at = ?, version = ?, observation = ?, clock_skew_us = ?, "
        "certificate_not_after = coalesce(?, certificate_not_after) WHERE id = ?",
        {at, version, observation, clock_skew_us, certificate_not_after, id});
    if (changed == 0) return Error(Code::not_found, "no agent " + id + " is enrolled here");
    return {};
  });
}

Task<Result<Agent>> SqliteStore::agent_held(std::string id, Holder holder, UnixMicros at) {
  return database_->write([id, holder, at](Connection& c) -> Result<Agent> {
    ASSIGN_OR_RETURN(auto agent, read_agent(c, id));
    if (holder.contested || holder.generation < agent.generation) {
      if (agent.clone != holder.name)
        write_audit(
            c, {at, "agent:" + id, "agent.cloned", "", 0,
                "agent " + id + " of " + agent.holder + ", also held by " + holder.name, "done"});
      agent.clone = holder.name;
      agent.clone_at = at;
      c.run("UPDATE agents SET clone = ?, clone_at = ? WHERE id = ?", {agent.clone, at, id});
      return agent;
    }
    if (agent.generation == holder.generation && agent.holder == holder.name) return agent;
    agent.generation = holder.generation;
    agent.holder = holder.name;
    c.run("UPDATE agents SET generation = ?, holder = ? WHERE id = ?",
          {static_cast<int64_t>(agent.generation), agent.holder, id});
    return agent;
  });
}

Task<Status> SqliteStore::revoke_agent(std::string id, UnixMicros at, std::string actor) {
  return database_->write([this, id, at, actor](Connection& c) -> Status {
    ASSIGN_OR_RETURN(const auto found, read_agent(c, id));
    if (found.revoked_at) return {};
    c.run("UPDATE agents SET revoked_at = ? WHERE id = ?", {at, id});
    append_event(c, {0, "agent.revoked", "", 0, id, at});
    write_audit(
        c, {at, actor, "agent.revoke", "", 0, "agent " + id + " on " + found.host_name, "done"});
    return {};
  });
}

}  // namespace gitaiops::store
