// What the streaming half of the Analyzer hands to the judging half. Everything here is bounded by
// the constants below.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engines/diagnosis/diagnosis.h"
#include "engines/diagnosis/line_store.h"
#include "engines/diagnosis/rules.h"

namespace gitaiops::diagnosis {

inline constexpr std::size_t kCandidatesMax = 96;
inline constexpr std::size_t kCommandsMax = 64;
inline constexpr std::size_t kExitsMax = 16;
inline constexpr std::size_t kSpansMax = 32;
inline constexpr uint16_t kNoRule = kAnyRule;

// A line that a rule took for a cause.
struct Found {
  Seq seq = 0;
  uint16_t rule = kNoRule;  // the weightiest
  std::array<uint16_t, 3> also{kNoRule, kNoRule, kNoRule};
  uint32_t ordinal = 0;  // how many lines of this rule came before it in its step
  uint32_t step = 0;     // commands echoed before it
  uint8_t flags = 0;
};

struct Echo {
  Seq seq = 0;
  std::string text;  // without "$ "
};

// A section of the runner. The job can write the same markers, so first and last occurrence are
// both kept: a section goes from its first start to its last end.
struct Span {
  std::string name;
  Seq first_start = 0;
  Seq last_start = 0;
  std::optional<Seq> last_end;
};

// A line that says that a command or the job failed (or not), and with which code.
struct ExitMark {
  Seq seq = 0;
  std::optional<int> code;
};

struct Verdict {
  Seq seq = 0;
  bool failed = false;
  uint8_t flags = 0;
  std::string text;
};

struct Observed {
  std::shared_ptr<const Rules> rules;
  LineStore lines;
  std::vector<Found> candidates;   // ascending
  std::vector<Echo> commands;      // the newest
  std::vector<Span> sections;      // in order of their first start
  std::vector<Span> folds;         // Travis folds that come after the failure: after_*, cache.*
  std::vector<ExitMark> exits;     // first and last ones
  std::optional<Verdict> verdict;  // the last one
  std::vector<FailingTest> tests;
  uint64_t tests_total = 0;
  std::vector<uint32_t> rule_lines;  // how many lines each rule took
  uint64_t bytes = 0;
  uint64_t line_count = 0;
  std::string checkout_path;  // where the job's files lie, without a slash at the end
  uint64_t hidden_keys = 0;   // private keys that never reached the store
  bool limit_reached = false;
};

// The part of the log in which the failure happened.
struct Zone {
  Seq section_begin = 0;
  Seq begin = 0;  // where the last command started
  Seq end = 0;    // one past the last line
  std::string phase, command;
};

// What the log itself says about the end.
struct LogEnd {
  Outcome outcome = Outcome::unknown;
  std::optional<int> exit_code;
  bool verdict_valid = false;  // the verdict line stands where only the runner writes
};

LogEnd read_end(const Observed& seen);
Zone find_zone(const Observed& seen, const LogEnd& end);

// A candidate with its final score; best first.
struct Ranked {
  Found found;
  double score = 0;
  std::string category;
};
// The rule of a candidate; for the last words of a step, which no rule took, a rule that stands for
// that.
const Rule& rule_of(const Observed& seen, const Found& found);

std::vector<Ranked> rank(const Observed& seen, const Zone& zone, const LogEnd& end,
                         const Baseline* baseline);

Diagnosis judge(const Observed& seen, const Baseline* baseline, const ExitFacts& facts);

// The line with what varies between runs (numbers, hashes, times, temporary names) masked.
std::string masked_template(std::string_view line);
uint64_t template_hash(std::string_view line);

}  // namespace gitaiops::diagnosis
