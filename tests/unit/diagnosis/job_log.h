// A job of gitlab-runner around the output that a test is about.
#pragma once

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {

// The output inside a job of gitlab-runner; "$ x" lines are commands that the runner echoed.
inline std::string job(std::string_view output,
                       std::string_view verdict = "ERROR: Job failed: exit code 1") {
  std::string out =
      "Running with gitlab-runner 17.5.0 "
      "(1a2b3c4d)\nsection_start:1700000003:step_script\r\x1b[0K\x1b[0KExecuting\n";
  const auto lines = split(trimmed(output), '\n');
  for (const auto& line : lines) {
    if (&line == &lines.back() && line.starts_with("ERROR: Job failed"))
      verdict = line;
    else if (line.starts_with("$ "))
      out += "\x1b[32;1m" + std::string(line) + "\x1b[0;m\n";
    else
      out += std::string(line) + "\n";
  }
  return out + "section_end:1700000009:step_script\r\x1b[0K\x1b[31;1m" + std::string(verdict) +
         "\n\x1b[0;m";
}

inline Diagnosis diagnose_job(std::string_view output,
                              std::string_view verdict = "ERROR: Job failed: exit code 1") {
  Analyzer a(builtin_rules());
  a.feed(job(output, verdict));
  return a.finish();
}

}  // namespace gitaiops::diagnosis
