// Real failing logs whose failure an annotator marked (LogChunks), and how a diagnosis is scored
// against the marks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engines/diagnosis/diagnosis.h"
#include "tests/corpus.h"

namespace gitaiops::diagnosis {

namespace fs = std::filesystem;

inline std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As the metric compares lines: without ANSI codes and surrounding blanks.
inline std::string bare(std::string_view line) {
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

inline std::set<std::string> line_set(std::string_view text) {
  std::set<std::string> out;
  for (const auto line : split(text, '\n')) {
    if (auto b = bare(line); !b.empty()) out.insert(std::move(b));
  }
  return out;
}

// Whether the root cause stands among the marked lines. Annotators now and then began or ended a
// line short of its ends; a metric that compares whole lines would call those wrong.
inline bool root_marked(const Diagnosis& d, const std::set<std::string>& truth) {
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

inline Diagnosis diagnose(const std::string& log,
                          std::shared_ptr<const Rules> rules = builtin_rules()) {
  Analyzer a(std::move(rules));
  a.feed(log);
  return a.finish({});
}

// `signals`: words that the annotator would search for. The marked lines with one are what a reader
// of the packet must not miss.
inline Sums score(const Diagnosis& d, const std::set<std::string>& truth,
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

// One log of LogChunks.
struct AnnotatedLog {
  fs::path path;
  std::string repository;
  std::set<std::string> marked;      // lines
  std::vector<std::string> signals;  // words that the annotator would search for
};

inline std::vector<AnnotatedLog> annotated_logs(const fs::path& folder) {
  std::vector<AnnotatedLog> logs;
  std::ifstream labels(folder / "labels.jsonl");
  for (std::string line; std::getline(labels, line);) {
    const auto label = nlohmann::json::parse(line);
    if (label["set"] != "logchunks") continue;
    AnnotatedLog log{folder / label["log"].get<std::string>(),
                     label["repo"].get<std::string>(),
                     line_set(label["chunk"].get<std::string>()),
                     {}};
    if (log.marked.empty()) continue;
    if (label.contains("search_keywords") && label["search_keywords"].is_array())
      for (const auto& word : label["search_keywords"])
        log.signals.push_back(bare(word.get<std::string>()));
    logs.push_back(std::move(log));
  }
  return logs;
}

// Every repository counts once, however many logs it has: they fail alike.
inline Sums by_repository(const std::map<std::string, Sums>& repositories) {
  Sums mean;
  for (const auto& [name, s] : repositories) {
    mean.add({1, s.hit1 / s.logs, s.hit3 / s.logs, s.precision / s.logs, s.recall / s.logs,
              s.f1 / s.logs, s.packet / s.logs, s.signalled > 0 ? 1.0 : 0.0,
              s.signalled > 0 ? s.critical / s.signalled : 0.0});
  }
  return mean;
}

}  // namespace gitaiops::diagnosis
