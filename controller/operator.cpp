#include "controller/operator.h"

#include <algorithm>
#include <ostream>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"

namespace gitaiops::controller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLargestKeyFile = 1 << 20;
// Of the unit, packaging/systemd/gitaiops-controller.service.
constexpr const char* kUnitUser = "gitaiops-controller";
constexpr const char* kUnitStateDir = "/var/lib/gitaiops-controller";

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

// Where the control character at the front of `rest` ends; 0: there is none. C0, DEL and, in UTF-8,
// C1: what a terminal may obey.
std::size_t control_at(std::string_view rest) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
  return byte(0) == 0xc2 && rest.size() > 1 && byte(1) >= 0x80 && byte(1) < 0xa0 ? 2 : 0;
}

// Of a name, label or project that somebody gives.
Status check_plain(std::string_view option, const std::string& text) {
  if (shown(text) == text) return {};
  return Error(Code::invalid_argument, std::string(option) + ": \"" + shown(text) +
                                           "\" has control characters or is not UTF-8");
}

template <class Token>
std::string state_of(const Token& token, UnixMicros now) {
  if (token.revoked_at) return "revoked";
  return token.expires_at <= now ? "expired" : "valid until " + to_rfc3339(token.expires_at);
}

std::string state_of(const store::Agent& agent, UnixMicros now) {
  if (agent.revoked_at) return "revoked";
  std::string state = "enrolled " + age(now, agent.enrolled_at);
  if (agent.certificate_not_after && *agent.certificate_not_after <= now)
    state += ", certificate expired";
  if (!agent.clone.empty())
    state += ", HELD TWICE: by " + shown(agent.holder) + " and by " + shown(agent.clone) + " (" +
             age(now, agent.clone_at) + ")";
  return state;
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

// For a terminal, on one line: "\\x1b" for the byte. What is stored may be older than the checks
// below, or another host's word.
std::string shown(std::string_view stored) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const std::string text = to_utf8(stored, Controls::keep);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t control = control_at(std::string_view(text).substr(at));
    const auto byte = static_cast<unsigned char>(text[at + (control == 2 ? 1 : 0)]);
    if (control == 0) {
      out += text[at];
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
    at += std::max<std::size_t>(control, 1);
  }
  return out;
}

std::string column(std::string_view stored, std::size_t width) {
  std::string text = shown(stored);
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
  for (const auto& project : request.projects)
    CO_RETURN_IF_ERROR(check_plain("--project", project));
  for (const auto& label : request.labels) CO_RETURN_IF_ERROR(check_plain("--label", label));
  CO_RETURN_IF_ERROR(check_plain("--name", request.name));
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
  std::optional<int64_t> life;
  if (!request.certificate_life.empty()) {
    const auto asked = config::parse_duration(request.certificate_life);
    if (!asked || asked->micros < enrollment::kHour || asked->micros > 90 * enrollment::kDay)
      co_return Error(Code::invalid_argument, "--certificate-life: \"" + request.certificate_life +
                                                  "\" is not a duration from 1h to 90d");
    life = asked->micros;
  }
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
                               .revoked_at = std::nullopt,
                               .certificate_life_us = life};
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
        << state_of(agent, now) << "\n";
  }
  if (agents.empty())
    out << "(none yet: gitaiops-controller token create, then gitaiops-agent enroll on the runner "
           "host)\n";
  co_return Status();
}

Task<Status> list_audit(store::Store& store, std::size_t limit, std::ostream& out) {
  CO_ASSIGN_OR_RETURN(const auto records, co_await store.audit(limit));
  out << column("TIME", 20) << column("ACTOR", 16) << column("ACT", 14) << column("OBJECT", 44)
      << "OUTCOME\n";
  for (const auto& record : records)
    out << column(to_rfc3339(record.at).substr(0, 19) + "Z", 20) << column(record.actor, 16)
        << column(record.act, 14) << column(record.object, 44) << to_utf8(record.outcome) << "\n";
  if (records.empty()) out << "(nothing yet)\n";
  co_return Status();
}

Task<Status> revoke_agent(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out) {
  CO_RETURN_IF_ERROR(co_await store.revoke_agent(id, clock.now(), "operator"));
  out << "agent " << id << " is revoked; its stream ends within 5 seconds\n";
  co_return Status();
}

Task<Status> rotate_authority(store::Store& store, const Config& config, bool at_once,
                              const Clock& clock, std::ostream& out) {
  using Step = enrollment::Rotation::Step;
  CO_ASSIGN_OR_RETURN(const auto agents, co_await store.agents());
  int64_t longest = config.enrollment.certificate_life.micros;
  for (const auto& agent : agents)
    if (!agent.revoked_at) longest = std::max(longest, agent.certificate_life_us.value_or(0));
  CO_ASSIGN_OR_RETURN(const auto done,
                      enrollment::rotate_authority(config.state.dir, longest, at_once, clock));
  const std::string what = done.step == Step::announced  ? "ca.announce"
                           : done.step == Step::switched ? "ca.switch"
                                                         : "ca.finish";
  CO_RETURN_IF_ERROR(co_await store.add_audit(act(clock.now(), what, "authority " + done.pin)));
  switch (done.step) {
    case Step::announced:
      out << "step 1 of 3: the next authority is made; agents trust it from their next certificate "
             "on\nstep 2: run this again after "
          << to_rfc3339(done.next_step_at) << "\n";
      break;
    case Step::switched:
      out << "step 2 of 3: the new authority signs; the previous one is still trusted\n"
             "enrolment tokens made before are worth nothing now: make new ones\n"
             "step 3: run this again after "
          << to_rfc3339(done.next_step_at) << "\n";
      break;
    case Step::finished:
      out << "step 3 of 3: the previous authority is forgotten\n";
      break;
  }
  out << "a running service takes this over within a minute\n";
  co_return Status();
}

