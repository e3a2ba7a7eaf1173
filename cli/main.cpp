// The `gitaiops` command: what the agent does to a log, at a person's fingertips.
#include <cstdlib>
#include <iostream>

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

int run(int argc, char** argv) {
  const Terminal terminal{std::cout, std::cerr, colour_wanted()};
  CLI::App app{"Why did this CI job fail, and whose problem is it?", "gitaiops"};
  app.require_subcommand(1);
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

  app.add_subcommand("version", "The version")->callback([&] {
    terminal.out << "gitaiops " << GITAIOPS_VERSION << "\n";
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? kDone : kUsage;
  }
  std::cout.flush();
  return code;
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
