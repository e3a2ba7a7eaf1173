#include "engines/scanner/provenance/attestations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/provenance/instance.h"

namespace gitaiops::scanner::provenance {
namespace {

using testing::base64;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Instance;
using testing::Json;

const std::string kTarball = "the bytes of a package\n";

std::string statement(const std::string& subject, const std::string& type, Json predicate) {
  return Json{
      {"_type", "https://in-toto.io/Statement/v1"},
      {"predicateType", type},
      {"subject",
       {{{"name", subject}, {"digest", {{"sha256", testing::hex(testing::sha256(kTarball))}}}}}},
      {"predicate", std::move(predicate)}}
      .dump();
}

std::string publish(const std::string& subject) {
  return statement(subject, "https://github.com/npm/attestation/tree/main/specs/publish/v0.1",
                   {{"name", "@shop/cart"}, {"version", "1.0.0"}});
}

std::string built(const std::string& subject, const std::string& repository) {
  return statement(subject, "https://slsa.dev/provenance/v1",
                   {{"buildDefinition",
                     {{"buildType", "https://ci.example/build/v1"},
                      {"externalParameters", {{"workflow", {{"repository", repository}}}}}}},
                    {"runDetails", {{"builder", {{"id", "https://ci.example/runner"}}}}}});
}

class Attestations : public ::testing::Test {
 protected:
  static Instance& instance() {
    static Instance made;
    return made;
  }
  Json npm_answer(const std::string& subject = "pkg:npm/%40shop/cart@1.0.0",
                  const std::string& repository = "https://ci.example/shop/cart") {
    auto by_key = instance().bundle(
        kTarball, {.managed_key = true, .payload = publish(subject), .entry_kind = "dsse"});
    by_key["verificationMaterial"]["publicKey"]["hint"] = "SHA256:registry";
    const auto by_build = instance().bundle(
        kTarball, {.payload = built(subject, repository), .entry_kind = "intoto"});
    return {{"attestations",
             {{{"predicateType", "publish"}, {"bundle", by_key}},
              {{"predicateType", "slsa"}, {"bundle", by_build}}}}};
  }
  Json python_attestation() {
    const auto bundle = instance().bundle(
        kTarball, {.payload = statement("cart-1.0-py3-none-any.whl",
                                        "https://docs.pypi.org/attestations/publish/v1", nullptr),
                   .entry_kind = "dsse"});
    const auto& material = bundle["verificationMaterial"];
    const auto& envelope = bundle["dsseEnvelope"];
    return {
        {"version", 1},
        {"verification_material",
         {{"certificate", material["certificate"]["rawBytes"]},
          {"transparency_entries", material["tlogEntries"]}}},
        {"envelope",
         {{"statement", envelope["payload"]}, {"signature", envelope["signatures"][0]["sig"]}}}};
  }
  std::vector<std::string> reasons(const Json& answer, const std::string& artifact = kTarball) {
    const auto keys = parse_registry_keys(keys_.dump());
    EXPECT_TRUE(keys.ok());
    const auto root = TrustedRoot::parse(instance().trusted_root().dump());
    const auto found =
        verify_attestations(answer.dump(), release_, Artifact(artifact), *root, *keys);
    if (!found) return {found.error().to_string()};
    std::vector<std::string> out;
    for (const auto& one : *found)
      out.push_back(one.verdict.verified() ? one.predicate_type : one.verdict.reason);
    return out;
  }

