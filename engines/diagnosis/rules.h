// Rules: what a line that names a cause looks like. Data (rules/*.toml, and the user's own),
// compiled into one Vectorscan database that looks for all expressions at once; RE2 takes fields
// out of the few lines that match.
//
//   [[category]]  id, title, owner, retry (never | once | backoff | elsewhere)
//   [[rule]]      id, category, weight (0 to 1: how surely a matching line is the cause), match =
//   [expressions],
//                 optional: kind (cause | wrapper | exit | context), title, unless = [expressions:
//                 then it is not], block (how its evidence extends, see evidence.h), test (RE2s
//                 with named groups name, suite, file, line: the failing test), nested (its name
//                 goes on over the following deeper lines, up to a colon), above (so many lines
//                 before it are part of what `test` reads, joined by \n), context (id of an earlier
//                 rule of that kind: its suite and file belong to the test; one without `test` must
//                 have been seen), code (RE2 with one group: the exit code), positive and negative
//                 (lines that must and must not match)
//   [[decoy]]     id, match: lines that only look like trouble; they silence rules of weight
//   kDecoyCeiling and less
//
// Expressions are Vectorscan's (PCRE without captures, back references and look-around), one line,
// bytes, case-sensitive unless (?i). Rules are immutable after construction; scan() may be called
// from several threads.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engines/diagnosis/diagnosis.h"
#include "engines/diagnosis/rule_gate.h"
#include "engines/diagnosis/scanner.h"

namespace re2 {
class RE2;
}

namespace gitaiops::diagnosis {

inline constexpr double kDecoyCeiling = 0.6;

enum class Kind : uint8_t { cause, wrapper, exit, context };
enum class Block : uint8_t {
  indent,
  paragraph,
  trace,
  java,
  compiler,
  diff,
  line,
  report,
  command
};

// Takes fields out of a line. RE2 compiles it when the first line needs it: few rules ever do.
class Fields {
 public:
  explicit Fields(std::string expression);
  ~Fields();
  const re2::RE2& get() const;

 private:
  std::string expression_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<const re2::RE2> compiled_;
};

struct Category {
  std::string id, title, owner;
  Retry retry = Retry::never;
};

struct Rule {
  std::string id, category, title, origin, explains;
  double weight = 0;
  Kind kind = Kind::cause;
  Block block = Block::indent;
  bool nested = false;
  uint8_t above = 0;
  uint16_t context = kAnyRule;
  std::vector<std::string> match, unless, positive, negative;
  std::vector<std::shared_ptr<const Fields>> test;  // the first that fits counts
  std::shared_ptr<const Fields> code;
};

struct RuleSet {
  std::vector<Rule> rules;
  std::map<std::string, Category, std::less<>> categories;
  struct Decoy {
    std::string expression;
    double ceiling = kDecoyCeiling;
  };
  std::vector<Decoy> decoys;
};

// Adds what `text` holds to `set`; a rule or category that is not acceptable is left out, with one
// problem each. Trial compiles every expression on its own, so that a bad one is found by name:
// needed for texts that no test has seen.
enum class Trial { yes, no };
void load_rules(const RuleText& text, Trial trial, RuleSet& set,
                std::vector<std::string>& problems);

// The expressions of a set, as they are looked for: the words everywhere, the expressions behind a
// gate where a word opened it, the few that have no words everywhere (rule_gate.h). Decoys matter
// only in the few lines that a rule has hit, so they are a database of their own.
template <typename Of>
struct Looked {
  Of words, everywhere, doubts;
  std::array<Of, kGates> gated;
};
using Expressions = Looked<std::vector<Expression>>;
using Scanners = Looked<std::unique_ptr<Scanner>>;
// The parts of both in one order.
template <typename L>
auto parts_of(L& looked) {
  std::vector<decltype(&looked.words)> parts{&looked.words, &looked.everywhere, &looked.doubts};
  for (auto& gate : looked.gated) parts.push_back(&gate);
  return parts;
}
// How much of a RuleSet comes from elsewhere: the rules and decoys before these are left out.
struct Beyond {
  std::size_t rules = 0, decoys = 0;
};
Expressions expressions_of(const RuleSet& set, Beyond beyond);
// The set must have passed load_rules: every expression compiles on its own.
Result<std::unique_ptr<Scanners>> compile_scanners(const RuleSet& set, Beyond beyond,
                                                   Scanner::Target target);

class Rules {
 public:
  // Gives the scanners of the first `beyond` rules and decoys of a set. Called at the first scan.
  using Base = const Scanners& (*)();
  // Compiles what `set` has beyond its base.
  static Result<std::shared_ptr<const Rules>> compile(RuleSet set, Base base, Beyond beyond);
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  const std::vector<Rule>& all() const { return set_.rules; }
  const std::map<std::string, Category, std::less<>>& categories() const { return set_.categories; }
  const Category* category(std::string_view id) const;

  // The causes in `block`: a \n, then lines that are each closed by one. In order of `end`; as for
  // Scanner::scan. A rule may hit a line only once, and the first kHitsMax hits in a block count.
  static constexpr std::size_t kHitsMax = 8192;
  void scan(std::string_view block, OnHit on_hit, void* context) const;
  // The decoys in one line that a rule has hit, in any order. May be called from on_hit.
  void scan_doubts(std::string_view line, OnHit on_hit, void* context) const;

  // Indices of the rules that hold for one line, decoys taken into account.
  std::vector<uint16_t> match_line(std::string_view line) const;

 private:
  Rules() = default;
  RuleSet set_;
  Base base_ = nullptr;
  std::unique_ptr<Scanners> own_;  // null when there is nothing beyond the base
};

// "rule x: positive example 2 does not match", one a failing example of the rules from `first` on.
std::vector<std::string> failing_examples(const Rules& rules, std::size_t first = 0,
                                          std::vector<std::string>* failing_ids = nullptr);

}  // namespace gitaiops::diagnosis
