// Any bytes as a VEX document: what is set aside says why, and nothing is lost.
#include <cstdlib>
#include <string_view>

#include "engines/scanner/vex/vex.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::scanner;
  const auto vex = read_vex({reinterpret_cast<const char*>(data), size});
  if (!vex) return vex.error().message().empty() ? (std::abort(), 0) : 0;
  Inventory inventory;
  inventory.sets.emplace_back();
  inventory.sets[0].root = "shop";
  inventory.sets[0].packages.resize(1);
  inventory.sets[0].packages[0].name = "tin";
  inventory.sets[0].packages[0].version = "1.0.0";
  Findings findings;
  findings.all.resize(1);
  findings.all[0].id = "CVE-1";
  const auto all = vex->statements.size();
  if (apply_vex(findings, inventory, vex->statements, "v") > all) std::abort();
  if (findings.all.size() != 1) std::abort();
  return 0;
}