Task<Status> backup(store::Store& store, const Config& config, fs::path to, bool with_key,
                    const Clock& clock, std::ostream& out) {
  auto key_file = to;
  key_file += ".key";
  if (with_key && fs::exists(key_file))
    co_return Error(Code::already_exists, key_file.string() + " exists; it is not overwritten");
  CO_RETURN_IF_ERROR(co_await store.backup(to), "backing up to " + to.string());
  if (with_key) {
    CO_ASSIGN_OR_RETURN(const auto text, enrollment::export_authority(config.state.dir));
    CO_RETURN_IF_ERROR(write_file_atomic(key_file, text, 0600));
  }
  CO_RETURN_IF_ERROR(co_await store.add_audit(
      act(clock.now(), with_key ? "backup, with the authority's key" : "backup", to.string())));
  out << "the database is in " << to.string() << "\n";
  if (with_key)
    out << "the certificate authority WITH ITS KEY is in " << key_file.string()
        << ": who has it can pass for any agent and for the controller\n";
  else
    out << "the certificate authority's key is NOT in it: without "
        << (config.state.dir / "pki").string()
        << " all agents must enrol again; `backup --with-key` takes it along\n";
  out << "to put it back: gitaiops-controller restore " << to.string() << "\n";
  co_return Status();
}

Status restore(const Config& config, const fs::path& from, const Clock& clock, std::ostream& out) {
  const auto database = config.state.dir / "controller.db";
  auto fresh = database, key_file = from;
  fresh += ".restoring";
  key_file += ".key";
  std::error_code error;
  for (const auto* left : {"", "-wal", "-shm"}) fs::remove(fresh.string() + left, error);
  fs::copy_file(from, fresh, error);
  if (error) return Error(Code::not_found, "copy " + from.string() + ": " + error.message());
  // Opened as a store before anything is replaced: a wrong or damaged file is refused here.
  if (const auto opened = store::open_sqlite({fresh}, clock); !opened.ok()) {
    fs::remove(fresh, error);
    return opened.error().within(from.string());
  }
  const bool has_key = fs::exists(key_file);
  if (has_key) {
    ASSIGN_OR_RETURN(const auto text, read_secret_file(key_file, kLargestKeyFile));
    RETURN_IF_ERROR(enrollment::import_authority(config.state.dir, text), key_file.string());
  }
  const auto aside = database.string() + ".before-" + to_rfc3339(clock.now());
  for (const auto* part : {"-shm", "-wal", ""}) {
    if (!fs::exists(database.string() + part)) continue;
    fs::rename(database.string() + part, aside + part, error);
    if (error)
      return Error(Code::internal, "move " + database.string() + part + ": " + error.message());
  }
  fs::rename(fresh, database, error);
  if (error) return Error(Code::internal, "move " + fresh.string() + ": " + error.message());
  out << "the database is restored from " << from.string() << "\n";
  if (fs::exists(aside)) out << "what was there before is in " << aside << "\n";
  if (has_key)
    out << "the backup holds the certificate authority's key: agents go on as before\n";
  else if (fs::exists(config.state.dir / "pki" / "ca.key"))
    out << "the backup does not hold the certificate authority's key; the one in "
        << (config.state.dir / "pki").string() << " stays\n";
  else
    out << "the backup does not hold the certificate authority's key and there is none here: a new "
           "one is made, and all agents must enrol again\n";
  return {};
}

Status become_service_user(const fs::path& state_dir) {
  if (::geteuid() != 0) return {};
  struct stat folder{};
  const bool there = ::stat(state_dir.c_str(), &folder) == 0;
  const passwd* user = there                        ? ::getpwuid(folder.st_uid)
                       : state_dir == kUnitStateDir ? ::getpwnam(kUnitUser)
                                                    : nullptr;
  if (there && user == nullptr)
    return Error(Code::not_found, state_dir.string() + " belongs to a user that has no name");
  if (user == nullptr || user->pw_uid == 0) return {};
  const auto uid = user->pw_uid;
  const auto gid = user->pw_gid;
  if (!there &&
      (::mkdir(state_dir.c_str(), 0700) != 0 || ::chown(state_dir.c_str(), uid, gid) != 0))
    return errno_error("make", state_dir.string());
  if (::initgroups(user->pw_name, gid) != 0 || ::setresgid(gid, gid, gid) != 0 ||
      ::setresuid(uid, uid, uid) != 0)
    return errno_error("become the owner of", state_dir.string());
  return {};
}

}  // namespace gitaiops::controller
