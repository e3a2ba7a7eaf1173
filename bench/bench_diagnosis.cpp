// Speed and memory of the diagnosis engine on a log of mixed tools, beside their targets (docs: the
// engine's budget).
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <hs/hs.h>
#include <malloc.h>
#include <sys/resource.h>

#include "bench/bench.h"
#include "engines/diagnosis/builtin.h"
#include "engines/diagnosis/diagnosis.h"

namespace {

using namespace gitaiops::diagnosis;
// Processor time: what a core needs, whoever else uses the machine.
double now() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// Lines as build tools write them, with an error-like one now and then.
std::string sample(std::size_t bytes) {
  std::string out;
  for (unsigned i = 0; out.size() < bytes; ++i) {
    const std::string n = std::to_string(i);
    switch (i % 16) {
      case 0:
        out += "[INFO] Downloading from central: https://repo.example/org/ring/part-" + n +
               "/1.0/part.pom\n";
        break;
      case 1:
        out +=
            "c++ -O2 -Wall -Werror -Iinclude -c src/module" + n + ".cpp -o out/module" + n + ".o\n";
        break;
      case 2:
        out += "\x1b[32m  \xe2\x9c\x93\x1b[0m renders item " + n + " with the given properties (" +
               std::to_string(i % 40) + " ms)\n";
        break;
      case 3:
        out += "2026-03-01 10:00:0" + std::to_string(i % 10) +
               ",123 INFO  [pool-1-thread-4] org.example.Ring - step " + n + " done\n";
        break;
      case 4:
        out += "test ring::grows_" + n + " ... ok\n";
        break;
      case 5:
        out += "\tat org.example.Ring.grow(Ring.java:" + n + ")\n";
        break;
      case 6:
        out += "Unpacking libring" + n + ":amd64 (1.2-" + n + ") over (1.1) ...\n";
        break;
      case 7:
        out += i % 512 == 7 ? "src/ring.c:" + n + ":1: warning: unused variable 'x' [-Wunused]\n"
                            : "[" + n + "/99999] Building CXX object ring.o\n";
        break;
      default:
        out += "=== RUN   TestRing/case_" + n +
               " with a longer description of what this case is about\n";
        break;
    }
  }
  return out;
}

// Thirty-three words of trouble: the smallest set that anybody would look for.
const std::vector<std::string> kFewWords{
    "error",     "fail",      "exception",  "fatal",     "panic",     "undefined", "cannot",
    "not found", "denied",    "refused",    "timed out", "timeout",   "killed",    "abort",
    "traceback", "assert",    "missing",    "invalid",   "unable",    "warning",   "exit code",
    "exited",    "no such",   "unexpected", "conflict",  "mismatch",  "no space",  "crash",
    "expired",   "forbidden", "unresolved", "unknown",   "terminated"};

// The words that the pipeline itself looks for first (rule_gate.h).
std::vector<std::string> own_words() {
  RuleSet set;
  std::vector<std::string> problems, words;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, set, problems);
  for (const auto& word : expressions_of(set, {}).words) words.push_back(word.text);
  return words;
}

// The peer of the whole pipeline: what the same library needs to do no more than find literals in
// the same bytes, as a log comes in: caseless, as one stream, every match told by a callback.
class Literals {
 public:
  explicit Literals(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<unsigned> flags(words.size(), HS_FLAG_CASELESS), ids(words.size());
    std::vector<size_t> lengths;
    for (const auto& word : words) {
      texts.push_back(word.c_str());
      lengths.push_back(word.size());
    }
    hs_compile_error_t* error = nullptr;
    if (hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), lengths.data(),
                             static_cast<unsigned>(words.size()), HS_MODE_STREAM, nullptr,
                             &database_, &error) == HS_SUCCESS)
      hs_alloc_scratch(database_, &scratch_);
  }
  ~Literals() {
    hs_free_scratch(scratch_);
    hs_free_database(database_);
  }
  Literals(const Literals&) = delete;

  double operator()(const std::string& log) const {
    uint64_t hits = 0;
    const auto count = [](unsigned, unsigned long long, unsigned long long, unsigned, void* n) {
      ++*static_cast<uint64_t*>(n);
      return 0;
    };
    const double start = now();
    hs_stream_t* stream = nullptr;
    if (!scratch_ || hs_open_stream(database_, 0, &stream) != HS_SUCCESS) return 0;
    for (std::size_t at = 0; at < log.size(); at += 64 << 10) {
      const auto piece = std::string_view(log).substr(at, 64 << 10);
      hs_scan_stream(stream, piece.data(), static_cast<unsigned>(piece.size()), 0, scratch_, count,
                     &hits);
    }
    hs_close_stream(stream, scratch_, count, &hits);
    const double taken = now() - start;
    return hits > 0 ? taken : 0;
  }

 private:
  hs_database_t* database_ = nullptr;
  hs_scratch_t* scratch_ = nullptr;
};

