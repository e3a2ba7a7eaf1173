// How long the scanner takes to read large lock files, in processor time, beside its targets.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <vector>

#include "bench/advisory_records.h"
#include "bench/bench.h"
#include "engines/scanner/inventory.h"

namespace {

using namespace gitaiops;
using namespace gitaiops::scanner;

constexpr int kPackages = 1300;
constexpr int kRuns = 20;

// Processor time: what a core needs, whoever else uses the machine.
double now() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

class OneFile final : public Tree {
 public:
  OneFile(std::string path, std::string text) : files_{std::move(path)}, text_(std::move(text)) {}
  const std::vector<std::string>& files() const override { return files_; }
  Result<std::string> read(std::string_view) const override { return text_; }
  std::size_t bytes() const { return text_.size(); }

 private:
  std::vector<std::string> files_;
  std::string text_;
};

// Each package needs the next three.
std::string needs(int i, const char* format) {
  std::string out;
  for (int k = 1; k <= 3 && i + k < kPackages; ++k) {
    char line[128];
    std::snprintf(line, sizeof line, format, i + k);
    out += (out.empty() ? "" : ",") + std::string(line);
  }
  return out;
}

std::string cargo_lock() {
  std::string out = "version = 3\n";
  for (int i = 0; i < kPackages; ++i) {
    const std::string n = std::to_string(i);
    out += "\n[[package]]\nname = \"part-" + n + "\"\nversion = \"1.2." + n +
           "\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"" +
           std::string(64, 'a') + "\"\ndependencies = [\n" + needs(i, " \"part-%d\"\n") + "]\n";
  }
  return out;
}

std::string pnpm_lock() {
  std::string out = "lockfileVersion: '9.0'\n\npackages:\n";
  for (int i = 0; i < kPackages; ++i) {
    const std::string n = std::to_string(i);
    out += "\n  part-" + n + "@1.2." + n + ":\n    resolution: {integrity: sha512-" +
           std::string(86, 'A') + "==}\n    engines: {node: '>=18'}\n";
  }
  return out;
}

double measure(const char* name, const OneFile& file, double target_ms) {
  std::vector<double> times;
  std::size_t found = 0;
  for (int i = 0; i < kRuns; ++i) {
    const double start = now();
    const auto inventory = take_inventory(file);
    times.push_back((now() - start) * 1e3);
    found = inventory.sets.empty() ? 0 : inventory.sets[0].packages.size();
  }
  if (found != kPackages)
    std::printf("| %s: %zu packages instead of %d | | | MISSED |\n", name, found, kPackages);
  const double median = bench::quantile(times, 0.5);
  bench::row(std::string(name) + ", 1,300 packages: parse", median, "ms", target_ms,
             bench::Better::lower);
  bench::fact(std::string(name) + ", speed", static_cast<double>(file.bytes()) / 1e3 / median,
              "MB/s");
  return median;
}

}  // namespace

int main() {
  measure("package-lock.json", {"package-lock.json", bench::package_lock(kPackages, "part-")}, 8);
  measure("Cargo.lock", {"Cargo.lock", cargo_lock()}, 40);
  measure("pnpm-lock.yaml", {"pnpm-lock.yaml", pnpm_lock()}, 40);
  return bench::verdict();
}
