// From an inventory to findings: the advisory index, what is ignored, and the exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"
#include "engines/scanner/remediation/remediation.h"

namespace gitaiops::cli {

struct JudgeOptions {
  std::string advisories = {};        // the index
  std::string ignore_file = {};       // "" without
  std::string fail_on = {};           // a severity; "": findings never fail
  std::vector<std::string> vex = {};  // files
  const scanner::Releases* releases = nullptr;
  std::string tree = {};  // a folder: its .gitaiops.yml says what it lives with
};

struct Judgement {
  scanner::Findings findings;
  scanner::Plan plan;
};
// Findings with what is ignored marked, and what removes the others; ignores that are over or met
// nothing are told on `err`. `today`: "2026-10-04".
Result<Judgement> judge(const scanner::Inventory& inventory, const scanner::Imports* imports,
                        const JudgeOptions& options, std::string_view today,
                        const Terminal& terminal);

// kFound when something that counts is at or above `fail_on`.
int exit_code(const scanner::Findings& findings, const JudgeOptions& options);

Result<std::vector<scanner::Ignore>> read_ignores(const std::string& file);

// The date now, UTC, as "2026-10-04", and with the time as "2026-10-04T12:00:00".
std::string today_utc();
std::string now_utc();

}  // namespace gitaiops::cli
