#include "engines/scanner/provenance/attestations.h"

#include <algorithm>

#include "engines/scanner/provenance/bundle.h"
#include "engines/scanner/provenance/json.h"
#include "engines/scanner/provenance/keys.h"

namespace gitaiops::scanner::provenance {
namespace {

constexpr std::size_t kAttestationsMax = 64;

Error failed(std::string what) {
  return Error(Code::invalid_argument, std::move(what));
}

Verdict rejected(Check check, const std::string& why) {
  Verdict verdict;
  verdict.failed = check;
  verdict.reason = std::string(to_string(check)) + ": " + why;
  return verdict;
}

std::string pem_of(std::string_view der) {
  return "-----BEGIN PUBLIC KEY-----\n" + base64_encode(der) + "\n-----END PUBLIC KEY-----\n";
}

// {"keyid","key","expires"} as the registry writes it.
Result<RegistryKey> read_own_form(const Json& json) {
  RegistryKey key;
  ASSIGN_OR_RETURN(key.id, text_member(&json, "keyid"));
  ASSIGN_OR_RETURN(const auto der, base64_member(&json, "key"));
  key.pem = pem_of(der);
  // The registry says until when, never since when.
  key.valid.start = Instant{};
  ASSIGN_OR_RETURN(key.valid.end, time_member(&json, "expires"));
  return key;
}

// {"keyId","keyUsage","publicKey":{"rawBytes","validFor"}} as TUF carries it.
Result<RegistryKey> read_tuf_form(const Json& json) {
  RegistryKey key;
  ASSIGN_OR_RETURN(key.id, text_member(&json, "keyId"));
  const Json* body = member(&json, "publicKey");
  ASSIGN_OR_RETURN(const auto der, base64_member(body, "rawBytes"));
  key.pem = pem_of(der);
  ASSIGN_OR_RETURN(key.valid.start, time_member(member(body, "validFor"), "start"));
  ASSIGN_OR_RETURN(key.valid.end, time_member(member(body, "validFor"), "end"));
  return key;
}

// "git+https://host/p.git" and "https://host/p" are one repository.
std::string_view bare_repository(std::string_view uri) {
  if (uri.starts_with("git+")) uri.remove_prefix(4);
  if (uri.ends_with('/')) uri.remove_suffix(1);
  if (uri.ends_with(".git")) uri.remove_suffix(4);
  return uri;
}

// Whether a subject names the release: npm by package URL, Python by file name.
bool names_release(const Statement& statement, const Release& release) {
  std::string expected = release.file;
  if (expected.empty() && !release.name.empty()) {
    expected = "pkg:npm/" + release.name + "@" + release.version;
    if (const auto scope = expected.find("/@"); scope != expected.npos)
      expected.replace(scope + 1, 1, "%40");
  }
  return expected.empty() ||
         std::any_of(statement.subjects.begin(), statement.subjects.end(),
                     [&](const Resource& subject) { return subject.name == expected; });
}

class Answer {
 public:
  Answer(const Release& release, const Artifact& artifact, const TrustedRoot& root,
         const std::vector<RegistryKey>& keys)
      : release_(release), artifact_(artifact), root_(root), keys_(keys) {}

  // One of npm's: a bundle, by the registry's key or by a build's certificate.
  Attestation npm(const Json& json) const {
    const Json* inner = member(&json, "bundle");
    auto bundle = inner ? read_bundle(*inner) : Result<Bundle>(failed("there is no bundle"));
    if (!bundle) return unreadable(bundle.error());
    if (!bundle->certificates.empty()) return judged(*bundle, Identity{});
    Attestation last;
    last.verdict = rejected(
        Check::signer, "the registry's keys do not hold \"" + to_utf8(bundle->key_hint) + "\"");
    for (const auto& key : keys_) {
      if (key.id != bundle->key_hint) continue;
      last = judged(*bundle, PublicKey{key.pem, key.valid});
      if (last.verdict.verified()) break;
    }
    return last;
  }

  // `publisher`: who PyPI says has published; nullptr when not said.
  Attestation python(const Json& json, const Json* publisher) const {
    auto bundle = read_python_attestation(json);
    if (!bundle) return unreadable(bundle.error());
    auto attestation = judged(*bundle, Identity{});
    if (!attestation.verdict.verified()) return attestation;
    if (const auto status = same_publisher(attestation.verdict, publisher); !status.ok())
      attestation.verdict = rejected(Check::identity, status.error().message());
    return attestation;
  }

 private:
  static Attestation unreadable(const Error& error) {
    Attestation out;
    out.verdict = rejected(Check::bundle, error.to_string());
    return out;
  }

