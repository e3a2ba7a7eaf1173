// Rules: what a line that names a cause looks like. Data (rules/*.toml, and the user's own),
// compiled into one Vectorscan database that looks for all expressions at once; RE2 takes fields
// out of the few lines that match.
//
//   [[category]]  id, title, owner, retry (never | once | backoff | elsewhere)
//   [[rule]]      id, category, weight (0 to 1: how surely a matching line is the cause), match =
//   [expressions],
//                 optional: kind (cause | wrapper | exit), title, unless = [expressions: then it is
//                 not], block (how its evidence extends, see evidence.h), test (RE2 with named
//                 groups name, file, line), code (RE2 with one group: the exit code), positive and
//                 negative (lines that must and must not match)
//   [[decoy]]     id, match: lines that only look like trouble; they silence rules of weight
//   kDecoyCeiling and less
//
// Expressions are Vectorscan's (PCRE without captures, back references and look-around), one line,
// bytes, case-sensitive unless (?i). Rules are immutable after construction; scan() may be called
// from several threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <hs/hs.h>

#include "engines/diagnosis/diagnosis.h"

namespace re2 {
class RE2;
}

namespace gitaiops::diagnosis {

inline constexpr double kDecoyCeiling = 0.6;

enum class Kind : uint8_t { cause, wrapper, exit };
enum class Block : uint8_t { indent, paragraph, trace, java, compiler, diff, line, report };

struct Category {
  std::string id, title, owner;
  Retry retry = Retry::never;
};

struct Rule {
  std::string id, category, title, origin;
  double weight = 0;
  Kind kind = Kind::cause;
  Block block = Block::indent;
  std::vector<std::string> match, unless, positive, negative;
  std::shared_ptr<const re2::RE2> test, code;
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

class Rules {
 public:
  // The set must have passed load_rules: every expression compiles on its own.
  static Result<std::shared_ptr<const Rules>> compile(RuleSet set);
  ~Rules();
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  const std::vector<Rule>& all() const { return set_.rules; }
  const std::map<std::string, Category, std::less<>>& categories() const { return set_.categories; }
  const Category* category(std::string_view id) const;

  // A hit: where the expression ended in `block`, and what it means. Hits come in order of `end`.
  struct Hit {
    std::size_t end = 0;
    uint16_t rule = 0;  // index in all(); kAnyRule for a general decoy
    bool decoy = false;
    float ceiling = 0;  // of a general decoy
  };
  static constexpr uint16_t kAnyRule = 0xffff;
  // `block` is lines, each closed by \n; below 4 GiB.
  using OnHit = void (*)(void* context, const Hit& hit);
  void scan(std::string_view block, OnHit on_hit, void* context) const {
    run(causes_, block, on_hit, context);
  }
  // The decoys in one line that a rule has hit: few lines need it, so it is a database of its own.
  // May be called from on_hit.
  void scan_doubts(std::string_view line, OnHit on_hit, void* context) const {
    run(doubts_, line, on_hit, context);
  }

  // Indices of the rules that hold for one line, decoys taken into account.
  std::vector<uint16_t> match_line(std::string_view line) const;

 private:
  Rules() = default;
  RuleSet set_;
  struct Database {
    std::vector<Hit> meanings;  // by expression number; `end` unused
    hs_database_t* compiled = nullptr;
  };
  Status build(Database& database, const std::vector<std::pair<std::string, Hit>>& expressions);
  void run(const Database& database, std::string_view text, OnHit on_hit, void* context) const;

  Database causes_, doubts_;
  hs_scratch_t* prototype_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::vector<hs_scratch_t*> idle_;  // scratches, as many as ever scanned at once
};

// "rule x: positive example 2 does not match", one a failing example.
std::vector<std::string> failing_examples(const Rules& rules,
                                          std::vector<std::string>* failing_ids = nullptr);

// The built-in texts, generated from rules/*.toml at build time.
std::vector<RuleText> builtin_rule_texts();

}  // namespace gitaiops::diagnosis
