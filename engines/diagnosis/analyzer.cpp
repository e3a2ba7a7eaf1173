// The streaming half: lines in, bounded notes out. The judging half (judge.cpp) reads the notes
// when the log has ended.
#include <algorithm>
#include <unordered_set>

#include <re2/re2.h>

#include "engines/diagnosis/failing_tests.h"
#include "engines/diagnosis/observed.h"
#include "engines/diagnosis/private_keys.h"

namespace gitaiops::diagnosis {
namespace {

constexpr uint64_t kHeaderLines = 12;   // the runner introduces itself within these
constexpr std::size_t kQuoteMax = 512;  // of a command or verdict that is remembered
constexpr std::size_t kTemplatesMax = 4096;
constexpr std::string_view kFailed = "ERROR: Job failed";
constexpr std::string_view kSucceeded = "Job succeeded";
constexpr std::array<std::string_view, 15> kRunnerSections{"resolve_secrets",
                                                           "prepare_executor",
                                                           "prepare_script",
                                                           "get_sources",
                                                           "restore_cache",
                                                           "download_artifacts",
                                                           "step_script",
                                                           "build_script",
                                                           "after_script",
                                                           "archive_cache",
                                                           "archive_cache_on_failure",
                                                           "upload_artifacts_on_success",
                                                           "upload_artifacts_on_failure",
                                                           "cleanup_file_variables",
                                                           "step_release"};

bool runner_section(std::string_view name) {
  return name.starts_with("step_") ||
         std::find(kRunnerSections.begin(), kRunnerSections.end(), name) != kRunnerSections.end();
}

std::string quoted(std::string_view text) {
  return std::string(text.substr(0, kQuoteMax));
}

}  // namespace

struct Analyzer::State final : LineSink {
  State(std::shared_ptr<const Rules> rules, const Baseline* known)
      : source(*this), baseline(known), tests(*rules) {
    seen.rules = std::move(rules);
    seen.rule_lines.resize(seen.rules->all().size());
    step_lines.resize(seen.rules->all().size());
  }

  void on_line(const SourceLine& line) override;
  void on_marker(Marker marker, std::string_view name, uint8_t flags) override;
  void on_runner_section(Marker marker, std::string_view name);
  void read_header(const SourceLine& line);
  void read_verdict(const SourceLine& line, Seq seq);
  std::string_view without_keys(std::string_view text);
  void scan_block();
  void close_scanned_line();
  void note(Seq seq, const std::vector<uint16_t>& rules);
  std::string with_lines_above(Seq seq, uint8_t above) const;
  void note_exit(const Rule& rule, Seq seq, std::string_view text);
  void add_candidate(Found found);
  double keep_value(const Found& found) const;

  LineSource source;
  const Baseline* baseline;
  TestNames tests;
  Observed seen;
  Progress progress;
  bool header = false;  // the line before was "Running with gitlab-runner"
  KeyLines keys;
  std::string key_line;  // a line of a key without it
  bool learning = false;
  std::unordered_set<uint64_t> templates;  // of lines that rules took, while learning
  uint32_t step = 0;
  std::vector<uint32_t> step_lines;  // a rule's lines in the current step
  std::vector<uint16_t> touched;     // rules with step_lines != 0

