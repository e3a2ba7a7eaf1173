// Puts the contributions together. The headline comes first, then what leads; room for visible
// lines is given out in the sections' order, but the first block of each section has its place
// reserved before any second one; what finds no room goes into the one fold at the end.
#include <algorithm>

#include "controller/note/markdown.h"
#include "controller/note/note.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kFoldLines = 2;  // a blank one and the fold's title
constexpr std::size_t kMaxShownBytes = 16 << 10;
constexpr std::string_view kSwitchedOff =
    "Notes are switched off for this project by its file `.gitaiops.yml`.\n";
constexpr std::string_view kFoldEnd = "\n</details>\n";
constexpr std::string_view kLeftOut = "\nMore is left out here: a note has its limit.\n";

// A block and the blank line before it.
std::size_t cost(const Block& block) {
  return block.shown.empty() ? 0 : line_count(block.shown) + 1;
}

void add_paragraph(std::string& out, std::string_view text) {
  if (text.empty()) return;
  out += "\n";
  out += text;
  if (!text.ends_with('\n')) out += "\n";
}

std::string fold(const std::vector<std::string>& titles, const std::vector<std::string>& texts,
                 std::size_t room) {
  if (texts.empty()) return {};
  std::string title;
  for (const auto& part : titles) title += (title.empty() ? "" : ", ") + part;
  std::string out = "\n<details><summary>" + (title.empty() ? "More" : title) + "</summary>\n";
  bool all = true;
  for (const auto& text : texts) {
    if (out.size() + text.size() + 2 + kLeftOut.size() + kFoldEnd.size() <= room) {
      add_paragraph(out, text);
    } else {
      all = false;
    }
  }
  if (!all) out += kLeftOut;
  out += kFoldEnd;
  return out;
}

// What may be said of a job to readers who may not see its log: nothing that was read from the log,
// and no free text. A list of what is kept, so that a field added later is withheld.
fleet::v1::JobReport without_log(const fleet::v1::JobReport& report) {
  fleet::v1::JobReport out;
  out.set_outcome(report.outcome());
  if (report.has_exit_code()) out.set_exit_code(report.exit_code());
  if (report.has_wall_us()) out.set_wall_us(report.wall_us());
  out.mutable_log()->set_availability(report.log().availability());
  out.mutable_log()->set_limit_reached(report.log().limit_reached());
  const auto& usage = report.usage();
  if (usage.has_cpu_us()) *out.mutable_usage()->mutable_cpu_us() = usage.cpu_us();
  if (usage.has_memory_peak_bytes())
    *out.mutable_usage()->mutable_memory_peak_bytes() = usage.memory_peak_bytes();
  for (const auto& container : usage.containers()) {
    auto& kept = *out.mutable_usage()->add_containers();
    kept.set_kind(container.kind());
    kept.set_memory_limit_bytes(container.memory_limit_bytes());
    if (container.has_memory_peak_bytes())
      *kept.mutable_memory_peak_bytes() = container.memory_peak_bytes();
    if (container.has_oom_kills()) *kept.mutable_oom_kills() = container.oom_kills();
    if (container.has_cpu_throttled_us())
      *kept.mutable_cpu_throttled_us() = container.cpu_throttled_us();
  }
  if (report.has_diagnosis()) {
    const auto& from = report.diagnosis();
    auto& to = *out.mutable_diagnosis();
    to.set_category(from.category());
    to.set_owner(from.owner());
    to.set_retry(from.retry());
    to.set_confidence(from.confidence());
  }
  return out;
}

// Likewise of what a project depends on: how bad it is, and no more.
Vulnerable only_severity(const Vulnerable& from) {
  Vulnerable out;
  out.severity = from.severity;
  out.known_exploited = from.known_exploited;
  return out;
}

}  // namespace

