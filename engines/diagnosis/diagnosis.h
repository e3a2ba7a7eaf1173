// From the log of a CI job to what failed, where, whose problem it is and whether a retry can help.
//
//   diagnosis::Analyzer a(diagnosis::builtin_rules());
//   while (more) a.feed(bytes);            // any split, any bytes
//   diagnosis::Diagnosis d = a.finish({.exit_code = 2});
//
// Pure: no clock, file, network or thread. Streaming and bounded: an Analyzer holds less than 1 MiB
// whatever the log's size, and takes time linear in it. Any bytes are accepted: invalid UTF-8, NUL,
// escape sequences, lines of any length, forged section markers. Every line that is reported
// carries its number (1-based) and byte offset in the original bytes. All text in a Diagnosis is
// redacted, valid UTF-8, without control characters.
//
// Thread safety: an Analyzer belongs to one thread at a time; Rules are immutable and shared.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes/bytes.h"
#include "base/result/result.h"

namespace gitaiops::diagnosis {

// ---- Rules ----

// A compiled set of rules. The built-in ones come from engines/diagnosis/rules/*.toml at build
// time.
class Rules;
std::shared_ptr<const Rules> builtin_rules();

// More rules, from TOML text; `name` is what messages call it. A bad rule is refused by name, the
// others go on: `problems` receives one message a refused rule.
struct RuleText {
  std::string name;
  std::string toml;
};
std::shared_ptr<const Rules> with_rules(const std::vector<RuleText>& more,
                                        std::vector<std::string>* problems);

// What a rule set knows, for lists and explanations.
struct RuleCategory {
  std::string id, title, owner, retry;  // retry in words, as in to_string(Retry)
};
struct RuleInfo {
  std::string id, category, title, origin;  // origin: the file it came from
  double weight = 0;
  std::vector<std::string> match, unless, positive;
};
std::vector<RuleCategory> rule_categories(const Rules& rules);  // by id
std::vector<RuleInfo> rule_infos(const Rules& rules);

// ---- What comes in beside the log ----

// What the runner or the kernel said about the end, when somebody knows; it outweighs what the log
// claims.
struct ExitFacts {
  std::optional<bool> failed = {};
  std::optional<int> exit_code = {};
  std::optional<int> signal = {};
  std::string failure_reason = {};        // GitLab's word, e.g. "runner_system_failure"
  std::optional<int64_t> oom_kills = {};  // processes of this job that the kernel killed for memory
  bool log_incomplete = false;            // bytes are missing from the log
};

// Lines of passing runs of the same job, as hashes of masked templates (numbers, hashes and times
// left out): what they contain is less suspect. A weight, never a filter; and where passing runs
// print all that a failing one does, it says nothing.
class Baseline {
 public:
  // A whole passing log, or what Analyzer::templates() kept of one. At most 200,000 hashes
  // together.
  void add(std::string_view log);
  void add_templates(const std::vector<uint64_t>& templates);
  bool contains(uint64_t template_hash) const;
  bool empty() const { return hashes_.empty(); }

