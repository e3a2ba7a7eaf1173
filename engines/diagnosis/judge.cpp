// From the notes to the verdict: outcome, cause, owner, whether a retry can help, and how sure that
// is.
#include <algorithm>
#include <array>

#include <re2/re2.h>

#include "engines/diagnosis/evidence.h"
#include "engines/diagnosis/fingerprint.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kCandidatesShown = 10;
constexpr std::size_t kTextShown = 512;  // bytes of one line
constexpr double kTypedShare =
    0.8;                        // a recognised cause may stand this far below an unrecognised line
constexpr double kSure = 0.95;  // the runner or the kernel said so
constexpr double kUnknownMost = 0.45;   // of a line that may be the cause, but of what kind?
constexpr double kDoubtful = 0.3;       // below this the line is shown, but its category is not
constexpr double kKilled = 0.88;        // the exit code and a line agree
constexpr double kCodeAlone = 0.4;      // only the exit code says so
constexpr double kCommandAlone = 0.42;  // only the command's name does
// How a program ended or what it did not find, in words that many causes share: of logs that nobody
// wrote rules for, one in five of these was of another kind, of all others one in thirty.
constexpr std::array<std::string_view, 3> kShapes{"script_error", "test_crash", "file_not_found"};
constexpr double kShapeMost = 0.78;

struct Verdictum {
  std::string category;
  double confidence = 0;
  const Ranked* root = nullptr;
};

// What the runner's own word for the failure settles.
std::string category_of_reason(std::string_view reason) {
  if (reason == "job_execution_timeout" || reason == "server_timeout_running" ||
      reason == "stuck_or_timeout_failure")
    return "job_timeout";
  if (reason == "runner_interrupted") return "runner_interrupted";
  if (reason == "no_updates_running" || reason == "no_updates_canceling") return "stalled_output";
  if (reason == "trace_size_exceeded") return "log_limit";
  if (reason == "missing_dependency_failure") return "artifact_cache";
  if (reason == "runner_system_failure" || reason == "runner_unsupported") return "runner_system";
  if (reason == "job_canceled" || reason == "canceled") return "canceled";
  return {};
}

bool fits_reason(std::string_view owner, std::string_view reason) {
  if (reason == "runner_system_failure" || reason == "runner_external_dependency_failure") {
    return owner == "runner" || owner == "infrastructure" || owner == "config";
  }
  if (reason == "runner_configuration_error") return owner == "config" || owner == "runner";
  return true;
}

std::string category_of_code(std::optional<int> code, std::optional<int> signal) {
  if (signal == 9 || code == 137) return "oom_killed";
  for (const int crash : {4, 6, 7, 8, 11}) {  // ILL, ABRT, BUS, FPE, SEGV
    if (signal == crash || code == 128 + crash) return "test_crash";
  }
  if (code == 126) return "permission_denied";
  if (code == 127) return "command_not_found";
  if (code == 124) return "job_timeout";  // what timeout(1) leaves, seldom anything else
  return {};
}

// What a command is for, when nothing in its output was recognised: a linter that only names files,
// a test runner that nobody knows. A guess, and told as one.
std::string category_of_command(std::string_view command) {
  struct Purpose {
    const char* category;
    re2::RE2 words;
  };
  static const std::array<Purpose, 6> kPurposes{{
      {"lint_format",
       R"((?i)(?:^|[\s:/._-])(?:lint\w*|fmt|format\w*|prettier|eslint|stylelint|black|isort|flake8|ruff|pylint|rubocop|gofmt|clippy|checkstyle|codespell|shellcheck|yamllint|clang-format|standard|style)(?:$|[\s:;-]))"},
      {"iac_terraform",
       R"((?:^|[\s/])(?:terraform|tofu|terragrunt|ansible(?:-playbook)?|pulumi)\s)"},
      {"deploy_k8s", R"((?:^|[\s/])(?:kubectl|helm|helmfile|kustomize)\s)"},
      {"doc_link_check",
       R"((?i)(?:^|[\s/:-])(?:docs?|sphinx-build|mkdocs|htmlproofer|lychee|linkcheck)(?:$|[\s:;-]))"},
      {"test_failure",
       R"((?i)(?:^|[\s:/._-])(?:tests?|check|spec|pytest|tox|nox|jest|mocha|vitest|karma|cypress|rspec|phpunit|pest|ctest|prove|busted|behave|cucumber|unittest|e2e|verify)(?:$|[\s:;./!-]))"},
      {"compile_error",
       R"((?i)(?:^|[\s/])(?:g?make|ninja|gcc|g\+\+|clang(?:\+\+)?|cc|javac|rustc|ghc|tsc|cargo build|go build|mvn compile|(?:npm|yarn|pnpm)(?: run)? build|msbuild|xcodebuild|bazel build|cmake --build)(?:$|[\s;]))"},
  }};
  const auto line = command.substr(0, command.find('\n'));
  for (const Purpose& p : kPurposes) {
    if (re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), p.words))
      return p.category;
  }
  return {};
}

