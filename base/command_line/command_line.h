// What the command lines of all programs have in common.
#pragma once

#include <ostream>
#include <string_view>

#include <CLI/CLI.hpp>

namespace gitaiops::command_line {

inline constexpr int kUsage = 2;  // exit code: the words were wrong, trying again will not help

// Says why the words were refused, on standard error, or gives the help that they asked for, to
// `out`. The exit code: kUsage or 0.
int refused(const CLI::App& app, std::string_view program, const CLI::ParseError& problem,
            std::ostream& out);

}  // namespace gitaiops::command_line
