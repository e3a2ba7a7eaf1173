// The `gitaiops` command: what the agent does to a log, at a person's fingertips.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>

#include <unistd.h>

#include "base/command_line/command_line.h"
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

// What the command line said; the commands' callbacks point into it.
struct Given {
  const Terminal& terminal;
  int code = kDone;
  DiagnoseOptions diagnose = {};
  std::vector<std::string> rule_folders = {};
  std::string rule_file = {}, rule_id = {};
  VerifyLockOptions lock = {};
  VerifyAttestationsOptions attestations = {};
  VerifyBundleOptions bundle = {};
  VersionOptions versions = {};
  std::string vector = {};
  AdvisoryOptions advisories = {};
  ScanOptions scan = {};
  ReviewersOptions reviewers = {};
  SuggestOptions suggest = {};
  RiskOptions risk = {};
  TriageOptions triage = {};
  bool triage_rules = false;
  std::string purl = {};
  PurlOptions purl_parts = {};
};

void add_diagnose(CLI::App& app, Given& given) {
  auto* diagnose_command = app.add_subcommand("diagnose", "Explain a job log");
  diagnose_command->add_option("FILE", given.diagnose.file, "The log; - reads standard input")
      ->required();
  diagnose_command->add_option("--format", given.diagnose.format, "text, json or markdown")
      ->check(CLI::IsMember({"text", "json", "markdown"}));
  diagnose_command
      ->add_option("--baseline", given.diagnose.baselines,
                   "The log of a passing run of the same job")
      ->allow_extra_args(false);
  diagnose_command->add_option("--rules", given.diagnose.rules, "A folder with more rules (*.toml)")
      ->allow_extra_args(false);
  diagnose_command->callback([&given] { given.code = diagnose(given.diagnose, given.terminal); });
}

void add_rules(CLI::App& app, Given& given) {
  auto* rules_command = app.add_subcommand("rules", "What is recognised, and how");
  rules_command->require_subcommand(1);
  rules_command->add_option("--rules", given.rule_folders, "A folder with more rules (*.toml)")
      ->allow_extra_args(false);
  rules_command->add_subcommand("list", "All categories")->callback([&given] {
    given.code = list_rules(given.rule_folders, given.terminal);
  });
  auto* test =
      rules_command->add_subcommand("test", "Check a file of own rules and their examples");
  test->add_option("FILE", given.rule_file, "The rules (TOML)")->required();
  test->callback([&given] { given.code = test_rules(given.rule_file, given.terminal); });
  auto* explain = rules_command->add_subcommand("explain", "One category or rule");
  explain->add_option("ID", given.rule_id, "A category's or rule's id")->required();
  explain->callback(
      [&given] { given.code = explain_rule(given.rule_id, given.rule_folders, given.terminal); });
}

