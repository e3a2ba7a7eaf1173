#include "engines/scanner/provenance/lock_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/scanner/provenance/lookalike.h"
#include "engines/scanner/provenance/trust.h"

namespace gitaiops::scanner::provenance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Checksum kStrong{"sha512", std::string(128, 'a')};

Package package(std::string name, std::string version = "1.0.0", std::string source = "") {
  Package p;
  p.name = std::move(name);
  p.version = std::move(version);
  p.source = std::move(source);
  p.checksums = {kStrong};
  return p;
}

PackageSet locked(std::vector<Package> packages) {
  PackageSet set;
  set.manager = "npm";
  set.manifest = "package.json";
  set.lock = "package-lock.json";
  set.packages = std::move(packages);
  for (auto& p : set.packages) p.ecosystem = set.ecosystem;
  return set;
}

std::vector<std::string> flaws(const PackageSet& set, const LockPolicy& policy = {}) {
  std::vector<std::string> out;
  for (const auto& finding : check_lock(set, policy))
    out.push_back((finding.package ? set.packages[*finding.package].name + ": " : "") +
                  std::string(to_string(finding.flaw)));
  return out;
}

TEST(LockChecks, ALockedRegistryPackageWithAStrongHashIsFine) {
  EXPECT_THAT(
      flaws(locked({package("cart"),
                    package("till", "1.0.0", "https://registry.npmjs.org/till/-/till-1.0.0.tgz")})),
      IsEmpty());
}

TEST(LockChecks, WhereItComesFrom) {
  const std::string commit(40, 'c');
  EXPECT_THAT(
      flaws(locked({package("a1", "1.0.0", "http://registry.npmjs.org/a1/-/a1-1.0.0.tgz"),
                    package("b1", "1.0.0", "https://evil.example/b1.tgz"),
                    package("c1", "1.0.0", "git+https://git.example/c1.git#" + commit),
                    package("d1", "1.0.0", "git+https://git.example/d1.git#main"),
                    package("e1", "1.0.0", "git+ssh://git@git.example/e1.git"),
                    package("f1", "1.0.0", "git://git.example/f1.git#" + commit),
                    package("g1", "1.0.0", "file:../g1"), package("h1", "1.0.0", "packages/h1"),
                    package("i1", "1.0.0", "http://localhost:4873/i1/-/i1-1.0.0.tgz"),
                    package("j1", "1.0.0", "https://gitlab.example/api/v4/projects/1/j1.tgz")}),
            {.registries = {"gitlab.example", "localhost:4873"}, .satisfies = nullptr}),
      ElementsAre("a1: plain-http", "b1: other-source", "c1: other-source", "d1: moving-git",
                  "e1: moving-git", "f1: plain-http", "f1: other-source"));
}

TEST(LockChecks, AHostThatOnlyBeginsLikeTheRegistrysIsAnotherOne) {
  EXPECT_THAT(flaws(locked({package("a1", "1", "https://registry.npmjs.org.evil.example/a1.tgz"),
                            package("b1", "1", "https://registry.npmjs.org@evil.example/b1.tgz")})),
              ElementsAre("a1: other-source", "b1: other-source"));
}

TEST(LockChecks, Hashes) {
  auto weak = package("weak");
  weak.checksums = {{"sha1", std::string(40, 'a')}};
  auto both = package("both");
  both.checksums = {{"sha1", std::string(40, 'a')}, kStrong};
  auto none = package("none");
  none.checksums.clear();
  auto workspace = package("workspace", "1.0.0", "packages/workspace");
  workspace.checksums.clear();
  EXPECT_THAT(flaws(locked({both, none, weak, workspace})),
              ElementsAre("none: no-hash", "weak: weak-hash"));
  // Where none has one, it is said once.
  const auto found = check_lock(locked({none, none}), {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FALSE(found[0].package);
  EXPECT_THAT(found[0].reason, HasSubstr("package-lock.json holds no hashes"));
}

TEST(LockChecks, DriftBetweenManifestAndLockFile) {
  auto old = package("old", "1.0.0"), fine = package("fine", "2.1.0"), gone = package("gone", "");
  auto deep = package("deep", "1.0.0");
  old.source = "https://registry.npmjs.org/old/-/old-1.0.0.tgz";
  for (auto* p : {&old, &fine, &gone}) p->direct = true;
  old.range = "^2.0.0", fine.range = "^2.0.0", gone.range = "^1", deep.range = "^9";
  const auto satisfies = [](Ecosystem, std::string_view version, std::string_view) {
    return std::optional(version.starts_with("2."));
  };
  const auto set = locked({deep, fine, gone, old});
  const auto found = check_lock(set, {.registries = {}, .satisfies = satisfies});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].reason, "package.json asks for ^1, package-lock.json does not hold it");
  EXPECT_EQ(found[1].reason, "package.json asks for ^2.0.0, package-lock.json holds 1.0.0");
  auto workspace = old;
  workspace.source = "packages/old";
  EXPECT_THAT(flaws(locked({workspace}), {.registries = {}, .satisfies = satisfies}), IsEmpty());
  // A range that cannot be read is no drift.
  EXPECT_THAT(flaws(locked({old}),
                    {.registries = {}, .satisfies = [](auto...) { return std::optional<bool>(); }}),
              IsEmpty());
}

