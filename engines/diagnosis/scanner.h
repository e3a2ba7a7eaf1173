// A set of expressions that Vectorscan looks for all at once, and what each of them means. The
// database behind it can be made ahead of time and carried as bytes: compiling the built-in rules
// takes a second, reading their bytes back some milliseconds.
//
// Thread safety: scan() may be called from several threads, and from on_hit of another Scanner.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <hs/hs.h>

#include "base/result/result.h"

namespace gitaiops::diagnosis {

// Where an expression ended in the scanned text, and what it means.
struct Hit {
  std::size_t end = 0;
  uint16_t rule = 0;  // index of the rule; kAnyRule for a general decoy
  bool decoy = false;
  float ceiling = 0;   // of a general decoy
  uint32_t gates = 0;  // of a word: a bit for every gate that it opens
};
inline constexpr uint16_t kAnyRule = 0xffff;
inline constexpr uint16_t kGate = 0xfffe;  // no rule: a word that lets others look at its line
using OnHit = void (*)(void* context, const Hit& hit);

struct Expression {
  std::string text;
  Hit meaning;           // `end` unused
  bool literal = false;  // the text itself, in any case; all expressions of a Scanner or none
};

class Scanner {
 public:
  Scanner() = default;  // finds nothing
  // For the processor it runs on, or for every one of its architecture.
  enum class Target { here, anywhere };
  static Result<std::unique_ptr<Scanner>> compile(std::vector<Expression> expressions,
                                                  Target target);
  // `bytes` from serialized(). Fails when another version of the library made them.
  static Result<std::unique_ptr<Scanner>> from_bytes(std::string_view bytes);
  ~Scanner();
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  // What the expressions mean and the database, for the same program: their count in 8 bytes,
  // kMeaningBytes for each, the library's bytes.
  static constexpr std::size_t kMeaningBytes = 2 + 1 + 4 + 4;
  Result<std::string> serialized() const;

  // Hits come in order of `end`. `text` is lines, each closed by \n; below 4 GiB.
  void scan(std::string_view text, OnHit on_hit, void* context) const;

 private:
  Status prepare();

  std::vector<Hit> meanings_;  // by expression number
  hs_database_t* database_ = nullptr;
  hs_scratch_t* prototype_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::vector<hs_scratch_t*> idle_;  // scratches, as many as ever scanned at once
};

}  // namespace gitaiops::diagnosis
