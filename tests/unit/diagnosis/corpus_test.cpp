// Figures on real failing logs with annotated chunks (the development part of LogChunks),
// zero-shot. The floors stand a little below what is reached, so that a rule that helps one tool
// cannot quietly cost the others. GITAIOPS_CORPUS_MISSES=1 lists the logs whose cause was not among
// the first candidates.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> corpus() {
  if (const char* set = std::getenv("GITAIOPS_CORPUS")) return fs::path(set) / "diagnosis";
  if (const char* home = std::getenv("HOME")) {
    const auto cached = fs::path(home) / ".cache/gitaiops-corpus/diagnosis";
    if (fs::exists(cached / "labels.jsonl")) return cached;
  }
  const auto unpack = fs::path(GITAIOPS_SOURCE_DIR) / "../shared/corpus/unpack";
  if (!fs::exists(unpack)) return std::nullopt;
  std::FILE* pipe = popen((unpack.string() + " 2>/dev/null").c_str(), "r");
  if (!pipe) return std::nullopt;
  std::string out;
  char buffer[512];
  while (std::fgets(buffer, sizeof buffer, pipe)) out += buffer;
  pclose(pipe);
  const auto folder =
      fs::path(trimmed(out.substr(out.find_last_of('\n', out.size() - 2) + 1))) / "diagnosis";
  return fs::exists(folder / "labels.jsonl") ? std::optional(folder) : std::nullopt;
}

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As the metric compares lines: without ANSI codes and surrounding blanks.
std::string bare(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
      i += 2;
      while (i < line.size() && !(line[i] >= 0x40 && line[i] <= 0x7e)) ++i;
      continue;
    }
    if (line[i] != '\r') out.push_back(line[i]);
  }
  return std::string(trimmed(out));
}

std::set<std::string> line_set(std::string_view text) {
  std::set<std::string> out;
  for (const auto line : split(text, '\n')) {
    if (auto b = bare(line); !b.empty()) out.insert(std::move(b));
  }
  return out;
}

struct Sums {
  double logs = 0, hit1 = 0, hit3 = 0, precision = 0, recall = 0, f1 = 0, packet = 0;
  void add(const Sums& o) {
    logs += o.logs, hit1 += o.hit1, hit3 += o.hit3, precision += o.precision, recall += o.recall,
        f1 += o.f1, packet += o.packet;
  }
  void print(const char* name) const {
    std::printf(
        "%-14s logs %4.0f  hit@1 %.3f  hit@3 %.3f  P %.3f  R %.3f  F1 %.3f  packet recall %.3f\n",
        name, logs, hit1 / logs, hit3 / logs, precision / logs, recall / logs, f1 / logs,
        packet / logs);
  }
};

Diagnosis diagnose(const std::string& log) {
  Analyzer a(builtin_rules());
  a.feed(log);
  return a.finish({});
}

Sums score(const Diagnosis& d, const std::set<std::string>& truth) {
  Sums s;
  s.logs = 1;
  for (std::size_t i = 0; i < d.candidates.size() && i < 3; ++i) {
    if (!truth.contains(bare(d.candidates[i].line.text))) continue;
    s.hit3 = 1;
    if (i == 0) s.hit1 = 1;
  }
  std::set<std::string> told, packet;
  for (const auto& e : d.evidence) told.merge(line_set(e.text));
  for (const auto& e : d.packet) packet.merge(line_set(e.text));
  double common = 0, packed = 0;
  for (const auto& t : truth) common += told.contains(t), packed += packet.contains(t);
  s.precision = told.empty() ? 0 : common / static_cast<double>(told.size());
  s.recall = common / static_cast<double>(truth.size());
  s.f1 = s.precision + s.recall > 0 ? 2 * s.precision * s.recall / (s.precision + s.recall) : 0;
  s.packet = packed / static_cast<double>(truth.size());
  return s;
}

TEST(Corpus, AnnotatedChunks) {
  const auto folder = corpus();
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  const bool misses = std::getenv("GITAIOPS_CORPUS_MISSES");
  std::ifstream labels(*folder / "labels.jsonl");
  std::map<std::string, Sums> by_repository;
  std::map<std::string, int> categories;
  Sums all;
  for (std::string line; std::getline(labels, line);) {
    const auto label = nlohmann::json::parse(line);
    if (label["set"] != "logchunks") continue;
    const auto truth = line_set(label["chunk"].get<std::string>());
    if (truth.empty()) continue;
    const Diagnosis d = diagnose(slurp(*folder / label["log"].get<std::string>()));
    const Sums s = score(d, truth);
    all.add(s);
    by_repository[label["repo"].get<std::string>()].add(s);
    ++categories[d.category];
    if (misses) {
      std::printf("%s %s f1=%.2f p=%.2f r=%.2f %s conf=%.2f rule-line %llu: %s\n",
                  s.hit1 > 0   ? "HIT"
                  : s.hit3 > 0 ? "HI3"
                               : "MISS",
                  label["log"].get<std::string>().c_str(), s.f1, s.precision, s.recall,
                  d.category.c_str(), d.confidence,
                  d.root_cause ? static_cast<unsigned long long>(d.root_cause->line) : 0ULL,
                  d.root_cause ? d.root_cause->text.substr(0, 160).c_str() : "-");
    }
  }
  Sums macro;
  for (const auto& [name, s] : by_repository) {
    macro.add({1, s.hit1 / s.logs, s.hit3 / s.logs, s.precision / s.logs, s.recall / s.logs,
               s.f1 / s.logs, s.packet / s.logs});
  }
  all.print("all logs");
  macro.print("by repository");
  for (const auto& [name, n] : categories) std::printf("  %-20s %d\n", name.c_str(), n);
  EXPECT_GE(all.hit1 / all.logs, 0.62);
  EXPECT_GE(all.hit3 / all.logs, 0.75);
  EXPECT_GE(all.f1 / all.logs, 0.50);
}

}  // namespace
}  // namespace gitaiops::diagnosis