TEST(LockChecks, WithoutALockFileVersionsAreOpen) {
  auto set = locked({package("cart", ""), package("till", "1.0.0")});
  set.lock.clear();
  EXPECT_THAT(flaws(set), ElementsAre("unlocked"));
}

TEST(LookAlikes, AreTold) {
  const auto of = [](Ecosystem ecosystem, const char* name) -> std::string {
    const auto found = look_alike(ecosystem, name);
    if (!found) return "";
    constexpr const char* kHow[] = {"separators", "characters", "typing"};
    return found->popular + " " + kHow[static_cast<int>(found->how)];
  };
  EXPECT_EQ(of(Ecosystem::pypi, "reqeusts"), "requests typing");
  EXPECT_EQ(of(Ecosystem::pypi, "requets"), "requests typing");
  EXPECT_EQ(of(Ecosystem::pypi, "pythondateutil"), "python-dateutil separators");
  EXPECT_EQ(of(Ecosystem::pypi, "Python_DateUtil"), "") << "the same name to the registry";
  EXPECT_EQ(of(Ecosystem::npm, "1odash"), "lodash characters");
  EXPECT_EQ(of(Ecosystem::npm, "l\u043edash"), "lodash characters") << "a Cyrillic o";
  EXPECT_EQ(of(Ecosystem::npm, "react_dom"), "react-dom separators");
  EXPECT_EQ(of(Ecosystem::npm, "crossenv"), "cross-env separators");
  EXPECT_EQ(of(Ecosystem::npm, "@typos/node"), "@types/node typing");
  EXPECT_EQ(of(Ecosystem::npm, "@bable/core"), "@babel/core typing");
  EXPECT_EQ(of(Ecosystem::npm, "@babel/parser"), "") << "the scope's owner publishes it";
  EXPECT_EQ(of(Ecosystem::npm, "preact"), "") << "popular itself";
  EXPECT_EQ(of(Ecosystem::npm, "lodahs"), "lodash typing");
  EXPECT_EQ(of(Ecosystem::npm, "mr"), "") << "short names are told apart by a letter";
  EXPECT_EQ(of(Ecosystem::crates_io, "serde_jsom"), "serde-json typing");
  EXPECT_EQ(of(Ecosystem::go, "github.com/siruspen/logrus"), "github.com/sirupsen/logrus typing");
  EXPECT_EQ(of(Ecosystem::go, "golang.org/x/image"), "") << "the host's owner publishes it";
  EXPECT_EQ(of(Ecosystem::go, "gopkg.in/yaml.v1"), "") << "as well";
  EXPECT_EQ(of(Ecosystem::packagist, "symfony/cashe"), "") << "the vendor's own";
  EXPECT_EQ(of(Ecosystem::packagist, "symfonny/cache"), "symfony/cache typing");
  EXPECT_EQ(of(Ecosystem::rubygems, "nokogirl"), "nokogiri characters") << "an l for an i";
  EXPECT_EQ(of(Ecosystem::npm, ""), "");
  EXPECT_EQ(of(Ecosystem::npm, std::string(100000, 'a').c_str()), "");
}

