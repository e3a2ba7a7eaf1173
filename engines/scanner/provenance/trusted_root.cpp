#include "engines/scanner/provenance/trusted_root.h"

#include "engines/scanner/provenance/json.h"

namespace gitaiops::scanner::provenance {
namespace {

constexpr std::string_view kMediaType = "application/vnd.dev.sigstore.trustedroot";
constexpr std::size_t kEntriesMax = 256;
constexpr std::size_t kChainMax = 10;

Result<Validity> read_validity(const Json* range) {
  Validity valid;
  ASSIGN_OR_RETURN(valid.start, time_member(range, "start"));
  ASSIGN_OR_RETURN(valid.end, time_member(range, "end"));
  return valid;
}

std::string host_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

Result<Log> read_log(const Json& entry) {
  Log log;
  ASSIGN_OR_RETURN(const auto url, text_member(&entry, "baseUrl"));
  log.host = host_of(url);
  const Json* key = member(&entry, "publicKey");
  ASSIGN_OR_RETURN(const auto der, base64_member(key, "rawBytes"), "publicKey");
  ASSIGN_OR_RETURN(log.valid, read_validity(member(key, "validFor")), "publicKey: validFor");
  ASSIGN_OR_RETURN(log.id, base64_member(member(&entry, "logId"), "keyId"), "logId");
  ASSIGN_OR_RETURN(log.checkpoint_id, base64_member(member(&entry, "checkpointKeyId"), "keyId"),
                   "checkpointKeyId");
  if (log.id.empty()) log.id = digest(Hash::sha256, der);
  if (log.checkpoint_id.empty()) log.checkpoint_id = log.id;
  log.key = der;
  return log;
}

Result<Authority> read_authority(const Json& entry) {
  Authority authority;
  ASSIGN_OR_RETURN(authority.name, text_member(&entry, "uri"));
  ASSIGN_OR_RETURN(authority.valid, read_validity(member(&entry, "validFor")), "validFor");
  ASSIGN_OR_RETURN(const Json* certificates,
                   list_member(member(&entry, "certChain"), "certificates"));
  if (certificates->size() > kChainMax)
    return Error(Code::invalid_argument, "a chain of more than 10 certificates");
  for (const auto& certificate : *certificates) {
    ASSIGN_OR_RETURN(auto der, base64_member(&certificate, "rawBytes"), "certChain");
    authority.chain.push_back(std::move(der));
  }
  return authority;
}

Result<std::vector<Log>> read_logs(const Json& root, const char* key) {
  ASSIGN_OR_RETURN(const Json* entries, list_member(&root, key));
  if (entries->size() > kEntriesMax) return Error(Code::invalid_argument, "more than 256 entries");
  std::vector<Log> logs;
  for (const auto& entry : *entries) {
    ASSIGN_OR_RETURN(auto log, read_log(entry));
    logs.push_back(std::move(log));
  }
  return logs;
}

Result<std::vector<Authority>> read_authorities(const Json& root, const char* key) {
  ASSIGN_OR_RETURN(const Json* entries, list_member(&root, key));
  if (entries->size() > kEntriesMax) return Error(Code::invalid_argument, "more than 256 entries");
  std::vector<Authority> authorities;
  for (const auto& entry : *entries) {
    ASSIGN_OR_RETURN(auto authority, read_authority(entry));
    authorities.push_back(std::move(authority));
  }
  return authorities;
}

}  // namespace

bool Validity::contains(Instant time) const {
  return start && *start <= time && (!end || time <= *end);
}

Result<TrustedRoot> TrustedRoot::parse(std::string_view json) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const Json root, parse_json(json), "trusted root");
  ASSIGN_OR_RETURN(const auto media_type, text_member(&root, "mediaType"), "trusted root");
  if (!media_type.starts_with(kMediaType))
    return Error(Code::invalid_argument, "trusted root: its mediaType is \"" + to_utf8(media_type) +
                                             "\", needed is \"" + std::string(kMediaType) +
                                             "+json;version=0.1\"");
  auto parts = std::make_shared<Parts>();
  ASSIGN_OR_RETURN(parts->logs, read_logs(root, "tlogs"), "trusted root: tlogs");
  ASSIGN_OR_RETURN(parts->ct_logs, read_logs(root, "ctlogs"), "trusted root: ctlogs");
  ASSIGN_OR_RETURN(parts->certificate_authorities, read_authorities(root, "certificateAuthorities"),
                   "trusted root: certificateAuthorities");
  ASSIGN_OR_RETURN(parts->timestamp_authorities, read_authorities(root, "timestampAuthorities"),
                   "trusted root: timestampAuthorities");
  return TrustedRoot(std::move(parts));
}

}  // namespace gitaiops::scanner::provenance
