#include "controller/webhooks/signature.h"

#include <gtest/gtest.h>

#include "base/crypto/crypto.h"

namespace gitaiops::webhooks {
namespace {

constexpr int64_t kSent = 1'760'000'000;
const std::string kKey = "0123456789abcdef0123456789abcdef";
const std::string kOldKey = "fedcba9876543210fedcba9876543210";
constexpr const char* kBody = R"({"object_kind":"pipeline"})";

UnixMicros at(int64_t seconds) {
  return {seconds * kMicrosPerSecond};
}

std::string signing_token(const std::string& key) {
  return "whsec_" + crypto::base64_encode(key);
}

std::string mac_of(const std::string& key, const std::string& message) {
  const auto mac = crypto::hmac_sha256(key, message);
  return crypto::base64_encode({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

Secrets secrets(std::initializer_list<std::string> texts) {
  Secrets out;
  for (const auto& text : texts) EXPECT_TRUE(add_secret(out, text).ok()) << text;
  return out;
}

http::Headers signed_headers(const std::string& key = kKey, std::string id = "msg_1",
                             std::string timestamp = std::to_string(kSent)) {
  http::Headers headers;
  headers.add("Webhook-Signature", "v1," + mac_of(key, id + "." + timestamp + "." + kBody));
  headers.add("webhook-id", std::move(id));
  headers.add("webhook-timestamp", std::move(timestamp));
  return headers;
}

http::Headers token(std::string text) {
  http::Headers headers;
  headers.add("X-Gitlab-Token", std::move(text));
  return headers;
}

// A signature made elsewhere: openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef.
TEST(Signature, ASignatureMadeElsewhereHolds) {
  http::Headers headers;
  headers.add("webhook-id", "msg_1");
  headers.add("webhook-timestamp", "1760000000");
  headers.add("webhook-signature", "v1,zLfYmRbJdY0E1G9uWNK3r15Z7q8b+SDMj1l/cXfpS6g=");
  EXPECT_EQ(verify(secrets({signing_token(kKey)}), headers, kBody, at(kSent)), Verdict::signed_);
}

TEST(Signature, CurrentAndPreviousKeyAreBothGood) {
  const auto both = secrets({signing_token(kKey), signing_token(kOldKey)});
  EXPECT_EQ(verify(both, signed_headers(kKey), kBody, at(kSent)), Verdict::signed_);
  EXPECT_EQ(verify(both, signed_headers(kOldKey), kBody, at(kSent)), Verdict::signed_);
  EXPECT_EQ(verify(secrets({signing_token(kKey)}), signed_headers(kOldKey), kBody, at(kSent)),
            Verdict::forged);
}

TEST(Signature, OneOfSeveralSignaturesIsEnough) {
  auto headers = http::Headers();
  const auto good = "v1," + mac_of(kKey, R"(m.1760000000.{"object_kind":"pipeline"})");
  headers.add("webhook-id", "m");
  headers.add("webhook-timestamp", "1760000000");
  headers.add("webhook-signature", "v1a,AAAA v1,AAAA " + good);
  EXPECT_EQ(verify(secrets({signing_token(kKey)}), headers, kBody, at(kSent)), Verdict::signed_);
}

TEST(Signature, EveryByteOfBodyIdAndTimestampCounts) {
  const auto known = secrets({signing_token(kKey)});
  EXPECT_EQ(verify(known, signed_headers(), R"({"object_kind": "pipeline"})", at(kSent)),
            Verdict::forged);
  for (const char* name : {"webhook-id", "webhook-timestamp"}) {
    http::Headers changed;
    for (const auto& [field, value] : signed_headers())
      changed.add(field, http::same_name(field, name) ? value.substr(1) : value);
    EXPECT_EQ(verify(known, changed, kBody, at(kSent)), Verdict::forged) << name;
  }
}

TEST(Signature, TheWindowIsFiveMinutesEitherWay) {
  const auto known = secrets({signing_token(kKey)});
  for (const int64_t apart : {-300, -299, 0, 300})
    EXPECT_EQ(verify(known, signed_headers(), kBody, at(kSent + apart)), Verdict::signed_) << apart;
  for (const int64_t apart : {-301, 301, 86'400})
    EXPECT_EQ(verify(known, signed_headers(), kBody, at(kSent + apart)), Verdict::late) << apart;
}

TEST(Signature, ATimestampThatIsNoNumberIsLateHoweverItIsSigned) {
  const auto known = secrets({signing_token(kKey)});
  for (const char* timestamp :
       {"-1760000000", "1760000000.0", " 1760000000", "0x68e6", "99999999999999999999"})
    EXPECT_EQ(verify(known, signed_headers(kKey, "m", timestamp), kBody, at(kSent)), Verdict::late)
        << timestamp;
}

TEST(Signature, HeadersThatAreMissingOrThereTwiceProveNothing) {
  const auto known = secrets({signing_token(kKey)});
  for (const char* name : {"webhook-id", "webhook-timestamp"}) {
    http::Headers less;
    for (const auto& [field, value] : signed_headers())
      if (!http::same_name(field, name)) less.add(field, value);
    EXPECT_EQ(verify(known, less, kBody, at(kSent)), Verdict::forged) << name;
  }
  auto twice = signed_headers();
  twice.add("webhook-id", "msg_2");
  EXPECT_EQ(verify(known, twice, kBody, at(kSent)), Verdict::forged);
}

TEST(Signature, ATokenIsComparedWhole) {
  const auto known = secrets({"current", "previous"});
  EXPECT_EQ(verify(known, token("current"), kBody, at(kSent)), Verdict::token);
  EXPECT_EQ(verify(known, token("previous"), kBody, at(kSent)), Verdict::token);
  for (const char* wrong : {"curren", "currentt", "Current", "current previous"})
    EXPECT_EQ(verify(known, token(wrong), kBody, at(kSent)), Verdict::forged) << wrong;
  EXPECT_EQ(verify(known, {}, kBody, at(kSent)), Verdict::unproven);
  auto twice = token("current");
  twice.add("x-gitlab-token", "current");
  EXPECT_EQ(verify(known, twice, kBody, at(kSent)), Verdict::unproven);
}

TEST(Signature, AStolenTokenDoesNotHelpASignatureThatIsWrong) {
  const auto known = secrets({"token", signing_token(kKey)});
  auto headers = signed_headers(kOldKey);
  headers.add("X-Gitlab-Token", "token");
  EXPECT_EQ(verify(known, headers, kBody, at(kSent)), Verdict::forged);
  EXPECT_EQ(verify(known, token("token"), kBody, at(kSent)), Verdict::token)
      << "a hook that has no signing token yet";
}

TEST(Signature, TheSigningTokenItselfIsNoPassword) {
  EXPECT_EQ(verify(secrets({signing_token(kKey)}), token(signing_token(kKey)), kBody, at(kSent)),
            Verdict::forged);
}

TEST(Signature, SecretsThatAreNoneAreRefused) {
  Secrets out;
  EXPECT_FALSE(add_secret(out, "").ok());
  EXPECT_FALSE(add_secret(out, "whsec_").ok());
  EXPECT_FALSE(add_secret(out, "whsec_c2hvcnQ=").ok());
  EXPECT_FALSE(add_secret(out, "whsec_not base64 at all!").ok());
  EXPECT_TRUE(out.keys.empty() && out.tokens.empty());
}

TEST(Signature, OnlyAPromisingHeadMaySendALargeBody) {
  const auto known = secrets({"token", signing_token(kKey)});
  EXPECT_TRUE(promising(known, token("token"), at(kSent)));
  EXPECT_TRUE(promising(known, signed_headers(), at(kSent)));
  EXPECT_FALSE(promising(known, token("guess"), at(kSent)));
  EXPECT_FALSE(promising(known, signed_headers(), at(kSent + 3600)));
  EXPECT_FALSE(promising(known, {}, at(kSent)));
}

}  // namespace
}  // namespace gitaiops::webhooks
