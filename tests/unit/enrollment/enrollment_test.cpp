#include "controller/enrollment/enrollment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crypto/crypto.h"
#include "tests/unit/fleet/fake_store.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::enrollment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kSecret = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

class EnrollmentTest : public ::testing::Test {
 protected:
  EnrollmentTest() {
    store::EnrollmentToken token;
    token.id = "t1";
    token.secret_sha256 = crypto::sha256_hex(kSecret);
    token.expires_at = clock_.now() + kHour;
    token.uses_left = 1;
    token.labels = {"linux"};
    token.scope = {{"main", "grp/*"}, {"main", "other"}};
    store_.tokens[token.secret_sha256] = token;
  }
  gitaiops::enrollment::v1::EnrollRequest request() {
    gitaiops::enrollment::v1::EnrollRequest out;
    out.set_token("gio1_" + kSecret);
    out.set_csr_der(*tls::make_request(key_));
    out.set_host_name("build-1");
    out.set_agent_version("0.1.0");
    out.set_now_us(clock_.now().value);
    return out;
  }
  auto enroll(gitaiops::enrollment::v1::EnrollRequest request) {
    return loop_.run(enrollment_->enroll(std::move(request), {}));
  }
  store::EnrollmentToken& token() { return store_.tokens.begin()->second; }

  testing::TemporaryFolder folder_;
  testing::Loop loop_;
  FakeClock clock_;
  testing::FakeStore store_;
  Options options_{folder_.path(), {"localhost"}, 24 * kHour};
  Keyring keyring_ = *Keyring::open(options_, clock_);
  std::unique_ptr<Enrollment> enrollment_ = *Enrollment::make(options_, keyring_, store_, clock_);
  std::string key_ = *tls::make_key();
};

TEST_F(EnrollmentTest, AGoodTokenMakesAnAgentWithACertificateForItsKey) {
  const auto response = enroll(request());
  ASSERT_TRUE(response.ok()) << response.error().to_string();
  const auto& certificate = response->certificate();
  EXPECT_TRUE(tls::check_key_matches(key_, certificate.certificate_pem()).ok());
  EXPECT_TRUE(
      tls::check_signed_by(certificate.certificate_pem(), certificate.ca_bundle_pem()).ok());
  EXPECT_EQ(*tls::agent_id(*tls::facts(certificate.certificate_pem())), certificate.agent_id());
  EXPECT_EQ(certificate.not_after_us(), (clock_.now() + 24 * kHour).value);
  EXPECT_EQ(certificate.renew_after_us(), (clock_.now() + 16 * kHour).value);
  EXPECT_EQ(certificate.ca_bundle_pem(), keyring_.bundle_pem());
  EXPECT_THAT(response->instances(), ElementsAre("main"));
  EXPECT_THAT(response->project_globs(), ElementsAre("grp/*", "other"));
  EXPECT_EQ(response->now_us(), clock_.now().value);
  const auto& agent = store_.agents_by_id.at(certificate.agent_id());
  EXPECT_EQ(agent.host_name, "build-1");
  EXPECT_THAT(agent.labels, ElementsAre("linux"));
}

TEST_F(EnrollmentTest, SaysWhatIsWrongWithTheToken) {
  ASSERT_TRUE(enroll(request()).ok());
  EXPECT_THAT(enroll(request()).error().to_string(), HasSubstr("used up"));
  token().uses_left = 1;
  token().expires_at = clock_.now();
  EXPECT_THAT(enroll(request()).error().to_string(), HasSubstr("expired"));
  token().revoked_at = clock_.now();
  EXPECT_THAT(enroll(request()).error().to_string(), HasSubstr("revoked"));
  store_.tokens.clear();
  EXPECT_THAT(enroll(request()).error().to_string(), HasSubstr("unknown"));
  auto none = request();
  none.set_token("hello");
  EXPECT_EQ(enroll(none).error().code(), Code::unauthenticated);
  EXPECT_EQ(store_.agents_by_id.size(), 1u);
}

TEST_F(EnrollmentTest, ABadRequestOrClockDoesNotSpendTheToken) {
  auto damaged = request();
  damaged.set_csr_der("nonsense");
  EXPECT_EQ(enroll(damaged).error().code(), Code::invalid_argument);
  auto behind = request();
  behind.set_now_us((clock_.now() + -(3 * kHour + 120 * kMicrosPerSecond)).value);
  const auto refused = enroll(behind);
  EXPECT_EQ(refused.error().code(), Code::invalid_argument);
  EXPECT_THAT(refused.error().to_string(), HasSubstr("is 3 h 2 min behind the controller's"));
  EXPECT_THAT(refused.error().to_string(), HasSubstr("the token was not used"));
  auto ahead = request();
  ahead.set_now_us((clock_.now() + kHour).value);
  EXPECT_THAT(enroll(ahead).error().to_string(), HasSubstr("1 h 0 min ahead of"));
  for (const int64_t absurd : {INT64_MIN, INT64_MAX}) {
    ahead.set_now_us(absurd);
    EXPECT_EQ(enroll(ahead).error().code(), Code::invalid_argument);
  }
  EXPECT_EQ(token().uses_left, 1);
  EXPECT_TRUE(enroll(request()).ok());
}

