// A diagnosis for people: what failed, where, the lines, whose problem it is, and whether a retry
// can help.
#include <algorithm>
#include <array>
#include <cstdio>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kTestsShown = 10;

struct Paint {
  bool on;
  std::string operator()(const char* code, std::string_view text) const {
    return on ? std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m"
              : std::string(text);
  }
};
constexpr const char* kBold = "1";
constexpr const char* kDim = "2";
constexpr const char* kRedBold = "1;31";
constexpr const char* kGreen = "32";
constexpr const char* kYellow = "33";

// Of a job of which nobody knows more than its log.
bool nothing_read(const Diagnosis& d) {
  return !d.root_cause && d.outcome == Outcome::unknown && d.category == "unknown";
}

// A log that stops in the middle, or of a system that is not known.
bool end_unknown(const Diagnosis& d) {
  return d.outcome == Outcome::unknown;
}
constexpr std::string_view kEndUnknown = "the log does not say how the job ended";

std::string title_of(const Diagnosis& d) {
  if (d.category.empty()) return std::string(to_string(d.outcome));
  if (d.category == "unknown")
    return end_unknown(d) ? "cause not recognised" : "failed, cause not recognised";
  for (const RuleCategory& c : rule_categories(*builtin_rules())) {
    if (c.id == d.category) return c.title;
  }
  return d.category;
}

std::string whose(const Diagnosis& d) {
  if (d.owner == "code") return "the change itself";
  if (d.owner == "test") return "a test, or the code under it";
  if (d.owner == "dependency") return "a dependency";
  if (d.owner == "config") return "the job's configuration";
  if (d.owner == "infrastructure") return "the network or a remote service, not the change";
  if (d.owner == "runner") return "the runner or its host, not the change";
  if (d.owner == "user") return "somebody stopped it";
  return "not known";
}

std::string retry_advice(const Diagnosis& d) {
  if (!d.retry) return "not known";
  if (d.owner == "user") return "when it is wanted again";
  switch (*d.retry) {
    case Retry::never:
      return "no, it would fail again";
    case Retry::once:
      return "once is worth a try";
    case Retry::backoff:
      return "yes, after a pause";
    case Retry::elsewhere:
      return "only on a larger or another runner";
  }
  return {};
}

std::string sure(const Diagnosis& d) {
  char text[32];
  std::snprintf(text, sizeof text, "%d %% sure", static_cast<int>(d.confidence * 100 + 0.5));
  return text;
}

std::string field(const Paint& paint, std::string_view name, std::string_view value) {
  std::string label(name);
  label.resize(9, ' ');
  return "  " + paint(kDim, label) + std::string(value) + "\n";
}

// The excerpt with line numbers; after an elided middle they count up to the last line.
std::string numbered(const Paint& paint, const Excerpt& e, uint64_t mark) {
  const auto lines = split(e.text, '\n');
  const auto width = std::to_string(e.last_line).size();
  std::string out;
  uint64_t number = e.first_line;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("… (") && lines[i].ends_with(" lines)")) {
      out += "  " + std::string(width, ' ') + " " + paint(kDim, lines[i]) + "\n";
      number = e.last_line - (lines.size() - i - 2);
      continue;
    }
    std::string label = std::to_string(number);
    label.insert(0, width - std::min(width, label.size()), ' ');
    const bool cause = number == mark;
    out += "  " + paint(cause ? kRedBold : kDim, label + (cause ? " > " : "   ")) +
           (cause ? paint(kBold, lines[i]) : std::string(lines[i])) + "\n";
    ++number;
  }
  return out;
}

std::string where(const Diagnosis& d) {
  std::string out = d.phase;
  if (!d.command.empty())
    out += (out.empty() ? "$ " : ", $ ") + d.command.substr(0, d.command.find('\n'));
  if (d.exit_code)
    out += (out.empty() ? "exit code " : ", exit code ") + std::to_string(*d.exit_code);
  if (d.signal) out += (out.empty() ? "signal " : ", signal ") + std::to_string(*d.signal);
  return out;
}

uint64_t tests_not_shown(const Diagnosis& d) {
  const uint64_t all = std::max<uint64_t>(d.failing_tests_total, d.failing_tests.size());
  return all > kTestsShown ? all - kTestsShown : 0;
}

std::string tests(const Paint& paint, const Diagnosis& d) {
  std::string out;
  for (std::size_t i = 0; i < d.failing_tests.size() && i < kTestsShown; ++i) {
    const auto& t = d.failing_tests[i];
    std::string place = t.file;
    if (t.line) place += ":" + std::to_string(*t.line);
    out += "  - " + t.name + (place.empty() ? "" : " " + paint(kDim, place)) + "\n";
  }
  if (const uint64_t more = tests_not_shown(d))
    out += paint(kDim, "  and " + std::to_string(more) + " more") + "\n";
  return out;
}

