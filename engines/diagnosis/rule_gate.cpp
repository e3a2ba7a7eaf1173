#include "engines/diagnosis/rule_gate.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

namespace gitaiops::diagnosis {
namespace {

constexpr std::array<std::string_view, 132> kWords{"error",         "fail",
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

constexpr std::size_t kLiteralMin = 5;

// Literals of rules that stand in many lines without trouble: not worth a look at each of them.
constexpr std::array<std::string_view, 24> kCommon{
    " line ",  "package",    "server",   "module",   "running", "test",     "module '", "package ",
    "version", "installing", "download", "checking", "[junit]", "building", "[info]",   "message:",
    "file: ",  "in file",    "compil",   "process",  " tests",  "[info] ",  "total: ",  "setting"};

// What every match of a piece must contain: one of `words`; with none, one of the words of trouble.
struct Need {
  bool known = false;
  std::vector<std::string> words;

  std::size_t shortest() const {
    std::size_t least = 100;
    for (const auto& word : words) least = std::min(least, word.size());
    return least;
  }
  bool better_than(const Need& other) const {
    if (known != other.known) return known;
    if (words.empty() != other.words.empty()) return words.empty();
    if (words.size() != other.words.size()) return words.size() < other.words.size();
    return shortest() > other.shortest();
  }
};

// Reads an expression from left to right. Doubt always ends in "not known".
class Reader {
 public:
  explicit Reader(std::string_view expression) : text_(expression) {}

  Need need() {
    Need all = alternatives();
    return at_ == text_.size() && !bad_ ? all : Need{};
  }

 private:
  // Up to the closing parenthesis or the end: every branch has a need of its own.
  Need alternatives() {
    Need all = sequence();
    while (at_ < text_.size() && text_[at_] == '|') {
      ++at_;
      Need next = sequence();
      all.known = all.known && next.known;
      all.words.insert(all.words.end(), next.words.begin(), next.words.end());
    }
    return all;
  }

  Need sequence() {
    Need best;
    std::string run;
    const auto end_run = [&] {
      Need own;
      const bool trouble = std::any_of(kWords.begin(), kWords.end(),
                                       [&](auto word) { return run.find(word) != run.npos; });
      own.known = trouble || run.size() >= kLiteralMin;
      if (own.known && !trouble) own.words.push_back(run);
      if (own.better_than(best)) best = std::move(own);
      run.clear();
    };
    while (at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      Need inner;
      const std::optional<char> c = atom(inner);
      const Times times = quantifier();
      if (c && times == Times::once) {
        if (*c) run.push_back(*c);
        continue;
      }
      if (c && *c && times == Times::many) run.push_back(*c);
      end_run();
      if (times != Times::maybe && inner.better_than(best)) best = std::move(inner);
    }
    end_run();
    return best;
  }

  // One atom: the letter it stands for, '\0' for what has no width, nothing for everything else.
  // `inner` is the need of a group.
  std::optional<char> atom(Need& inner) {
    const char c = text_[at_++];
    if (c == '\\') return escape();
    if (c == '[') return one_letter_class();
    if (c == '^' || c == '$') return '\0';
    if (c == '.') return std::nullopt;
    if (c == '(') return group(inner);
    return lower(c);
  }

  std::optional<char> escape() {
    if (at_ == text_.size()) return std::nullopt;
    const char c = text_[at_++];
    if (c == 'b' || c == 'B') return '\0';
    if (c == 't') return '\t';
    if (std::isalnum(static_cast<unsigned char>(c))) return std::nullopt;
    return c;
  }

  // [Ee] is the letter e.
  std::optional<char> one_letter_class() {
    std::string members;
    bool plain = true;
    for (bool first = true; at_ < text_.size() && (first || text_[at_] != ']'); first = false) {
      if (text_[at_] == '\\') ++at_, plain = false;
      if (at_ < text_.size()) members.push_back(text_[at_++]);
    }
    ++at_;
    if (!plain || members.empty() || members.size() > 2 || members[0] == '^') return std::nullopt;
    return lower(members.front()) == lower(members.back()) ? std::optional(lower(members.front()))
                                                           : std::nullopt;
  }

  std::optional<char> group(Need& inner) {
    if (text_.substr(at_).starts_with("?i)")) {
      at_ += 3;
      return '\0';
    }
    if (text_.substr(at_).starts_with("?:"))
      at_ += 2;
    else if (text_.substr(at_).starts_with("?"))
      bad_ = true;
    inner = alternatives();
    if (at_ < text_.size()) ++at_;  // ')'
    return std::nullopt;
  }

  enum class Times { maybe, once, many };
  Times quantifier() {
    Times times = Times::once;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '?' || c == '*') {
        // After another quantifier a question mark only says "as few as possible".
        if (times == Times::once || c == '*') times = Times::maybe;
        ++at_;
      } else if (c == '+') {
        if (times == Times::once) times = Times::many;
        ++at_;
      } else if (c == '{') {
        const bool none =
            at_ + 1 < text_.size() && (text_[at_ + 1] == '0' || text_[at_ + 1] == ',');
        if (times == Times::once) times = none ? Times::maybe : Times::many;
        at_ = std::min(text_.find('}', at_), text_.size() - 1) + 1;
      } else {
        break;
      }
    }
    return times;
  }

  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

  std::string_view text_;
  std::size_t at_ = 0;
  bool bad_ = false;  // a kind of group that is not understood
};

}  // namespace

std::span<const std::string_view> gate_words() {
  return kWords;
}

Way way_of(std::string_view expression) {
  Need need = Reader(expression).need();
  if (!need.known) return {};
  const bool common = std::any_of(need.words.begin(), need.words.end(), [](const auto& word) {
    return std::find(kCommon.begin(), kCommon.end(), word) != kCommon.end();
  });
  return {common ? Passage::literal : Passage::gated, std::move(need.words)};
}

}  // namespace gitaiops::diagnosis
