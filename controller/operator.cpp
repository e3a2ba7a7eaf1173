#include "controller/operator.h"

#include <algorithm>
#include <ostream>

#include <unistd.h>

#include "base/crypto/crypto.h"

namespace gitaiops::controller {
namespace {

constexpr std::size_t kSecretBytes = 32;

std::string join(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

std::string join(const store::Scope& scope) {
  std::string text;
  for (const auto& glob : scope)
    text += (text.empty() ? "" : ",") + glob.instance + ":" + glob.path;
  return text;
}

std::string column(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text + "  ";
}

std::string age(UnixMicros now, std::optional<UnixMicros> at) {
  if (!at) return "never";
  const auto seconds = std::max<int64_t>(0, (now - *at) / kMicrosPerSecond);
  if (seconds < 120) return std::to_string(seconds) + "s ago";
  if (seconds < 7200) return std::to_string(seconds / 60) + "m ago";
  if (seconds < 172'800) return std::to_string(seconds / 3600) + "h ago";
  return std::to_string(seconds / 86'400) + "d ago";
}

template <class Token>
std::string state_of(const Token& token, UnixMicros now) {
  if (token.revoked_at) return "revoked";
  return token.expires_at <= now ? "expired" : "valid until " + to_rfc3339(token.expires_at);
}

std::string kind_of(const store::ApiToken& token) {
  return std::ranges::find(token.verbs, "admin") == token.verbs.end() ? "api" : "api, admin";
}

// A scope that could never match is a slip of the pen.
Status check_scope(const store::Scope& scope, const Config& config) {
  for (const auto& glob : scope) {
    if (glob.instance.empty() || glob.path.empty())
      return Error(Code::invalid_argument, "--project: \"" + glob.instance + ":" + glob.path +
                                               "\" names no project; write e.g. main:group/*");
    const bool known = std::ranges::any_of(
        config.gitlab, [&](const auto& instance) { return instance.id == glob.instance; });
    if (known || config.gitlab.empty() || glob.instance.find('*') != std::string::npos) continue;
    std::string ids;
    for (const auto& instance : config.gitlab) ids += (ids.empty() ? "" : ", ") + instance.id;
    return Error(Code::invalid_argument,
                 "--project: no [[gitlab]] has the id \"" + glob.instance + "\"; there is " + ids);
  }
  return {};
}

store::AuditRecord act(UnixMicros at, std::string what, std::string object) {
  return {at, "operator", std::move(what), "", 0, std::move(object), "done"};
}

}  // namespace

enrollment::Options enrollment_options(const Config& config) {
  enrollment::Options options{.state_dir = config.state.dir, .server_names = config.fleet.names};
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0 && host[0] != '\0')
    options.server_names.emplace_back(host);
  for (const auto* name : {"localhost", "127.0.0.1"}) options.server_names.emplace_back(name);
  options.certificate_life_us = config.enrollment.certificate_life.micros;
  return options;
}

store::Scope parse_scope(const std::vector<std::string>& projects) {
  if (projects.empty()) return store::everything();
  store::Scope scope;
  for (const auto& text : projects) {
    const auto colon = text.find(':');
    if (colon == std::string::npos) {
      scope.push_back({"*", text});
    } else {
      scope.push_back({text.substr(0, colon), text.substr(colon + 1)});
    }
  }
  return scope;
}

Task<Status> create_token(store::Store& store, const Config& config, TokenRequest request,
                          const Clock& clock, std::ostream& out) {
  const auto ttl = config::parse_duration(request.ttl);
  if (!ttl || ttl->micros <= 0)
    co_return Error(Code::invalid_argument,
                    "--ttl: \"" + request.ttl + "\" is not a duration; write e.g. 30m, 1h or 90d");
  const auto now = clock.now();
  const auto scope = parse_scope(request.projects);
  CO_RETURN_IF_ERROR(check_scope(scope, config));
  if (request.api) {
    const auto text = "giat_" + crypto::base64url_encode(crypto::random_bytes(kSecretBytes));
    const auto id = crypto::uuid7(now);
    store::ApiToken token{.id = id,
                          .name = request.name,
                          .secret_sha256 = crypto::sha256_hex(text),
                          .verbs = {"read"},
                          .scope = scope,
                          .created_at = now,
                          .expires_at = now + ttl->micros,
                          .revoked_at = std::nullopt};
    if (request.admin) token.verbs.push_back("admin");
    CO_RETURN_IF_ERROR(co_await store.add_api_token(std::move(token)));
    CO_RETURN_IF_ERROR(co_await store.add_audit(act(now, "token.create", "API token " + id)));
    out << text << "\n";
    co_return Status();
  }
  if (request.uses < 1) co_return Error(Code::invalid_argument, "--uses: must be at least 1");
  const auto secret = crypto::base64url_encode(crypto::random_bytes(kSecretBytes));
  const auto id = crypto::uuid7(now);
  CO_ASSIGN_OR_RETURN(const auto text, enrollment::token_text(config.state.dir, secret, clock));
  store::EnrollmentToken token{.id = id,
                               .secret_sha256 = crypto::sha256_hex(secret),
                               .expires_at = now + ttl->micros,
                               .uses_left = request.uses,
                               .labels = request.labels,
                               .scope = scope,
                               .created_at = now,
                               .revoked_at = std::nullopt};
  CO_RETURN_IF_ERROR(co_await store.add_enrollment_token(std::move(token)));
  CO_RETURN_IF_ERROR(co_await store.add_audit(act(now, "token.create", "enrolment token " + id)));
  out << text << "\n";
  co_return Status();
}

Task<Status> list_tokens(store::Store& store, const Clock& clock, std::ostream& out) {
  const auto now = clock.now();
  CO_ASSIGN_OR_RETURN(const auto enrolment, co_await store.enrollment_tokens());
  CO_ASSIGN_OR_RETURN(const auto api, co_await store.api_tokens());
  out << column("ID", 36) << column("FOR", 10) << column("NAME OR LABELS", 20)
      << column("PROJECTS", 20) << "STATE\n";
  for (const auto& token : enrolment) {
    const auto state =
        token.uses_left == 0 && !token.revoked_at
            ? std::string("used up")
            : state_of(token, now) + ", " + std::to_string(token.uses_left) + " left";
    out << column(token.id, 36) << column("enrol", 10) << column(join(token.labels), 20)
        << column(join(token.scope), 20) << state << "\n";
  }
  for (const auto& token : api)
    out << column(token.id, 36) << column(kind_of(token), 10) << column(token.name, 20)
        << column(join(token.scope), 20) << state_of(token, now) << "\n";
  co_return Status();
}

Task<Status> revoke_token(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out) {
  CO_RETURN_IF_ERROR(co_await store.revoke_token(id, clock.now()));
  CO_RETURN_IF_ERROR(co_await store.add_audit(act(clock.now(), "token.revoke", "token " + id)));
  CO_ASSIGN_OR_RETURN(const auto enrolment, co_await store.enrollment_tokens());
  const bool enrols =
      std::ranges::find(enrolment, id, &store::EnrollmentToken::id) != enrolment.end();
  out << "token " << id << " is revoked"
      << (enrols ? "; agents it enrolled keep their certificates (agents revoke ends those)" : "")
      << "\n";
  co_return Status();
}

Task<Status> list_agents(store::Store& store, const Clock& clock, std::ostream& out) {
  const auto now = clock.now();
  CO_ASSIGN_OR_RETURN(const auto agents, co_await store.agents());
  out << column("ID", 36) << column("HOST", 24) << column("VERSION", 8) << column("LAST SEEN", 10)
      << column("SPEAKS FOR", 20) << "STATE\n";
  for (const auto& agent : agents) {
    out << column(agent.id, 36) << column(agent.host_name, 24) << column(agent.version, 8)
        << column(age(now, agent.last_seen_at), 10) << column(join(agent.scope), 20)
        << (agent.revoked_at ? "revoked" : "enrolled " + age(now, agent.enrolled_at)) << "\n";
  }
  if (agents.empty())
    out << "(none yet: gitaiops-controller token create, then gitaiops-agent enroll on the runner "
           "host)\n";
  co_return Status();
}

Task<Status> revoke_agent(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out) {
  CO_RETURN_IF_ERROR(co_await store.revoke_agent(id, clock.now(), "operator"));
  out << "agent " << id << " is revoked; its stream ends within 5 seconds\n";
  co_return Status();
}

Task<Status> backup(store::Store& store, const Config& config, std::filesystem::path to,
                    const Clock& clock, std::ostream& out) {
  CO_RETURN_IF_ERROR(co_await store.backup(to), "backing up to " + to.string());
  CO_RETURN_IF_ERROR(co_await store.add_audit(act(clock.now(), "backup", to.string())));
  out << "the database is in " << to.string() << "\n"
      << "the certificate authority is NOT in it: keep a copy of "
      << (config.state.dir / "pki").string() << " in a safe place as well\n"
      << "to restore: stop the service, remove " << (config.state.dir / "controller.db").string()
      << "*, and copy the file there as controller.db\n";
  co_return Status();
}

}  // namespace gitaiops::controller
