// The whole of `gitaiops scan` on a lock file of 1,300 packages with an index of the size of OSV's
// large ecosystems together: the program's processor time and memory, start to end.
#include <cstdio>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io/files.h"
#include "base/io/mapped_file.h"
#include "bench/advisory_records.h"
#include "bench/bench.h"
#include "engines/scanner/advisories/builder.h"

namespace {

using namespace gitaiops;

struct Cost {
  double cpu_ms = 0, rss_mib = 0;
  bool ok = false;
};

Cost run(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || ::wait4(child, &status, 0, &usage) != child) return {};
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return {ms(usage.ru_utime) + ms(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024,
          WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

bool build(const std::filesystem::path& index, int records) {
  scanner::IndexBuilder builder;
  for (int i = 0; i < records; ++i)
    if (!builder.add_osv(bench::advisory_record(i, records / 3))) return false;
  const auto bytes = builder.finish();
  return bytes && write_file_atomic(index, *bytes);
}

bool tell_size(const std::filesystem::path& index, int records) {
  const auto file = MappedFile::open(index);
  if (!file) return false;
  const auto opened = scanner::Index::open(file->bytes());
  if (!opened) return false;
  const auto& info = opened->info();
  bench::row("scan, " + std::to_string(records) + " advisories: bytes each for matching",
             static_cast<double>(info.match_bytes) / static_cast<double>(info.advisories), "B", 80,
             bench::Better::lower);
  bench::fact("scan, the whole index with texts and listed versions",
              static_cast<double>(file->bytes().size()) / 1e6, "MB");
  return true;
}

}  // namespace

int main() {
  constexpr int kPackages = 1300, kRounds = 20;
  const auto records = static_cast<int>(bench::setting("GITAIOPS_BENCH_ADVISORIES", 200'000));
  const bench::Folder folder;
  const auto index = folder.path() / "advisories.gdb";
  // In a process of its own: a child's peak begins with what its parent holds.
  const pid_t builder = ::fork();
  if (builder == 0) ::_exit(build(index, records) ? 0 : 1);
  int built = 1;
  if (builder < 0 || ::waitpid(builder, &built, 0) != builder || built != 0) return 1;
  if (!tell_size(index, records)) return 1;
  const auto tree = folder.path() / "tree";
  std::filesystem::create_directory(tree);
  if (!write_file_atomic(tree / "package-lock.json", bench::package_lock(kPackages, "package-")))
    return 1;
  std::vector<double> cpu;
  double rss = 0;
  for (int i = 0; i < kRounds; ++i) {
    const auto cost =
        run({bench::our_program("gitaiops"), "scan", "--advisories", index.string(), tree.string()},
            folder.path() / "out");
    if (!cost.ok) return std::puts("| scan: the program failed | | | MISSED |"), 1;
    cpu.push_back(cost.cpu_ms);
    rss = std::max(rss, cost.rss_mib);
  }
  bench::row("scan, 1,300 packages: the whole program, processor time", bench::quantile(cpu, 0.5),
             "ms", 20, bench::Better::lower);
  bench::row("scan, 1,300 packages: peak memory", rss, "MiB", 64, bench::Better::lower);
  return bench::verdict();
}
