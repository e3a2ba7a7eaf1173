// The purl-spec's own tests (corpus scanner/purl).
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engines/scanner/purl.h"
#include "tests/corpus.h"

namespace gitaiops::scanner {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string text_or_empty(const json& parts, const char* name) {
  return parts.contains(name) && parts[name].is_string() ? parts[name].get<std::string>() : "";
}

Purl from_parts(const json& parts) {
  Purl purl{text_or_empty(parts, "type"),
            text_or_empty(parts, "namespace"),
            text_or_empty(parts, "name"),
            text_or_empty(parts, "version"),
            {},
            text_or_empty(parts, "subpath")};
  if (parts.contains("qualifiers") && parts["qualifiers"].is_object())
    for (const auto& [key, value] : parts["qualifiers"].items()) purl.qualifiers[key] = value;
  return purl;
}

void check(const json& test, const std::string& where) {
  SCOPED_TRACE(where + ": " + test["description"].get<std::string>() + " " + test["input"].dump());
  const bool fails = test.value("expected_failure", false);
  const std::string kind = test["test_type"];
  if (kind == "build") {
    const auto built = build_purl(from_parts(test["input"]));
    EXPECT_EQ(built.ok(), !fails);
    if (!built.ok() || fails) return;
    EXPECT_EQ(*built, test["expected_output"].get<std::string>());
    return;
  }
  const std::string input = test["input"];
  if (kind == "validate") {
    const auto canonical = canonical_purl(input);
    EXPECT_EQ(canonical.ok(), !fails);
    if (!canonical.ok() || fails) return;
    EXPECT_EQ(*canonical, test["expected_output"].get<std::string>());
    return;
  }
  const auto parsed = parse_purl(input);
  EXPECT_EQ(parsed.ok(), !fails);
  if (!parsed.ok() || fails) return;
  EXPECT_EQ(*parsed, from_parts(test["expected_output"]));
}

TEST(PurlSpec, Tests) {
  const auto folder = corpus("scanner");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(*folder / "purl/tests")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const json content = json::parse(file);
    for (const auto& test : content["tests"]) {
      check(test, entry.path().filename());
      ++count;
    }
  }
  EXPECT_GT(count, 400u);
}

}  // namespace
}  // namespace gitaiops::scanner
