// How often the kind of a change is told from its title alone, the prefix that says it taken away.
// GITAIOPS_TITLES names the truth, a title a line: type, tab, title. Projects whose titles weights
// were learnt from must not be in it.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/bytes/bytes.h"
#include "bench/bench.h"
#include "engines/triage/kind/kind.h"

namespace gitaiops::bench {
namespace {

using triage::kTypes;
using triage::Type;

void measure(const char* path) {
  std::stringstream file;
  file << std::ifstream(path).rdbuf();
  const auto text = file.str();
  std::array<double, kTypes> right{}, told{}, there{};
  double all = 0, hits = 0;
  for (const auto line : split(text, '\n')) {
    const auto tab = line.find('\t');
    const auto truth = tab == line.npos ? std::nullopt : triage::read_type(line.substr(0, tab));
    if (!truth) continue;
    triage::Change change;
    change.title = line.substr(tab + 1);
    const auto kind = triage::kind_by_content(change);
    const auto t = static_cast<std::size_t>(*truth);
    const auto k = static_cast<std::size_t>(kind ? kind->type : Type::chore);
    ++all, ++there[t], ++told[k];
    if (t == k) ++hits, ++right[t];
  }
  double f1 = 0, types = 0;
  for (std::size_t i = 0; i < kTypes; ++i) {
    if (there[i] == 0) continue;
    const double one = 2 * right[i] / (there[i] + told[i]);
    fact(std::string(to_string(static_cast<Type>(i))) + ", F1 of " +
             std::to_string(static_cast<int>(there[i])) + " titles",
         100 * one, "%");
    f1 += one, ++types;
  }
  row("type from the title alone, mean F1", 100 * f1 / types, "%", 65, Better::higher);
  fact("type from the title alone, right", 100 * hits / all, "%");
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  using namespace gitaiops::bench;
  const char* titles = std::getenv("GITAIOPS_TITLES");
  if (!titles) {
    std::puts("types are not measured: GITAIOPS_TITLES names no file of titles");
    return 0;
  }
  measure(titles);
  return verdict();
}
