// Verifying one Sigstore bundle: Rekor 1 with a log's promise, Rekor 2 with a timestamp, CPU time
// each, trusted root read each time. Target: under 5 ms each.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "engines/scanner/provenance/sigstore.h"
#include "tests/unit/provenance/instance.h"

namespace {

using namespace gitaiops::scanner::provenance;

constexpr int kRounds = 200;
constexpr double kTargetMs = 5;

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

bool measure(const char* name, const std::string& bundle, const std::string& root_text,
             const std::string& artifact) {
  std::vector<double> took;
  for (int i = 0; i < kRounds; ++i) {
    const double before = cpu_ms();
    const auto root = TrustedRoot::parse(root_text);
    const auto verdict = verify_bundle(bundle, *root, Artifact(artifact),
                                       Identity{testing::kSubject, testing::kIssuer});
    took.push_back(cpu_ms() - before);
    if (!verdict.verified()) {
      std::printf("%s: %s\n", name, verdict.reason.c_str());
      return false;
    }
  }
  std::sort(took.begin(), took.end());
  std::printf("%-28s median %.2f ms  95%% %.2f ms  (target: under %.0f)\n", name, took[kRounds / 2],
              took[kRounds * 95 / 100], kTargetMs);
  return true;
}

}  // namespace

int main() {
  testing::Instance instance;
  const std::string artifact(1 << 20, 'x');
  const auto root = instance.trusted_root().dump();
  const bool one =
      measure("Sigstore bundle, Rekor 1", instance.bundle(artifact).dump(), root, artifact);
  const bool two = measure("Sigstore bundle, Rekor 2",
                           instance.bundle(artifact, {.rekor_2 = true}).dump(), root, artifact);
  return one && two ? 0 : 1;
}
