#include "engines/scanner/provenance/sigstore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/provenance/instance.h"

namespace gitaiops::scanner::provenance {
namespace {

using testing::BundleOptions;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Instance;
using ::testing::IsEmpty;
using testing::Json;
using testing::kIssuer;
using testing::kNow;
using testing::kSubject;
using testing::LeafOptions;

const std::string kArtifact = "the bytes of a release\n";

std::string statement_about(const std::string& artifact) {
  return Json{
      {"_type", "https://in-toto.io/Statement/v1"},
      {"predicateType", "https://slsa.dev/provenance/v1"},
      {"subject",
       {{{"name", "cart.tgz"}, {"digest", {{"sha256", testing::hex(testing::sha256(artifact))}}}}}},
      {"predicate", Json::object()}}
      .dump();
}

class Sigstore : public ::testing::Test {
 protected:
  static Instance& instance() {
    static Instance made;
    return made;
  }
  Verdict verdict(const Json& bundle) { return verdict(bundle, kArtifact); }
  Verdict verdict(const Json& bundle, const std::string& artifact) {
    return verify_bundle(bundle.dump(), root(), Artifact(artifact), signer_);
  }
  TrustedRoot root() {
    auto parsed = TrustedRoot::parse(root_.dump());
    EXPECT_TRUE(parsed.ok());
    return std::move(*parsed);
  }
  // Why a bundle made so is rejected.
  std::string why(const BundleOptions& options, const LeafOptions& leaf = {}) {
    return verdict(instance().bundle(kArtifact, options, leaf)).reason;
  }
  static Json& entry_of(Json& bundle) { return bundle["verificationMaterial"]["tlogEntries"][0]; }

