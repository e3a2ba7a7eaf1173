// The `gitaiops` command: what the agent does to a log, at a person's fingertips.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/commands.h"

namespace {

using namespace gitaiops::cli;

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) && !(no_colour && *no_colour) &&
         !(terminal && std::string_view(terminal) == "dumb");
}

// What a command said, or why nobody can read it: `gitaiops … > /dev/full` has not succeeded.
bool printed(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      std::cerr << "gitaiops: cannot write to standard output: " << std::strerror(errno) << "\n";
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

int refused(const CLI::App& app, const CLI::ParseError& problem, std::ostream& out) {
  const auto unknown = app.remaining(true);
  const bool required = dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr;
  if (required && !unknown.empty() && !unknown.front().starts_with('-')) {
    std::cerr << "gitaiops: unknown command \"" << unknown.front() << "\"; try gitaiops --help\n";
    return kUsage;
  }
  return app.exit(problem, out, std::cerr) == 0 ? kDone : kUsage;
}

void add_version_options(CLI::App& command, VersionOptions& options, const char* second) {
  command.add_option("ECOSYSTEM", options.ecosystem, "As OSV names it: npm, PyPI, Maven, …")
      ->required();
  command.add_option("VERSION", options.first);
  command.add_option(second, options.second);
  command.add_flag("--stdin", options.standard_input, "One case a line, a tab between the two");
}

void add_advisories(CLI::App& app, AdvisoryOptions& options, const Terminal& terminal, int& code) {
  auto* advisories = app.add_subcommand("advisories", "The local database of advisories");
  advisories->require_subcommand(1);
  auto* build = advisories->add_subcommand("build", "Make an index out of OSV, EPSS and KEV files");
  build->add_option("--out", options.file, "The index to write")->required();
  build->add_option("--key", options.key, "Sign with this private Ed25519 key (PEM)");
  build->add_option("SOURCE", options.sources, "Folders, .json, .zip, .csv or .csv.gz")->required();
  build->callback([&] { code = build_advisories(options, terminal); });
  auto* info = advisories->add_subcommand("info", "What is in an index");
  info->add_option("FILE", options.file)->required();
  info->callback([&] { code = show_advisories(options, terminal); });
  auto* verify =
      advisories->add_subcommand("verify", "Whether an index is whole, and who signed it");
  verify->add_option("FILE", options.file)->required();
  verify->add_option("--key", options.key, "The public key that must have signed it (PEM)");
  verify->callback([&] { code = verify_advisories(options, terminal); });
}

int run(int argc, char** argv) {
  std::ostringstream out;
  const Terminal terminal{out, std::cerr, colour_wanted()};
  CLI::App app{"Why did this CI job fail, and whose problem is it?", "gitaiops"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "gitaiops " GITAIOPS_VERSION);
  int code = kDone;

  DiagnoseOptions diagnose_options;
  auto* diagnose_command = app.add_subcommand("diagnose", "Explain a job log");
  diagnose_command->add_option("FILE", diagnose_options.file, "The log; - reads standard input")
      ->required();
  diagnose_command->add_option("--format", diagnose_options.format, "text, json or markdown")
      ->check(CLI::IsMember({"text", "json", "markdown"}));
  diagnose_command
      ->add_option("--baseline", diagnose_options.baselines,
                   "The log of a passing run of the same job")
      ->allow_extra_args(false);
  diagnose_command
      ->add_option("--rules", diagnose_options.rules, "A folder with more rules (*.toml)")
      ->allow_extra_args(false);
  diagnose_command->callback([&] { code = diagnose(diagnose_options, terminal); });

  std::vector<std::string> folders;
  std::string id;
  auto* rules_command = app.add_subcommand("rules", "What is recognised, and how");
  rules_command->require_subcommand(1);
  rules_command->add_option("--rules", folders, "A folder with more rules (*.toml)")
      ->allow_extra_args(false);
  rules_command->add_subcommand("list", "All categories")->callback([&] {
    code = list_rules(folders, terminal);
  });
  std::string rule_file;
  auto* test =
      rules_command->add_subcommand("test", "Check a file of own rules and their examples");
  test->add_option("FILE", rule_file, "The rules (TOML)")->required();
  test->callback([&] { code = test_rules(rule_file, terminal); });
  auto* explain = rules_command->add_subcommand("explain", "One category or rule");
  explain->add_option("ID", id, "A category's or rule's id")->required();
  explain->callback([&] { code = explain_rule(id, folders, terminal); });

  VerifyBundleOptions bundle_options;
  auto* verify_command = app.add_subcommand("verify", "Where do packages come from?");
  verify_command->require_subcommand(0, 1);
  VerifyLockOptions lock_options;
  verify_command->add_option("PATH", lock_options.path, "The same as: gitaiops verify lock PATH");
  verify_command->callback([&] {
    if (!verify_command->get_subcommands().empty()) return;
    if (lock_options.path.empty()) throw CLI::RequiredError("PATH or a subcommand");
    code = verify_lock(lock_options, terminal);
  });
  auto* lock_command = verify_command->add_subcommand(
      "lock", "What a source tree's lock files pin, with which hashes, and from where");
  lock_command->add_option("PATH", lock_options.path, "A folder, or one manifest")->required();
  lock_command->add_option("--format", lock_options.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  lock_command
      ->add_option("--registry", lock_options.registries,
                   "A host that is as good as the public registry (gitlab.example)")
      ->allow_extra_args(false);
  lock_command
      ->add_option("--cache", lock_options.caches,
                   "A folder with wheels and source archives to compare with the lock files")
      ->allow_extra_args(false);
  lock_command->add_flag("!--no-caches", lock_options.look_into_caches,
                         "Do not look into this machine's package caches");
  lock_command->add_flag("--strict", lock_options.strict,
                         "Exit with 1 for every finding, not only for grave ones (!)");
  lock_command->footer("Exit code: 0 nothing grave, 1 a grave finding, 2 unusable input.");
  lock_command->callback([&] { code = verify_lock(lock_options, terminal); });

  VerifyAttestationsOptions attestation_options;
  auto* attestations_command = verify_command->add_subcommand(
      "attestations", "Check offline what a registry attests of a package (npm, PyPI)");
  attestations_command
      ->add_option("ARTIFACT", attestation_options.artifact,
                   "The package's archive, or its digest as a lock file writes it (sha512-…)")
      ->required();
  attestations_command
      ->add_option("--attestations", attestation_options.attestations,
                   "The registry's answer: npm's attestations, PyPI's provenance (JSON)")
      ->required();
  attestations_command
      ->add_option("--trusted-root", attestation_options.trusted_root,
                   "Whom to trust: a Sigstore trusted_root.json")
      ->required();
  attestations_command->add_option("--registry-keys", attestation_options.registry_keys,
                                   "npm's registry keys (JSON)");
  attestations_command->add_option("--package", attestation_options.package,
                                   "NAME@VERSION that the attestations must be about");
  attestations_command->add_option("--source", attestation_options.source,
                                   "The repository that it must have been built from");
  attestations_command->footer("Exit code: 0 all hold, 1 one is rejected, 2 unusable input.");
  attestations_command->callback(
      [&] { code = verify_attestations(attestation_options, terminal); });

  auto* bundle_command = verify_command->add_subcommand(
      "bundle", "Check offline that a file is what somebody signed (Sigstore)");
  bundle_command
      ->add_option("ARTIFACT", bundle_options.artifact,
                   "The signed file, or its digest as sha256:HEX")
      ->required();
  bundle_command->add_option("--bundle", bundle_options.bundle, "The signature: *.sigstore.json")
      ->required();
  bundle_command
      ->add_option("--trusted-root", bundle_options.trusted_root,
                   "Whom to trust: a Sigstore trusted_root.json")
      ->required();
  bundle_command->add_option("--identity", bundle_options.identity,
                             "Who must have signed: the certificate's name (URI or e-mail)");
  bundle_command->add_option("--issuer", bundle_options.issuer,
                             "Who must have told that name: the identity provider's URL");
  bundle_command->add_option("--key", bundle_options.key,
                             "A public key (PEM), instead of --identity and --issuer");
  bundle_command->footer(
      "Exit code: 0 verified, 1 rejected (the reason is printed), 2 unusable "
      "input.");
  bundle_command->callback([&] { code = verify_bundle(bundle_options, terminal); });

  VersionOptions version_options;
  auto* compare = app.add_subcommand("version-compare", "Which of two versions comes first");
  add_version_options(*compare, version_options, "OTHER");
  compare->add_flag("--strict", version_options.strict,
                    "As the ecosystem's own tools do, which refuse some versions");
  compare->callback([&] { code = compare_two_versions(version_options, terminal); });
  auto* match = app.add_subcommand("version-match", "Whether a range takes a version in");
  add_version_options(*match, version_options, "RANGE");
  match->add_flag("--prereleases", version_options.prereleases, "Take prereleases in, too");
  match->callback([&] { code = match_version(version_options, terminal); });

  std::string vector;
  auto* cvss = app.add_subcommand("cvss", "The score of a CVSS vector (2, 3.0, 3.1, 4.0)");
  cvss->add_option("VECTOR", vector)->required();
  cvss->callback([&] { code = score_cvss(vector, terminal); });

  AdvisoryOptions advisory_options;
  add_advisories(app, advisory_options, terminal, code);

  ScanOptions scan_options;
  auto* scan_command = app.add_subcommand("scan", "The packages that a source tree depends on");
  scan_command->add_option("PATH", scan_options.path, "A folder, or one manifest")->required();
  scan_command
      ->add_option("--format", scan_options.format,
                   "table, json, markdown, cyclonedx, cyclonedx-1.5, spdx, sarif, gitlab or "
                   "gitlab-sbom")
      ->check(CLI::IsMember({"table", "json", "markdown", "cyclonedx", "cyclonedx-1.5", "spdx",
                             "sarif", "gitlab", "gitlab-sbom"}));
  scan_command->add_option("--output", scan_options.output,
                           "Write to this file; gitlab-sbom: beneath this folder");
  auto* advisories = scan_command->add_option("--advisories", scan_options.advisories,
                                              "Find what this index (advisories build) knows of");
  scan_command
      ->add_option("--ignore", scan_options.ignore_file, "What is accepted, why, until when (TOML)")
      ->needs(advisories);
  scan_command
      ->add_option("--vex", scan_options.vex,
                   "What is not affected or fixed, and why (OpenVEX or CycloneDX)")
      ->allow_extra_args(false)
      ->needs(advisories);
  scan_command
      ->add_option("--releases", scan_options.releases,
                   "Which releases there are and what they need, to resolve manifests with (YAML)")
      ->allow_extra_args(false);
  scan_command
      ->add_option("--fail-on", scan_options.fail_on,
                   "Exit code 1 for findings at or above: low, medium, high or critical")
      ->needs(advisories)
      ->check(CLI::IsMember({"low", "medium", "high", "critical"}));
  scan_command
      ->add_flag("--fix", scan_options.fix,
                 "Write the upgrades into the manifests; everything else in them stays as it is")
      ->needs(advisories);
  scan_command->footer(
      "Exit code: 0 done, 1 something at or above --fail-on was found, 2 unusable input.");
  scan_command->callback([&] { code = scan(scan_options, terminal); });

  ReviewersOptions reviewers_options;
  auto* reviewers = app.add_subcommand(
      "reviewers", "Who should have looked at past changes, by what was known before");
  reviewers
      ->add_option("--history", reviewers_options.history, "Commits, a JSON line each (or .gz)")
      ->required();
  reviewers->add_option("--cases", reviewers_options.cases, "The changes: a JSON array")
      ->required();
  reviewers
      ->add_option("--embargo", reviewers_options.embargo_days,
                   "Days that what is known must be older than a case")
      ->check(CLI::Range(0, 3650))
      ->capture_default_str();
  reviewers->callback([&] { code = rank_reviewers(reviewers_options, terminal); });

  std::string purl;
  PurlOptions purl_options;
  auto* purl_command = app.add_subcommand("purl", "Package URLs");
  purl_command->require_subcommand(1);
  auto* parse = purl_command->add_subcommand("parse", "The parts of a package URL, as JSON");
  parse->add_option("PURL", purl, "pkg:type/namespace/name@version?qualifiers#subpath")->required();
  parse->callback([&] { code = parse_purl(purl, terminal); });
  auto* validate = purl_command->add_subcommand("validate", "The canonical text of a package URL");
  validate->add_option("PURL", purl, "As people write it")->required();
  validate->callback([&] { code = validate_purl(purl, terminal); });
  auto* build = purl_command->add_subcommand("build", "A package URL from its parts");
  build->add_option("--type", purl_options.type, "npm, pypi, maven, …")->required();
  build->add_option("--namespace", purl_options.name_space, "A scope, group or owner");
  build->add_option("--name", purl_options.name, "The package's name")->required();
  build->add_option("--version", purl_options.version, "Its version");
  build->add_option("--qualifier", purl_options.qualifiers, "key=value")->allow_extra_args(false);
  build->add_option("--subpath", purl_options.subpath, "A place inside of it");
  build->callback([&] { code = build_purl(purl_options, terminal); });

  app.add_subcommand("version", "The version")->callback([&] {
    terminal.out << "gitaiops " << GITAIOPS_VERSION << "\n";
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    code = refused(app, e, out);
  }
  return printed(out.str()) ? code : kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "gitaiops: " << e.what() << "\n";
    return kUsage;
  }
}
