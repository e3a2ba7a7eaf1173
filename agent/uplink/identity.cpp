#include "agent/uplink/identity.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "base/io/files.h"
#include "base/rpc/skew.h"
#include "base/tls/tls.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;
constexpr mode_t kPrivate = 0600;

Status rename_into_place(const fs::path& folder, const char* name) {
  std::error_code error;
  fs::rename(folder / (std::string(name) + ".next"), folder / name, error);
  if (error)
    return Error(Code::internal, "rename " + (folder / name).string() + ": " + error.message());
  return {};
}

Result<Identity> read_facts(const fs::path& folder) {
  ASSIGN_OR_RETURN(const auto text, read_file(folder / "identity.json", 64 << 10));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto damaged = [&] {
    return Error(Code::data_loss, (folder / "identity.json").string() + " is damaged: enrol again");
  };
  if (!json.is_object() || !json.contains("agent_id") || !json["agent_id"].is_string())
    return damaged();
  Identity identity;
  identity.agent_id = json["agent_id"].get<std::string>();
  for (const auto& [name, into] : {std::pair{"not_after_us", &identity.not_after},
                                   std::pair{"renew_after_us", &identity.renew_after}}) {
    if (!json.contains(name) || !json[name].is_number_integer()) return damaged();
    into->value = json[name].get<int64_t>();
  }
  return identity;
}

}  // namespace

Result<Identity> load_identity(const fs::path& folder) {
  std::error_code error;
  const bool enrolled = fs::exists(folder / "identity.json", error);
  if (error)
    return errno_error(error.value(), "open", (folder / "identity.json").string())
        .within("the identity belongs to another user; was `enroll` run as root?");
  if (!enrolled) {
    return Error(Code::not_found,
                 "no identity in " + folder.string() +
                     ": run `gitaiops-agent enroll` with a token from the controller");
  }
  ASSIGN_OR_RETURN(auto identity, read_facts(folder));
  ASSIGN_OR_RETURN(identity.key_pem, read_secret_file(folder / "key.pem"));
  ASSIGN_OR_RETURN(identity.certificate_pem, read_file(folder / "cert.pem"));
  ASSIGN_OR_RETURN(identity.ca_pem, read_file(folder / "ca.pem"));
  if (auto fits = tls::check_key_matches(identity.key_pem, identity.certificate_pem); !fits.ok()) {
    const auto next = read_file(folder / "cert.pem.next");
    if (!next.ok() || !tls::check_key_matches(identity.key_pem, *next).ok())
      return fits.error().within(folder.string());
    RETURN_IF_ERROR(rename_into_place(folder, "cert.pem"));
    identity.certificate_pem = *next;
  }
  // The certificate's own word counts: identity.json may be of a step before.
  ASSIGN_OR_RETURN(const auto about, tls::facts(identity.certificate_pem),
                   (folder / "cert.pem").string());
  if (about.validity.not_after != identity.not_after) {
    const auto [from, to] = about.validity;
    identity.not_after = to;
    identity.renew_after = from + (to - from) / 3 * 2;
  }
  return identity;
}

Result<Identity> checked_identity(std::string key_pem,
                                  const enrollment::v1::Certificate& certificate, UnixMicros now) {
  RETURN_IF_ERROR(tls::check_key_matches(key_pem, certificate.certificate_pem()),
                  "the controller's certificate");
  RETURN_IF_ERROR(tls::check_signed_by(certificate.certificate_pem(), certificate.ca_bundle_pem()),
                  "the controller's certificate");
  ASSIGN_OR_RETURN(const auto about, tls::facts(certificate.certificate_pem()),
                   "the controller's certificate");
  ASSIGN_OR_RETURN(const auto id, tls::agent_id(about));
  if (now < about.validity.not_before) {
    return Error(Code::invalid_argument,
                 "the certificate is not valid before " + to_rfc3339(about.validity.not_before) +
                     ": this host's clock (" + to_rfc3339(now) + ") is at least " +
                     rpc::describe_skew(now, about.validity.not_before) +
                     "; set it and enrol again");
  }
  return Identity{id,
                  std::move(key_pem),
                  certificate.certificate_pem(),
                  certificate.ca_bundle_pem(),
                  about.validity.not_after,
                  UnixMicros{certificate.renew_after_us()}};
}

Status store_identity(const fs::path& folder, const Identity& identity) {
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error("mkdir", folder.string());
  if (chmod(folder.c_str(), 0700) != 0) return errno_error("chmod", folder.string());
  nlohmann::json facts = {{"agent_id", identity.agent_id},
                          {"not_after_us", identity.not_after.value},
                          {"renew_after_us", identity.renew_after.value}};
  RETURN_IF_ERROR(write_file_atomic(folder / "ca.pem", identity.ca_pem, kPrivate));
  RETURN_IF_ERROR(write_file_atomic(folder / "cert.pem.next", identity.certificate_pem, kPrivate));
  RETURN_IF_ERROR(write_file_atomic(folder / "key.pem.next", identity.key_pem, kPrivate));
  RETURN_IF_ERROR(rename_into_place(folder, "key.pem"));
  RETURN_IF_ERROR(rename_into_place(folder, "cert.pem"));
  return write_file_atomic(folder / "identity.json", facts.dump(2) + "\n", kPrivate);
}

}  // namespace gitaiops::agent
