// From what the agent knows of a finished job to the message that leaves the host. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/tracker/tracker.h"
#include "engines/diagnosis/diagnosis.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

constexpr std::size_t kReportMaxBytes = 64 << 10;

// What became of the job's log.
struct LogReading {
  fleet::v1::LogFacts facts;
  std::optional<diagnosis::Diagnosis> diagnosis;  // absent when the log was never read
};

// A passed job carries no log text; every text is redacted, valid UTF-8 and within the contract's
// limits; the whole is trimmed to kReportMaxBytes in the order that the contract names.
fleet::v1::JobReport compose(const FinishedJob& job, const LogReading& log, fleet::v1::Usage usage,
                             std::string report_id);

// Stages of one job, one after the other, as one: CPU and IO add up, peaks are the highest, points
// follow each other.
fleet::v1::Usage merge(std::vector<fleet::v1::Usage> stages);

// Exposed for its test: trims in place, names each step in report.trimmed().
void trim(fleet::v1::JobReport& report, std::size_t max_bytes);

// The facts about the end that outweigh what the log claims.
diagnosis::ExitFacts exit_facts(const FinishedJob& job, const fleet::v1::Usage& usage,
                                bool log_incomplete);

}  // namespace gitaiops::agent
