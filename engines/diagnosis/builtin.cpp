#include "engines/diagnosis/builtin.h"

#include <algorithm>
#include <cstring>

namespace gitaiops::diagnosis {
namespace {

const RuleSet& builtin_set() {
  static const RuleSet set = [] {
    RuleSet loaded;
    std::vector<std::string> problems;  // none: rules_compiler refuses to build with one
    for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, loaded, problems);
    return loaded;
  }();
  return set;
}

// When the library in use does not take the bytes, it compiles the rules itself.
const Scanners& builtin_scanners() {
  static const std::unique_ptr<const Scanners> scanners = [] {
    auto ready = unpack(builtin_database());
    if (!ready.ok()) ready = compile_scanners(builtin_set(), {}, Scanner::Target::here);
    if (ready.ok()) return std::move(ready).value();
    // Out of memory: nothing is found, and the diagnosis says "unknown".
    auto none = std::make_unique<Scanners>();
    for (auto* scanner : parts_of(*none)) *scanner = std::make_unique<Scanner>();
    return none;
  }();
  return *scanners;
}

}  // namespace

Result<std::unique_ptr<Scanners>> unpack(std::string_view bytes) {
  auto scanners = std::make_unique<Scanners>();
  for (auto* scanner : parts_of(*scanners)) {
    uint64_t size = 0;
    if (bytes.size() < sizeof size)
      return Error(Code::invalid_argument, "compiled rules: too short");
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (size > bytes.size()) return Error(Code::invalid_argument, "compiled rules: too short");
    ASSIGN_OR_RETURN(*scanner, Scanner::from_bytes(bytes.substr(0, size)));
    bytes.remove_prefix(size);
  }
  return scanners;
}

std::shared_ptr<const Rules> builtin_rules() {
  static const std::shared_ptr<const Rules> shared = with_rules({}, nullptr);
  return shared;
}

std::shared_ptr<const Rules> with_rules(const std::vector<RuleText>& more,
                                        std::vector<std::string>* problems) {
  const Beyond own{builtin_set().rules.size(), builtin_set().decoys.size()};
  const auto compile = [&](RuleSet set) {
    return Rules::compile(std::move(set), builtin_scanners, own);
  };
  std::vector<std::string> found;
  RuleSet set = builtin_set();
  for (const auto& text : more) load_rules(text, Trial::yes, set, found);
  auto rules = compile(set);
  if (rules.ok() && set.rules.size() > own.rules) {
    std::vector<std::string> failing;
    for (auto& problem : failing_examples(**rules, own.rules, &failing))
      found.push_back(std::move(problem));
    if (!failing.empty()) {
      std::erase_if(set.rules, [&](const Rule& r) {
        return std::find(failing.begin(), failing.end(), r.id) != failing.end();
      });
      rules = compile(std::move(set));
    }
  }
  if (!rules.ok()) {
    found.push_back(rules.error().to_string());
    rules = compile(builtin_set());
  }
  if (problems) problems->insert(problems->end(), found.begin(), found.end());
  return std::move(rules).value();
}

}  // namespace gitaiops::diagnosis
