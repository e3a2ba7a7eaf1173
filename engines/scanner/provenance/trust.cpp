#include "engines/scanner/provenance/trust.h"

#include <algorithm>

namespace gitaiops::scanner::provenance {
namespace {

// What each part counts, of 1.
constexpr double kSourceWeight = 0.25;
constexpr double kHashWeight = 0.25;
constexpr double kProvenanceWeight = 0.2;
constexpr double kNameWeight = 0.15;
constexpr double kCacheWeight = 0.1;
constexpr double kAgreementWeight = 0.05;
// How high a package may come against which something speaks.
constexpr double kAgainstMax = 0.1;
constexpr double kUnprotectedMax = 0.3;

class Weighing {
 public:
  Weighing(const Package& package, const Evidence& evidence)
      : package_(package), evidence_(evidence) {}

  Trust run() {
    part("source", kSourceWeight,
         {{Flaw::plain_http, 0.0}, {Flaw::moving_git, 0.2}, {Flaw::other_source, 0.6}},
         package_.source.empty() ? "from the ecosystem's registry" : "from " + package_.source);
    hash_part();
    part("name", kNameWeight, {{Flaw::look_alike, 0.3}}, "resembles no popular name");
    part("agreement", kAgreementWeight, {{Flaw::drift, 0.0}, {Flaw::unlocked, 0.3}},
         "manifest and lock file agree");
    if (find(Flaw::altered) || evidence_.cache_agrees)
      part("cache", kCacheWeight, {{Flaw::altered, 0.0}},
           "this host's copy is what the lock file says");
    provenance_part();
    double weights = 0, sum = 0;
    for (const auto& p : trust_.parts) weights += p.weight, sum += p.weight * p.value;
    trust_.score = sum / weights;
    if (const auto* altered = find(Flaw::altered)) hold_down(kAgainstMax, altered->reason);
    if (evidence_.attested == Attested::rejected)
      hold_down(kAgainstMax, "its attestation does not hold");
    if (const auto* http = find(Flaw::plain_http)) hold_down(kUnprotectedMax, http->reason);
    return std::move(trust_);
  }

 private:
  const LockFinding* find(Flaw flaw) const {
    const auto found =
        std::find_if(evidence_.findings.begin(), evidence_.findings.end(),
                     [&](const LockFinding& finding) { return finding.flaw == flaw; });
    return found == evidence_.findings.end() ? nullptr : &*found;
  }

  // 1, or what the first flaw in the list leaves of it.
  void part(const char* name, double weight, std::initializer_list<std::pair<Flaw, double>> flaws,
            const std::string& otherwise) {
    for (const auto& [flaw, value] : flaws) {
      if (const auto* finding = find(flaw)) {
        trust_.parts.push_back({name, value, weight, finding->reason});
        return;
      }
    }
    trust_.parts.push_back({name, 1.0, weight, otherwise});
  }

  void hash_part() {
    if (package_.checksums.empty() && !find(Flaw::no_hash)) return;  // nothing is known of one
    part("hash", kHashWeight, {{Flaw::no_hash, 0.0}, {Flaw::weak_hash, 0.4}},
         package_.checksums.empty() ? "" : "pinned by " + package_.checksums.front().algorithm);
  }

  void provenance_part() {
    struct Weight {
      double value;
      const char* reason;
    };
    constexpr Weight kWeights[] = {{0, ""},
                                   {0.7, "its publisher signed for it"},
                                   {1, "a build's signed provenance names its source"},
                                   {0, "its attestation does not hold"}};
    if (evidence_.attested == Attested::unknown) return;
    const auto& weight = kWeights[static_cast<std::size_t>(evidence_.attested)];
    trust_.parts.push_back({"provenance", weight.value, kProvenanceWeight, weight.reason});
  }

  void hold_down(double most, const std::string& why) {
    if (trust_.score <= most) return;
    trust_.score = most;
    trust_.held_down = why;
  }

  const Package& package_;
  const Evidence& evidence_;
  Trust trust_;
};

}  // namespace

Trust trust_in(const Package& package, const Evidence& evidence) {
  return Weighing(package, evidence).run();
}

}  // namespace gitaiops::scanner::provenance
