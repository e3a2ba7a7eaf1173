// The section that names the cause: for each failed job what failed, the lines that prove it, whose
// problem it is and whether a retry can help. Jobs that may fail are folded.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "controller/note/markdown.h"
#include "controller/note/note.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

using fleet::v1::Diagnosis;
using fleet::v1::Excerpt;
using fleet::v1::JobReport;

// How many lines of the log are visible for each job, by the number of failed jobs; beyond three
// the rest is folded.
constexpr std::size_t kShownLines[] = {8, 5, 2};
constexpr std::size_t kMaxNamesInHeadline = 4;
constexpr std::size_t kMaxFoldedLines = 120;
constexpr int kMaxFailingTests = 20;
constexpr std::size_t kMaxNote = 256;

const Diagnosis* diagnosis(const JobView& job) {
  return job.report && job.report->has_diagnosis() ? &job.report->diagnosis() : nullptr;
}

std::string plural(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

// "test_total (cart.CartTest.test_total)" → "test_total": what stands in brackets says it again.
std::string_view short_name(std::string_view test) {
  const auto bracket = test.find(" (");
  return bracket == test.npos || bracket == 0 ? test : test.substr(0, bracket);
}

// ": `test_total` (`tests/test_cart.py:41`) and 2 more"
std::string tests_of(const Diagnosis& d) {
  if (d.failing_tests_size() == 0) return {};
  const auto& test = d.failing_tests(0);
  std::string out;
  if (!test.name().empty()) out += ": " + code_span(short_name(test.name()), 120);
  if (!test.file().empty())
    out +=
        " (" +
        code_span(test.file() + (test.has_line() ? ":" + std::to_string(test.line()) : ""), 160) +
        ")";
  if (d.failing_tests_size() > 1)
    out += " and " + std::to_string(d.failing_tests_size() - 1) + " more";
  return out;
}

// "test failure: `test_total` (`tests/test_cart.py:41`)"
std::string cause(const JobView& job) {
  const Diagnosis* d = diagnosis(job);
  std::string out;
  if (d != nullptr && !d->category().empty() && d->category() != "unknown") {
    out = category_words(d->category());
  } else {
    out = "cause not recognised";
    if (job.report && job.report->has_exit_code() && job.report->exit_code() != 0) {
      out += ", exit code " + std::to_string(job.report->exit_code());
    } else if (!job.failure_reason.empty()) {
      out += ", " + word(job.failure_reason);
    }
  }
  return d == nullptr ? out : out + tests_of(*d);
}

// Whose problem the judgement takes it for; empty: it does not say.
std::string_view owner_by_rules(const JobView& job) {
  const Diagnosis* d = diagnosis(job);
  return d == nullptr || d->category() == "unknown" ? std::string_view() : d->owner();
}

// "Looks like a problem of the tests; a retry will not help (93 % sure)"
std::string judgement(const JobView& job) {
  const Diagnosis* d = diagnosis(job);
  if (d == nullptr || d->category().empty() || d->category() == "unknown") return {};
  static constexpr std::pair<std::string_view, std::string_view> kRetries[] = {
      {"never", "a retry will not help"},
      {"once", "one retry may help"},
      {"backoff", "a retry after a while may help"},
      {"elsewhere", "a retry on another runner may help"}};
  std::string out = owner_words(d->owner());
  if (!out.empty()) out = "Looks like a problem of **" + out + "**";
  const auto* retry = std::ranges::find(kRetries, std::string_view(d->retry()),
                                        [](const auto& row) { return row.first; });
  if (retry != std::end(kRetries)) out += (out.empty() ? "" : "; ") + std::string(retry->second);
  if (out.empty()) return {};
  const int percent = static_cast<int>(std::clamp(d->confidence(), 0.0, 1.0) * 100 + 0.5);
  return out + " (" + std::to_string(percent) + " % sure)";
}

// An excerpt's lines with their numbers in the original log. "… (7 lines)" stands for what was left
// out; a log can forge that, so the numbers are kept only where they add up to the excerpt's own
// range.
std::vector<LogLine> numbered(const Excerpt& excerpt, uint64_t cause_line) {
  std::vector<LogLine> lines;
  std::string_view text = excerpt.text();
  while (text.ends_with('\n')) text.remove_suffix(1);
  for (const auto part : split(text, '\n')) lines.push_back({0, false, std::string(part)});
  for (const bool elisions : {true, false}) {
    uint64_t next = excerpt.first_line();
    std::vector<LogLine> tried = lines;
    for (auto& line : tried) {
      std::string_view inner = line.text;
      const bool elided = elisions && inner.starts_with("… (") && inner.ends_with(" lines)");
      if (elided) inner = inner.substr(5, inner.size() - 5 - 7);
      if (const auto count = elided ? parse_uint(inner) : std::nullopt;
          count && *count < excerpt.last_line()) {
        next += *count;
        continue;
      }
      line.number = next++;
      line.cause = line.number == cause_line;
    }
    // Equal: whole. Below: the end was trimmed for size.
    if (excerpt.first_line() > 0 && next <= excerpt.last_line() + 1) return tried;
  }
  return lines;
}

// Rulers, blank lines and what stands for left-out lines: nothing that proves anything.
bool says_something(const LogLine& line) {
  return line.number > 0 && line.text.find_first_not_of(" \t-=_*#~+.") != std::string::npos;
}

bool is_ruler(std::string_view text) {
  return text.size() >= 3 && text.find_first_not_of('=') == text.npos;
}

bool names_an_error(std::string_view text) {
  static constexpr std::string_view kSigns[] = {"rror",  "ssert", "xception", "xpected", "anic",
                                                "fatal", "FATAL", "!=",       "ERROR"};
  return std::ranges::any_of(kSigns, [&](auto sign) { return text.find(sign) != text.npos; });
}

// Where a heading ("FAIL: test_total") is the cause, the line that says why: the last one before
// the next ruler that names an error. `cause` itself when that says it already.
std::size_t verdict_of(const std::vector<LogLine>& lines, std::size_t cause) {
  std::size_t found = cause;
  if (names_an_error(lines[cause].text)) return found;
  for (std::size_t i = cause + 1; i < lines.size() && !is_ruler(lines[i].text); ++i)
    if (says_something(lines[i]) && names_an_error(lines[i].text)) found = i;
  return found;
}

// At most `show` lines, in their order: the cause, the verdict, what leads to the verdict, a little
// before the cause, what follows.
std::vector<LogLine> telling(const std::vector<LogLine>& lines, std::size_t show) {
  std::vector<std::size_t> order;
  const auto at = std::ranges::find(lines, true, &LogLine::cause);
  const auto add = [&](std::size_t i) {
    if (i < lines.size() && (says_something(lines[i]) || lines[i].cause)) order.push_back(i);
  };
  if (at != lines.end()) {
    const auto cause = static_cast<std::size_t>(at - lines.begin());
    const std::size_t verdict = verdict_of(lines, cause);
    add(cause);
    for (std::size_t i = verdict; i > cause; --i) add(i);
    for (std::size_t i = 1; i <= std::min({std::size_t{2}, show / 3, cause}); ++i) add(cause - i);
    for (std::size_t i = verdict + 1; i < lines.size(); ++i) add(i);
    for (std::size_t i = 3; i <= cause; ++i) add(cause - i);
  } else {
    for (std::size_t i = lines.size(); i > 0; --i) add(i - 1);
  }
  if (order.size() > show) order.resize(show);
  std::ranges::sort(order);
  std::vector<LogLine> out;
  for (const auto i : order) out.push_back(lines[i]);
  return out;
}

struct Evidence {
  std::vector<LogLine> shown;  // around the cause
  std::vector<std::vector<LogLine>> all;
  bool more = false;  // `all` has what `shown` has not
};

Evidence evidence(const JobView& job, std::size_t show) {
  Evidence out;
  const Diagnosis* d = diagnosis(job);
  if (d == nullptr) return out;
  const uint64_t cause_line = d->root_cause().line();
  std::size_t total = 0;
  for (const auto& excerpt : d->evidence()) {
    auto lines = numbered(excerpt, cause_line);
    if (lines.size() > kMaxFoldedLines) lines.resize(kMaxFoldedLines);
    const auto telling_lines =
        static_cast<std::size_t>(std::ranges::count_if(lines, says_something));
    if (telling_lines == 0) continue;
    total += telling_lines;
    const bool has_cause = std::ranges::find(lines, true, &LogLine::cause) != lines.end();
    if (out.shown.empty() && (has_cause || cause_line == 0)) out.shown = telling(lines, show);
    out.all.push_back(std::move(lines));
  }
  if (out.shown.empty() && d->has_root_cause() && !d->root_cause().text().empty()) {
    out.shown.push_back({d->root_cause().line(), true, d->root_cause().text()});
    total += 1;
  }
  out.more = total > out.shown.size();
  return out;
}

std::string log_link(const JobView& job) {
  const Diagnosis* d = diagnosis(job);
  const uint64_t line = d == nullptr ? 0 : d->root_cause().line();
  if (job.web_url.empty()) return line == 0 ? "" : "Log line " + std::to_string(line);
  if (line == 0) return link("Job", job.web_url);
  return link("Log line " + std::to_string(line), job.web_url + "#L" + std::to_string(line));
}

std::string joined(std::initializer_list<std::string> parts) {
  std::string out;
  for (const auto& part : parts)
    if (!part.empty()) out += (out.empty() ? "" : " · ") + part;
  return out;
}

// Why there is less to show than there might be.
std::string caveats(const JobReport& report, bool fetched, bool quote_logs) {
  std::string out;
  const auto& log = report.log();
  const std::string why = log.reason().empty() ? "." : ": " + code_span(log.reason(), kMaxNote);
  if (fetched) out += "- No agent watched this job; its log was read at GitLab.\n";
  if (log.availability() == fleet::v1::LogFacts::AVAILABILITY_UNAVAILABLE) {
    out += "- The log was not available" + why + "\n";
  } else if (log.availability() == fleet::v1::LogFacts::AVAILABILITY_PARTIAL) {
    out += "- A part of the log is missing" + why + "\n";
  }
  if (log.limit_reached()) out += "- The runner cut the log at its size limit.\n";
  if (!quote_logs)
    out += "- The log is not quoted here: not every reader of this note may see it.\n";
  for (int i = 0; i < std::min(report.notes_size(), 8); ++i)
    out += "- " + code_span(report.notes(i), kMaxNote) + "\n";
  return out;
}

std::string failing_tests(const Diagnosis& d) {
  if (d.failing_tests_size() < 2) return {};  // the one is in the headline
  std::string out =
      plural(static_cast<std::size_t>(d.failing_tests_size()), "failing test") + ":\n\n";
  for (int i = 0; i < std::min(d.failing_tests_size(), kMaxFailingTests); ++i) {
    const auto& test = d.failing_tests(i);
    out += "- " + code_span(test.name());
    if (!test.file().empty())
      out += " in " +
             code_span(test.file() + (test.has_line() ? ":" + std::to_string(test.line()) : ""));
    out += "\n";
  }
  if (d.failing_tests_size() > kMaxFailingTests)
    out += "- and " + std::to_string(d.failing_tests_size() - kMaxFailingTests) + " more\n";
  return out;
}

void add_part(std::string& out, std::string_view part) {
  if (part.empty()) return;
  if (!out.empty()) out += "\n";
  out += part;
}

std::string details(const JobView& job, const Evidence& proof, bool quote_logs) {
  std::string out;
  const Diagnosis* d = diagnosis(job);
  if (d != nullptr && !d->command().empty())
    add_part(out, "Command: " + code_span(d->command(), 512) + "\n");
  if (proof.more)
    for (const auto& lines : proof.all) add_part(out, fenced(lines));
  if (d != nullptr) add_part(out, failing_tests(*d));
  if (job.explanation) add_part(out, cited(*job.explanation));
  add_part(out, caveats(*job.report, job.fetched, quote_logs));
  return out;
}

Block block_of(const JobView& job, const View& view, std::size_t show, bool alone) {
  const Evidence proof = evidence(job, show);
  Block block;
  const std::string who = alone ? "" : name_of(job) + " — " + cause(job);
  block.shown = joined({who, log_link(job), judgement(job)});
  if (!block.shown.empty()) block.shown += "\n";
  if (!proof.shown.empty()) block.shown += fenced(proof.shown);
  if (job.seen) {
    const std::string line = seen_line(*job.seen);
    if (!line.empty()) block.shown += line + "\n";
  }
  if (job.explanation) block.shown += explained(*job.explanation, owner_by_rules(job));
  block.folded = details(job, proof, view.quote_logs);
  if (!block.folded.empty() && !job.allow_failure)
    block.folded.insert(0, "**" + name_of(job) + "**\n\n");
  return block;
}

std::string names(const std::vector<const JobView*>& jobs) {
  std::string out;
  for (std::size_t i = 0; i < std::min(jobs.size(), kMaxNamesInHeadline); ++i)
    out += (i > 0 ? ", " : "") + name_of(*jobs[i]);
  if (jobs.size() > kMaxNamesInHeadline)
    out += " and " + std::to_string(jobs.size() - kMaxNamesInHeadline) + " more";
  return out;
}

struct Failed {
  std::vector<const JobView*> blocking, allowed;
  std::size_t unwatched = 0;  // blocking, and no agent told why
};

Failed failed_jobs(const View& view) {
  Failed out;
  for (const auto& job : view.jobs) {
    if (job.status != "failed") continue;
    if (!job.report) {
      out.unwatched += job.allow_failure ? 0 : 1;
    } else {
      (job.allow_failure ? out.allowed : out.blocking).push_back(&job);
    }
  }
  const auto id = [](const JobView* job) { return job->id; };
  std::ranges::sort(out.blocking, {}, id);
  std::ranges::sort(out.allowed, {}, id);
  return out;
}

std::string headline(const View& view, const Failed& failed) {
  const std::string unwatched = plural(failed.unwatched, "job") + " failed where no agent watched";
  if (!failed.blocking.empty()) {
    const bool one = failed.blocking.size() == 1;
    std::string out =
        "**" + plural(failed.blocking.size(), "job") + " failed:** " + names(failed.blocking);
    if (one) out += " — " + cause(*failed.blocking.front());
    return failed.unwatched == 0 ? out : out + "; " + unwatched;
  }
  if (failed.unwatched > 0) return "**" + unwatched + "**, so there is no cause to show";
  if (!failed.allowed.empty())
    return "**Nothing blocks.** " + plural(failed.allowed.size(), "job") +
           " that may fail did: " + names(failed.allowed);
  if (view.pipeline_status == "success")
    return "**All green now.** Every job of the newest pipeline passed.";
  return "**No failure left.** No job of the newest pipeline has failed so far.";
}

class Failures final : public Section {
 public:
  std::string_view name() const override { return "failures"; }
  Contribution contribute(const View& view) const override {
    const Failed failed = failed_jobs(view);
    Contribution out;
    out.worth_a_note = !failed.blocking.empty() || !failed.allowed.empty();
    out.headline = headline(view, failed);
    const std::size_t count = failed.blocking.size();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t show = kShownLines[std::min<std::size_t>(count, 3) - 1];
      Block block = block_of(*failed.blocking[i], view, show, count == 1);
      if (i == 0)
        block.fold_title = "More about the " + std::string(count == 1 ? "failure" : "failures");
      out.blocks.push_back(std::move(block));
    }
    for (const auto* job : failed.allowed) {
      Block block = block_of(*job, view, kShownLines[0], false);
      out.blocks.push_back(
          {.shown = "",
           .folded = block.shown + (block.folded.empty() ? "" : "\n" + block.folded),
           .fold_title = ""});
    }
    if (!failed.allowed.empty() && !out.blocks.empty())
      out.blocks.back().fold_title = plural(failed.allowed.size(), "failed job") + " that may fail";
    return out;
  }
};

}  // namespace

std::string in_short(const JobView& job) {
  if (!job.report) return name_of(job) + " failed where no agent watched.\n";
  std::string out = joined({name_of(job) + " — " + cause(job), judgement(job)}) + "\n";
  const Diagnosis* d = diagnosis(job);
  if (d == nullptr || d->root_cause().text().empty()) return out;
  const std::string line = d->root_cause().line() == 0
                               ? std::string("The log says")
                               : "Log line " + std::to_string(d->root_cause().line());
  return out + line + ": " + code_span(d->root_cause().text()) + "\n";
}

std::shared_ptr<const Section> failures() {
  return std::make_shared<Failures>();
}

}  // namespace gitaiops::note