double analyse(const std::string& log) {
  const double start = now();
  Analyzer a(builtin_rules());
  for (std::size_t at = 0; at < log.size(); at += 64 << 10)
    a.feed(std::string_view(log).substr(at, 64 << 10));
  const Diagnosis d = a.finish({.failed = true});
  const double taken = (now() - start);
  if (d.lines == 0) std::printf("no lines?\n");
  return taken;
}

template <typename Measure>
double median_of_five(const std::string& log, const Measure& measure) {
  double taken[5];
  for (double& t : taken) t = measure(log);
  std::sort(std::begin(taken), std::end(taken));
  return taken[2];
}

}  // namespace

int main() {
  const double start = now();
  analyse("src/ring.c:3:1: error: expected expression\n");
  using gitaiops::bench::Better;
  using gitaiops::bench::fact;
  using gitaiops::bench::row;
  row("diagnosis, first log of a process", (now() - start) * 1e3, "ms", 30, Better::lower);
  const std::string large = sample(64 << 20), trace = sample(4 << 20);
  const double whole = median_of_five(large, analyse);
  const double megabytes = static_cast<double>(large.size()) / 1e6;
  row("diagnosis, mixed log, one core", megabytes / whole, "MB/s", 250, Better::higher);
  // Two peers: literal matching of what the pipeline has to look for at least once itself, which
  // the target is for, and of a set so small that it could not find what the rules find.
  const auto words = own_words();
  const double own = median_of_five(large, Literals(words));
  const double few = median_of_five(large, Literals(kFewWords));
  fact("its peer, the " + std::to_string(words.size()) + " literals of its rules, stream",
       megabytes / own, "MB/s");
  row("diagnosis / literals of its rules", own / whole, "of their speed", 0.60, Better::higher);
  fact("literals of " + std::to_string(kFewWords.size()) + " words, stream", megabytes / few,
       "MB/s");
  fact("diagnosis / literals of " + std::to_string(kFewWords.size()) + " words", few / whole,
       "of their speed");
  row("diagnosis, latency of a 4 MiB trace", median_of_five(trace, analyse) * 1e3, "ms", 20,
      Better::lower);
  const std::string piece(1 << 20, 'x');
  const auto before = mallinfo2();
  Analyzer endless(builtin_rules());
  for (int i = 0; i < 1024; ++i) endless.feed(piece);
  const auto after = mallinfo2();
  row("diagnosis, memory, 1 GiB in one line",
      static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / 1024,
      "KiB", 1024, Better::lower);
  endless.finish();
  Analyzer lines(builtin_rules());
  for (int i = 0; i < 16; ++i) lines.feed(large);
  const auto full = mallinfo2();
  row("diagnosis, memory, 1 GiB of lines",
      static_cast<double>(full.uordblks + full.hblkhd - before.uordblks - before.hblkhd) / 1024,
      "KiB", 1024, Better::lower);
  lines.finish();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  row("diagnosis, peak RSS with 68 MiB of sample", static_cast<double>(usage.ru_maxrss) / 1024,
      "MiB", 132, Better::lower);
  return gitaiops::bench::verdict();
}
