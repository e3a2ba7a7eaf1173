// Short logs of many tools in the words those tools print, written down before any rule was changed
// for them (tests/seeded/strangers/README.md tells their form, and why the kept half is not clean).
// GITAIOPS_STRANGERS=open lists what goes wrong in the open half. No rule is mended with the group
// in clean/, which was written without sight of the rules.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

constexpr double kSure = 0.6;  // from here on a wrong verdict is a confident one

struct Stranger {
  std::string name;
  std::vector<std::string> categories;  // the first is meant, the others are as good
  std::string not_category;             // what it only looks like; empty when it is no look-alike
  std::vector<std::string> lines;       // $ commands, @ sections, output
  std::string verdict;                  // "passed", an exit code, or the runner's own words
  bool clean = false;                   // written without sight of the rules
};

void read(const std::filesystem::path& folder, bool clean, std::vector<Stranger>& all) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".txt") files.push_back(file.path());
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("## ")) {
        const auto words = split(std::string_view(line).substr(3), ' ');
        Stranger s;
        s.clean = clean;
        for (const auto category : split(words.at(0), '|')) s.categories.emplace_back(category);
        s.name = std::string(words.at(0)) + "/" + std::string(words.at(1));
        if (words.size() == 4) s.not_category = words[3];
        all.push_back(std::move(s));
      } else if (line.starts_with("=> ")) {
        all.back().verdict = line.substr(3);
      } else if (all.empty() || !all.back().verdict.empty()) {
        EXPECT_EQ(line, "") << "between logs in " << path;
      } else {
        all.back().lines.push_back(line);
      }
    }
  }
}

std::vector<Stranger> strangers() {
  const auto folder = std::filesystem::path(GITAIOPS_SOURCE_DIR) / "tests/seeded/strangers";
  std::vector<Stranger> all;
  read(folder, false, all);
  read(folder / "clean", true, all);
  return all;
}

// As the runner frames it; every third with its time stamps.
std::string framed(const Stranger& stranger, bool stamped) {
  std::string out;
  unsigned second = 0;
  const auto say = [&](std::string_view text, const char* stream = "00O") {
    if (stamped) {
      char stamp[48];
      std::snprintf(stamp, sizeof stamp, "2026-03-01T10:%02u:%02u.123456Z %s ", second / 60 % 60,
                    second % 60, stream);
      out += stamp;
      ++second;
    }
    out += std::string(text) + "\n";
  };
  std::string open;
  const auto section = [&](std::string_view name) {
    const std::string end =
        open.empty() ? std::string() : "section_end:1700000005:" + open + "\r\x1b[0K";
    say(end + "section_start:1700000005:" + std::string(name) + "\r\x1b[0K\x1b[0K\x1b[36;1m" +
        std::string(name) + "\x1b[0;m");
    open = name;
  };
  say("Running with gitlab-runner 17.5.0 (12030cf4)");
  say("  on build-3 t3sT_t0kn, system ID: s_b188029b2abb");
  if (stranger.lines.empty() || !stranger.lines.front().starts_with('@')) {
    section("prepare_executor");
    say("Using Docker executor with image registry.example/tools:1 ...");
    section("step_script");
  }
  for (const auto& line : stranger.lines) {
    if (line.starts_with('@'))
      section(line.substr(1));
    else if (line.starts_with("$ "))
      say("\x1b[32;1m" + line + "\x1b[0;m", "01O");
    else
      say(line, open == "prepare_executor" ? "00O" : "01O");
  }
  section("cleanup_file_variables");
  const std::string end = "section_end:1700000009:" + open + "\r\x1b[0K";
  const std::string& verdict = stranger.verdict;
  if (verdict == "passed")
    say(end + "\x1b[32;1mJob succeeded\x1b[0;m");
  else if (verdict.find_first_not_of("0123456789") == verdict.npos)
    say(end + "\x1b[31;1mERROR: Job failed: exit code " + verdict + "\x1b[0;m");
  else
    say(end + "\x1b[31;1mERROR: Job failed" + (verdict.starts_with("(") ? " " : "") + verdict +
        "\x1b[0;m");
  return out;
}

enum Group : std::size_t { kOpen, kKept, kClean };

