// How much there is to go by when a package is installed: a number from 0 to 1, and what it is made
// of. It sums up evidence; it does not say that code is harmless.
//
// The score is the mean of its parts by weight, over the parts that something is known of; evidence
// against a package (other bytes than locked, a rejected attestation) holds it down whatever else
// there is. Thread safety: pure function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engines/scanner/provenance/lock_checks.h"

namespace gitaiops::scanner::provenance {

enum class Attested : uint8_t {
  unknown,    // none at hand: proves nothing
  published,  // the registry or a publisher's identity signed for it
  built,      // a build's provenance names source and builder
  rejected,   // there is one, and it does not hold
};

struct Evidence {
  std::vector<LockFinding> findings = {};  // of this package, and those on its set as a whole
  bool cache_agrees = false;               // its archive on this host is what the lock file says
  Attested attested = Attested::unknown;
};

struct TrustPart {
  std::string name;    // "source", "hash", "name", "agreement", "cache", "provenance"
  double value = 0;    // 0 to 1
  double weight = 0;   // as part of the score
  std::string reason;  // for a person
};

struct Trust {
  double score = 0;  // 0 to 1
  std::vector<TrustPart> parts;
  std::string held_down;  // why the score is lower than its parts; empty when it is not
};

Trust trust_in(const Package& package, const Evidence& evidence);

}  // namespace gitaiops::scanner::provenance
