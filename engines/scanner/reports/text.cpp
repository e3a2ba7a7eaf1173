#include <array>
#include <cstdio>

#include "base/bytes/bytes.h"
#include "engines/scanner/reports/reports.h"

namespace gitaiops::scanner {
namespace {

constexpr std::size_t kShownFixes = 3, kShownNames = 4, kSummary = 100;

std::string shown(std::string_view text) {
  std::string out = to_utf8(text, Controls::replace);
  for (char& c : out)
    if (c == '\n' || c == '\t') c = ' ';
  return out;
}

// Bold red, red, yellow, none.
std::string_view colour_of(Severity level) {
  switch (level) {
    case Severity::critical:
      return "\x1b[1;31m";
    case Severity::high:
      return "\x1b[31m";
    case Severity::medium:
      return "\x1b[33m";
    default:
      return "";
  }
}

std::string heading(const Finding& f, bool colour) {
  std::string word = f.informational != Informational::no ? std::string(to_string(f.informational))
                                                          : std::string(to_string(f.level));
  if (f.informational == Informational::no && f.score >= 0) {
    char number[16];
    std::snprintf(number, sizeof number, " %.1f", f.score);
    word += number;
  }
  constexpr std::size_t kWidth = 13;
  const std::string padding(word.size() < kWidth ? kWidth - word.size() : 1, ' ');
  const auto paint = f.informational == Informational::no ? colour_of(f.level) : "";
  if (!colour || paint.empty()) return word + padding;
  return std::string(paint) + word + "\x1b[0m" + padding;
}

std::string joined(const std::vector<std::string>& all, std::string_view separator,
                   std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < all.size() && i < most; ++i)
    (out += i ? separator : "") += shown(all[i]);
  if (all.size() > most) out += separator, out += "…";
  return out;
}

std::string lines_of(const PackageSet& set, const Finding& f, bool colour) {
  const auto& package = set.packages[f.package];
  std::string out = "  " + heading(f, colour) + shown(package.name) + " " + shown(package.version);
  if (!f.fixed.empty()) out += " (fixed in " + joined(f.fixed, ", ", kShownFixes) + ")";
  out += "  " + shown(f.id);
  if (!f.aliases.empty()) out += " " + joined(f.aliases, " ", kShownNames);
  out += "\n";
  const std::string indent(15, ' ');
  if (!f.summary.empty()) out += indent + truncate_utf8(shown(f.summary), kSummary) + "\n";
  if (f.path.size() > 1) {
    std::vector<std::string> names;
    for (const auto at : f.path) names.push_back(set.packages[at].name);
    constexpr std::size_t kShownSteps = 8;
    out += indent + "through " + joined(names, " > ", kShownSteps) + "\n";
  }
  char risk[32];
  std::snprintf(risk, sizeof risk, "risk %.0f: ", f.risk.value);
  out += indent + risk + joined(f.risk.reasons, "; ", SIZE_MAX) + "\n";
  return out;
}

// What does not count, and why; never left out.
std::string set_aside(const Inventory& inventory, const Findings& findings) {
  std::string out;
  for (const auto& f : findings.all) {
    if (f.ignored.empty()) continue;
    const auto& package = inventory.sets[f.set].packages[f.package];
    out += "  " + shown(f.id) + " in " + shown(package.name) + " " + shown(package.version) + ": " +
           shown(f.ignored) + "\n";
  }
  return out.empty() ? out : "Set aside\n" + out + "\n";
}

}  // namespace

std::string findings_text(const Inventory& inventory, const Findings& findings, bool colour) {
  std::string out;
  for (uint32_t s = 0; s < inventory.sets.size(); ++s) {
    const auto& set = inventory.sets[s];
    std::string lines;
    for (const auto& finding : findings.all)
      if (finding.set == s && finding.ignored.empty()) lines += lines_of(set, finding, colour);
    if (lines.empty()) continue;
    out += shown(set.lock.empty() ? set.manifest : set.lock) + "\n" + lines + "\n";
  }
  out += set_aside(inventory, findings);
  std::array<int, 6> counts{};
  int informational = 0, ignored = 0;
  for (const auto& finding : findings.all) {
    if (!finding.ignored.empty())
      ++ignored;
    else if (finding.informational != Informational::no)
      ++informational;
    else
      ++counts[static_cast<std::size_t>(finding.level)];
  }
  std::string summary;
  const auto add = [&](int count, std::string_view word) {
    if (count > 0)
      (summary += summary.empty() ? "" : ", ") += std::to_string(count) + " " + std::string(word);
  };
  for (auto level = counts.size(); level-- > 0;)
    add(counts[level], to_string(static_cast<Severity>(level)));
  add(informational, "informational");
  add(ignored, "set aside");
  out += summary.empty() ? "No known vulnerabilities" : summary;
  if (findings.without_version > 0)
    out += "; " + std::to_string(findings.without_version) +
           (findings.without_version == 1 ? " package has" : " packages have") +
           " no exact version and could not be judged";
  return out + "\n";
}

}  // namespace gitaiops::scanner
