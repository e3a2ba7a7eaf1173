// The advisory index: how large it is, how fast it opens, and what matching a lock file's packages
// costs, beside their targets (docs: the scanner's budget).
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "base/io/files.h"
#include "base/io/mapped_file.h"
#include "bench/advisory_records.h"
#include "bench/bench.h"
#include "engines/scanner/advisories/builder.h"
#include "engines/scanner/findings.h"

namespace {

using namespace gitaiops;
using namespace gitaiops::scanner;
using bench::Better;

double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) * 1e-6;
}

Inventory lock_file(int packages) {
  PackageSet set;
  for (int i = 0; i < packages; ++i) {
    Package package;
    package.ecosystem = Ecosystem::npm;
    package.name = "package-" + std::to_string(i * 5 % 6000);
    package.version = std::to_string(i % 3) + "." + std::to_string(i % 40) + ".1";
    package.direct = i < 40;
    if (i + 40 < packages) package.depends_on = {static_cast<uint32_t>(i + 40)};
    set.packages.push_back(std::move(package));
  }
  Inventory out;
  out.sets.push_back(std::move(set));
  return out;
}

}  // namespace

int main() {
  const auto records = static_cast<int>(bench::setting("GITAIOPS_BENCH_ADVISORIES", 12000));
  constexpr int kPackages = 1300, kRounds = 20;
  const auto started = cpu_ms();
  IndexBuilder builder;
  for (int i = 0; i < records; ++i)
    if (!builder.add_osv(bench::advisory_record(i, 4000))) return 1;
  const auto bytes = builder.finish();
  if (!bytes) return 1;
  bench::fact("advisories, building an index", (cpu_ms() - started) / 1e3, "s");

  const bench::Folder folder;
  const auto path = folder.path() / "advisories.gdb";
  if (!write_file_atomic(path, *bytes)) return 1;
  const Inventory inventory = lock_file(kPackages);
  std::vector<double> opening, matching;
  std::size_t findings = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto before = cpu_ms();
    const auto file = MappedFile::open(path);
    if (!file) return 1;
    const auto index = Index::open(file->bytes());
    const auto opened = cpu_ms();
    const auto found = index ? find(inventory, *index) : Result<Findings>(index.error());
    if (!found) return 1;
    findings = found->all.size();
    opening.push_back(opened - before);
    matching.push_back(cpu_ms() - opened);
  }
  const auto index = Index::open(as_bytes(*bytes));
  const auto& info = index->info();
  bench::row("advisories, bytes each for matching",
             static_cast<double>(info.match_bytes) / static_cast<double>(info.advisories), "B", 80,
             Better::lower);
  bench::fact("advisories, index with all text",
              static_cast<double>(bytes->size()) / static_cast<double>(info.advisories), "B each");
  bench::row("advisories, opening the index", bench::quantile(opening, 0.5), "ms", 5,
             Better::lower);
  bench::row("advisories, matching 1,300 packages", bench::quantile(matching, 0.5), "ms", 15,
             Better::lower);
  bench::fact("advisories, findings among them", static_cast<double>(findings), "");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  bench::fact("advisories, peak RSS with the building", static_cast<double>(usage.ru_maxrss) / 1024,
              "MiB");
  return bench::verdict();
}
