// Figures on real failing logs with annotated chunks (the development part of LogChunks),
// zero-shot. The floors stand a little below what is reached, so that a rule that helps one tool
// cannot quietly cost the others. GITAIOPS_CORPUS_MISSES=1 lists the logs whose cause was not among
// the first candidates.
#include "tests/corpus.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

namespace fs = std::filesystem;

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
    if (line[i] == '\x1b' && i + 1 < line.size() && (line[i + 1] == '=' || line[i + 1] == '>')) {
      ++i;  // keypad modes
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

// Whether the root cause stands among the marked lines. Annotators now and then began or ended a
// line short of its ends; a metric that compares whole lines would call those wrong.
bool root_marked(const Diagnosis& d, const std::set<std::string>& truth) {
  constexpr std::size_t kSharedMin = 12;
  if (!d.root_cause) return false;
  const std::string root = bare(d.root_cause->text);
  return truth.contains(root) || std::any_of(truth.begin(), truth.end(), [&](const auto& t) {
           return t.size() >= kSharedMin && root.size() >= kSharedMin &&
                  (t.find(root) != t.npos || root.find(t) != root.npos);
         });
}

// How often a confidence is deserved, by tenths.
struct Reliability {
  struct Tenth {
    double logs = 0, right = 0, claimed = 0;
  };
  std::array<Tenth, 10> tenths;

  void add(double confidence, bool right) {
    Tenth& t = tenths[std::min<std::size_t>(9, static_cast<std::size_t>(confidence * 10))];
    t.logs += 1, t.right += right, t.claimed += confidence;
  }
  void check() const {
    for (std::size_t i = 0; i < tenths.size(); ++i) {
      const Tenth& t = tenths[i];
      if (t.logs == 0) continue;
      std::printf("  confidence %.1f-%.1f  logs %4.0f  claimed %.2f  right %.2f\n",
                  static_cast<double>(i) / 10, static_cast<double>(i + 1) / 10, t.logs,
                  t.claimed / t.logs, t.right / t.logs);
      if (t.logs < 20) continue;
      EXPECT_GE(t.right / t.logs, t.claimed / t.logs - 0.1) << "tenth " << i;
    }
  }
};

struct Sums {
  double logs = 0, hit1 = 0, hit3 = 0, precision = 0, recall = 0, f1 = 0, packet = 0;
  double signalled = 0, critical = 0;  // logs whose annotator named signal words; their share
  void add(const Sums& o) {
    logs += o.logs, hit1 += o.hit1, hit3 += o.hit3, precision += o.precision, recall += o.recall,
        f1 += o.f1, packet += o.packet, signalled += o.signalled, critical += o.critical;
  }
  void print(const char* name) const {
    std::printf(
        "%-14s logs %4.0f  hit@1 %.3f  hit@3 %.3f  P %.3f  R %.3f  F1 %.3f  packet: lines %.3f  "
        "critical %.3f\n",
        name, logs, hit1 / logs, hit3 / logs, precision / logs, recall / logs, f1 / logs,
        packet / logs, critical / std::max(1.0, signalled));
  }
};

Diagnosis diagnose(const std::string& log) {
  Analyzer a(builtin_rules());
  a.feed(log);
  return a.finish({});
}

// `signals`: words that the annotator would search for. The marked lines with one are what a reader
// of the packet must not miss.
Sums score(const Diagnosis& d, const std::set<std::string>& truth,
           const std::vector<std::string>& signals) {
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
  double critical = 0, kept = 0;
  for (const auto& t : truth) {
    if (std::none_of(signals.begin(), signals.end(),
                     [&](const auto& word) { return !word.empty() && t.find(word) != t.npos; }))
      continue;
    critical += 1, kept += packet.contains(t);
  }
  if (critical > 0) s.signalled = 1, s.critical = kept / critical;
  return s;
}

TEST(Corpus, AnnotatedChunks) {
  const auto folder = corpus("diagnosis");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  const bool misses = std::getenv("GITAIOPS_CORPUS_MISSES");
  std::ifstream labels(*folder / "labels.jsonl");
  std::map<std::string, Sums> by_repository;
  std::map<std::string, int> categories;
  Reliability reliability;
  Sums all;
  for (std::string line; std::getline(labels, line);) {
    const auto label = nlohmann::json::parse(line);
    if (label["set"] != "logchunks") continue;
    const auto truth = line_set(label["chunk"].get<std::string>());
    if (truth.empty()) continue;
    const Diagnosis d = diagnose(slurp(*folder / label["log"].get<std::string>()));
    std::vector<std::string> signals;
    if (label.contains("search_keywords") && label["search_keywords"].is_array())
      for (const auto& word : label["search_keywords"])
        signals.push_back(bare(word.get<std::string>()));
    const Sums s = score(d, truth, signals);
    reliability.add(d.confidence, root_marked(d, truth));
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
               s.f1 / s.logs, s.packet / s.logs, s.signalled > 0 ? 1.0 : 0.0,
               s.signalled > 0 ? s.critical / s.signalled : 0.0});
  }
  all.print("all logs");
  macro.print("by repository");
  std::printf(
      "%-14s            hit@1 0.65   hit@3 0.80   F1 0.55   packet: lines 0.75  critical 0.90\n",
      "targets");
  for (const auto& [name, n] : categories) std::printf("  %-20s %d\n", name.c_str(), n);
  reliability.check();
  EXPECT_GE(all.hit1 / all.logs, 0.71);
  EXPECT_GE(all.hit3 / all.logs, 0.79);
  EXPECT_GE(all.f1 / all.logs, 0.52);
  EXPECT_GE(all.packet / all.logs, 0.90);
  EXPECT_GE(all.critical / all.signalled, 0.90);
}

