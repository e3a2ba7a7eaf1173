// Matching against recorded answers of OSV.dev over a snapshot of real advisories; listed versions
// in other spellings; the index's size.
#include "tests/corpus.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "engines/scanner/advisories/builder.h"

namespace gitaiops::scanner {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class AdvisoryCorpus : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = corpus("scanner/advisories");
    if (!folder_) return;
    IndexBuilder builder;
    for (const auto& entry : fs::recursive_directory_iterator(*folder_ / "osv")) {
      if (entry.path().extension() != ".json") continue;
      const auto added = builder.add_osv(text_of(entry.path()));
      EXPECT_TRUE(added) << entry.path();
    }
    bytes_ = *builder.finish();
    const auto index = *Index::open(as_bytes(bytes_));
    Index::Block block;
    for (uint32_t i = 0; i < index.size(); ++i) ids_.push_back(index.advisory(i, block)->id);
  }
  void SetUp() override {
    if (!folder_) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  }
  static std::set<std::string> ids(const Index& index, Ecosystem ecosystem, const std::string& name,
                                   const std::string& version) {
    std::set<std::string> out;
    for (const auto& hit : index.match(ecosystem, name, version)) out.insert(ids_[hit.advisory]);
    return out;
  }

  static std::optional<fs::path> folder_;
  static std::string bytes_;
  static std::vector<std::string> ids_;  // by number
};
std::optional<fs::path> AdvisoryCorpus::folder_;
std::string AdvisoryCorpus::bytes_;
std::vector<std::string> AdvisoryCorpus::ids_;

TEST_F(AdvisoryCorpus, AnswersAreTheServices) {
  const auto index = *Index::open(as_bytes(bytes_));
  int expected = 0, found = 0;
  for (const auto& one : Json::parse(text_of(*folder_ / "expected.json"))) {
    const auto& query = one["query"];
    const auto ecosystem = ecosystem_of(query["package"]["ecosystem"].get<std::string>());
    const auto got = ids(index, *ecosystem, query["package"]["name"], query["version"]);
    std::set<std::string> known;
    for (const auto& id : one["expected_in_snapshot"]) {
      ++expected;
      found += static_cast<int>(got.count(id));
      EXPECT_TRUE(got.count(id)) << query << " misses " << id;
      known.insert(id);
    }
    for (const auto& id : one["snapshot_only"]) known.insert(id);
    for (const auto& id : got)
      if (!known.count(id)) std::cout << "also found: " << query << " " << id << "\n";
  }
  std::cout << found << " of " << expected << " recorded answers\n";
  EXPECT_GT(expected, 100);
}

// "1.0" is "1.0.0" and "v1.0": a listed version is one whatever way a lock file spells it; most of
// these records begin with a range of commits.
TEST_F(AdvisoryCorpus, ListedVersionsInAnySpelling) {
  const auto index = *Index::open(as_bytes(bytes_));
  int asked = 0, found = 0;
  for (const auto& entry : fs::directory_iterator(*folder_ / "osv" / "PyPI")) {
    const auto record = Json::parse(text_of(entry.path()));
    if (record.contains("withdrawn")) continue;
    for (const auto& affected : record["affected"]) {
      const std::string id = record["id"], name = affected["package"]["name"];
      for (const std::string version : affected.value("versions", Json::array())) {
        std::vector<std::string> spellings = {version};
        // What PEP 440 cannot read has one spelling.
        if (version.find_first_not_of("0123456789.") == std::string::npos)
          spellings.insert(spellings.end(), {"v" + version, version + ".0"});
        for (const auto& spelled : spellings) {
          const auto hits = index.match(Ecosystem::pypi, name, spelled);
          ++asked;
          found += std::any_of(hits.begin(), hits.end(),
                               [&](const Hit& hit) { return ids_[hit.advisory] == id; });
        }
      }
    }
  }
  std::cout << found << " of " << asked << " listed versions and their other spellings\n";
  EXPECT_GT(asked, 1000);
  EXPECT_EQ(found, asked);
}

TEST_F(AdvisoryCorpus, TheIndexIsSmall) {
  const auto index = *Index::open(as_bytes(bytes_));
  const auto& info = index.info();
  const double per_advisory =
      static_cast<double>(info.match_bytes) / static_cast<double>(info.advisories);
  std::cout << bytes_.size() << " bytes for " << info.advisories << " advisories, " << per_advisory
            << " each for matching, and 4 for each of " << info.listed_versions
            << " listed versions\n";
  EXPECT_LE(per_advisory, 80);
}

}  // namespace
}  // namespace gitaiops::scanner
