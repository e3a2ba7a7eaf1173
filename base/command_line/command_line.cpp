#include "base/command_line/command_line.h"

#include <iostream>

namespace gitaiops::command_line {

int refused(const CLI::App& app, std::string_view program, const CLI::ParseError& problem,
            std::ostream& out) {
  // "A subcommand is required" hides which word was wrong.
  const auto unknown = app.remaining(true);
  const bool required = dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr;
  if (required && !unknown.empty() && !unknown.front().starts_with('-')) {
    std::cerr << program << ": unknown command \"" << unknown.front() << "\"; try " << program
              << " --help\n";
    return kUsage;
  }
  return app.exit(problem, out, std::cerr) == 0 ? 0 : kUsage;
}

}  // namespace gitaiops::command_line
