// The words that many expressions share, and how often words stand in logs: guesses that only
// decide how fast expressions are found, never whether.
#include <algorithm>
#include <array>
#include <cmath>

#include "engines/diagnosis/rule_gate.h"

namespace gitaiops::diagnosis {
namespace {

// Words of trouble. One word for many expressions is cheaper than many words.
constexpr std::array<std::string_view, 132> kShared{"error",         "fail",
                                                    "exception",     "cannot",
                                                    "can't",         "can.t",
                                                    "could",         "unable",
                                                    "not ",          "denied",
                                                    "refused",       "fatal",
                                                    "timed out",     "timeout",
                                                    "invalid",       "missing",
                                                    "undefined",     "no such",
                                                    "abort",         "killed",
                                                    "expected",      "assert",
                                                    "panic",         "conflict",
                                                    "mismatch",      "exit",
                                                    "warning",       "unexpected",
                                                    "unknown",       "expired",
                                                    "unauthorized",  "forbidden",
                                                    "reset",         "exceeded",
                                                    "docker",        "sanitizer",
                                                    "crash",         "corrupt",
                                                    "too ",          "no space",
                                                    "out of",        "unresolved",
                                                    "vulnerab",      "license",
                                                    "coverage",      "migration",
                                                    "snapshot",      "broken",
                                                    "certificate",   "is required",
                                                    "syntax",        "permission",
                                                    "no matching",   "terminated",
                                                    "err!",          "unsupported",
                                                    "incompatible",  "require",
                                                    "format",        "gofmt",
                                                    "quota",         "unmet",
                                                    "lockfile",      "lock file",
                                                    "frozen",        "unreachable",
                                                    "hang up",       "curl",
                                                    "x509",          "deadline",
                                                    "segmentation",  "core dumped",
                                                    "overflow",      "unhealthy",
                                                    "getaddrinfo",   "econn",
                                                    "enospc",        "evicted",
                                                    "unschedulable", "insufficient",
                                                    "preempted",     "must be",
                                                    "read-only",     "remote end",
                                                    "kex_",          "toomanyrequests",
                                                    "throttl",       "backoff",
                                                    "no matches",    "already exist",
                                                    "does not",      "doesn't",
                                                    "duplicate",     "leaks",
                                                    "secret",        "emfile",
                                                    "fork:",         "temporarily",
                                                    "rejected",      "violation",
                                                    "deadlock",      "eintegrity",
                                                    "bad ",          "unavailable",
                                                    "gateway",       "terminate",
                                                    "sigsegv",       "unbound",
                                                    "illegal",       "never defined",
                                                    "don't know",    "ambiguous",
                                                    "no rakefile",   "eresolve",
                                                    "resolution",    "etimedout",
                                                    "credential",    "not found",
                                                    "no module",     "canceled",
                                                    "code 137",      "returned 137",
                                                    "exited 137",    "eacces",
                                                    "out-of-date",   "up to date",
                                                    "stale",         "uncommitted",
                                                    "forgot",        "regenerated",
                                                    "needs to be",   "gemfile"};

struct Common {
  std::string_view word;
  double lines;  // of a thousand
};
// The first kOwnGates have a gate of their own.
constexpr std::size_t kOwnGates = 24;
constexpr std::array kCommon{
    Common{"error", 30},      Common{"fail", 20},     Common{"warning", 12},
    Common{"not ", 30},       Common{" http", 60},    Common{"connect", 26},
    Common{"reset", 11},      Common{"timeout", 10},  Common{"resource", 29},
    Common{":", 300},         Common{":: ", 30},      Common{"test", 150},
    Common{"package", 60},    Common{"[info]", 100},  Common{"\n ", 200},
    Common{"\n :", 177},      Common{"\n=", 90},      Common{"\n\t", 45},
    Common{" for", 75},       Common{"type", 20},     Common{"file", 35},
    Common{"list", 17},       Common{"auth", 18},     Common{"function", 18},
    Common{"cache", 16},      Common{" ...", 18},     Common{".js", 13},
    Common{"md", 60},         Common{"mysql", 12},    Common{".py", 12},
    Common{")", 90},          Common{". [", 20},      Common{" [", 60},
    Common{"create", 11},     Common{"match", 8},     Common{"format", 7},
    Common{"update", 8},      Common{"docker", 7},    Common{"should", 7},
    Common{"skipped", 6},     Common{"syntax", 5},    Common{"exception", 5},
    Common{"known", 5},       Common{"variable", 4},  Common{"require", 4},
    Common{"exist", 4},       Common{"module", 20},   Common{"snapshot", 4},
    Common{"exit", 3},        Common{"expected", 3},  Common{"assert", 3},
    Common{"certificate", 3}, Common{"missing", 2.5}, Common{"invalid", 2.5},
    Common{"license", 2.5},   Common{"status", 3},    Common{" line ", 20},
    Common{"server", 20},     Common{"running", 20},  Common{"version", 40},
    Common{"installing", 20}, Common{"download", 30}, Common{"checking", 30},
    Common{"building", 20},   Common{"message:", 3},  Common{"compil", 40},
    Common{"process", 12},    Common{"total:", 3},    Common{"setting", 10},
    Common{"command", 10},    Common{"resolving", 4}, Common{"mongo", 4},
    Common{"library", 6},     Common{"script", 20},   Common{"rabbitmq", 3},
    Common{" ---", 10},       Common{".....", 6},     Common{".phpt", 7},
    Common{"changes", 2},     Common{"table", 5},     Common{"field", 3},
    Common{"files", 10},      Common{"api", 8},       Common{"security", 3},
    Common{"high", 4},        Common{" tests", 20},   Common{"ssl", 6},
    Common{"s)\n", 10},       Common{"does n", 3},    Common{".ts", 5},
    Common{"throw", 1.5}};

constexpr double kBitsPerFurtherByte = 0.7;
constexpr double kLineBytes = 92;

double bits_of(char c) {
  if (c >= 'a' && c <= 'z') return 4.5;
  if (c >= '0' && c <= '9') return 4.5;
  if (c == ' ') return 2.5;
  if (c == '\n') return 6.5;
  return static_cast<unsigned char>(c) >= 0x80 ? 4 : 6;
}

}  // namespace

double lines_with(std::string_view word) {
  double bits = 0;
  for (const char c : word) bits += bits_of(c);
  double lines = std::min(1000.0, 1000 * kLineBytes * std::exp2(-bits));
  double at_most = 1000;
  for (const Common& common : kCommon) {
    if (common.word.find(word) != word.npos) lines = std::max(lines, common.lines);
    if (word.find(common.word) != word.npos) {
      const auto further = static_cast<double>(word.size() - common.word.size());
      const double some = common.lines * std::exp2(-kBitsPerFurtherByte * further);
      at_most = std::min(at_most, some);
    }
  }
  return at_most < 1000 ? std::max(lines, at_most) : lines;
}

std::string word_for(std::string_view text) {
  static const auto shared = [] {
    std::array<double, kShared.size()> lines{};
    std::transform(kShared.begin(), kShared.end(), lines.begin(), lines_with);
    return lines;
  }();
  std::string_view best = text;
  double least = lines_with(text) + kOneMoreWord;
  for (std::size_t i = 0; i < kShared.size(); ++i) {
    if (shared[i] >= least || text.find(kShared[i]) == text.npos) continue;
    best = kShared[i];
    least = shared[i];
  }
  return std::string(best);
}

std::size_t gate_of(const std::vector<std::string>& words) {
  if (words.empty()) return 0;
  const auto& most =
      *std::max_element(words.begin(), words.end(),
                        [](const auto& a, const auto& b) { return lines_with(a) < lines_with(b); });
  for (std::size_t i = 0; i < kOwnGates; ++i) {
    if (most.find(kCommon[i].word) != most.npos) return i;
  }
  // A hash that does not depend on the library: the gates are compiled elsewhere.
  std::size_t hash = 0;
  for (const char c : most) hash = hash * 31 + static_cast<unsigned char>(c);
  return kOwnGates + hash % (kGates - kOwnGates);
}

}  // namespace gitaiops::diagnosis