const Ranked* first_of(const Observed& seen, const std::vector<Ranked>& ranked,
                       std::string_view category) {
  for (const Ranked& r : ranked) {
    if (r.category == category) return &r;
    for (const uint16_t also : r.found.also) {
      if (also != kNoRule && seen.rules->all()[also].category == category) return &r;
    }
  }
  return nullptr;
}

bool is_cause(const Observed& seen, const Ranked& r) {
  return rule_of(seen, r.found).kind == Kind::cause;
}

// What a score is worth: how often the category was right at that score, over logs that a person
// labelled (tests/labelled) and over those of tools that no rule was written for when they were
// made (docs/diagnosis.md); not more than the latter deserve.
double confidence_of(double score) {
  struct Knot {
    double score, confidence;
  };
  constexpr std::array<Knot, 7> kKnots{
      {{0, 0}, {0.3, 0.2}, {0.42, 0.27}, {0.5, 0.5}, {0.7, 0.8}, {0.9, 0.87}, {1, 0.93}}};
  for (std::size_t i = 1; i < kKnots.size(); ++i) {
    const Knot &a = kKnots[i - 1], &b = kKnots[i];
    if (score <= b.score)
      return a.confidence + (b.confidence - a.confidence) * (score - a.score) / (b.score - a.score);
  }
  return kKnots.back().confidence;
}

// How much of the score is left when the next best line of another category stands close behind.
double margin(const Observed& seen, const std::vector<Ranked>& ranked, const Ranked& root) {
  const std::string& explained = rule_of(seen, root.found).explains;
  for (const Ranked& r : ranked) {
    if (r.category == root.category || r.category == "unknown" || r.category == explained) continue;
    const double ratio = root.score > 0 ? r.score / root.score : 1;
    return 1 - 0.45 * std::clamp((ratio - 0.7) / 0.3, 0.0, 1.0);
  }
  return 1;
}

Verdictum from_log(const Observed& seen, const std::vector<Ranked>& ranked) {
  if (ranked.empty()) return {"unknown", 0, nullptr};
  const Ranked* root = &ranked.front();
  if (root->category == "unknown") {
    for (const Ranked& r : ranked) {
      if (r.category == "unknown" || !is_cause(seen, r)) continue;
      if (r.score >= kTypedShare * root->score) root = &r;
      break;
    }
  }
  double sure = confidence_of(root->score * margin(seen, ranked, *root));
  if (std::ranges::find(kShapes, root->category) != kShapes.end())
    sure = std::min(sure, kShapeMost);
  if (root->category == "unknown") return {"unknown", std::min(sure, kUnknownMost), root};
  return {sure < kDoubtful ? "unknown" : root->category, sure, root};
}

Verdictum decide(const Observed& seen, const std::vector<Ranked>& ranked, const Diagnosis& d,
                 const ExitFacts& facts) {
  const bool killed = d.exit_code == 137 || d.signal == 9;
  if (facts.oom_kills.value_or(0) > 0) {
    const Ranked* line = first_of(seen, ranked, "oom_killed");
    const bool other = !ranked.empty() && &ranked.front() != line &&
                       is_cause(seen, ranked.front()) && ranked.front().score >= 0.7;
    if (killed || !other) return {"oom_killed", killed || line ? kSure : 0.7, line};
  }
  Verdictum log = from_log(seen, ranked);
  const std::string said = category_of_reason(facts.failure_reason);
  if (!said.empty() && said != "runner_system") {
    const Ranked* line = first_of(seen, ranked, said);
    return {said, kSure, line ? line : log.root};
  }
  if (!facts.failure_reason.empty()) {
    const Category* category = seen.rules->category(log.category);
    if (!category || !fits_reason(category->owner, facts.failure_reason)) {
      log = {"unknown", 0, nullptr};
      for (const Ranked& r : ranked) {
        const Category* c = seen.rules->category(r.category);
        if (!c || !fits_reason(c->owner, facts.failure_reason)) continue;
        log = {r.category, confidence_of(r.score), &r};
        break;
      }
    }
    if (log.category == "unknown" && said == "runner_system")
      return {said, kSure, first_of(seen, ranked, said)};
  }
  if (log.category == "unknown" || log.confidence < kCodeAlone) {
    const std::string code = category_of_code(d.exit_code, d.signal);
    if (!code.empty()) {
      const Ranked* line = first_of(seen, ranked, code);
      return {code, line ? std::max(confidence_of(line->score), kCodeAlone) : kCodeAlone,
              line ? line : log.root};
    }
  }
  if (killed && log.category == "oom_killed") log.confidence = std::max(log.confidence, kKilled);
  if (log.category == "unknown") {
    const std::string purpose = category_of_command(d.command);
    if (!purpose.empty()) return {purpose, kCommandAlone, log.root};
  }
  // 137 beside a line that only mentions something else: the kill is the fact.
  if (killed && log.confidence < 0.6 && log.category != "oom_killed")
    return {"oom_killed", kCodeAlone, log.root};
  return log;
}