  Attestation judged(const Bundle& bundle, const Signer& signer) const {
    Attestation out;
    out.verdict = verify(bundle, root_, artifact_, signer);
    if (!out.verdict.verified()) return out;
    const auto statement = parse_statement(out.verdict.payload);
    if (!statement) {
      out.verdict = rejected(Check::artifact, "it is no attestation, but a plain signature");
      return out;
    }
    out.predicate_type = statement->predicate_type;
    if (!names_release(*statement, release_)) {
      out.verdict = rejected(Check::artifact, "its subject is another package or version");
      return out;
    }
    auto provenance = parse_provenance(out.verdict.payload);
    if (provenance.ok()) out.provenance = std::move(*provenance);
    if (const auto status = from_source(out); !status.ok())
      out.verdict = rejected(Check::identity, status.error().message());
    return out;
  }

  // What the certificate says of the build is the authority's word; the statement's is only the
  // builder's, and must not differ from it.
  Status from_source(const Attestation& attestation) const {
    const auto certified = bare_repository(attestation.verdict.source_repository);
    const auto stated = attestation.provenance
                            ? bare_repository(attestation.provenance->source_repository)
                            : std::string_view();
    if (!certified.empty() && !stated.empty() && certified != stated)
      return failed("the provenance names " + to_utf8(stated) + ", the certificate " +
                    to_utf8(certified));
    const auto known = certified.empty() ? stated : certified;
    const auto wanted = bare_repository(release_.source);
    if (!wanted.empty() && !known.empty() && known != wanted)
      return failed("it was built from " + to_utf8(known) + ", not from " + to_utf8(wanted));
    return {};
  }

  static Status same_publisher(const Verdict& verdict, const Json* publisher) {
    if (!publisher) return {};
    ASSIGN_OR_RETURN(const auto kind, text_member(publisher, "kind"));
    ASSIGN_OR_RETURN(const auto repository, text_member(publisher, "repository"));
    std::string identity, issuer;
    if (kind == "GitHub") {
      ASSIGN_OR_RETURN(const auto workflow, text_member(publisher, "workflow"));
      identity = "https://github.com/" + repository + "/.github/workflows/" + workflow + "@";
      issuer = "https://token.actions.githubusercontent.com";
    } else if (kind == "GitLab") {
      ASSIGN_OR_RETURN(const auto workflow, text_member(publisher, "workflow_filepath"));
      identity = "https://gitlab.com/" + repository + "//" + workflow + "@";
      issuer = "https://gitlab.com";
    } else {
      return {};
    }
    if (!verdict.identity.starts_with(identity) || verdict.issuer != issuer)
      return failed("the index names " + to_utf8(repository) + " as publisher, the certificate " +
                    to_utf8(verdict.identity));
    return {};
  }

  const Release& release_;
  const Artifact& artifact_;
  const TrustedRoot& root_;
  const std::vector<RegistryKey>& keys_;
};

Status bounded(std::size_t attestations) {
  if (attestations > kAttestationsMax) return failed("more than 64 attestations");
  return {};
}

}  // namespace

Result<std::vector<RegistryKey>> parse_registry_keys(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text), "registry keys");
  ASSIGN_OR_RETURN(const Json* list, list_member(&json, "keys"), "registry keys");
  std::vector<RegistryKey> keys;
  for (const auto& entry : *list) {
    const bool own_form = member(&entry, "keyid") != nullptr;
    ASSIGN_OR_RETURN(const auto usage, text_member(&entry, "keyUsage"), "registry keys");
    if (!own_form && usage != "npm:attestations") continue;
    ASSIGN_OR_RETURN(auto key, own_form ? read_own_form(entry) : read_tuf_form(entry),
                     "registry keys");
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return failed("registry keys: none of them is for attestations");
  return keys;
}

Result<std::vector<Attestation>> verify_attestations(std::string_view text, const Release& release,
                                                     const Artifact& artifact,
                                                     const TrustedRoot& root,
                                                     const std::vector<RegistryKey>& keys) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text), "attestations");
  const Answer answer(release, artifact, root, keys);
  std::vector<Attestation> out;
  if (member(&json, "attestations")) {
    ASSIGN_OR_RETURN(const Json* list, list_member(&json, "attestations"));
    RETURN_IF_ERROR(bounded(list->size()));
    for (const auto& one : *list) out.push_back(answer.npm(one));
  } else if (member(&json, "attestation_bundles")) {
    ASSIGN_OR_RETURN(const Json* bundles, list_member(&json, "attestation_bundles"));
    for (const auto& bundle : *bundles) {
      ASSIGN_OR_RETURN(const Json* list, list_member(&bundle, "attestations"));
      RETURN_IF_ERROR(bounded(out.size() + list->size()));
      for (const auto& one : *list) out.push_back(answer.python(one, member(&bundle, "publisher")));
    }
  } else if (member(&json, "verification_material")) {
    out.push_back(answer.python(json, nullptr));
  } else {
    return failed(
        "attestations: neither npm's form (\"attestations\") nor PyPI's (\"attestation_bundles\", "
        "\"verification_material\")");
  }
  return out;
}

}  // namespace gitaiops::scanner::provenance