 private:
  std::vector<uint64_t> hashes_;  // sorted
};

// ---- What comes out ----

enum class Outcome { unknown, passed, failed, canceled };
enum class Retry { never, once, backoff, elsewhere };
std::string_view to_string(Outcome outcome);
std::string_view to_string(Retry retry);

struct Line {
  uint64_t line = 0;    // 1-based in the original log
  uint64_t offset = 0;  // byte offset of its start
  std::string text;
};

struct Candidate {
  Line line;
  std::string category;
  double score = 0;  // 0 to 1
};

struct Excerpt {
  uint64_t first_line = 0;
  uint64_t last_line = 0;
  std::string text;  // lines joined by \n; an elided middle shows as "… (N lines)"
};

struct FailingTest {
  std::string name;
  std::string file;  // empty when unknown
  std::optional<uint64_t> line;
};

struct Diagnosis {
  uint64_t bytes = 0;
  uint64_t lines = 0;
  bool truncated = false;  // the runner cut the log at its limit, or bytes are missing
  Outcome outcome = Outcome::unknown;
  std::string phase;    // section open at the failure; empty when unknown
  std::string command;  // last echoed command before the failure; empty when unknown
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string
      category;  // taxonomy id; "unknown" when failed without a recognised cause; empty when passed
  std::string
      owner;  // code, test, dependency, config, infrastructure, runner, user; empty with "unknown"
  std::optional<Retry> retry;  // empty when not known
  double confidence = 0;       // 0 to 1
  std::optional<Line> root_cause;
  std::vector<Candidate> candidates;       // best first, at most 10
  std::vector<Excerpt> evidence;           // for people; at most 40 lines a chunk, 8 KiB together
  std::vector<Excerpt> packet;             // for models; at most 16 KiB together
  std::vector<FailingTest> failing_tests;  // at most 500
  uint64_t failing_tests_total = 0;        // also those beyond that
  std::string fingerprint;                 // "v1:<16 hex>"; empty when passed
  std::vector<uint32_t> minhash;  // of the evidence, kMinhashSlots values; empty without evidence
  uint64_t redacted = 0;          // secrets replaced in the text above
};

// ---- The same failure, or a similar one ----

// The fingerprint names a failure exactly: category, rule, masked root cause, first failing test or
// file. Its version changes when the algorithm does; fingerprints of different versions never
// match. The MinHash tells how alike the masked evidence of two failures is.
inline constexpr std::size_t kMinhashSlots = 128;
inline constexpr double kSimilar = 0.7;  // from here on two failures are worth showing together
// Estimated Jaccard similarity, 0 to 1; 0 unless both have kMinhashSlots values.
double similarity(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b);
// 16 keys to look similar failures up by: those that are alike to kSimilar share one with a
// probability above 0.6, those at 0.85 above 0.99, strangers almost never.
std::vector<uint64_t> similarity_keys(const std::vector<uint32_t>& minhash);

class Analyzer {
 public:
  explicit Analyzer(std::shared_ptr<const Rules> rules, const Baseline* baseline = nullptr);
  ~Analyzer();
  Analyzer(Analyzer&&) noexcept;
  Analyzer& operator=(Analyzer&&) noexcept;

  // Before the first feed(): keep the templates of the lines that rules took, for the case that
  // this run passes.
  void learn();
  void feed(std::string_view bytes);
  // Sorted, at most 4096; empty unless learn() was called. For Baseline::add_templates of later
  // runs.
  std::vector<uint64_t> templates() const;
  // Once; the Analyzer is spent afterwards.
  Diagnosis finish(const ExitFacts& facts = {});

  // What is known while the log still flows, from the parts of it that the runner wrote.
  struct Progress {
    uint64_t bytes = 0;
    uint64_t lines = 0;
    std::string section;  // open section, empty between sections
    std::string
        runner_short_token;  // from the header "on NAME SHORT[, system ID: …]"; empty until seen
    std::string runner_system_id;
    std::string runner_version;
    std::string executor;  // "shell", "docker"
    std::string
        checkout_path;   // claimed by git's own line in get_sources; a claim, the job can forge it
    bool ended = false;  // "Job succeeded" or "Job failed" was seen outside a section
    std::optional<bool> failed;
  };
  const Progress& progress() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// ---- Text forms, for the command line ----

std::string to_json(const Diagnosis& d);  // schema gitaiops.diagnosis/1, one line
std::string to_text(const Diagnosis& d, bool colour);
std::string to_markdown(const Diagnosis& d);  // untrusted text fenced and escaped

// ---- Redaction: also used on every other string that leaves a host ----

struct Redacted {
  std::string text;
  uint64_t count = 0;  // secrets replaced by "[REDACTED]"
};
Redacted redact(std::string_view text);

}  // namespace gitaiops::diagnosis