// A retry needs a category that is worth one and no sign in the same step that the code itself is
// wrong.
Retry retry_of(const Observed& seen, const Zone& zone, const std::vector<Ranked>& ranked,
               const Category& category) {
  if (category.retry == Retry::never || category.owner == "runner") return category.retry;
  for (const Ranked& r : ranked) {
    const Category* other = seen.rules->category(r.category);
    if (!other || r.found.seq < zone.begin || r.found.seq >= zone.end || r.score < 0.6) continue;
    if ((other->owner == "code" || other->owner == "test") && other->retry == Retry::never)
      return Retry::never;
  }
  return category.retry;
}

std::string shown(std::string_view text, uint64_t* redacted) {
  auto clean = redact(to_utf8(text));
  *redacted += clean.count;
  return truncate_utf8(clean.text, kTextShown);
}

void set_end(const Observed& seen, const LogEnd& end, const ExitFacts& facts, Diagnosis& d) {
  d.bytes = seen.bytes;
  d.lines = seen.line_count;
  d.truncated = seen.limit_reached || facts.log_incomplete;
  d.outcome = end.outcome;
  d.exit_code = facts.exit_code ? facts.exit_code : end.exit_code;
  d.signal = facts.signal;
  if (facts.failed) {
    if (!*facts.failed)
      d.outcome = Outcome::passed;
    else if (d.outcome != Outcome::canceled)
      d.outcome = Outcome::failed;
  } else if (facts.exit_code || facts.signal) {
    d.outcome = facts.signal || *facts.exit_code != 0 ? Outcome::failed : Outcome::passed;
  } else if (!facts.failure_reason.empty()) {
    d.outcome = Outcome::failed;
  }
}

// A path of the checkout as people of the project know it: runners put each job somewhere else.
std::string_view in_checkout(std::string_view path, std::string_view checkout) {
  if (checkout.size() < 2 || !path.starts_with(checkout) || path.size() < checkout.size() + 2 ||
      path[checkout.size()] != '/')
    return path;
  return path.substr(checkout.size() + 1);
}

void set_tests(const Observed& seen, Diagnosis& d) {
  d.failing_tests_total = seen.tests_total;
  for (const FailingTest& test : seen.tests) {
    d.failing_tests.push_back({shown(in_checkout(test.name, seen.checkout_path), &d.redacted),
                               shown(in_checkout(test.file, seen.checkout_path), &d.redacted),
                               test.line});
  }
}

}  // namespace

Diagnosis judge(const Observed& seen, const Baseline* baseline, const ExitFacts& facts) {
  Diagnosis d;
  const LogEnd end = read_end(seen);
  set_end(seen, end, facts, d);
  if (d.outcome == Outcome::passed) return d;
  const Zone zone = find_zone(seen, end);
  d.phase = shown(zone.phase, &d.redacted);
  d.command = shown(zone.command, &d.redacted);
  d.redacted += seen.hidden_keys;

  const std::vector<Ranked> ranked = rank(seen, zone, end, baseline);
  Verdictum verdict = decide(seen, ranked, d, facts);
  if (d.outcome == Outcome::canceled)
    verdict = {"canceled", kSure, first_of(seen, ranked, "canceled")};
  if (d.truncated && seen.limit_reached && verdict.confidence < 0.5) {
    verdict = {"log_limit", 0.6, first_of(seen, ranked, "log_limit")};
  }
  // Nobody said that this log failed: what looks like an error may be everyday noise.
  if (d.outcome == Outcome::unknown) verdict.confidence *= 0.75;

  d.category = verdict.category;
  d.confidence = std::clamp(verdict.confidence, 0.0, 1.0);
  if (const Category* category = seen.rules->category(d.category)) {
    d.owner = category->owner;
    d.retry = retry_of(seen, zone, ranked, *category);
  }
  std::vector<Ranked> order = ranked;
  if (verdict.root) {
    const auto at = order.begin() + (verdict.root - ranked.data());
    std::rotate(order.begin(), at, at + 1);
    const auto line = seen.lines.get(order.front().found.seq);
    d.root_cause = Line{line->number, line->offset, shown(line->text, &d.redacted)};
  }
  for (const Ranked& r : order) {
    if (d.candidates.size() == kCandidatesShown) break;
    const auto line = seen.lines.get(r.found.seq);
    d.candidates.push_back(
        {{line->number, line->offset, shown(line->text, &d.redacted)}, r.category, r.score});
  }
  set_tests(seen, d);
  d.evidence = evidence_for(seen, zone, order, &d.redacted);
  d.packet = packet_for(seen, zone, order, &d.redacted);
  d.fingerprint =
      fingerprint_of(d, verdict.root ? rule_of(seen, verdict.root->found).id : std::string());
  d.minhash = minhash_of(d.evidence);
  return d;
}

}  // namespace gitaiops::diagnosis