void add_verify_lock(CLI::App& verify, Given& given) {
  auto* lock_command = verify.add_subcommand(
      "lock", "What a source tree's lock files pin, with which hashes, and from where");
  lock_command->add_option("PATH", given.lock.path, "A folder, or one manifest")->required();
  lock_command->add_option("--format", given.lock.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  lock_command
      ->add_option("--registry", given.lock.registries,
                   "A host that is as good as the public registry (gitlab.example)")
      ->allow_extra_args(false);
  lock_command
      ->add_option("--cache", given.lock.caches,
                   "A folder with wheels and source archives to compare with the lock files")
      ->allow_extra_args(false);
  lock_command->add_flag("!--no-caches", given.lock.look_into_caches,
                         "Do not look into this machine's package caches");
  lock_command->add_flag("--strict", given.lock.strict,
                         "Exit with 1 for every finding, not only for grave ones (!)");
  lock_command->footer("Exit code: 0 nothing grave, 1 a grave finding, 2 unusable input.");
  lock_command->callback([&given] { given.code = verify_lock(given.lock, given.terminal); });
}

void add_verify_attestations(CLI::App& verify, Given& given) {
  auto* attestations_command = verify.add_subcommand(
      "attestations", "Check offline what a registry attests of a package (npm, PyPI)");
  attestations_command
      ->add_option("ARTIFACT", given.attestations.artifact,
                   "The package's archive, or its digest as a lock file writes it (sha512-…)")
      ->required();
  attestations_command
      ->add_option("--attestations", given.attestations.attestations,
                   "The registry's answer: npm's attestations, PyPI's provenance (JSON)")
      ->required();
  attestations_command
      ->add_option("--trusted-root", given.attestations.trusted_root,
                   "Whom to trust: a Sigstore trusted_root.json")
      ->required();
  attestations_command->add_option("--registry-keys", given.attestations.registry_keys,
                                   "npm's registry keys (JSON)");
  attestations_command->add_option("--package", given.attestations.package,
                                   "NAME@VERSION that the attestations must be about");
  attestations_command->add_option("--source", given.attestations.source,
                                   "The repository that it must have been built from");
  attestations_command->footer("Exit code: 0 all hold, 1 one is rejected, 2 unusable input.");
  attestations_command->callback(
      [&given] { given.code = verify_attestations(given.attestations, given.terminal); });
}

void add_verify_bundle(CLI::App& verify, Given& given) {
  auto* bundle_command = verify.add_subcommand(
      "bundle", "Check offline that a file is what somebody signed (Sigstore)");
  bundle_command
      ->add_option("ARTIFACT", given.bundle.artifact,
                   "The signed file, or its digest as sha256:HEX")
      ->required();
  bundle_command->add_option("--bundle", given.bundle.bundle, "The signature: *.sigstore.json")
      ->required();
  bundle_command
      ->add_option("--trusted-root", given.bundle.trusted_root,
                   "Whom to trust: a Sigstore trusted_root.json")
      ->required();
  bundle_command->add_option("--identity", given.bundle.identity,
                             "Who must have signed: the certificate's name (URI or e-mail)");
  bundle_command->add_option("--issuer", given.bundle.issuer,
                             "Who must have told that name: the identity provider's URL");
  bundle_command->add_option("--key", given.bundle.key,
                             "A public key (PEM), instead of --identity and --issuer");
  bundle_command->footer(
      "Exit code: 0 verified, 1 rejected (the reason is printed), 2 unusable "
      "input.");
  bundle_command->callback([&given] { given.code = verify_bundle(given.bundle, given.terminal); });
}

void add_verify(CLI::App& app, Given& given) {
  auto* verify_command = app.add_subcommand("verify", "Where do packages come from?");
  verify_command->require_subcommand(0, 1);
  verify_command->add_option("PATH", given.lock.path, "The same as: gitaiops verify lock PATH");
  verify_command->callback([&given, verify_command] {
    if (!verify_command->get_subcommands().empty()) return;
    if (given.lock.path.empty()) throw CLI::RequiredError("PATH or a subcommand");
    given.code = verify_lock(given.lock, given.terminal);
  });
  add_verify_lock(*verify_command, given);
  add_verify_attestations(*verify_command, given);
  add_verify_bundle(*verify_command, given);
}

void add_version_options(CLI::App& command, VersionOptions& options, const char* second) {
  command.add_option("ECOSYSTEM", options.ecosystem, "As OSV names it: npm, PyPI, Maven, …")
      ->required();
  command.add_option("VERSION", options.first);
  command.add_option(second, options.second);
  command.add_flag("--stdin", options.standard_input, "One case a line, a tab between the two");
}

void add_versions(CLI::App& app, Given& given) {
  auto* compare = app.add_subcommand("version-compare", "Which of two versions comes first");
  add_version_options(*compare, given.versions, "OTHER");
  compare->add_flag("--strict", given.versions.strict,
                    "As the ecosystem's own tools do, which refuse some versions");
  compare->callback(
      [&given] { given.code = compare_two_versions(given.versions, given.terminal); });
  auto* match = app.add_subcommand("version-match", "Whether a range takes a version in");
  add_version_options(*match, given.versions, "RANGE");
  match->add_flag("--prereleases", given.versions.prereleases, "Take prereleases in, too");
  match->callback([&given] { given.code = match_version(given.versions, given.terminal); });
}

void add_cvss(CLI::App& app, Given& given) {
  auto* cvss = app.add_subcommand("cvss", "The score of a CVSS vector (2, 3.0, 3.1, 4.0)");
  cvss->add_option("VECTOR", given.vector)->required();
  cvss->callback([&given] { given.code = score_cvss(given.vector, given.terminal); });
}

void add_advisories(CLI::App& app, Given& given) {
  auto* advisories = app.add_subcommand("advisories", "The local database of advisories");
  advisories->require_subcommand(1);
  auto* build = advisories->add_subcommand("build", "Make an index out of OSV, EPSS and KEV files");
  build->add_option("--out", given.advisories.file, "The index to write")->required();
  build->add_option("--key", given.advisories.key, "Sign with this private Ed25519 key (PEM)");
  build->add_option("SOURCE", given.advisories.sources, "Folders, .json, .zip, .csv or .csv.gz")
      ->required();
  build->callback([&given] { given.code = build_advisories(given.advisories, given.terminal); });
  auto* info = advisories->add_subcommand("info", "What is in an index");
  info->add_option("FILE", given.advisories.file)->required();
  info->callback([&given] { given.code = show_advisories(given.advisories, given.terminal); });
  auto* verify =
      advisories->add_subcommand("verify", "Whether an index is whole, and who signed it");
  verify->add_option("FILE", given.advisories.file)->required();
  verify->add_option("--key", given.advisories.key,
                     "The public key that must have signed it (PEM)");
  verify->callback([&given] { given.code = verify_advisories(given.advisories, given.terminal); });
}

void add_scan(CLI::App& app, Given& given) {
  auto* scan_command = app.add_subcommand("scan", "The packages that a source tree depends on");
  scan_command->add_option("PATH", given.scan.path, "A folder, or one manifest")->required();
  scan_command
      ->add_option("--format", given.scan.format,
                   "table, json, markdown, cyclonedx, cyclonedx-1.5, spdx, sarif, gitlab or "
                   "gitlab-sbom")
      ->check(CLI::IsMember({"table", "json", "markdown", "cyclonedx", "cyclonedx-1.5", "spdx",
                             "sarif", "gitlab", "gitlab-sbom"}));
  scan_command->add_option("--output", given.scan.output,
                           "Write to this file; gitlab-sbom: beneath this folder");
  auto* advisories = scan_command->add_option("--advisories", given.scan.advisories,
                                              "Find what this index (advisories build) knows of");
  scan_command
      ->add_option("--ignore", given.scan.ignore_file, "What is accepted, why, until when (TOML)")
      ->needs(advisories);
  scan_command
      ->add_flag("!--no-own-file", given.scan.own_file,
                 "Do not heed what the tree's own .gitaiops.yml accepts")
      ->needs(advisories);
  scan_command
      ->add_option("--vex", given.scan.vex,
                   "What is not affected or fixed, and why (OpenVEX or CycloneDX)")
      ->allow_extra_args(false)
      ->needs(advisories);
  scan_command
      ->add_option("--releases", given.scan.releases,
                   "Which releases there are and what they need, to resolve manifests with (YAML)")
      ->allow_extra_args(false);
  scan_command
      ->add_option("--fail-on", given.scan.fail_on,
                   "Exit code 1 for findings at or above: low, medium, high or critical")
      ->needs(advisories)
      ->check(CLI::IsMember({"low", "medium", "high", "critical"}));
  scan_command
      ->add_flag("--fix", given.scan.fix,
                 "Write the upgrades into the manifests; everything else in them stays as it is")
      ->needs(advisories);
  scan_command->footer(
      "Exit code: 0 done, 1 something at or above --fail-on was found, 2 unusable input.");
  scan_command->callback([&given] { given.code = scan(given.scan, given.terminal); });
}

void add_reviewers(CLI::App& app, Given& given) {
  auto* reviewers =
      app.add_subcommand("reviewers", "Who should look at a change, by who looked at what before");
  auto* repository = reviewers->add_option("--repository", given.suggest.repository,
                                           "A git repository, with a working tree or without");
  auto* paths = reviewers->add_option("--paths", given.suggest.paths,
                                      "The files that change, from the repository's root");
  reviewers
      ->add_option("--merge-request-range", given.suggest.range,
                   "A..B: instead of files, what B brings to A")
      ->excludes(paths)
      ->needs(repository);
  reviewers->add_option("--author", given.suggest.author, "Whose change it is: name or address")
      ->needs(repository);
  reviewers->add_option("--format", given.suggest.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->needs(repository);
  auto* history =
      reviewers
          ->add_option("--history", given.reviewers.history, "Commits, a JSON line each (or .gz)")
          ->excludes(repository);
  auto* cases = reviewers->add_option("--cases", given.reviewers.cases,
                                      "Past changes, a JSON array: who should have looked at them");
  history->needs(cases);
  cases->needs(history);
  paths->needs(repository);
  reviewers
      ->add_option("--embargo", given.reviewers.embargo_days,
                   "Days that what is known must be older than a case")
      ->check(CLI::Range(0, 3650))
      ->capture_default_str()
      ->needs(history);
  reviewers->callback([&given, repository, history] {
    if (repository->count() + history->count() == 0)
      throw CLI::RequiredError("--repository or --history");
    given.code = repository->count() > 0 ? suggest_reviewers(given.suggest, given.terminal)
                                         : rank_reviewers(given.reviewers, given.terminal);
  });
}

void add_risk(CLI::App& app, Given& given) {
  auto* risk =
      app.add_subcommand("risk", "How likely changes are to be repaired or reverted later");
  risk->require_subcommand(1);
  auto* train = risk->add_subcommand("train", "Learn it from labelled changes");
  train->add_option("--labels", given.risk.file, "The changes: CSV, with columns bug and la, ld, …")
      ->required();
  train->add_option("--out", given.risk.model, "The model to write")->required();
  train->callback([&given] { given.code = train_risk(given.risk, given.terminal); });
  auto* score = risk->add_subcommand("score", "The probability of each change, a line each");
  score->add_option("FILE", given.risk.file, "The changes: CSV, with columns la, ld, …")
      ->required();
  score->add_option("--model", given.risk.model, "What train has written")->required();
  score->add_flag("--explain", given.risk.explain,
                  "Probability, percentile within the project and causes, with tabs between");
  score->callback([&given] { given.code = score_risk(given.risk, given.terminal); });
}

void add_triage(CLI::App& app, Given& given) {
  auto* command = app.add_subcommand(
      "triage", "How risky, how large, what kind changes are, and which reviews they need");
  auto* print = command->add_flag("--print-rules", given.triage_rules,
                                  "Print the rules that come with the program, to edit a copy");
  command->add_option("--history", given.triage.history, "Commits, a JSON line each (or .gz)")
      ->excludes(print);
  command->add_option("--cases", given.triage.cases, "The changes: a JSON array")->excludes(print);
  command->add_option("--model", given.triage.model,
                      "What risk train has written; else learnt from the history");
  command->add_option("--rules", given.triage.rules, "Your own rules (TOML)");
  command->add_option("--format", given.triage.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command->callback([&given] {
    if (given.triage_rules) {
      given.code = print_triage_rules(given.terminal);
      return;
    }
    if (given.triage.history.empty()) throw CLI::RequiredError("--history");
    if (given.triage.cases.empty()) throw CLI::RequiredError("--cases");
    given.code = triage_changes(given.triage, given.terminal);
  });
}

void add_purl(CLI::App& app, Given& given) {
  auto* purl_command = app.add_subcommand("purl", "Package URLs");
  purl_command->require_subcommand(1);
  auto* parse = purl_command->add_subcommand("parse", "The parts of a package URL, as JSON");
  parse->add_option("PURL", given.purl, "pkg:type/namespace/name@version?qualifiers#subpath")
      ->required();
  parse->callback([&given] { given.code = parse_purl(given.purl, given.terminal); });
  auto* validate = purl_command->add_subcommand("validate", "The canonical text of a package URL");
  validate->add_option("PURL", given.purl, "As people write it")->required();
  validate->callback([&given] { given.code = validate_purl(given.purl, given.terminal); });
  auto* build = purl_command->add_subcommand("build", "A package URL from its parts");
  build->add_option("--type", given.purl_parts.type, "npm, pypi, maven, …")->required();
  build->add_option("--namespace", given.purl_parts.name_space, "A scope, group or owner");
  build->add_option("--name", given.purl_parts.name, "The package's name")->required();
  build->add_option("--version", given.purl_parts.version, "Its version");
  build->add_option("--qualifier", given.purl_parts.qualifiers, "key=value")
      ->allow_extra_args(false);
  build->add_option("--subpath", given.purl_parts.subpath, "A place inside of it");
  build->callback([&given] { given.code = build_purl(given.purl_parts, given.terminal); });
}

int run(int argc, char** argv) {
  std::ostringstream out;
  const Terminal terminal{out, std::cerr, colour_wanted()};
  Given given{terminal};
  CLI::App app{"Why did this CI job fail, and whose problem is it?", "gitaiops"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "gitaiops " GITAIOPS_VERSION);
  for (const auto add : {add_diagnose, add_rules, add_verify, add_versions, add_cvss,
                         add_advisories, add_scan, add_reviewers, add_risk, add_triage, add_purl})
    add(app, given);
  app.add_subcommand("version", "The version")->callback([&] {
    terminal.out << "gitaiops " << GITAIOPS_VERSION << "\n";
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    given.code = gitaiops::command_line::refused(app, "gitaiops", e, out);
  }
  return printed(out.str()) ? given.code : kUsage;
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
