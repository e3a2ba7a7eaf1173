// Where the failure happened: the runner's section that failed, the command in it, and where its
// output ended. What looks like trouble outside of it is mostly decoy.
#include <algorithm>
#include <cstdlib>

#include "engines/diagnosis/observed.h"

namespace gitaiops::diagnosis {
namespace {

constexpr Seq kPassedDistance = 64;  // after a command that passed, there is little but a farewell
constexpr Seq kVerdictDistance = 6;  // the runner's last word is at most this far from the end

std::optional<int> code_after(std::string_view text, std::string_view word) {
  const auto at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + word.size());
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto code = parse_int(digits);
  if (!code || *code > 255) return std::nullopt;
  return static_cast<int>(*code);
}

const Span* section(const Observed& seen, std::string_view name) {
  const auto found = std::find_if(seen.sections.begin(), seen.sections.end(),
                                  [&](const Span& s) { return s.name == name; });
  return found == seen.sections.end() ? nullptr : &*found;
}

bool script_section(const Span& s) {
  return s.name == "build_script" || s.name.starts_with("step_");
}

// The section that failed. Only what is before the runner's clean-up can fail a job, with one
// exception: the upload of artifacts after a script that succeeded.
const Span* failing_section(const Observed& seen) {
  const Span* upload = section(seen, "upload_artifacts_on_success");
  const bool cleaned_after_failure =
      section(seen, "upload_artifacts_on_failure") || section(seen, "archive_cache_on_failure");
  if (upload && !cleaned_after_failure) {
    const bool failed_there =
        std::any_of(seen.candidates.begin(), seen.candidates.end(), [&](const Found& f) {
          return f.seq >= upload->last_start && (!upload->last_end || f.seq < *upload->last_end) &&
                 seen.rules->all()[f.rule].category == "artifact_cache";
        });
    if (failed_there) return upload;
  }
  const Span* last = nullptr;
  for (const Span& s : seen.sections) {
    if (script_section(s)) return &s;
    if (s.name == "after_script" || s.name == "cleanup_file_variables" ||
        s.name.starts_with("archive_cache") || s.name.starts_with("upload_artifacts")) {
      continue;
    }
    last = &s;
  }
  return last;
}

// Where the section ends. The runner starts its clean-up only once; a marker that the job forged
// came earlier.
Seq end_of(const Observed& seen, const Span& failing) {
  Seq end = failing.last_end.value_or(seen.lines.end());
  for (const Span& s : seen.sections) {
    if (&s != &failing && s.last_start > failing.first_start && !failing.last_end)
      end = std::min(end, s.last_start);
  }
  return end;
}

// A command of several lines is quoted whole before its code: the output ended before the quote.
Seq quote_begin(const Observed& seen, Seq exit) {
  constexpr Seq kQuotedLines = 80;
  for (Seq s = exit; s + kQuotedLines > exit; --s) {
    const auto line = seen.lines.get(s);
    if (!line) break;
    if (line->text.starts_with("The command \"")) return s;
    if (s == 0) break;
  }
  return exit;
}

bool after_failure(const Observed& seen, Seq seq) {
  return std::any_of(seen.folds.begin(), seen.folds.end(), [&](const Span& s) {
    return seq >= s.first_start && seq < s.last_end.value_or(seen.lines.end());
  });
}

// GitHub says nothing at the end of a job that passed; of one that failed an error stands above its
// clean-up.
bool github_passed(const Observed& seen) {
  constexpr Seq kCleanUpLines = 60;
  bool cleaned = false;
  for (Seq s = seen.lines.end(); s > 0 && s + kCleanUpLines > seen.lines.end(); --s) {
    const auto line = seen.lines.get(s - 1);
    if (!line) break;
    cleaned |= line->text == "Cleaning up orphan processes";
  }
  return cleaned &&
         std::none_of(seen.candidates.begin(), seen.candidates.end(), [&](const Found& f) {
           const auto line = seen.lines.get(f.seq);
           return line && line->text.starts_with("##[error]");
         });
}

}  // namespace

LogEnd read_end(const Observed& seen) {
  LogEnd end;
  if (seen.verdict) {
    const Verdict& v = *seen.verdict;
    end.verdict_valid = v.flags & kRunnerSaid || v.seq + kVerdictDistance >= seen.lines.end();
    if (end.verdict_valid) {
      end.outcome = v.failed ? Outcome::failed : Outcome::passed;
      if (v.text.find("Job failed: canceled") != std::string::npos) end.outcome = Outcome::canceled;
      end.exit_code = code_after(v.text, "exit code ");
      if (!end.exit_code) end.exit_code = code_after(v.text, "exit status ");
      if (!v.failed) end.exit_code = 0;
      return end;
    }
  }
  // Other systems: the last word counts, the first failing code is the cause's.
  for (const ExitMark& mark : seen.exits) {
    if (!mark.code) {
      end.outcome = Outcome::failed;
    } else if (*mark.code != 0) {
      end.outcome = Outcome::failed;
      if (!end.exit_code) end.exit_code = mark.code;
    } else if (&mark == &seen.exits.back() && end.outcome == Outcome::unknown &&
               mark.seq + kPassedDistance >= seen.lines.end()) {
      end.outcome = Outcome::passed;
      end.exit_code = 0;
    }
  }
  if (end.outcome == Outcome::unknown && github_passed(seen)) end.outcome = Outcome::passed;
  return end;
}

Zone find_zone(const Observed& seen, const LogEnd& end) {
  Zone zone;
  zone.end = seen.lines.end();
  if (const Span* failing = failing_section(seen)) {
    zone.phase = failing->name;
    zone.section_begin = failing->first_start;
    zone.end = end_of(seen, *failing);
  } else {
    for (const ExitMark& mark : seen.exits) {
      if (mark.code.value_or(1) == 0) continue;
      zone.end = quote_begin(seen, mark.seq);
      break;
    }
  }
  zone.begin = zone.section_begin;
  for (const Echo& echo : seen.commands) {
    if (echo.seq < zone.section_begin || echo.seq >= zone.end || after_failure(seen, echo.seq))
      continue;
    zone.begin = echo.seq;
    zone.command = echo.text;
  }
  if (end.verdict_valid && zone.phase.empty() && seen.verdict)
    zone.end = std::min(zone.end, seen.verdict->seq + 1);
  return zone;
}

}  // namespace gitaiops::diagnosis