View for_readers(View view) {
  if (view.quote_logs) return view;
  for (auto& job : view.jobs) {
    if (job.report) job.report = without_log(*job.report);
    if (job.seen) job.seen->sha.clear();
    job.explanation.reset();  // read from the log
  }
  if (view.dependencies) {
    view.dependencies->commit.clear();
    for (auto* list :
         {&view.dependencies->added, &view.dependencies->removed, &view.dependencies->accepted})
      for (auto& one : *list) one = only_severity(one);
  }
  return view;
}

namespace {

std::string bare_headline(const std::vector<Contribution>& said) {
  const bool any = std::ranges::any_of(
      said, [](const Contribution& one) { return !one.lead.empty() || !one.blocks.empty(); });
  return any ? "About this merge request:" : "There is nothing to say any more.";
}

// Whoever made them reads the note and looks for what is missing; others need not see them.
Contribution of_mistakes(const std::vector<std::string>& mistakes) {
  Block block;
  for (const auto& mistake : mistakes) block.folded += "- " + code_span(mistake) + "\n";
  block.fold_title = "mistake in the project file";
  return {.headline = {}, .blocks = {std::move(block)}};
}

}  // namespace

std::string marker(std::string_view place) {
  std::string safe;
  for (const char c : place.substr(0, 200)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '.' || c == '_' || c == '/' || c == '-';
    // "--" would end the comment early for some readers.
    safe += plain && !(c == '-' && safe.ends_with('-')) ? c : '_';
  }
  return "<!-- gitaiops:note v1 " + safe + " -->";
}

std::string muted(std::string body, std::string_view username) {
  const std::string line =
      "\nMuted by " + code_span(username, 100) + "; a comment with `/gitaiops unmute` ends that.\n";
  if (!body.ends_with(line)) body += line;
  return body;
}

std::string Composer::compose(const View& asked) const {
  if (!asked.wanted)
    return asked.has_note ? marker(asked.place) + "\n" + std::string(kSwitchedOff) : std::string();
  std::optional<View> bare;
  if (!asked.quote_logs) bare = for_readers(asked);
  const View& view = bare ? *bare : asked;
  std::vector<Contribution> said;
  bool worth = view.has_note;
  std::string headline;
  bool of_worth = false;
  for (const auto& section : sections_) {
    if (!view.wants(section->name())) continue;
    said.push_back(section->contribute(view));
    const auto& last = said.back();
    worth = worth || last.worth_a_note;
    if (last.headline.empty() || of_worth) continue;
    if (headline.empty() || last.worth_a_note) headline = last.headline;
    of_worth = last.worth_a_note;
  }
  if (!worth) return {};
  // What usually gives the headline may not be wanted.
  if (headline.empty() && !view.unwanted.empty()) headline = bare_headline(said);
  if (headline.empty()) return {};
  if (!view.mistakes.empty()) said.push_back(of_mistakes(view.mistakes));

  std::size_t reserved = kFoldLines;
  for (const auto& one : said) reserved += one.blocks.empty() ? 0 : cost(one.blocks.front());
  std::string out = marker(view.place) + "\n" + headline + "\n";
  std::size_t room = kMaxVisibleLines - 2;
  std::vector<std::string> titles, texts;
  for (const auto& one : said) {
    if (one.lead.empty()) continue;
    add_paragraph(out, one.lead);
    room -= line_count(one.lead) + 1;
  }
  for (const auto& one : said) {
    for (const auto& block : one.blocks) {
      const bool first = &block == &one.blocks.front();
      const std::size_t needed = cost(block);
      const std::size_t keep_free = first ? kFoldLines : reserved;
      if (first) reserved -= needed;
      if (room >= needed + keep_free && out.size() + block.shown.size() <= kMaxShownBytes) {
        add_paragraph(out, block.shown);
        room -= needed;
      } else if (!block.shown.empty()) {
        texts.push_back(block.shown);
      }
      if (!block.folded.empty()) texts.push_back(block.folded);
      if (!block.fold_title.empty()) titles.push_back(block.fold_title);
    }
  }
  return out + fold(titles, texts, kMaxBytes - out.size());
}

}  // namespace gitaiops::note
