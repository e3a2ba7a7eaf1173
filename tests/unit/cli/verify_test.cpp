#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/crypto/crypto.h"
#include "cli/commands.h"
#include "cli/host_caches.h"
#include "engines/scanner/provenance/sigstore.h"
#include "tests/unit/provenance/instance.h"

namespace gitaiops::cli {
namespace {

using scanner::provenance::testing::Instance;
using scanner::provenance::testing::kIssuer;
using scanner::provenance::testing::kSubject;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kArtifact = "a release\n";

class Verify : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("gitaiops_verify_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    const auto place = folder_ / name;
    std::filesystem::create_directories(place.parent_path());
    std::ofstream(place, std::ios::binary) << text;
    return place.string();
  }
  static Instance& instance() {
    static Instance made;
    return made;
  }
  VerifyBundleOptions bundle_options() {
    return {.bundle = write("b.json", instance().bundle(kArtifact).dump()),
            .trusted_root = write("root.json", instance().trusted_root().dump()),
            .identity = kSubject,
            .issuer = kIssuer,
            .key = "",
            .artifact = write("release.tgz", kArtifact)};
  }
  int run(const VerifyBundleOptions& options) {
    out_.str(""), err_.str("");
    return verify_bundle(options, {out_, err_, false});
  }

  std::filesystem::path folder_;
  std::ostringstream out_, err_;
};

TEST_F(Verify, ABundleThatHoldsTellsWhoAndWhen) {
  EXPECT_EQ(run(bundle_options()), kDone);
  EXPECT_THAT(out_.str(), StartsWith("verified: "));
  EXPECT_THAT(out_.str(), HasSubstr(std::string("signed by   ") + kSubject));
  EXPECT_THAT(out_.str(), HasSubstr("signed at   2023-11-14T22:13:20"));
  EXPECT_THAT(out_.str(), HasSubstr("logged in   rekor.example #1002"));
}

TEST_F(Verify, ADigestDoesInPlaceOfTheFile) {
  auto options = bundle_options();
  options.artifact = "sha256:" + crypto::sha256_hex(kArtifact);
  EXPECT_EQ(run(options), kDone) << err_.str();
}

TEST_F(Verify, ARejectionIsNoUsageError) {
  auto options = bundle_options();
  options.identity = "https://ci.example/other";
  EXPECT_EQ(run(options), kFound);
  EXPECT_THAT(out_.str(), HasSubstr("identity: the certificate names"));
  options = bundle_options();
  options.bundle = write("b.json", "{");
  EXPECT_EQ(run(options), kFound);
  EXPECT_THAT(out_.str(), HasSubstr("bundle: no valid JSON"));
}

TEST_F(Verify, AKeyInPlaceOfAnIdentity) {
  auto options = bundle_options();
  options.identity = options.issuer = "";
  options.key = write("key.pub", instance().managed_key_pem());
  options.bundle = write("b.json", instance().bundle(kArtifact, {.managed_key = true}).dump());
  EXPECT_EQ(run(options), kDone) << out_.str();
}

TEST_F(Verify, WhatCannotBeUsedIsSaid) {
  auto options = bundle_options();
  options.issuer = "";
  EXPECT_EQ(run(options), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--identity and --issuer go together"));
  options.identity = "";
  EXPECT_EQ(run(options), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("say who must have signed"));
  options = bundle_options();
  options.key = "key.pub";
  EXPECT_EQ(run(options), kUsage);
  options = bundle_options();
  options.trusted_root = write("root.json", "{}");
  EXPECT_EQ(run(options), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("root.json: trusted root: its mediaType"));
  options = bundle_options();
  options.artifact = "nowhere.tgz";
  EXPECT_EQ(run(options), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("nowhere.tgz"));
}

TEST_F(Verify, AttestationsOfARegistry) {
  const auto statement = scanner::provenance::testing::Json{
      {"_type", "https://in-toto.io/Statement/v1"},
      {"predicateType", "https://docs.pypi.org/attestations/publish/v1"},
      {"subject",
       {{{"name", "cart-1.0.tar.gz"}, {"digest", {{"sha256", crypto::sha256_hex(kArtifact)}}}}}},
      {"predicate", nullptr}};
  const auto bundle =
      instance().bundle(kArtifact, {.payload = statement.dump(), .entry_kind = "dsse"});
  const auto& material = bundle["verificationMaterial"];
  const scanner::provenance::testing::Json answer = {
      {"version", 1},
      {"verification_material",
       {{"certificate", material["certificate"]["rawBytes"]},
        {"transparency_entries", material["tlogEntries"]}}},
      {"envelope",
       {{"statement", bundle["dsseEnvelope"]["payload"]},
        {"signature", bundle["dsseEnvelope"]["signatures"][0]["sig"]}}}};
  VerifyAttestationsOptions options{
      .attestations = write("answer.json", answer.dump()),
      .trusted_root = write("root.json", instance().trusted_root().dump()),
      .artifact = write("cart-1.0.tar.gz", kArtifact)};
  EXPECT_EQ(verify_attestations(options, {out_, err_, false}), kDone) << out_.str() << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("verified: https://docs.pypi.org/attestations/publish/v1"));
  options.artifact = write("cart-2.0.tar.gz", kArtifact);
  EXPECT_EQ(verify_attestations(options, {out_, err_, false}), kFound);
  EXPECT_THAT(out_.str(), HasSubstr("another package or version"));
  options.attestations = write("answer.json", "{}");
  EXPECT_EQ(verify_attestations(options, {out_, err_, false}), kUsage);
}

TEST_F(Verify, ATreesLockFile) {
  write("tree/package.json", R"({"name":"shop","dependencies":{"lodahs":"^4.0.0"}})");
  write("tree/package-lock.json", R"({"name":"shop","lockfileVersion":3,"packages":{
    "":{"name":"shop","dependencies":{"lodahs":"^4.0.0"}},
    "node_modules/lodahs":{"version":"3.0.0",
      "resolved":"http://registry.npmjs.org/lodahs/-/lodahs-3.0.0.tgz"}}})");
  VerifyLockOptions options{.path = (folder_ / "tree").string(), .look_into_caches = false};
  EXPECT_EQ(verify_lock(options, {out_, err_, false}), kFound) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("! plain-http: lodahs 3.0.0: it is fetched from http://"));
  EXPECT_THAT(out_.str(), HasSubstr("! drift: lodahs 3.0.0: package.json asks for ^4.0.0"));
  EXPECT_THAT(out_.str(), HasSubstr("look-alike: lodahs 3.0.0: its name is a typing error away "
                                    "from the popular lodash"));
  EXPECT_THAT(out_.str(), HasSubstr("least to go by"));
  out_.str("");
  options.format = "json";
  EXPECT_EQ(verify_lock(options, {out_, err_, false}), kFound);
  EXPECT_THAT(out_.str(), StartsWith(R"({"schema":"gitaiops.verify/1","sets":[{"lock":)"));
  EXPECT_THAT(out_.str(), HasSubstr(R"("flaw":"plain-http","grave":true,"package":0)"));
  options.path = (folder_ / "nowhere").string();
  EXPECT_EQ(verify_lock(options, {out_, err_, false}), kUsage);
}

