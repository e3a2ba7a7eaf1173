// rules_compiler OUT: compiles the built-in rules for any machine of this architecture, so that a
// process need not spend a second on it at start-up.
#include <fstream>
#include <iostream>

#include "engines/diagnosis/builtin.h"

namespace {

using namespace gitaiops;
using namespace gitaiops::diagnosis;

// As unpack() reads them: each database after its size.
Result<std::string> packed(const Scanners& scanners) {
  std::string out;
  for (const auto* scanner : parts_of(scanners)) {
    ASSIGN_OR_RETURN(const auto bytes, (*scanner)->serialized());
    const uint64_t size = bytes.size();
    out += std::string(reinterpret_cast<const char*>(&size), sizeof size) + bytes;
  }
  return out;
}

Result<std::string> compiled() {
  RuleSet set;
  std::vector<std::string> problems;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, set, problems);
  if (!problems.empty()) return Error(Code::invalid_argument, problems.front());
  ASSIGN_OR_RETURN(const auto scanners, compile_scanners(set, {}, Scanner::Target::anywhere));
  return packed(*scanners);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto bytes = compiled();
  if (!bytes.ok()) {
    std::cerr << "rules_compiler: " << bytes.error().to_string() << "\n";
    return 1;
  }
  std::ofstream out(argv[1], std::ios::binary);
  out.write(bytes->data(), static_cast<std::streamsize>(bytes->size()));
  out.close();
  return out ? 0 : 1;
}
