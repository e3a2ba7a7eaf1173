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
  verify_command->require_subcommand(1);
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
