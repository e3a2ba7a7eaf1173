// Figures on real failing logs with annotated chunks (the development part of LogChunks),
// zero-shot. The floors stand a little below what is reached, so that a rule that helps one tool
// cannot quietly cost the others. GITAIOPS_CORPUS_MISSES=1 lists the logs whose cause was not among
// the first candidates.
#include <cctype>
#include <tuple>

#include "tests/unit/diagnosis/annotated_logs.h"

namespace gitaiops::diagnosis {
namespace {

TEST(Corpus, AnnotatedChunks) {
  const auto folder = corpus("diagnosis");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  const bool misses = std::getenv("GITAIOPS_CORPUS_MISSES");
  std::map<std::string, Sums> repositories;
  std::map<std::string, int> categories;
  Reliability reliability;
  Sums all;
  for (const AnnotatedLog& log : annotated_logs(*folder)) {
    const Diagnosis d = diagnose(slurp(log.path));
    const Sums s = score(d, log.marked, log.signals);
    reliability.add(d.confidence, root_marked(d, log.marked));
    all.add(s);
    repositories[log.repository].add(s);
    ++categories[d.category];
    if (misses) {
      std::printf("%s %s f1=%.2f p=%.2f r=%.2f %s conf=%.2f rule-line %llu: %s\n",
                  s.hit1 > 0   ? "HIT"
                  : s.hit3 > 0 ? "HI3"
                               : "MISS",
                  fs::relative(log.path, *folder).c_str(), s.f1, s.precision, s.recall,
                  d.category.c_str(), d.confidence,
                  d.root_cause ? static_cast<unsigned long long>(d.root_cause->line) : 0ULL,
                  d.root_cause ? d.root_cause->text.substr(0, 160).c_str() : "-");
    }
  }
  all.print("all logs");
  by_repository(repositories).print("by repository");
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
