// How far a lock file can be relied upon: what it pins, with which hashes, and from where.
//
//   for (const PackageSet& set : inventory.sets)
//     for (const LockFinding& finding : check_lock(set, policy)) …
//
// Pure: what package managers cached on a host comes in as names and digests. Thread safety: pure
// functions. Linear in the packages (times the popular names for look-alikes).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engines/scanner/inventory.h"

namespace gitaiops::scanner::provenance {

enum class Flaw : uint8_t {
  // Grave: what is installed can be something else than what was meant.
  altered,     // a package manager's cache holds other bytes than the lock file says
  plain_http,  // fetched over an unprotected connection
  moving_git,  // from a git repository without a commit
  drift,       // the lock file does not satisfy the manifest
  // Notable: less protection than there could be, or a question for a person.
  no_hash,
  weak_hash,     // MD5 or SHA-1 only
  other_source,  // neither the ecosystem's registry nor one that the caller trusts
  unlocked,      // no lock file, and versions left open
  look_alike,    // the name resembles a popular one
};
bool is_grave(Flaw flaw);
std::string_view to_string(Flaw flaw);

struct LockFinding {
  Flaw flaw = Flaw::no_hash;
  std::optional<uint32_t> package;  // position in the set; nothing: the set as a whole
  std::string reason;               // names the thing and the cure, for a person
};

struct LockPolicy {
  // Hosts that are as good as the public registry ("gitlab.example"), as in URLs, with the port.
  std::vector<std::string> registries;
  // Whether a version lies in a range; nothing when one of them cannot be read. Empty: not asked.
  std::function<std::optional<bool>(Ecosystem, std::string_view version, std::string_view range)>
      satisfies;
};

// By package, then flaw; findings on the set as a whole first.
std::vector<LockFinding> check_lock(const PackageSet& set, const LockPolicy& policy);

// An archive that a package manager keeps on a host.
struct CachedArchive {
  std::string name;
  std::string version;
  Checksum digest;    // hexadecimal, but "h1" as Go writes it
  std::string place;  // path, for a person
};
struct CacheComparison {
  std::vector<uint32_t> same;  // positions of packages whose archive is what the lock file says
  std::vector<LockFinding> altered;
};
// Archives that the lock file does not know, or knows without a hash of that kind, are left out.
CacheComparison compare_with_caches(const PackageSet& set,
                                    const std::vector<CachedArchive>& archives);

// A checksum's raw bytes, whether it was written in hexadecimal or in base64; empty when neither.
std::string raw_digest(const Checksum& checksum);

}  // namespace gitaiops::scanner::provenance