  Release release_{.name = "@shop/cart",
                   .version = "1.0.0",
                   .file = "",
                   .source = "git+https://ci.example/shop/cart.git"};
  std::string key_der_ = [] {
    const auto pem = instance().managed_key_pem();
    const auto from = pem.find('\n') + 1;
    std::string body = pem.substr(from, pem.rfind("-----END") - from);
    std::erase(body, '\n');
    return body;
  }();
  Json keys_ = {
      {"keys", {{{"keyid", "SHA256:registry"}, {"key", key_der_}, {"expires", nullptr}}}}};
};

TEST_F(Attestations, NpmsPublishAndBuild) {
  EXPECT_THAT(reasons(npm_answer()),
              ElementsAre("https://github.com/npm/attestation/tree/main/specs/publish/v0.1",
                          "https://slsa.dev/provenance/v1"));
  const auto root = TrustedRoot::parse(instance().trusted_root().dump());
  const auto found = verify_attestations(npm_answer().dump(), release_, Artifact(kTarball), *root,
                                         *parse_registry_keys(keys_.dump()));
  ASSERT_TRUE((*found)[1].provenance);
  EXPECT_EQ((*found)[1].provenance->builder, "https://ci.example/runner");
  EXPECT_FALSE((*found)[0].provenance);
}

TEST_F(Attestations, AnotherTarballVersionOrSourceIsRejected) {
  EXPECT_THAT(reasons(npm_answer(), "x"),
              ElementsAre(HasSubstr("none of the statement's subjects"),
                          HasSubstr("none of the statement's subjects")));
  EXPECT_THAT(reasons(npm_answer("pkg:npm/%40shop/cart@1.0.1")),
              ElementsAre(HasSubstr("another package or version"),
                          HasSubstr("another package or version")));
  EXPECT_THAT(reasons(npm_answer("pkg:npm/%40shop/cart@1.0.0", "https://ci.example/evil/cart"))[1],
              HasSubstr("the provenance names https://ci.example/evil/cart"));
  release_.source = "https://ci.example/shop/till";
  EXPECT_EQ(reasons(npm_answer())[1],
            "identity: it was built from https://ci.example/shop/cart, not from "
            "https://ci.example/shop/till");
}

TEST_F(Attestations, TheRegistrysKeyHasToBeKnownAndValid) {
  keys_["keys"][0]["keyid"] = "SHA256:other";
  EXPECT_EQ(reasons(npm_answer())[0],
            "signer: the registry's keys do not hold \"SHA256:registry\"");
  keys_["keys"][0] = {
      {"keyid", "SHA256:registry"}, {"key", key_der_}, {"expires", "2023-01-01T00:00:00.000Z"}};
  EXPECT_THAT(reasons(npm_answer())[0], HasSubstr("when the key was not valid"));
  // As Sigstore's TUF repository carries them; keys for other uses are left out.
  keys_["keys"] = {
      {{"keyId", "SHA256:registry"},
       {"keyUsage", "npm:attestations"},
       {"publicKey",
        {{"rawBytes", key_der_}, {"validFor", {{"start", "2023-01-01T00:00:00.000Z"}}}}}},
      {{"keyId", "SHA256:registry"}, {"keyUsage", "npm:signatures"}}};
  EXPECT_THAT(reasons(npm_answer())[0], HasSubstr("specs/publish/v0.1"));
  EXPECT_FALSE(parse_registry_keys(R"({"keys":[]})").ok());
}

TEST_F(Attestations, PythonsAttestations) {
  release_ = {.name = "cart", .version = "1.0", .file = "cart-1.0-py3-none-any.whl", .source = ""};
  const auto one = python_attestation();
  const auto publish_type = "https://docs.pypi.org/attestations/publish/v1";
  EXPECT_THAT(reasons(one), ElementsAre(publish_type));
  Json answer = {{"version", 1}, {"attestation_bundles", {{{"attestations", {one, one}}}}}};
  EXPECT_THAT(reasons(answer), ElementsAre(publish_type, publish_type));
  // The index may not name a publisher that the certificate does not.
  answer["attestation_bundles"][0]["publisher"] = {
      {"kind", "GitLab"}, {"repository", "evil/cart"}, {"workflow_filepath", ".gitlab-ci.yml"}};
  EXPECT_THAT(reasons(answer)[0], HasSubstr("the index names evil/cart as publisher"));
  release_.file = "cart-1.0.tar.gz";
  EXPECT_THAT(reasons(one)[0], HasSubstr("another package or version"));
  Json newer = one;
  newer["version"] = 2;
  EXPECT_EQ(reasons(newer)[0], "bundle: an attestation of version 2, known is 1");
}

TEST_F(Attestations, WhatIsNoAnswerIsAnError) {
  EXPECT_THAT(reasons(Json::object())[0], HasSubstr("neither npm's form"));
  EXPECT_THAT(reasons({{"attestations", {{{"bundle", nullptr}}}}})[0],
              HasSubstr("there is no bundle"));
  EXPECT_THAT(reasons({{"attestations", 7}})[0], HasSubstr("is no list"));
}

}  // namespace
}  // namespace gitaiops::scanner::provenance
