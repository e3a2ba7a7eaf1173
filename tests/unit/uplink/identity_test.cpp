#include "agent/uplink/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/uplink/remembered.h"
#include "base/io/files.h"
#include "base/tls/tls.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::agent {
namespace {

using ::testing::HasSubstr;

constexpr UnixMicros kNow{1'900'000'000'000'000};
constexpr int64_t kHour = 3600 * kMicrosPerSecond;

class IdentityTest : public ::testing::Test {
 protected:
  Result<Identity> make(UnixMicros now, int64_t life = 3 * kHour) {
    auto key = *tls::make_key();
    enrollment::v1::Certificate certificate;
    certificate.set_certificate_pem(
        *ca_.sign_agent(*tls::make_request(key), "a1", {kNow, kNow + life}));
    certificate.set_ca_bundle_pem(ca_.certificate_pem());
    certificate.set_renew_after_us((kNow + life / 3 * 2).value);
    return checked_identity(std::move(key), certificate, now);
  }
  testing::TemporaryFolder folder_;
  std::filesystem::path at_ = folder_.path() / "identity";
  tls::Authority ca_ = *tls::Authority::create("CA", {kNow, kNow + 100 * kHour});
};

TEST_F(IdentityTest, ComesBackFromDisk) {
  EXPECT_EQ(load_identity(at_).error().code(), Code::not_found);
  EXPECT_THAT(load_identity(at_).error().to_string(), HasSubstr("gitaiops-agent enroll"));
  const auto made = *make(kNow);
  ASSERT_TRUE(store_identity(at_, made).ok());
  const auto loaded = *load_identity(at_);
  EXPECT_EQ(loaded.agent_id, "a1");
  EXPECT_EQ(loaded.certificate_pem, made.certificate_pem);
  EXPECT_TRUE(tls::check_key_matches(loaded.key_pem, made.certificate_pem).ok());
  EXPECT_EQ(loaded.not_after, kNow + 3 * kHour);
  EXPECT_EQ(loaded.renew_after, kNow + 2 * kHour);
}

// A renewal writes cert.pem.next and key.pem.next, renames the key, the certificate, then writes
// identity.json.
TEST_F(IdentityTest, ACrashAtAnyStepOfARenewalLeavesAnIdentityThatWorks) {
  const auto old = *make(kNow);
  const auto fresh = *make(kNow, 6 * kHour);
  ASSERT_TRUE(store_identity(at_, old).ok());
  ASSERT_TRUE(write_file_atomic(at_ / "cert.pem.next", fresh.certificate_pem, 0600).ok());
  EXPECT_EQ(load_identity(at_)->certificate_pem, old.certificate_pem);
  ASSERT_TRUE(write_file_atomic(at_ / "key.pem", fresh.key_pem, 0600).ok());
  const auto recovered = load_identity(at_);
  ASSERT_TRUE(recovered.ok()) << recovered.error().to_string();
  EXPECT_EQ(recovered->certificate_pem, fresh.certificate_pem);
  EXPECT_EQ(recovered->not_after, kNow + 6 * kHour) << "identity.json is still the old one";
  EXPECT_EQ(recovered->renew_after, kNow + 4 * kHour);
}

TEST_F(IdentityTest, DamageIsNamed) {
  ASSERT_TRUE(store_identity(at_, *make(kNow)).ok());
  ASSERT_TRUE(write_file_atomic(at_ / "key.pem", *tls::make_key(), 0600).ok());
  EXPECT_THAT(load_identity(at_).error().to_string(), HasSubstr("does not belong"));
  ASSERT_TRUE(write_file_atomic(at_ / "identity.json", "[]", 0600).ok());
  EXPECT_EQ(load_identity(at_).error().code(), Code::data_loss);
}

TEST_F(IdentityTest, ACertificateThatIsNotYetValidHereSaysHowFarTheClocksAreApart) {
  EXPECT_THAT(make(kNow + -(2 * kHour)).error().to_string(),
              HasSubstr("at least 2 h 0 min behind"));
}

TEST(Remembered, ACommandIsFreshOnceAndTheOldestResultGoesFirst) {
  Remembered remembered;
  EXPECT_EQ(remembered.begin("a"), Remembered::State::fresh);
  EXPECT_EQ(remembered.begin("a"), Remembered::State::running);
  fleet::v1::CommandResult result;
  result.set_id("a");
  remembered.finish(result);
  EXPECT_EQ(remembered.begin("a"), Remembered::State::done);
  EXPECT_NE(remembered.result("a"), nullptr);
  for (std::size_t i = 0; i < kRememberedResults; ++i) {
    result.set_id("b" + std::to_string(i));
    remembered.begin(result.id());
    remembered.finish(result);
  }
  EXPECT_EQ(remembered.result("a"), nullptr);
  EXPECT_NE(remembered.result("b0"), nullptr);
  EXPECT_EQ(remembered.running(), 0u);
}

}  // namespace
}  // namespace gitaiops::agent
