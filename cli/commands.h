// The commands of `gitaiops`. Each returns the process' exit code: 0 done, 1 when it found what it
// looks for, 2 when the input cannot be used, with a message on `err` that names the place.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace gitaiops::cli {

inline constexpr int kDone = 0;
inline constexpr int kFound = 1;
inline constexpr int kUsage = 2;

// Where a command writes; colour only where somebody looks at it.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool colour = false;
};

struct DiagnoseOptions {
  std::string file = {};                    // "-": standard input
  std::string format = "text";              // text, json, markdown
  std::vector<std::string> baselines = {};  // logs of passing runs
  std::vector<std::string> rules = {};      // folders with more rules
};
int diagnose(const DiagnoseOptions& options, const Terminal& terminal);

// Whether every rule of a file is accepted and its examples hold; a refused one is told by name.
int test_rules(const std::string& file, const Terminal& terminal);
int list_rules(const std::vector<std::string>& folders, const Terminal& terminal);
// `id`: a category's or a rule's.
int explain_rule(const std::string& id, const std::vector<std::string>& folders,
                 const Terminal& terminal);

struct VerifyBundleOptions {
  std::string bundle = {};        // file
  std::string trusted_root = {};  // file
  std::string identity = {};      // subject alternative name, exactly
  std::string issuer = {};        // of the identity
  std::string key = {};           // file; instead of identity and issuer
  std::string artifact = {};      // file, or "sha256:…"
};
// kFound: the bundle is rejected.
int verify_bundle(const VerifyBundleOptions& options, const Terminal& terminal);

struct VerifyAttestationsOptions {
  std::string attestations = {};   // file: a registry's answer
  std::string trusted_root = {};   // file
  std::string registry_keys = {};  // file; npm's publish attestations need it
  std::string package = {};        // "name@version"; empty: not compared
  std::string source = {};         // repository that it must have been built from; empty: any
  std::string artifact = {};       // file, "sha512:HEX" or "sha512-BASE64"
};
// kFound: one of them, or all, are rejected.
int verify_attestations(const VerifyAttestationsOptions& options, const Terminal& terminal);

struct VerifyLockOptions {
  std::string path = {};                     // a folder, or one file
  std::string format = "table";              // table, json
  std::vector<std::string> registries = {};  // hosts that are as good as the public registry
  std::vector<std::string> caches = {};      // folders with wheels and source archives
  bool look_into_caches = true;              // of package managers, on this machine
  bool strict = false;                       // every finding counts, not only the grave ones
};
// kFound: a grave finding.
int verify_lock(const VerifyLockOptions& options, const Terminal& terminal);

struct VersionOptions {
  std::string ecosystem = {};  // as OSV names it
  std::optional<std::string> first = {}, second = {};
  bool standard_input = false;  // a case a line, its two fields with a tab between
  bool strict = false;          // the ecosystem's own tools decide, and may refuse
  bool prereleases = false;     // a range takes them in, too
};
// Prints <, = or >; with `strict` also invalid.
int compare_two_versions(const VersionOptions& options, const Terminal& terminal);
// Prints true, false, invalid or, for a version that Maven only recommends, recommended=VERSION.
int match_version(const VersionOptions& options, const Terminal& terminal);
// Prints the base score of a CVSS vector and its severity.
int score_cvss(const std::string& vector, const Terminal& terminal);

struct AdvisoryOptions {
  std::string file = {};                  // the index
  std::vector<std::string> sources = {};  // of build: files and folders
  std::string key = {};                   // build: to sign with; verify: to check with; PEM
};
int build_advisories(const AdvisoryOptions& options, const Terminal& terminal);
int verify_advisories(const AdvisoryOptions& options, const Terminal& terminal);
int show_advisories(const AdvisoryOptions& options, const Terminal& terminal);

struct ScanOptions {
  std::string path = {};  // a folder, or one file
  // table, json, cyclonedx, cyclonedx-1.5, spdx, sarif, gitlab, gitlab-sbom, markdown
  std::string format = "table";
  std::string output = {};            // a file; gitlab-sbom: a folder; empty: standard output
  std::string advisories = {};        // an index: what is known to be wrong with the packages, too
  std::string ignore_file = {};       // what is accepted, why, and until when
  std::vector<std::string> vex = {};  // files: OpenVEX or CycloneDX
  std::string fail_on = {};           // a severity
  std::vector<std::string> releases = {};  // files: which releases there are, what they need
  bool fix = false;                        // write the plan's upgrades into the manifests
  bool own_file = true;                    // heed the tree's .gitaiops.yml
};
// The packages that a source tree depends on, and what is wrong with them. kFound: something at or
// above `fail_on` that is not ignored.
int scan(const ScanOptions& options, const Terminal& terminal);

struct ReviewersOptions {
  std::string history = {};  // JSON Lines, oldest first, packed by gzip or not
  std::string cases = {};    // a JSON array of changes
  int64_t embargo_days = 7;  // only what is at least that much older than a case is known
};
// Whom the history would have named for each case, best first, as a JSON array.
int rank_reviewers(const ReviewersOptions& options, const Terminal& terminal);

struct SuggestOptions {
  std::string repository = {};          // a working tree or a bare repository
  std::vector<std::string> paths = {};  // that change, from the repository's root
  std::string range = {};               // "A..B": instead of paths, what B brings to A
  std::string author = {};              // name or address; of a range it is known
  std::string format = "text";          // text, json
};
// Three people who should look at a change, and why, by the repository's own history.
int suggest_reviewers(const SuggestOptions& options, const Terminal& terminal);

struct RiskOptions {
  std::string file = {};   // train: labelled changes; score: changes; both CSV
  std::string model = {};  // train writes it, score reads it
  bool explain = false;    // score: percentile and causes, too
};
int train_risk(const RiskOptions& options, const Terminal& terminal);
// Prints a probability for each change, a line each.
int score_risk(const RiskOptions& options, const Terminal& terminal);

struct TriageOptions {
  std::string history = {};  // JSON Lines, oldest first, packed by gzip or not
  std::string cases = {};    // a JSON array of changes
  std::string model = {};    // what `risk train` has written; empty: learnt from the history
  std::string rules = {};    // TOML; empty: those that come with the program
  std::string format = "text";
};
// What a reviewer wants to know of each change, by what was known before it.
int triage_changes(const TriageOptions& options, const Terminal& terminal);
// The rules that come with the program, to begin one's own with.
int print_triage_rules(const Terminal& terminal);

struct PurlOptions {
  std::string type = {}, name_space = {}, name = {}, version = {}, subpath = {};
  std::vector<std::string> qualifiers = {};  // key=value
};
int parse_purl(const std::string& text, const Terminal& terminal);
// Prints the canonical text.
int validate_purl(const std::string& text, const Terminal& terminal);
int build_purl(const PurlOptions& options, const Terminal& terminal);

}  // namespace gitaiops::cli