  // While a block is scanned: the line that hits are collected for.
  Seq scan_seq = 0;
  std::vector<uint16_t> hits, decoys;
  double ceiling = 0;  // of the general decoys
};

Analyzer::Analyzer(std::shared_ptr<const Rules> rules, const Baseline* baseline)
    : state_(std::make_unique<State>(std::move(rules), baseline)) {}
Analyzer::~Analyzer() = default;
Analyzer::Analyzer(Analyzer&&) noexcept = default;
Analyzer& Analyzer::operator=(Analyzer&&) noexcept = default;

void Analyzer::feed(std::string_view bytes) {
  state_->source.feed(bytes);
  state_->progress.bytes = state_->source.bytes();
  state_->progress.lines = state_->source.lines();
}

Diagnosis Analyzer::finish(const ExitFacts& facts) {
  State& s = *state_;
  s.source.finish();
  s.scan_block();
  s.progress.lines = s.source.lines();
  s.seen.bytes = s.source.bytes();
  s.seen.line_count = s.source.lines();
  s.seen.checkout_path = s.progress.checkout_path;
  s.seen.tests = s.tests.all();
  s.seen.tests_total = s.tests.total();
  return judge(s.seen, s.baseline, facts);
}

void Analyzer::learn() {
  state_->learning = true;
}

std::vector<uint64_t> Analyzer::templates() const {
  std::vector<uint64_t> out(state_->templates.begin(), state_->templates.end());
  std::sort(out.begin(), out.end());
  return out;
}

const Analyzer::Progress& Analyzer::progress() const {
  return state_->progress;
}

void Analyzer::State::on_line(const SourceLine& line) {
  SourceLine kept = line;
  kept.text = without_keys(line.text);
  if (seen.lines.block_full(kept.text)) scan_block();
  const Seq seq = seen.lines.append(kept);
  if (line.number <= kHeaderLines) read_header(line);
  if (kept.text.starts_with(kFailed) || kept.text.starts_with(kSucceeded)) read_verdict(kept, seq);
  if (kept.flags & kCommand) {
    if (seen.commands.size() == kCommandsMax) seen.commands.erase(seen.commands.begin());
    const std::size_t prompt = kept.text.starts_with("$ ") ? 2 : kept.text.find("Run ") + 4;
    seen.commands.push_back({seq, quoted(kept.text.substr(prompt))});
    scan_block();
    ++step;
    for (const uint16_t rule : touched) step_lines[rule] = 0;
    touched.clear();
    tests.leave();
  }
  if (progress.section == "get_sources") {
    for (const std::string_view before :
         {"Initialized empty Git repository in ", "Reinitialized existing Git repository in "}) {
      if (!kept.text.starts_with(before)) continue;
      auto path = kept.text.substr(before.size());
      for (const std::string_view suffix : {"/", "/.git"}) {
        if (path.ends_with(suffix)) path.remove_suffix(suffix.size());
      }
      progress.checkout_path = std::string(path);
    }
  }
  if (kept.text.size() < 128 && kept.text.starts_with("Job's log exceeded limit of "))
    seen.limit_reached = true;
}

void Analyzer::State::read_header(const SourceLine& line) {
  constexpr std::string_view kRunning = "Running with gitlab-runner ";
  if (line.text.starts_with(kRunning) && progress.runner_version.empty()) {
    const auto rest = line.text.substr(kRunning.size());
    progress.runner_version = std::string(rest.substr(0, rest.find(' ')));
    header = true;
    return;
  }
  constexpr std::string_view kPreparing = "Preparing the \"";
  if (const auto end = line.text.find("\" executor");
      progress.executor.empty() && !(line.flags & kJobSaid) && line.text.starts_with(kPreparing) &&
      end != std::string_view::npos && end > kPreparing.size()) {
    progress.executor = std::string(line.text.substr(kPreparing.size(), end - kPreparing.size()));
  }
  if (!header) return;
  header = false;
  auto text = trimmed(line.text);
  if (!text.starts_with("on ")) return;
  constexpr std::string_view kSystem = ", system ID: ";
  if (const auto at = text.rfind(kSystem); at != std::string_view::npos) {
    progress.runner_system_id = std::string(text.substr(at + kSystem.size()));
    text = text.substr(0, at);
  }
  if (const auto at = text.rfind(' '); at != std::string_view::npos) {
    progress.runner_short_token = std::string(text.substr(at + 1));
  }
}

void Analyzer::State::read_verdict(const SourceLine& line, Seq seq) {
  if (line.flags & kJobSaid) return;
  const bool failed = line.text.starts_with(kFailed);
  seen.verdict = Verdict{seq, failed, line.flags, quoted(line.text)};
  if (progress.section.empty()) {
    progress.ended = true;
    progress.failed = failed;
  }
}

void Analyzer::State::on_marker(Marker marker, std::string_view name, uint8_t flags) {
  if (marker == Marker::runner_start || marker == Marker::runner_end) {
    // In the timestamped form the runner's stream cannot be written by the job.
    if (!(flags & kJobSaid) && runner_section(name)) on_runner_section(marker, name);
    return;
  }
  if (!name.starts_with("after_") && !name.starts_with("cache")) return;
  if (marker == Marker::travis_start) {
    if (seen.folds.size() < kSpansMax)
      seen.folds.push_back({std::string(name), seen.lines.end(), seen.lines.end(), {}});
  } else if (!seen.folds.empty() && seen.folds.back().name == name) {
    seen.folds.back().last_end = seen.lines.end();
  }
}

void Analyzer::State::on_runner_section(Marker marker, std::string_view name) {
  const Seq here = seen.lines.end();
  const auto span = std::find_if(seen.sections.begin(), seen.sections.end(),
                                 [&](const Span& s) { return s.name == name; });
  if (marker == Marker::runner_start) {
    if (span != seen.sections.end())
      span->last_start = here;
    else if (seen.sections.size() < kSpansMax)
      seen.sections.push_back({std::string(name), here, here, {}});
    progress.section = std::string(name);
    return;
  }
  if (span != seen.sections.end()) span->last_end = here;
  if (progress.section == name) progress.section.clear();
}

// A private key must not survive in pieces, whatever is cut later: its lines never reach the store.
std::string_view Analyzer::State::without_keys(std::string_view text) {
  const auto begin = keys.follow(text);
  if (begin == text.npos) return text;
  if (keys.began()) {
    ++seen.hidden_keys;
    if (text.find("-----END ", begin) != text.npos) return text;  // on one line: redact() knows it
  }
  key_line.assign(text.substr(0, begin)).append("[REDACTED]");
  return key_line;
}

void Analyzer::State::scan_block() {
  const auto block = seen.lines.block();
  if (seen.lines.block_first() < seen.lines.end()) {
    scan_seq = seen.lines.block_first();
    seen.rules->scan(
        block,
        [](void* context, const Hit& hit) {
          auto* self = static_cast<State*>(context);
          const auto& lines = self->seen.lines;
          while (lines.block_offset(self->scan_seq) + lines.length(self->scan_seq) < hit.end) {
            self->close_scanned_line();
            ++self->scan_seq;
          }
          if (self->hits.empty() || self->hits.back() != hit.rule) self->hits.push_back(hit.rule);
        },
        this);
    close_scanned_line();
    while (tests.busy() && ++scan_seq < seen.lines.end()) close_scanned_line();
  }
  seen.lines.close_block();
}

void Analyzer::State::close_scanned_line() {
  const auto text =
      seen.lines.block().substr(seen.lines.block_offset(scan_seq), seen.lines.length(scan_seq));
  if (tests.busy()) tests.follow(text);
  std::erase_if(hits, [&](uint16_t rule) {
    if (seen.rules->all()[rule].kind != Kind::context) return false;
    tests.enter(rule, text);
    return true;
  });
  if (!hits.empty()) {
    const auto& rules = seen.rules->all();
    seen.rules->scan_doubts(
        text,
        [](void* context, const Hit& hit) {
          auto* self = static_cast<State*>(context);
          if (hit.rule == kAnyRule)
            self->ceiling = std::max<double>(self->ceiling, hit.ceiling);
          else if (self->decoys.empty() || self->decoys.back() != hit.rule)
            self->decoys.push_back(hit.rule);
        },
        this);
    std::erase_if(hits, [&](uint16_t rule) {
      return (rules[rule].weight <= ceiling && rules[rule].kind == Kind::cause) ||
             std::find(decoys.begin(), decoys.end(), rule) != decoys.end();
    });
    std::sort(hits.begin(), hits.end(), [&](uint16_t a, uint16_t b) {
      return rules[a].weight != rules[b].weight ? rules[a].weight > rules[b].weight : a < b;
    });
    hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
    if (!hits.empty()) note(scan_seq, hits);
    hits.clear();
  }
  decoys.clear();
  ceiling = 0;
}

void Analyzer::State::note(Seq seq, const std::vector<uint16_t>& rules) {
  const auto line = seen.lines.get(seq);
  // What is about to run is no cause, whoever echoes it.
  if (!line || line->flags & kCommand || line->text.starts_with("$ ")) return;
  if (learning && templates.size() < kTemplatesMax) templates.insert(template_hash(line->text));
  // What quotes a command that failed is not itself a cause.
  const auto exit = std::find_if(rules.begin(), rules.end(), [&](uint16_t r) {
    return seen.rules->all()[r].kind == Kind::exit;
  });
  if (exit != rules.end()) {
    note_exit(seen.rules->all()[*exit], seq, line->text);
    add_candidate({.seq = seq, .rule = *exit, .step = step, .flags = line->flags});
    return;
  }
  // A line that wraps another's failure is that, unless it names a cause as well.
  const auto wrapper = std::find_if(rules.begin(), rules.end(), [&](uint16_t r) {
    return seen.rules->all()[r].kind == Kind::wrapper;
  });
  const bool wraps =
      wrapper != rules.end() && seen.rules->all()[rules.front()].weight <= kDecoyCeiling;
  Found found{.seq = seq, .step = step, .flags = line->flags};
  if (wraps) found.rule = *wrapper;
  std::size_t also = 0;
  for (const uint16_t index : rules) {
    const Rule& rule = seen.rules->all()[index];
    ++seen.rule_lines[index];
    if (step_lines[index]++ == 0) touched.push_back(index);
    if (!rule.test.empty())
      tests.take(index, rule.above > 0 ? with_lines_above(seq, rule.above) : "", line->text);
    if (found.rule == kNoRule) {
      found.rule = index;
      found.ordinal = step_lines[index] - 1;
    } else if (also < found.also.size()) {
      found.also[also++] = index;
    }
  }
  add_candidate(found);
}

std::string Analyzer::State::with_lines_above(Seq seq, uint8_t above) const {
  std::string text;
  for (Seq s = seq > above ? seq - above : 0; s <= seq; ++s) {
    if (const auto line = seen.lines.get(s)) text += std::string(line->text);
    if (s < seq) text += '\n';
  }
  return text;
}

void Analyzer::State::note_exit(const Rule& rule, Seq seq, std::string_view text) {
  ExitMark mark{.seq = seq, .code = {}};
  int code = 0;
  if (rule.code &&
      re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), rule.code->get(), &code))
    mark.code = code;
  if (seen.exits.size() == kExitsMax) seen.exits.erase(seen.exits.begin() + kExitsMax / 2);
  seen.exits.push_back(mark);
}

// What is worth keeping when there are more candidates than room: weighty ones, the first of their
// kind in their step, and those of later steps, since a job usually ends at the step that failed.
double Analyzer::State::keep_value(const Found& found) const {
  const double first = found.ordinal == 0 ? 1 : found.ordinal < 4 ? 0.9 : 0.5;
  const double age = static_cast<double>(found.seq) / static_cast<double>(seen.lines.end() + 1);
  return seen.rules->all()[found.rule].weight * first + 0.3 * age;
}

void Analyzer::State::add_candidate(Found found) {
  seen.candidates.push_back(found);
  seen.lines.pin(found.seq);
  while (seen.candidates.size() > kCandidatesMax ||
         (seen.lines.over_budget() && seen.candidates.size() > 8)) {
    const auto worst = std::min_element(
        seen.candidates.begin(), seen.candidates.end(),
        [&](const Found& a, const Found& b) { return keep_value(a) < keep_value(b); });
    seen.lines.unpin(worst->seq);
    seen.candidates.erase(worst);
  }
}

}  // namespace gitaiops::diagnosis