TEST(LookAlikes, Distance) {
  EXPECT_EQ(edit_distance("", "", 2), 0u);
  EXPECT_EQ(edit_distance("abc", "abc", 2), 0u);
  EXPECT_EQ(edit_distance("abc", "acb", 2), 1u) << "a transposition is one";
  EXPECT_EQ(edit_distance("abc", "abcd", 2), 1u);
  EXPECT_EQ(edit_distance("abc", "xbd", 2), 2u);
  EXPECT_EQ(edit_distance("abc", "xyz", 2), 3u) << "more than the limit";
  EXPECT_EQ(edit_distance("abc", "abcdef", 2), 3u);
}

TEST(Caches, ArchivesAreComparedByTheLockFilesHashes) {
  auto other = package("other"), same = package("same"), unknown = package("unknown");
  // One digest in base64 as npm writes it, the other in hexadecimal.
  same.checksums = {{"sha256", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="}};
  other.checksums = {{"sha256", std::string(64, 'b')}};
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const auto set = locked({other, same, unknown});
  const auto result =
      compare_with_caches(set, {{"same", "1.0.0", {"sha256", abc}, "/c/same.tgz"},
                                {"other", "1.0.0", {"sha256", abc}, "/c/other.tgz"},
                                {"other", "2.0.0", {"sha256", abc}, "/c/other-2.tgz"},
                                {"unknown", "1.0.0", {"sha256", abc}, "/c/unknown.tgz"}});
  EXPECT_THAT(result.same, ElementsAre(1u));
  ASSERT_EQ(result.altered.size(), 1u);
  EXPECT_EQ(result.altered[0].package, 0u);
  EXPECT_EQ(result.altered[0].reason,
            "/c/other.tgz holds other bytes than package-lock.json says (sha256)");
}

TEST(Caches, OneOfSeveralFilesOfAReleaseSuffices) {
  auto wheel = package("wheel");
  wheel.checksums = {{"sha256", std::string(64, 'b')}, {"sha256", std::string(64, 'c')}};
  const auto set = locked({wheel});
  const auto result =
      compare_with_caches(set, {{"wheel", "1.0.0", {"sha256", std::string(64, 'c')}, "/c/w.whl"}});
  EXPECT_THAT(result.same, ElementsAre(0u));
  EXPECT_THAT(result.altered, IsEmpty());
}

TEST(Caches, DigestsInEitherForm) {
  EXPECT_EQ(raw_digest({"sha1", std::string(40, '0')}), std::string(20, '\0'));
  EXPECT_EQ(raw_digest({"h1", "h1:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="}).size(), 32u);
  EXPECT_EQ(raw_digest({"sha256", "short"}), "");
  EXPECT_EQ(raw_digest({"yarn", "10c0/abcd"}), "");
}

TEST(TrustIn, IsTheMeanOfWhatIsKnown) {
  const auto p = package("cart");
  EXPECT_DOUBLE_EQ(trust_in(p, {}).score, 1.0);
  const Trust noted = trust_in(p, {.findings = {{Flaw::other_source, 0, "elsewhere"}}});
  // source 0.6 of weight 0.25, all else 1, over 0.7 of weight
  EXPECT_NEAR(noted.score, (0.25 * 0.6 + 0.45) / 0.7, 1e-9);
  EXPECT_EQ(noted.parts[0].reason, "elsewhere");
  EXPECT_EQ(noted.held_down, "");
  const Trust built = trust_in(p, {.findings = {{Flaw::other_source, 0, "elsewhere"}},
                                   .cache_agrees = true,
                                   .attested = Attested::built});
  EXPECT_GT(built.score, noted.score);
}

TEST(TrustIn, IsHeldDownByWhatSpeaksAgainstIt) {
  const auto p = package("cart");
  const Trust altered = trust_in(p, {.findings = {{Flaw::altered, 0, "other bytes"}}});
  EXPECT_DOUBLE_EQ(altered.score, 0.1);
  EXPECT_EQ(altered.held_down, "other bytes");
  EXPECT_DOUBLE_EQ(trust_in(p, {.findings = {}, .attested = Attested::rejected}).score, 0.1);
  EXPECT_DOUBLE_EQ(trust_in(p, {.findings = {{Flaw::plain_http, 0, "http"}}}).score, 0.3);
}

}  // namespace
}  // namespace gitaiops::scanner::provenance