// Untrusted text inside a fence that none of its lines can close.
std::string fenced(std::string_view text) {
  std::size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
  return fence + "text\n" + std::string(text) + "\n" + fence + "\n";
}

// Untrusted text inside a line, as code that no back-tick of its own can close.
std::string code(std::string_view text) {
  std::string flat(text);
  std::replace(flat.begin(), flat.end(), '\n', ' ');
  std::replace(flat.begin(), flat.end(), '`', '\'');
  return "`" + flat + "`";
}

// Closed ranges of code points that steer a terminal, turn the order of what is read around, or
// cannot be seen.
struct Range {
  char32_t first, last;
};
constexpr std::array kUnseen = {
    Range{0x80, 0x9F},     Range{0xAD, 0xAD},      Range{0x61C, 0x61C},   Range{0x180E, 0x180E},
    Range{0x200B, 0x200F}, Range{0x2028, 0x202E},  Range{0x2060, 0x206F}, Range{0xFEFF, 0xFEFF},
    Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE007F}};

// Valid UTF-8 with those written out, as \u{202E}.
std::string visible(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const auto lead = byte(0);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (at + length > text.size()) break;  // not UTF-8
    char32_t point = length == 1 ? lead : lead & (0x7F >> length);
    for (std::size_t i = 1; i < length; ++i) point = point << 6 | (byte(i) & 0x3F);
    if (std::any_of(kUnseen.begin(), kUnseen.end(),
                    [&](Range r) { return point >= r.first && point <= r.last; })) {
      char name[16];
      std::snprintf(name, sizeof name, "\\u{%X}", static_cast<unsigned>(point));
      out += name;
    } else {
      out.append(text.substr(at, length));
    }
    at += length;
  }
  return out;
}

}  // namespace

std::string to_text(const Diagnosis& d, bool colour) {
  const Paint paint{colour};
  if (d.outcome == Outcome::passed) return paint(kGreen, "passed") + ": nothing to explain\n";
  if (nothing_read(d))
    return std::string(d.lines == 0 ? "empty log" : "no words in the log") +
           ": nothing to explain\n";
  std::string out = paint(kRedBold, title_of(d)) + paint(kDim, "  " + d.category) + "\n";
  if (d.root_cause) {
    out += "  " + paint(kBold, trimmed(d.root_cause->text)) + "\n\n";
  }
  if (const auto place = where(d); !place.empty()) out += field(paint, "where", place);
  if (d.category != "unknown")
    out += field(paint, "whose", whose(d) + paint(kDim, " (" + sure(d) + ")"));
  out += field(paint, "retry", retry_advice(d));
  if (d.lines == 0) out += field(paint, "note", paint(kYellow, "the log is empty"));
  if (d.truncated) out += field(paint, "note", paint(kYellow, "the log is incomplete"));
  if (end_unknown(d)) out += field(paint, "note", paint(kYellow, kEndUnknown));
  if (d.redacted) out += field(paint, "note", "secrets are hidden");
  for (const auto& e : d.evidence)
    out += "\n" + numbered(paint, e, d.root_cause ? d.root_cause->line : 0);
  if (!d.failing_tests.empty())
    out += "\n" + paint(kBold, "Failing tests") + "\n" + tests(paint, d);
  return visible(out);
}

std::string to_markdown(const Diagnosis& d) {
  if (d.outcome == Outcome::passed) return "**passed**: nothing to explain\n";
  if (nothing_read(d))
    return std::string(d.lines == 0 ? "The log is **empty**" : "The log has **no words**") +
           ": nothing to explain\n";
  std::string out = "**" + title_of(d) + "** (" + code(d.category) + ")\n\n";
  if (const auto place = where(d); !place.empty()) out += "- Where: " + code(place) + "\n";
  if (d.category != "unknown") out += "- Whose: " + whose(d) + " (" + sure(d) + ")\n";
  out += "- Retry: " + retry_advice(d) + "\n";
  if (d.truncated) out += "- The log is incomplete.\n";
  if (end_unknown(d)) out += "- Note: " + std::string(kEndUnknown) + "\n";
  for (const auto& e : d.evidence) {
    out += "\nLines " + std::to_string(e.first_line) + " to " + std::to_string(e.last_line) +
           ":\n\n" + fenced(e.text);
  }
  if (!d.failing_tests.empty()) {
    out += "\nFailing tests:\n\n";
    for (std::size_t i = 0; i < d.failing_tests.size() && i < kTestsShown; ++i)
      out += "- " + code(d.failing_tests[i].name) + "\n";
    if (const uint64_t more = tests_not_shown(d))
      out += "- and " + std::to_string(more) + " more\n";
  }
  return visible(out);
}

}  // namespace gitaiops::diagnosis
