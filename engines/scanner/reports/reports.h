// Findings in the forms that people and other programs read.
//
// Thread safety: pure functions. Nothing of what is shown can steer a terminal or break a format:
// controls and invalid UTF-8 are replaced.
#pragma once

#include <string>
#include <string_view>

#include "engines/scanner/findings.h"
#include "engines/scanner/inventory.h"
#include "engines/scanner/remediation/remediation.h"

namespace gitaiops::scanner {

// By file: severity, package, where it is fixed, names, how it came, why it matters.
std::string findings_text(const Inventory& inventory, const Findings& findings, bool colour);

// "gitaiops.findings/1": one object, each finding with its package, path and risk.
std::string findings_json(const Inventory& inventory, const Findings& findings);

// What to upgrade, and what stays and why. `outcomes` (of rewrite) says what was written; nullptr:
// nothing was asked to be.
struct ShownPlan {
  const Plan& plan;
  const std::vector<Outcome>* outcomes = nullptr;
};
// "" where there is nothing to say.
std::string plan_text(const Inventory& inventory, const Findings& findings, const ShownPlan& shown);
// One object with "upgrades" and "stays".
std::string plan_json(const Inventory& inventory, const Findings& findings, const ShownPlan& shown);

// GitLab's Markdown, for a note or a job's summary: findings, plan, what was not read. Without
// findings: what the tree depends on.
std::string to_markdown(const Inventory& inventory);
std::string to_markdown(const Inventory& inventory, const Findings& findings,
                        const ShownPlan& shown);

// SARIF 2.1.0 (OASIS): what is ignored is there as a suppressed result.
std::string to_sarif(const Inventory& inventory, const Findings& findings,
                     std::string_view version);

// gl-dependency-scanning-report.json 15.2. Times as "2026-10-04T12:00:00", UTC. What is ignored is
// left out: GitLab keeps its own dismissals.
struct ReportTimes {
  std::string start, end;
};
std::string to_gitlab_report(const Inventory& inventory, const Findings& findings,
                             std::string_view version, const ReportTimes& times);

// Where a person reads about an advisory.
std::string url_of(std::string_view id);

}  // namespace gitaiops::scanner