// Logs that a person read and labelled (tests/labelled/development.tsv): category, owner and retry.
// Where the reader was not sure, the log does not count; where two readings are as good, either is
// right.
TEST(Corpus, HandLabels) {
  const auto folder = corpus("diagnosis");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  constexpr double kSure = 0.9;
  constexpr double kLogsForF1 = 5;  // rarer categories say little
  struct Count {
    double wanted = 0, told = 0, right = 0;
  };
  std::map<std::string, Count> categories;
  Reliability reliability;
  double logs = 0, right = 0, owners = 0, sure_wrong = 0, retries = 0, retries_right = 0;
  std::ifstream labels(fs::path(GITAIOPS_SOURCE_DIR) / "tests/labelled/development.tsv");
  for (std::string line; std::getline(labels, line);) {
    if (line.starts_with('#')) continue;
    const auto fields = split(line, '\t');
    ASSERT_EQ(fields.size(), 6u) << line;
    const auto [log, wanted, also, owner, retry, sure] =
        std::tuple(fields[0], std::string(fields[1]), fields[2], fields[3], fields[4], fields[5]);
    if (sure == "low" || !fs::exists(*folder / log)) continue;
    const Diagnosis d = diagnose(slurp(*folder / log));
    const std::string got = d.category.empty() ? "passed" : d.category;
    const auto others = split(also, ',');
    const bool fits = got == wanted || std::find(others.begin(), others.end(), got) != others.end();
    logs += 1, right += fits;
    owners += fits || d.owner == owner;
    categories[wanted].wanted += 1;
    categories[fits ? wanted : got].told += 1;
    categories[wanted].right += fits;
    if (got != "passed" && got != "unknown") reliability.add(d.confidence, fits);
    sure_wrong += !fits && got != "passed" && d.confidence >= kSure;
    if (d.retry && *d.retry != Retry::never) {
      retries += 1, retries_right += retry != "never" && retry != "-";
    }
  }
  ASSERT_GE(logs, 140);
  double f1 = 0, counted = 0;
  for (const auto& [name, c] : categories) {
    if (c.wanted < kLogsForF1) continue;
    f1 += 2 * c.right / (c.wanted + c.told), counted += 1;
  }
  std::printf(
      "hand labels    logs %.0f  right %.3f  owner right %.3f  macro-F1 of %.0f categories %.3f  "
      "confidently wrong %.3f  retries %.0f, right %.0f\n",
      logs, right / logs, owners / logs, counted, f1 / counted, sure_wrong / logs, retries,
      retries_right);
  reliability.check();
  EXPECT_GE(right / logs, 0.82);
  EXPECT_GE(f1 / counted, 0.85);
  EXPECT_LE(sure_wrong / logs, 0.02);
}

// Reporters join path, class and method differently: the words of a name are compared.
std::string words(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i).starts_with(".py") && (i + 3 == name.size() || name[i + 3] == ':')) {
      i += 2;
      continue;
    }
    const auto c = static_cast<unsigned char>(name[i]);
    if (std::isalnum(c) || c == '_' || c >= 0x80)
      out += name[i];
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  return std::string(trimmed(out));
}

bool same_test(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return false;
  if (a.find(b) != a.npos || b.find(a) != b.npos) return true;
  const auto as_set = [](const std::string& text) {
    const auto parts = split(text, ' ');
    return std::set<std::string_view>(parts.begin(), parts.end());
  };
  const auto mine = as_set(a), theirs = as_set(b);
  return std::includes(mine.begin(), mine.end(), theirs.begin(), theirs.end());
}

TEST(Corpus, FailingTests) {
  const auto folder = corpus("diagnosis");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  std::ifstream labels(*folder / "labels.jsonl");
  double wanted = 0, found = 0, named = 0, wrong = 0;
  for (std::string line; std::getline(labels, line);) {
    const auto label = nlohmann::json::parse(line);
    if (label["set"] != "bugswarm" || !label.contains("tr_t_failed")) continue;
    const auto list = label["tr_t_failed"].get<std::string>();
    std::set<std::string> truth;
    for (const auto name : split(list, '#')) truth.insert(words(name));
    truth.erase("");
    const Diagnosis d = diagnose(slurp(*folder / label["log"].get<std::string>()));
    std::set<std::string> told;
    for (const auto& test : d.failing_tests) told.insert(words(test.name));
    const auto in = [](const std::string& name, const std::set<std::string>& names) {
      return std::any_of(names.begin(), names.end(),
                         [&](const auto& other) { return same_test(other, name); });
    };
    for (const auto& name : truth) wanted += 1, found += in(name, told);
    for (const auto& name : told) named += 1, wrong += !in(name, truth);
  }
  ASSERT_GT(wanted, 0);
  std::printf(
      "failing tests  wanted %.0f  found %.0f (%.2f)  named %.0f  wrong %.0f "
      "(%.3f)  targets 0.95, 0.02\n",
      wanted, found, found / wanted, named, wrong, wrong / named);
  EXPECT_GE(found / wanted, 0.95);
  EXPECT_LE(wrong / named, 0.02);
}

}  // namespace
}  // namespace gitaiops::diagnosis
