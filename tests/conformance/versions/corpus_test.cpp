// Orders and ranges against recorded answers of the ecosystems' own tools, and against the cases of
// an OSV implementation. GITAIOPS_CORPUS_MISSES=1 lists what differs.
#include "tests/corpus.h"

#include <fstream>
#include <iostream>

#include <gtest/gtest.h>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

class VersionCorpus : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = corpus("scanner/versions");
    if (!folder_) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  }

  // Each line of the file to `answer`, which says what was wanted and what came.
  template <class Answer>
  void agree(const std::string& file, double least, char separator, const Answer& answer) {
    std::ifstream in(*folder_ / file);
    int lines = 0, equal = 0;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line.starts_with("# ") || line.starts_with("// ")) continue;
      const auto [wanted, got] = answer(split(line, separator));
      ++lines;
      if (wanted == got)
        ++equal;
      else if (std::getenv("GITAIOPS_CORPUS_MISSES"))
        std::cout << file << ": " << line << ", got " << got << "\n";
    }
    ASSERT_GT(lines, 0) << file;
    std::cout << file << ": " << equal << " of " << lines << "\n";
    EXPECT_GE(equal, least * lines) << file;
  }

  using Answer = std::pair<std::string, std::string>;
  static std::string sign(std::optional<std::weak_ordering> order) {
    if (!order) return "invalid";
    return *order < 0 ? "<" : *order > 0 ? ">" : "=";
  }

  std::optional<std::filesystem::path> folder_;
};

constexpr std::pair<Ecosystem, const char*> kTools[] = {{Ecosystem::npm, "npm"},
                                                        {Ecosystem::pypi, "pypi"},
                                                        {Ecosystem::maven, "maven"},
                                                        {Ecosystem::rubygems, "rubygems"},
                                                        {Ecosystem::go, "go"},
                                                        {Ecosystem::debian, "debian"},
                                                        {Ecosystem::packagist, "packagist"}};

TEST_F(VersionCorpus, StrictOrderIsTheTools) {
  for (const auto& [ecosystem, name] : kTools) {
    agree(std::string(name) + "-compare.tsv", 0.999, '\t', [&](const auto& f) {
      return Answer(f[2], sign(compare_strictly(ecosystem, f[0], f[1])));
    });
  }
}

TEST_F(VersionCorpus, AdvisoryOrderAgreesWhereTheToolsHaveOne) {
  for (const auto& [ecosystem, name] : kTools) {
    // Maven of today differs from its specification, which OSV follows, in few odd versions.
    agree(std::string(name) + "-compare.tsv", ecosystem == Ecosystem::maven ? 0.998 : 0.999, '\t',
          [&](const auto& f) {
            const auto wanted = ecosystem == Ecosystem::packagist ? f[3] : f[2];
            const auto got = sign(compare_versions(ecosystem, f[0], f[1]));
            return Answer(wanted, wanted == "invalid" ? "invalid" : got);
          });
  }
}

TEST_F(VersionCorpus, AdvisoryOrderIsOsvs) {
  const std::pair<Ecosystem, const char*> files[] = {{Ecosystem::npm, "semver"},
                                                     {Ecosystem::pypi, "pypi"},
                                                     {Ecosystem::maven, "maven"},
                                                     {Ecosystem::rubygems, "rubygems"},
                                                     {Ecosystem::packagist, "packagist"},
                                                     {Ecosystem::nuget, "nuget"},
                                                     {Ecosystem::pub, "pub"},
                                                     {Ecosystem::cran, "cran"},
                                                     {Ecosystem::hackage, "hackage"},
                                                     {Ecosystem::debian, "debian"},
                                                     {Ecosystem::alpine, "alpine"},
                                                     {Ecosystem::red_hat, "redhat"}};
  for (const auto& [ecosystem, name] : files) {
    for (const std::string_view kind : {"-versions.txt", "-versions-generated.txt"}) {
      const std::string file = "osv-scalibr/" + std::string(name) + std::string(kind);
      if (!std::filesystem::exists(*folder_ / file)) continue;
      agree(file, 1.0, ' ', [&](const auto& f) {
        return Answer(f[1], sign(compare_versions(ecosystem, f[0], f[2])));
      });
    }
  }
}

TEST_F(VersionCorpus, RangesAreTheTools) {
  const auto range = [&](Ecosystem ecosystem, const char* file, std::size_t column,
                         Prereleases prereleases) {
    agree(file, 0.999, '\t', [&](const auto& f) {
      const auto match = matches(ecosystem, f[0], f[1], prereleases);
      const std::string got = match == Match::yes           ? "true"
                              : match == Match::no          ? "false"
                              : match == Match::recommended ? "recommended=" + std::string(f[1])
                                                            : "invalid";
      return Answer(f[column], got);
    });
  };
  using enum Prereleases;
  range(Ecosystem::npm, "npm-satisfies.tsv", 2, as_the_tool_does);
  range(Ecosystem::npm, "npm-satisfies.tsv", 3, included);
  range(Ecosystem::pypi, "pypi-specifiers.tsv", 2, as_the_tool_does);
  range(Ecosystem::pypi, "pypi-specifiers.tsv", 3, included);
  range(Ecosystem::maven, "maven-ranges.tsv", 2, as_the_tool_does);
  range(Ecosystem::rubygems, "rubygems-requirements.tsv", 2, as_the_tool_does);
  range(Ecosystem::packagist, "packagist-satisfies.tsv", 2, as_the_tool_does);
}

}  // namespace
}  // namespace gitaiops::scanner
