// The names of failing tests, and where they stand, from the lines of a log in their order: a rule
// with a `test` expression names a test, the lines after it may go on with its name and tell its
// file and line.
//
// Bounded: kTestsMax tests of kTestBytes together; the rest is only counted. One test that is
// reported in several ways (in the run, in the summary, with and without its class) stays one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engines/diagnosis/diagnosis.h"
#include "engines/diagnosis/rules.h"

namespace gitaiops::diagnosis {

inline constexpr std::size_t kTestsMax = 500;
inline constexpr std::size_t kTestBytes = 64 << 10;

class TestNames {
 public:
  explicit TestNames(const Rules& rules) : rules_(&rules) {}

  // A line that `rule` took. `above` are the rule's lines above it, oldest first, and the line.
  void take(uint16_t rule, const std::string& above, std::string_view line);
  // A line of kind "context": the suite or file of the tests that follow.
  void enter(uint16_t rule, std::string_view line);
  // Another command runs: what the last one said about its tests is over.
  void leave();

  // While busy, every line must pass through follow(), before take() if a rule took it.
  bool busy() const { return open_ || awaited_; }
  void follow(std::string_view line);

  const std::vector<FailingTest>& all() const { return tests_; }
  // How many different tests failed, those beyond the bounds included.
  uint64_t total() const { return total_; }

 private:
  struct Key {
    std::string path, last;  // "org.example.Ring.adds", "adds"
  };
  struct Context {
    std::string suite, file;
  };
  struct Open {
    FailingTest test;
    std::size_t depth = 0;
    int lines = 0;
  };

  void add(FailingTest test);
  void place(std::size_t index, FailingTest& from);

  const Rules* rules_;
  std::vector<FailingTest> tests_;
  std::vector<Key> keys_;
  std::unordered_multimap<std::string, std::size_t> by_last_;
  std::unordered_set<uint64_t> beyond_;
  std::map<uint16_t, Context> contexts_;
  std::optional<Open> open_;            // its name goes on
  std::optional<std::size_t> awaited_;  // its place may follow
  int awaited_lines_ = 0;
  int followed_ = 0;
  FailingTest pending_;  // a place that stood before its test's name
  uint16_t pending_rule_ = 0;
  std::size_t bytes_ = 0;
  uint64_t total_ = 0;

  static Key key_of(std::string_view name);
};

}  // namespace gitaiops::diagnosis