  Json root_ = instance().trusted_root();
  Signer signer_ = Identity{kSubject, kIssuer};
};

TEST_F(Sigstore, AMessageIsVerifiedAndTellsWhatIsProven) {
  const auto v = verdict(instance().bundle(kArtifact));
  EXPECT_EQ(v.reason, "");
  EXPECT_TRUE(v.verified());
  EXPECT_EQ(v.identity, kSubject);
  EXPECT_EQ(v.issuer, kIssuer);
  EXPECT_EQ(v.source_repository, "https://ci.example/shop/cart");
  EXPECT_EQ(v.source_commit, std::string(40, 'c'));
  EXPECT_THAT(v.times, ElementsAre(Instant{std::chrono::seconds(kNow)}));
  EXPECT_THAT(v.logs, ElementsAre("rekor.example #1002"));
}

TEST_F(Sigstore, ARejectionProvesNothing) {
  const auto v = verdict(instance().bundle(kArtifact), "other bytes");
  EXPECT_FALSE(v.verified());
  EXPECT_THAT(v.identity, IsEmpty());
  EXPECT_THAT(v.times, IsEmpty());
  EXPECT_THAT(v.logs, IsEmpty());
}

TEST_F(Sigstore, ADigestStandsForTheArtifact) {
  const auto bundle = instance().bundle(kArtifact);
  const auto of = [](const std::string& bytes) {
    return *Artifact::from_text("sha256:" + testing::hex(testing::sha256(bytes)));
  };
  EXPECT_EQ(verify_bundle(bundle.dump(), root(), of(kArtifact), signer_).reason, "");
  EXPECT_EQ(verify_bundle(bundle.dump(), root(), of("x"), signer_).failed, Check::binding);
  EXPECT_FALSE(Artifact::from_text("sha256:abcd"));
  EXPECT_FALSE(Artifact::from_text("md5:d41d8cd98f00b204e9800998ecf8427e"));
}

TEST_F(Sigstore, TreesOfEveryShapeLeadToTheirRoot) {
  for (int leaves = 3; leaves <= 20; ++leaves)
    EXPECT_EQ(why({.tree_leaves = leaves}), "") << leaves;
}

TEST_F(Sigstore, Rekor2NeedsItsTimestamp) {
  EXPECT_EQ(why({.rekor_2 = true}), "");
  EXPECT_EQ(why({.rekor_2 = true, .timestamp_embeds_certificate = false}), "");
  auto bundle = instance().bundle(kArtifact, {.rekor_2 = true});
  bundle["verificationMaterial"].erase("timestampVerificationData");
  EXPECT_EQ(verdict(bundle).failed, Check::time);
}

TEST_F(Sigstore, Rekor2HasOneIndex) {
  auto bundle = instance().bundle(kArtifact, {.rekor_2 = true});
  entry_of(bundle)["logIndex"] = "3";
  EXPECT_EQ(verdict(bundle).failed, Check::inclusion);
}

TEST_F(Sigstore, TwoIntermediatesOfOneNameInOneChain) {
  Instance other;
  auto& chain = root_["certificateAuthorities"][0]["certChain"]["certificates"];
  chain.insert(chain.begin(),
               other.trusted_root()["certificateAuthorities"][0]["certChain"]["certificates"][0]);
  EXPECT_EQ(why({}), "");
}

TEST_F(Sigstore, EnvelopesAreBoundByEachTypeOfEntry) {
  const auto payload = statement_about(kArtifact);
  for (const char* kind : {"", "dsse", "intoto"}) {
    EXPECT_EQ(why({.payload = payload, .entry_kind = kind}), "") << kind;
    const auto other = verdict(
        instance().bundle(kArtifact, {.payload = payload, .entry_kind = kind}), "other bytes");
    EXPECT_EQ(other.reason, "artifact: none of the statement's subjects is this artifact");
  }
  EXPECT_EQ(why({.rekor_2 = true, .payload = payload}), "");
  const auto v = verdict(instance().bundle(kArtifact, {.payload = payload}));
  EXPECT_EQ(v.payload, payload);
}

TEST_F(Sigstore, AnEnvelopeHoldsAStatementOfAKnownType) {
  EXPECT_THAT(why({.payload = "{}"}), HasSubstr("_type"));
  EXPECT_THAT(why({.payload = statement_about(kArtifact), .payload_type = "text/plain"}),
              HasSubstr("\"text/plain\""));
}

TEST_F(Sigstore, AManagedKeyIsTakenOnlyForItself) {
  const auto bundle = instance().bundle(kArtifact, {.managed_key = true});
  EXPECT_EQ(verdict(bundle).failed, Check::signer);
  signer_ = PublicKey{instance().managed_key_pem()};
  EXPECT_EQ(verdict(bundle).reason, "");
  EXPECT_EQ(verdict(instance().bundle(kArtifact, {.rekor_2 = true, .managed_key = true})).reason,
            "");
  EXPECT_EQ(verdict(instance().bundle(kArtifact)).failed, Check::signer);
  signer_ = PublicKey{testing::public_pem(testing::ec_key().get())};
  EXPECT_EQ(verdict(bundle).failed, Check::binding);
  signer_ = PublicKey{"no key"};
  EXPECT_EQ(verdict(bundle).failed, Check::signer);
}

TEST_F(Sigstore, AManagedKeyIsValidForATimeOnly) {
  const auto bundle = instance().bundle(kArtifact, {.managed_key = true});
  const Instant now{std::chrono::seconds(kNow)};
  signer_ = PublicKey{instance().managed_key_pem(), Validity{now, now}};
  EXPECT_EQ(verdict(bundle).reason, "");
  signer_ = PublicKey{instance().managed_key_pem(), Validity{now + std::chrono::seconds(1), {}}};
  EXPECT_EQ(verdict(bundle).failed, Check::time);
}

TEST_F(Sigstore, IdentityAndIssuerAreComparedExactly) {
  const auto bundle = instance().bundle(kArtifact);
  signer_ = Identity{"https://ci.example/shop/cart", kIssuer};
  EXPECT_EQ(verdict(bundle).failed, Check::identity);
  signer_ = Identity{kSubject, "https://ci.example/"};
  EXPECT_EQ(verdict(bundle).failed, Check::issuer);
  signer_ = Identity{};
  EXPECT_EQ(verdict(bundle).reason, "");
  signer_ = Identity{"dev@shop.example", kIssuer};
  EXPECT_EQ(why({}, {.subject = "dev@shop.example"}), "");
}

TEST_F(Sigstore, TheCertificateWasValidWhenItSigned) {
  const LeafOptions ends_now{.to = kNow};
  EXPECT_EQ(why({}, ends_now), "");  // its last second counts
  EXPECT_THAT(why({}, {.to = kNow - 1}), HasSubstr("not valid when it was used"));
  EXPECT_THAT(why({}, {.from = kNow + 1}), HasSubstr("not valid when it was used"));
  EXPECT_THAT(why({.integrated_time = kNow + 301}), HasSubstr("not valid when it was used"));
  // Every proven time counts, not only one of them.
  EXPECT_EQ(why({.timestamp = true}), "");
  EXPECT_THAT(why({.timestamp = true, .timestamp_time = kNow + 301}),
              HasSubstr("not valid when it was used"));
}

TEST_F(Sigstore, TheCertificateIsASignersForCode) {
  EXPECT_EQ(why({}, {.extended_usage = "serverAuth"}),
            "certificate: it is not for code signing (extended key usage)");
  EXPECT_EQ(why({}, {.basic_constraints = "critical,CA:TRUE"}),
            "certificate: it is an authority's, not a signer's");
}

TEST_F(Sigstore, TheCertificateIsInATrustedCtLog) {
  EXPECT_EQ(why({}, {.sct = false}), "certificate timestamp: the certificate carries none");
  EXPECT_THAT(why({}, {.sct_of_other_issuer = true}), HasSubstr("does not cover this certificate"));
  EXPECT_THAT(why({}, {.sct_time = 1600000000}), HasSubstr("outside of the CT log's validity"));
  root_["ctlogs"] = Json::array();
  EXPECT_EQ(why({}), "certificate timestamp: no CT log of the trusted root made it");
}

TEST_F(Sigstore, AnotherInstancesBundleIsNotBelieved) {
  Instance other;
  EXPECT_EQ(verdict(other.bundle(kArtifact)).reason,
            "log entry: its log is none of the trusted root's");
  root_["tlogs"].push_back(other.trusted_root()["tlogs"][0]);
  EXPECT_EQ(verdict(other.bundle(kArtifact)).reason,
            "certificate: no certificate authority of the trusted root issued it");
  root_["certificateAuthorities"].push_back(other.trusted_root()["certificateAuthorities"][0]);
  EXPECT_EQ(verdict(other.bundle(kArtifact)).reason,
            "certificate timestamp: no CT log of the trusted root made it");
  root_["ctlogs"].push_back(other.trusted_root()["ctlogs"][0]);
  EXPECT_EQ(verdict(other.bundle(kArtifact)).reason, "");
  // Two authorities with the same names: each bundle finds its own.
  EXPECT_EQ(verdict(instance().bundle(kArtifact)).reason, "");
}

TEST_F(Sigstore, WhatTheTrustedRootGivesIsBoundedInTime) {
  const auto with = [&](const char* list, const Json& valid) {
    root_ = instance().trusted_root();
    auto& entry = root_[list][0];
    (entry.contains("publicKey") ? entry["publicKey"] : entry)["validFor"] = valid;
    return why({.timestamp = true});
  };
  const Json ends_now = {{"start", "2023-01-01T00:00:00Z"}, {"end", "2023-11-14T22:13:20Z"}};
  const Json ended = {{"start", "2023-01-01T00:00:00Z"}, {"end", "2023-11-14T22:13:19.999Z"}};
  for (const char* list : {"tlogs", "certificateAuthorities", "timestampAuthorities"}) {
    EXPECT_EQ(with(list, ends_now), "") << list;
    EXPECT_THAT(with(list, ended), HasSubstr("validity that the trusted root gives")) << list;
    EXPECT_NE(with(list, {{"end", "2033-01-01T00:00:00Z"}}), "") << list << ": no start";
    EXPECT_NE(with(list, nullptr), "") << list << ": nothing known";
  }
  EXPECT_NE(with("ctlogs", {{"end", "2033-01-01T00:00:00Z"}}), "");
}

TEST_F(Sigstore, OneAuthoritysValidityIsNotLentToAnother) {
  // The timestamp's own authority has ended; another one, valid, did not make it.
  Instance other;
  root_["timestampAuthorities"][0]["validFor"]["end"] = "2023-06-01T00:00:00Z";
  root_["timestampAuthorities"].push_back(other.trusted_root()["timestampAuthorities"][0]);
  EXPECT_THAT(why({.rekor_2 = true}), HasSubstr("gives to https://tsa.example"));
}

TEST_F(Sigstore, ATimestampIsOverThisSignatureByATrustedAuthority) {
  auto bundle = instance().bundle(kArtifact, {.timestamp = true});
  auto& stamps = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
  const Json good = stamps[0];
  stamps = {good, {{"signedTimestamp", testing::base64(instance().timestamp("x", kNow, true))}}};
  EXPECT_EQ(verdict(bundle).failed, Check::timestamp) << "one good timestamp excuses no bad one";
  Instance other;
  const auto signature = testing::unbase64(bundle["messageSignature"]["signature"]);
  stamps = {{{"signedTimestamp", testing::base64(other.timestamp(signature, kNow, true))}}};
  EXPECT_EQ(verdict(bundle).failed, Check::timestamp);
  stamps = {{{"signedTimestamp", testing::base64("\x30\x03\x02\x01")}}};
  EXPECT_EQ(verdict(bundle).reason, "timestamp: it is no valid TimeStampResp (DER)");
  // An instance without timestamp authorities has its log's word alone.
  root_["timestampAuthorities"] = Json::array();
  EXPECT_EQ(verdict(bundle).reason, "");
}

TEST_F(Sigstore, TheLogsWordIsChecked) {
  auto bundle = instance().bundle(kArtifact);
  const Json good = entry_of(bundle);
  const auto spoilt = [&](const std::function<void(Json&)>& change) {
    entry_of(bundle) = good;
    change(entry_of(bundle));
    return verdict(bundle).failed;
  };
  EXPECT_EQ(spoilt([](Json& e) { e["integratedTime"] = std::to_string(kNow + 1); }),
            Check::promise);
  EXPECT_EQ(spoilt([](Json& e) { e["logIndex"] = "1003"; }), Check::promise);
  EXPECT_EQ(spoilt([](Json& e) { e["logIndex"] = "-1"; }), Check::bundle);
  EXPECT_EQ(spoilt([](Json& e) { e["inclusionProof"]["logIndex"] = "3"; }), Check::inclusion);
  EXPECT_EQ(spoilt([](Json& e) { e["inclusionProof"]["logIndex"] = "5"; }), Check::inclusion);
  EXPECT_EQ(spoilt([](Json& e) { e["inclusionProof"]["hashes"].erase(0); }), Check::inclusion);
  EXPECT_EQ(spoilt([](Json& e) {
              e["inclusionProof"]["hashes"].push_back(testing::base64(std::string(32, 'x')));
            }),
            Check::inclusion);
  EXPECT_EQ(spoilt([](Json& e) { e["inclusionProof"]["treeSize"] = "6"; }), Check::checkpoint);
  EXPECT_EQ(spoilt([](Json& e) {
              e["inclusionProof"]["rootHash"] = testing::base64(std::string(32, 'x'));
            }),
            Check::checkpoint);
  EXPECT_EQ(spoilt([](Json& e) { e["inclusionProof"].erase("checkpoint"); }), Check::bundle);
  EXPECT_EQ(spoilt([](Json& e) { e["kindVersion"]["version"] = "0.0.3"; }), Check::binding);
  EXPECT_EQ(spoilt([](Json&) {}), std::nullopt);
  bundle["verificationMaterial"]["tlogEntries"] = {good, good};
  EXPECT_EQ(verdict(bundle).failed, Check::log_entry);
  bundle["verificationMaterial"]["tlogEntries"] = Json::array();
  EXPECT_EQ(verdict(bundle).failed, Check::log_entry);
}

TEST_F(Sigstore, ATimeThatTheLogDidNotPromiseProvesNothing) {
  auto bundle = instance().bundle(kArtifact);
  entry_of(bundle).erase("inclusionPromise");
  EXPECT_EQ(verdict(bundle).failed, Check::time);
}

TEST_F(Sigstore, CheckpointsAreSignedByTheLog) {
  EXPECT_EQ(why({.checkpoint_name = "log2.rekor.example"}),
            "checkpoint: no signature on it is the log's");
  auto bundle = instance().bundle(kArtifact);
  auto& note = entry_of(bundle)["inclusionProof"]["checkpoint"]["envelope"];
  const std::string good = note;
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    changed.replace(changed.find(from), from.size(), to);
    note = changed;
    return verdict(bundle).reason;
  };
  EXPECT_THAT(with("rekor.example - 4711\n", ""), HasSubstr("lacks one of origin"));
  EXPECT_THAT(with("\n5\n", "\n"), HasSubstr("lacks one of origin"));
  EXPECT_THAT(with("\n5\n", "\n05\n"), HasSubstr("no tree size"));
  EXPECT_THAT(with("rekor.example - 4711", "evil.example - 4711"), HasSubstr("is not the log"));
  EXPECT_THAT(with("- 4711", "- 4712"), HasSubstr("no signature on it"));
  EXPECT_THAT(with("\n\n", "\n"), HasSubstr("no signed note"));
}

TEST_F(Sigstore, AnEntryThatSpeaksOfSomethingElseIsRejected) {
  const auto other = testing::base64("another");
  EXPECT_EQ(why({.body = [&](Json& b) { b["spec"]["signature"]["content"] = other; }}),
            "log binding: the log entry names another signature");
  EXPECT_EQ(why({.body =
                     [&](Json& b) {
                       b["spec"]["data"]["hash"]["value"] = testing::hex(testing::sha256("x"));
                     }}),
            "log binding: the log entry names another artifact");
  EXPECT_EQ(why({.body =
                     [&](Json& b) {
                       b["spec"]["signature"]["publicKey"]["content"] =
                           testing::base64(instance().managed_key_pem());
                     }}),
            "log binding: the log entry names another key or certificate");
  EXPECT_THAT(why({.body = [&](Json& b) { b["kind"] = "helm"; }}), HasSubstr("\"helm 0.0.1\""));
  EXPECT_THAT(why({.body = [&](Json& b) { b["spec"]["data"]["hash"]["algorithm"] = "md5"; }}),
              HasSubstr("\"md5\" is not accepted"));
  const auto payload = statement_about(kArtifact);
  EXPECT_EQ(why({.payload = payload,
                 .entry_kind = "dsse",
                 .body =
                     [&](Json& b) {
                       b["spec"]["payloadHash"]["value"] = testing::hex(testing::sha256("x"));
                     }}),
            "log binding: the log entry names another payload");
}

TEST_F(Sigstore, FormsOfBundles) {
  const Json good = instance().bundle(kArtifact);
  const auto rejected = [&](const std::function<void(Json&)>& change) {
    Json bundle = good;
    change(bundle);
    return verdict(bundle).reason;
  };
  EXPECT_THAT(rejected([](Json& b) {
                b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.4";
              }),
              HasSubstr("no version from 0.1 to 0.3"));
  EXPECT_THAT(rejected([](Json& b) { b.erase("mediaType"); }), HasSubstr("mediaType \"\""));
  EXPECT_THAT(rejected([](Json& b) { b.erase("messageSignature"); }), HasSubstr("exactly one of"));
  EXPECT_THAT(rejected([](Json& b) { b["messageSignature"]["signature"] = "YW=j"; }),
              HasSubstr("no valid base64"));
  EXPECT_THAT(rejected([](Json& b) { b["messageSignature"]["signature"] = ""; }),
              HasSubstr("no signature"));
  EXPECT_THAT(rejected([](Json& b) {
                auto& material = b["verificationMaterial"];
                material["x509CertificateChain"]["certificates"] =
                    Json::array({material["certificate"]});
                material.erase("certificate");
              }),
              HasSubstr("since version 0.3"));
  EXPECT_EQ(rejected([](Json& b) {  // what older versions carried
              b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1";
              auto& material = b["verificationMaterial"];
              material["x509CertificateChain"]["certificates"] =
                  Json::array({material["certificate"]});
              material.erase("certificate");
              entry_of(b).erase("inclusionProof");
            }),
            "");
  EXPECT_THAT(rejected([](Json& b) {
                b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1";
                entry_of(b).erase("inclusionPromise");
              }),
              HasSubstr("needs an inclusion promise"));
  EXPECT_THAT(rejected([](Json& b) {
                b["messageSignature"]["messageDigest"]["digest"] = testing::base64("short");
              }),
              HasSubstr("another artifact's"));
}

TEST_F(Sigstore, JsonThatTwoReadersWouldReadDifferentlyIsRefused) {
  auto text = instance().bundle(kArtifact).dump();
  text.insert(1, "\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",");
  const auto v = verify_bundle(text, root(), Artifact(kArtifact), signer_);
  EXPECT_EQ(v.reason, "bundle: JSON with the key \"mediaType\" twice");
  const std::string deep = std::string(100000, '[');
  EXPECT_EQ(verify_bundle(deep, root(), Artifact(kArtifact), signer_).reason,
            "bundle: JSON deeper than 64 levels");
}

TEST_F(Sigstore, ASignatureOfAnotherKeyIsRejectedWhateverTheLogSays) {
  auto bundle = instance().bundle(kArtifact, {.managed_key = true});
  const Json foreign = instance().bundle("something else", {.managed_key = true});
  // A log that lies: it has logged this signature for this artifact.
  const auto signature = foreign["messageSignature"]["signature"];
  bundle = instance().bundle(kArtifact, {.managed_key = true, .body = [&](Json& b) {
                                           b["spec"]["signature"]["content"] = signature;
                                         }});
  bundle["messageSignature"]["signature"] = signature;
  signer_ = PublicKey{instance().managed_key_pem()};
  EXPECT_EQ(verdict(bundle).reason, "signature: it is not over this, or not by this key");
}

TEST(TrustedRootText, WhatIsNoneIsAnError) {
  EXPECT_THAT(TrustedRoot::parse("").error().to_string(), HasSubstr("no valid JSON"));
  EXPECT_THAT(TrustedRoot::parse("{}").error().to_string(), HasSubstr("its mediaType is \"\""));
  EXPECT_THAT(TrustedRoot::parse(
                  R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                                     "tlogs":[{"publicKey":{"validFor":{"start":"yesterday"}}}]})")
                  .error()
                  .to_string(),
              HasSubstr("\"start\" is no time"));
}

}  // namespace
}  // namespace gitaiops::scanner::provenance
