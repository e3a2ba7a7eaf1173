#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

constexpr std::string_view kApiTokenColumns =
    "SELECT id, name, secret_sha256, verbs, scope, created_at, expires_at, revoked_at FROM "
    "api_tokens ";

std::string select_api_tokens(std::string_view rest) {
  std::string sql(kApiTokenColumns);
  sql.append(rest);
  return sql;
}

ApiToken to_api_token(const Rows& rows) {
  ApiToken token;
  token.id = rows.text(0);
  token.name = rows.text(1);
  token.secret_sha256 = rows.text(2);
  token.verbs = strings_from_json(rows.text(3));
  token.scope = scope_from_json(rows.text(4));
  token.created_at = rows.time(5);
  token.expires_at = rows.time(6);
  token.revoked_at = rows.maybe_time(7);
  return token;
}

}  // namespace

Task<Status> SqliteStore::add_enrollment_token(EnrollmentToken token) {
  return database_->write([t = std::move(token)](Connection& c) -> Status {
    if (c.integer("SELECT 1 FROM enrollment_tokens WHERE id = ? OR secret_sha256 = ?",
                  {t.id, t.secret_sha256}))
      return Error(Code::already_exists, "there is an enrolment token " + t.id + " already");
    c.run("INSERT INTO enrollment_tokens VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
          {t.id, t.secret_sha256, t.expires_at, t.uses_left, strings_to_json(t.labels),
           scope_to_json(t.scope), t.created_at, t.revoked_at, t.certificate_life_us});
    return {};
  });
}

Task<Result<std::vector<EnrollmentToken>>> SqliteStore::enrollment_tokens() {
  return database_->read([](Connection& c) -> Result<std::vector<EnrollmentToken>> {
    std::vector<EnrollmentToken> out;
    auto rows = c.query(
        "SELECT id, secret_sha256, expires_at, uses_left, labels, scope, created_at, revoked_at, "
        "certificate_life_us FROM enrollment_tokens "
        "ORDER BY created_at, id");
    while (rows.next())
      out.push_back({rows.text(0), rows.text(1), rows.time(2), rows.integer(3),
                     strings_from_json(rows.text(4)), scope_from_json(rows.text(5)), rows.time(6),
                     rows.maybe_time(7),
                     rows.is_null(8) ? std::nullopt : std::optional(rows.integer(8))});
    return out;
  });
}

Task<Status> SqliteStore::revoke_token(std::string id, UnixMicros at) {
  return database_->write([id, at](Connection& c) -> Status {
    // The first revocation's time stands.
    const auto found =
        c.run("UPDATE enrollment_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?",
              {at, id}) +
        c.run("UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", {at, id});
    if (found == 0) return Error(Code::not_found, "there is no token " + id);
    return {};
  });
}

Task<Status> SqliteStore::add_api_token(ApiToken token) {
  return database_->write([t = std::move(token)](Connection& c) -> Status {
    if (c.integer("SELECT 1 FROM api_tokens WHERE id = ? OR secret_sha256 = ?",
                  {t.id, t.secret_sha256}))
      return Error(Code::already_exists, "there is an API token " + t.id + " already");
    c.run("INSERT INTO api_tokens VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
          {t.id, t.name, t.secret_sha256, strings_to_json(t.verbs), scope_to_json(t.scope),
           t.created_at, t.expires_at, t.revoked_at});
    return {};
  });
}

Task<Result<std::vector<ApiToken>>> SqliteStore::api_tokens() {
  return database_->read([](Connection& c) -> Result<std::vector<ApiToken>> {
    std::vector<ApiToken> out;
    auto rows = c.query(select_api_tokens("ORDER BY created_at, id"));
    while (rows.next()) out.push_back(to_api_token(rows));
    return out;
  });
}

Task<Result<ApiToken>> SqliteStore::api_token_by_secret(std::string secret_sha256) {
  return database_->read([secret_sha256](Connection& c) -> Result<ApiToken> {
    auto rows = c.query(select_api_tokens("WHERE secret_sha256 = ?"), {secret_sha256});
    if (rows.next()) return to_api_token(rows);
    return Error(Code::not_found, "no such API token");
  });
}

}  // namespace gitaiops::store
