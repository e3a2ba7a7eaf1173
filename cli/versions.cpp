#include "engines/scanner/versions/versions.h"

#include <iostream>
#include <ostream>

#include "base/bytes/bytes.h"
#include "cli/commands.h"

namespace gitaiops::cli {
namespace {

using namespace scanner;

std::string_view compared(Ecosystem ecosystem, const VersionOptions& options, std::string_view a,
                          std::string_view b) {
  const auto order = options.strict ? compare_strictly(ecosystem, a, b)
                                    : std::optional(compare_versions(ecosystem, a, b));
  if (!order) return "invalid";
  return *order < 0 ? "<" : *order > 0 ? ">" : "=";
}

std::string matched(Ecosystem ecosystem, const VersionOptions& options, std::string_view version,
                    std::string_view range) {
  switch (matches(ecosystem, version, range,
                  options.prereleases ? Prereleases::included : Prereleases::as_the_tool_does)) {
    case Match::yes:
      return "true";
    case Match::no:
      return "false";
    case Match::recommended:
      return "recommended=" + std::string(range);
    case Match::invalid:
      break;
  }
  return "invalid";
}

// One case or, with --stdin, one a line; what follows the second field is left out of account.
template <class Answer>
int answer_all(const VersionOptions& options, const Terminal& terminal, const Answer& answer) {
  const auto ecosystem = ecosystem_of(options.ecosystem);
  if (!ecosystem) {
    terminal.err << "gitaiops: unknown ecosystem \"" << options.ecosystem
                 << "\"; it is named as OSV names it: npm, PyPI, Maven, Go, crates.io, …\n";
    return kUsage;
  }
  if (!options.standard_input) {
    if (!options.first || !options.second) {
      terminal.err << "gitaiops: two versions are needed, or --stdin\n";
      return kUsage;
    }
    terminal.out << answer(*ecosystem, *options.first, *options.second) << "\n";
    return kDone;
  }
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    const auto fields = split(line, '\t');
    if (fields.size() < 2) {
      terminal.err << "gitaiops: standard input:" << number << ": two fields with a tab between\n";
      return kUsage;
    }
    terminal.out << answer(*ecosystem, fields[0], fields[1]) << "\n";
  }
  return kDone;
}

}  // namespace

int compare_two_versions(const VersionOptions& options, const Terminal& terminal) {
  return answer_all(options, terminal, [&](Ecosystem e, std::string_view a, std::string_view b) {
    return compared(e, options, a, b);
  });
}

int match_version(const VersionOptions& options, const Terminal& terminal) {
  return answer_all(options, terminal, [&](Ecosystem e, std::string_view a, std::string_view b) {
    return matched(e, options, a, b);
  });
}

}  // namespace gitaiops::cli
