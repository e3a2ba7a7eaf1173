// Sigstore's own cases for bundle verification: a folder whose name ends in "_fail" holds a bundle
// that must be rejected, any other one that must verify. GITAIOPS_CORPUS_CASES=1 prints each
// verdict and how long it took.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "engines/scanner/provenance/sigstore.h"
#include "tests/corpus.h"

namespace gitaiops::scanner::provenance {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string either(const fs::path& own, const fs::path& common) {
  return slurp(fs::exists(own) ? own : common);
}

// What a folder says of itself, else the set's defaults.
Signer signer_of(const fs::path& folder) {
  if (fs::exists(folder / "key.pub")) return PublicKey{slurp(folder / "key.pub")};
  Identity identity{
      "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/"
      "workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main",
      "https://token.actions.githubusercontent.com"};
  if (fs::exists(folder / "identity")) identity.san = trimmed(slurp(folder / "identity"));
  if (fs::exists(folder / "issuer")) identity.issuer = trimmed(slurp(folder / "issuer"));
  return identity;
}

Verdict verdict_on(const fs::path& folder, const fs::path& set) {
  const auto root = TrustedRoot::parse(
      either(folder / "trusted_root.json", set / "trusted_root.public-good.json"));
  if (!root) return {.failed = Check::log_entry, .reason = root.error().to_string()};
  const auto artifact = either(folder / "artifact", set / "bundle-verify/a.txt");
  return verify_bundle(slurp(folder / "bundle.sigstore.json"), *root, Artifact(artifact),
                       signer_of(folder));
}

double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

TEST(SigstoreBundles, EachCaseIsJudgedAsItsFolderSays) {
  const auto set = corpus("scanner/sigstore");
  if (!set) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  const bool print = std::getenv("GITAIOPS_CORPUS_CASES");
  int cases = 0, right = 0;
  double slowest = 0, total = 0;
  std::set<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(*set / "bundle-verify")) {
    if (fs::exists(entry.path() / "bundle.sigstore.json")) folders.insert(entry.path());
  }
  for (const auto& folder : folders) {
    const bool must_verify = !folder.filename().string().ends_with("_fail");
    const double before = cpu_ms();
    const Verdict verdict = verdict_on(folder, *set);
    const double took = cpu_ms() - before;
    slowest = std::max(slowest, took), total += took;
    EXPECT_EQ(verdict.verified(), must_verify) << folder.filename() << ": " << verdict.reason;
    EXPECT_EQ(verdict.verified(), verdict.reason.empty()) << "a rejection has its reason";
    ++cases, right += verdict.verified() == must_verify;
    if (print)
      std::printf("%5.2f ms  %s  %s\n", took, folder.filename().c_str(),
                  verdict.verified() ? "verified" : verdict.reason.c_str());
  }
  std::printf("%d of %d cases right; CPU %.2f ms a case, the slowest %.2f ms (target: under 5)\n",
              right, cases, total / std::max(cases, 1), slowest);
  EXPECT_GT(cases, 0);
}

}  // namespace
}  // namespace gitaiops::scanner::provenance
