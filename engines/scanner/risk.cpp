#include "engines/scanner/risk.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gitaiops::scanner {
namespace {

constexpr double kUntried = 0.3;        // threat of what nobody is known to try
constexpr double kUnscoredEpss = 0.02;  // about the mean of all scored ones
constexpr double kDeeper = 0.95;        // for each step from the project
constexpr double kDeepest = 0.7;
constexpr double kUncertain = 0.5, kNoFix = 0.9, kNotImported = 0.7;
constexpr double kNotNamed = 0.6;

double middle_of(Severity level) {
  switch (level) {
    case Severity::none:
      return 0;
    case Severity::low:
      return 0.3;
    case Severity::medium:
      return 0.55;
    case Severity::high:
      return 0.8;
    case Severity::critical:
      return 0.95;
    case Severity::unknown:
      break;
  }
  return 0.5;
}

double share_of(Scope scope) {
  switch (scope) {
    case Scope::development:
      return 0.4;
    case Scope::build:
      return 0.6;
    case Scope::optional:
      return 0.8;
    case Scope::runtime:
      break;
  }
  return 1;
}

std::string with_number(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

}  // namespace

Risk risk_of(const RiskFactors& f) {
  Risk out;
  const double severity = f.score >= 0 ? f.score / 10 : middle_of(f.level);
  out.reasons.push_back(f.score >= 0
                            ? with_number("CVSS %.1f", f.score)
                            : "severity " + std::string(to_string(f.level)) + ", no CVSS vector");
  double threat = kUntried + (1 - kUntried) * std::sqrt(f.epss.value_or(kUnscoredEpss));
  if (f.known_exploited) {
    threat = 1;
    out.reasons.push_back(f.ransomware ? "exploited by ransomware" : "known to be exploited");
  }
  if (f.epss)
    out.reasons.push_back(with_number("exploited within 30 days with %.1f %%", *f.epss * 100));
  double exposure = share_of(f.scope);
  if (f.scope == Scope::development) out.reasons.push_back("only for development");
  if (f.scope == Scope::build) out.reasons.push_back("only for building");
  if (f.scope == Scope::optional) out.reasons.push_back("optional");
  if (f.depth > 1) {
    exposure *= std::max(std::pow(kDeeper, f.depth - 1), kDeepest);
    out.reasons.push_back(std::to_string(f.depth - 1) + (f.depth == 2 ? " step" : " steps") +
                          " below a direct dependency");
  }
  if (f.confidence == Confidence::low) {
    exposure *= kUncertain;
    out.reasons.push_back("uncertain: a narrower range leaves this version out");
  }
  if (f.reach == Reach::imported) out.reasons.push_back("imported by the project's own code");
  if (f.reach == Reach::not_found) {
    exposure *= kNotImported;
    out.reasons.push_back("no import found in the project's own code");
  }
  if (f.symbols.use == SymbolUse::named)
    out.reasons.push_back(f.symbols.which + " is named in the project's own code");
  if (f.symbols.use == SymbolUse::not_named) {
    exposure *= kNotNamed;
    out.reasons.push_back("none of the affected functions is named in the project's own code");
  }
  if (!f.fix_known) {
    exposure *= kNoFix;
    out.reasons.push_back("no fixed version known");
  }
  out.value = std::round(1000 * severity * threat * exposure) / 10;
  return out;
}

}  // namespace gitaiops::scanner