scanner::PackageSet set_of(scanner::Ecosystem ecosystem, const std::string& name,
                           const std::string& version) {
  scanner::PackageSet set;
  set.ecosystem = ecosystem;
  set.lock = "lock";
  set.packages.resize(1);
  set.packages[0].ecosystem = ecosystem;
  set.packages[0].name = name;
  set.packages[0].version = version;
  set.packages[0].checksums = {{"sha256", "00"}};
  return set;
}

TEST_F(Verify, ArchivesInThePackageManagersCaches) {
  const CacheFolders folders{.npm = folder_ / "_cacache",
                             .go = folder_ / "download",
                             .cargo = folder_ / "cargo",
                             .archives = {folder_ / "wheels"}};
  write("cargo/index.example-1/serde-1.0.0.crate", kArtifact);
  auto found = cached_archives(set_of(scanner::Ecosystem::crates_io, "serde", "1.0.0"), folders);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].digest.value, crypto::sha256_hex(kArtifact));

  write("download/github.com/!burnt!sushi/toml/@v/v1.0.0.ziphash", "h1:abc=\n");
  found = cached_archives(set_of(scanner::Ecosystem::go, "github.com/BurntSushi/toml", "v1.0.0"),
                          folders);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].digest.algorithm, "h1");
  EXPECT_EQ(found[0].digest.value, "h1:abc=");

  write("wheels/a/b/Typing_Extensions-4.0-py3-none-any.whl", kArtifact);
  write("wheels/typing_extensions-4.0.tar.gz", "source");
  write("wheels/typing_extensions-4.1.tar.gz", "another version");
  found = cached_archives(set_of(scanner::Ecosystem::pypi, "typing-extensions", "4.0"), folders);
  EXPECT_EQ(found.size(), 2u);

  const std::string key =
      "make-fetch-happen:request-cache:https://registry.npmjs.org/@shop/cart/-/cart-1.0.0.tgz";
  const auto bucket = crypto::sha256_hex(key);
  const auto hash =
      scanner::provenance::Artifact(kArtifact).digest(scanner::provenance::Hash::sha512);
  const auto hex = hex_encode(as_bytes(*hash));
  write("_cacache/index-v5/" + bucket.substr(0, 2) + "/" + bucket.substr(2, 2) + "/" +
            bucket.substr(4),
        "\nsha1\t{\"key\":\"" + key + "\",\"integrity\":\"sha512-" + crypto::base64_encode(*hash) +
            "\"}");
  write("_cacache/content-v2/sha512/" + hex.substr(0, 2) + "/" + hex.substr(2, 2) + "/" +
            hex.substr(4),
        kArtifact);
  found = cached_archives(set_of(scanner::Ecosystem::npm, "@shop/cart", "1.0.0"), folders);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].digest.value, hex);
}

TEST_F(Verify, CachesThatAreNotThereHoldNothing) {
  const CacheFolders nowhere{.npm = "/nonexistent",
                             .go = "/nonexistent",
                             .cargo = "/nonexistent",
                             .archives = {"/nonexistent"}};
  for (const auto ecosystem : {scanner::Ecosystem::npm, scanner::Ecosystem::go,
                               scanner::Ecosystem::crates_io, scanner::Ecosystem::pypi})
    EXPECT_TRUE(cached_archives(set_of(ecosystem, "cart", "1.0.0"), nowhere).empty());
}

}  // namespace
}  // namespace gitaiops::cli
