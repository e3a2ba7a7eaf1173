// Which packages our parsers find in osv-scalibr's own cases, compared by name and version.
// GITAIOPS_CORPUS_MISSES=1 prints what differs. A case whose result we mean to differ stands in
// kDifferent with the reason.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "tests/corpus.h"
#include "tests/unit/scanner/memory_tree.h"

namespace gitaiops::scanner {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Found = std::set<std::pair<std::string, std::string>>;

// scalibr's parser → the name under which its fixtures are read here.
const std::map<std::string, std::string> kNames = {
    {"cpp/conanlock", "conan.lock"},
    {"dart/pubspec", "pubspec.lock"},
    {"dotnet/csproj", "project.csproj"},
    {"dotnet/depsjson", "project.deps.json"},
    {"dotnet/nugetcpm", "Directory.Packages.props"},
    {"dotnet/packagesconfig", "packages.config"},
    {"dotnet/packageslockjson", "packages.lock.json"},
    {"elixir/mixlock", "mix.lock"},
    {"erlang/mixlock", "mix.lock"},
    {"golang/gomod", "go.mod"},
    {"java/gradlelockfile", "gradle.lockfile"},
    {"java/gradleverificationmetadataxml", "verification-metadata.xml"},
    {"java/gradleversioncatalog", "libs.versions.toml"},
    {"java/pomxml", "pom.xml"},
    {"javascript/bunlock", "bun.lock"},
    {"javascript/packagejson", "package.json"},
    {"javascript/packagelockjson", "package-lock.json"},
    {"javascript/pnpmlock", "pnpm-lock.yaml"},
    {"javascript/yarnlock", "yarn.lock"},
    {"php/composerlock", "composer.lock"},
    {"python/pdmlock", "pdm.lock"},
    {"python/pipfilelock", "Pipfile.lock"},
    {"python/poetrylock", "poetry.lock"},
    {"python/pylock", "pylock.toml"},
    {"python/pyprojecttoml", "pyproject.toml"},
    {"python/requirements", "requirements.txt"},
    {"python/uvlock", "uv.lock"},
    {"r/renvlock", "renv.lock"},
    {"ruby/gemfilelock", "Gemfile.lock"},
    {"rust/cargolock", "Cargo.lock"},
    {"rust/cargotoml", "Cargo.toml"},
    {"swift/packageresolved", "Package.resolved"},
};

struct Different {
  std::string parser, fixture, reason;
};
const std::vector<Different> kDifferent = {
    {"golang/gomod", "indirect-packages.mod", "one of its two cases leaves out what is indirect"},
    {"java/pomxml", "with-parent.xml", "its parent is not among the fixtures"},
    {"java/pomxml", "with-parent.xml", "its parent is not among the fixtures"},
    {"javascript/packagejson", ".json", "a package.json is a project with ranges, not a package"},
    {"javascript/packagelockjson", "one-package.v1.json", "one of its two cases tests no packages"},
    {"python/pipfilelock", "no-version.json", "a package from Git is one, without a version too"},
    {"python/requirements", "per_req_options.txt",
     "pip refuses text behind a version; so it is a problem"},
    {"rust/cargotoml", ".toml",
     "a Cargo.toml is a project with ranges, not a package; a Git tag is no version"},
};

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Manifests say ranges, where scalibr writes the version that a range begins with.
Found found_in(const Inventory& inventory, const std::string& file) {
  Found out;
  for (const auto& set : inventory.sets)
    for (const auto& package : set.packages)
      if (package.file == file)
        out.emplace(package.name, package.version.empty() && package.source.empty()
                                      ? lowest_version(package.range)
                                      : package.version);
  return out;
}

void print(const char* what, const Found& found, const Found& without) {
  for (const auto& one : found)
    if (!without.contains(one))
      std::printf("    %s %s %s\n", what, one.first.c_str(), one.second.c_str());
}

TEST(Lockfiles, ScalibrsCases) {
  const auto folder = corpus("scanner");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  const bool misses = std::getenv("GITAIOPS_CORPUS_MISSES");
  const json expected = json::parse(slurp(*folder / "lockfiles/expected.json"));
  std::size_t cases = 0, right = 0, different = 0;
  for (const auto& [parser, list] : expected.items()) {
    const auto name = kNames.find(parser);
    if (name == kNames.end()) continue;
    for (const auto& one : list) {
      const fs::path fixture = *folder / "lockfiles" / one["fixture"].get<std::string>();
      if (!fs::is_regular_file(fixture)) continue;
      Found wanted;
      for (const auto& package : one["packages"])
        wanted.emplace(package["name"], package.value("version", ""));
      const std::string file =
          fixture.filename() == "npm-shrinkwrap.json" ? "npm-shrinkwrap.json" : name->second;
      std::map<std::string, std::string> files{{file, slurp(fixture)}};
      if (fs::exists(fixture.parent_path() / "npm-shrinkwrap.json"))
        files.emplace("npm-shrinkwrap.json", slurp(fixture.parent_path() / "npm-shrinkwrap.json"));
      const Inventory inventory = take_inventory(MemoryTree(files));
      const Found found = found_in(inventory, file);
      const bool error_right = !one["expect_error"].get<bool>() || !inventory.problems.empty();
      ++cases;
      if (found == wanted && error_right) {
        ++right;
        continue;
      }
      const bool meant = std::ranges::any_of(kDifferent, [&](const Different& d) {
        return d.parser == parser && one["fixture"].get<std::string>().ends_with(d.fixture);
      });
      different += meant;
      if (meant && !misses) continue;
      if (!meant || misses) {
        std::printf("  %s %s%s%s\n", parser.c_str(), one["fixture"].get<std::string>().c_str(),
                    error_right ? "" : ": no problem told", meant ? " (meant)" : "");
        print("missing", wanted, found);
        print("extra", found, wanted);
      }
    }
  }
  std::printf("%zu cases, %zu as expected, %zu differ for a reason\n", cases, right, different);
  EXPECT_EQ(right + different, cases);
  EXPECT_GT(cases, 100u);
}

}  // namespace
}  // namespace gitaiops::scanner