Group group_of(const Stranger& stranger) {  // the halves by FNV-1a of the name
  if (stranger.clean) return kClean;
  uint32_t hash = 2166136261u;
  for (const char c : stranger.name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return (hash >> 8 & 1) != 0 ? kKept : kOpen;
}

struct Tally {
  struct Count {
    double wanted = 0, told = 0, right = 0;
  };
  struct Bucket {
    double logs = 0, right = 0;
  };
  std::map<std::string, Count> categories;
  std::map<double, Bucket> buckets;  // by the least confidence of the bucket
  double logs = 0, right = 0, unknown = 0, sure_wrong = 0, retries = 0, retries_right = 0,
         alikes = 0, alikes_wrong = 0;

  double macro_f1() const {
    double f1 = 0, counted = 0;
    for (const auto& [name, c] : categories)
      if (c.wanted > 0) f1 += 2 * c.right / (c.wanted + c.told), counted += 1;
    return f1 / counted;
  }
  double retry_precision() const { return retries_right / std::max(1.0, retries); }
  void print(const char* what) const {
    std::printf(
        "strangers, %s  logs %.0f  right %.3f  unknown %.3f  macro-F1 %.3f  retry precision "
        "%.3f of %.0f  confidently wrong %.3f  look-alikes %.0f, wrong %.0f\n",
        what, logs, right / logs, unknown / logs, macro_f1(), retry_precision(), retries,
        sure_wrong / (logs + alikes), alikes, alikes_wrong);
    for (const auto& [least, b] : buckets)
      std::printf("  confidence from %.1f  logs %3.0f  right %.2f\n", least, b.logs,
                  b.right / b.logs);
  }
};

TEST(Strangers, AreRecognised) {
  std::map<std::string, std::string> retry_of;
  for (const auto& c : rule_categories(*builtin_rules())) retry_of[c.id] = c.retry;
  const char* listed = std::getenv("GITAIOPS_STRANGERS");
  std::array<Tally, 3> groups;
  unsigned number = 0;
  for (const Stranger& stranger : strangers()) {
    for (const auto& category : stranger.categories)
      ASSERT_TRUE(category == "passed" || retry_of.contains(category)) << stranger.name;
    ASSERT_FALSE(stranger.verdict.empty()) << stranger.name;
    Analyzer analyzer(builtin_rules());
    analyzer.feed(framed(stranger, ++number % 3 == 0));
    const Diagnosis d = analyzer.finish();
    const std::string got = d.category.empty() ? "passed" : d.category;
    const auto& wanted = stranger.categories;
    const bool fits = std::find(wanted.begin(), wanted.end(), got) != wanted.end();
    const bool sure = got != "unknown" && (got == "passed" || d.confidence >= kSure);
    const Group group = group_of(stranger);
    Tally& tally = groups[group];
    tally.sure_wrong += !fits && sure;
    if (!stranger.not_category.empty()) {
      tally.alikes += 1;
      tally.alikes_wrong += got == stranger.not_category && sure;
    } else {
      tally.logs += 1, tally.right += fits, tally.unknown += got == "unknown";
      tally.categories[wanted[0]].wanted += 1;
      tally.categories[wanted[0]].right += fits;
      tally.categories[fits ? wanted[0] : got].told += 1;
    }
    if (got != "unknown" && got != "passed") {
      auto& bucket = tally.buckets[d.confidence >= 0.8 ? 0.8 : d.confidence >= 0.5 ? 0.5 : 0.3];
      bucket.logs += 1, bucket.right += fits;
    }
    if (d.retry && *d.retry != Retry::never) {
      tally.retries += 1;
      tally.retries_right += std::any_of(wanted.begin(), wanted.end(), [&](const auto& category) {
        return category != "passed" && retry_of[category] != "never";
      });
    }
    if (listed && !fits && (listed == std::string_view("all") || group == kOpen))
      std::printf("%-5s %-40s %-18s %.2f  %s\n", sure ? "WRONG" : "miss", stranger.name.c_str(),
                  got.c_str(), d.confidence,
                  d.root_cause ? d.root_cause->text.substr(0, 110).c_str() : "-");
  }
  groups[kOpen].print("open half");
  groups[kKept].print("kept half");
  groups[kClean].print("clean");
  EXPECT_GE(groups[kOpen].macro_f1(), 0.95);
  EXPECT_GE(groups[kKept].macro_f1(), 0.84);   // target 0.80, of logs that no rule was mended with
  EXPECT_GE(groups[kClean].macro_f1(), 0.89);  // 0.916 when it was first run
  for (const Tally& tally : groups) {
    EXPECT_GE(tally.retry_precision(), 0.95);
    EXPECT_EQ(tally.alikes_wrong, 0);
  }
}

}  // namespace
}  // namespace gitaiops::diagnosis