TEST_F(EnrollmentTest, RenewsForAnAgentInGoodStandingOnly) {
  const auto id = enroll(request())->certificate().agent_id();
  gitaiops::enrollment::v1::RenewRequest again;
  const auto key = *tls::make_key();
  again.set_csr_der(*tls::make_request(key));
  const auto renew = [&](const std::string& who, UnixMicros not_after) {
    rpc::Peer peer;
    peer.agent_id = who;
    peer.certificate_not_after = not_after;
    return loop_.run(enrollment_->renew(again, peer));
  };
  const auto later = clock_.now() + kHour;
  const auto renewed = renew(id, later);
  ASSERT_TRUE(renewed.ok()) << renewed.error().to_string();
  EXPECT_EQ(renewed->certificate().agent_id(), id);
  EXPECT_TRUE(tls::check_key_matches(key, renewed->certificate().certificate_pem()).ok());
  EXPECT_EQ(renew(id, clock_.now()).error().code(), Code::unauthenticated);
  EXPECT_EQ(renew("somebody else", later).error().code(), Code::permission_denied);
  store_.agents_by_id[id].revoked_at = clock_.now();
  EXPECT_THAT(renew(id, later).error().to_string(), HasSubstr("revoked"));
}

TEST_F(EnrollmentTest, ACopyOfAnIdentityIsFoundWhenBothRenew) {
  const auto certificate = enroll(request())->certificate();
  EXPECT_EQ(certificate.generation(), 1u);
  const auto renew = [&](uint64_t generation, const std::string& host) {
    gitaiops::enrollment::v1::RenewRequest again;
    again.set_csr_der(*tls::make_request(key_));
    again.set_host_name(host);
    rpc::Peer peer{certificate.agent_id(), clock_.now() + kHour, "ipv4:192.0.2.7:5123", generation};
    return loop_.run(enrollment_->renew(again, peer));
  };
  const auto second = renew(1, "build-1");
  ASSERT_TRUE(second.ok()) << second.error().to_string();
  EXPECT_EQ(second->certificate().generation(), 2u);
  EXPECT_EQ(tls::facts(second->certificate().certificate_pem())->generation, 2u);
  EXPECT_TRUE(renew(1, "build-1").ok()) << "the reply was lost, it was never used: not a copy";
  ASSERT_TRUE(renew(2, "build-1").ok());
  const auto copy = renew(1, "build-9");
  ASSERT_FALSE(copy.ok());
  EXPECT_EQ(copy.error().code(), Code::permission_denied);
  EXPECT_THAT(copy.error().to_string(), HasSubstr("held twice: by build-1 (192.0.2.7) and by "
                                                  "build-9 (192.0.2.7)"));
  EXPECT_EQ(store_.agents_by_id.at(certificate.agent_id()).clone, "build-9 (192.0.2.7)");
  EXPECT_TRUE(renew(3, "build-1").ok()) << "the one with the newer certificate goes on";
}

TEST_F(EnrollmentTest, ATokenForShortLivedHostsGivesShortCertificates) {
  token().uses_left = 1000;
  token().certificate_life_us = kHour;
  const auto first = enroll(request())->certificate();
  const auto second = enroll(request())->certificate();
  EXPECT_NE(first.agent_id(), second.agent_id());
  EXPECT_EQ(first.not_after_us(), (clock_.now() + kHour).value);
  EXPECT_EQ(first.renew_after_us(), (clock_.now() + kHour / 3 * 2).value);
  gitaiops::enrollment::v1::RenewRequest again;
  again.set_csr_der(*tls::make_request(key_));
  const rpc::Peer peer{first.agent_id(), clock_.now() + kHour, "", 1};
  const auto renewed = loop_.run(enrollment_->renew(again, peer));
  EXPECT_EQ(renewed->certificate().not_after_us(), (clock_.now() + kHour).value);
}

TEST_F(EnrollmentTest, ALifeBetweenAnHourAndNinetyDays) {
  for (const int64_t life : {kHour - 1, 90 * kDay + 1}) {
    auto options = options_;
    options.certificate_life_us = life;
    EXPECT_EQ(Enrollment::make(options, keyring_, store_, clock_).error().code(),
              Code::invalid_argument);
  }
}

}  // namespace
}  // namespace gitaiops::enrollment
