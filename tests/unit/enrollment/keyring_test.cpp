#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/io/files.h"
#include "controller/enrollment/enrollment.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::enrollment {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSecret = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

class KeyringTest : public ::testing::Test {
 protected:
  Result<Keyring> open() { return Keyring::open(options_, clock_); }
  std::string server_pem() { return *read_file(folder_.path() / "pki/server.pem"); }

  testing::TemporaryFolder folder_;
  FakeClock clock_;
  Options options_{folder_.path(), {"controller.example", "192.0.2.7"}};
};

TEST_F(KeyringTest, MakesWhatIsMissingAndKeepsWhatIsThere) {
  const auto first = open();
  ASSERT_TRUE(first.ok()) << first.error().to_string();
  const auto server = server_pem();
  const auto second = open();
  ASSERT_TRUE(second.ok()) << second.error().to_string();
  EXPECT_EQ(second->authority().pin(), first->authority().pin());
  EXPECT_EQ(server_pem(), server);
  const auto chain = *tls::split_bundle(server);
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_THAT(tls::facts(chain[0])->hosts,
              ::testing::ElementsAre("controller.example", "192.0.2.7"));
  EXPECT_EQ(tls::facts(chain[1])->pin, first->authority().pin())
      << "agents pin the CA that the server presents";
  struct stat about{};
  for (const auto* file : {"ca.key", "ca.pem", "server.key", "server.pem", "ca-bundle.pem"}) {
    ASSERT_EQ(stat((folder_.path() / "pki" / file).c_str(), &about), 0) << file;
    EXPECT_EQ(about.st_mode & 07777, 0600u) << file;
  }
  ASSERT_EQ(stat((folder_.path() / "pki").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0700u);
}

TEST_F(KeyringTest, TheServersCertificateIsMadeAnewWhenDueOrRenamedOrDamaged) {
  auto keyring = *open();
  const auto first = server_pem();
  clock_.advance(options_.server_certificate_life_us / 2);
  EXPECT_FALSE(*keyring.refresh(clock_.now()));
  clock_.advance(options_.server_certificate_life_us / 5);
  EXPECT_TRUE(*keyring.refresh(clock_.now()));
  EXPECT_NE(server_pem(), first);

  options_.server_names = {"other.example"};
  ASSERT_TRUE(open().ok());
  EXPECT_THAT(tls::facts(server_pem())->hosts, ::testing::ElementsAre("other.example"));

  // A crash between the two writes leaves a key that does not fit.
  ASSERT_TRUE(write_file_atomic(folder_.path() / "pki/server.key", *tls::make_key(), 0600).ok());
  ASSERT_TRUE(open().ok());
  EXPECT_TRUE(
      tls::check_key_matches(*read_file(folder_.path() / "pki/server.key"), server_pem()).ok());
}

TEST_F(KeyringTest, AnotherAuthorityMayBeTrustedWhileOneReplacesTheOther) {
  ASSERT_TRUE(open().ok());
  const auto other = *tls::Authority::create("next CA", {clock_.now(), clock_.now() + kDay});
  std::filesystem::create_directory(folder_.path() / "pki/trusted");
  ASSERT_TRUE(
      write_file_atomic(folder_.path() / "pki/trusted/next.pem", other.certificate_pem()).ok());
  const auto keyring = *open();
  EXPECT_EQ(tls::split_bundle(keyring.bundle_pem())->size(), 2u);
  EXPECT_EQ(*read_file(keyring.files().trusted), keyring.bundle_pem());
  ASSERT_TRUE(write_file_atomic(folder_.path() / "pki/trusted/next.pem", "nonsense").ok());
  EXPECT_THAT(open().error().to_string(), HasSubstr("next.pem"));
}

TEST_F(KeyringTest, AFolderOpenToOthersIsRefused) {
  ASSERT_TRUE(open().ok());
  chmod((folder_.path() / "pki").c_str(), 0755);
  EXPECT_EQ(open().error().code(), Code::permission_denied);
  EXPECT_THAT(open().error().to_string(), HasSubstr("chmod 0700"));
  chmod((folder_.path() / "pki").c_str(), 0700);
  chmod((folder_.path() / "pki/ca.key").c_str(), 0644);
  EXPECT_FALSE(open().ok());
}

TEST_F(KeyringTest, ATokensTextHoldsSecretAndPinOfTheSameAuthority) {
  const auto text = token_text(folder_.path(), kSecret, clock_);
  ASSERT_TRUE(text.ok()) << text.error().to_string();
  EXPECT_EQ(*text, std::string("gio1_") + kSecret + "." + open()->authority().pin().substr(7));
  EXPECT_FALSE(token_text(folder_.path(), "short", clock_).ok());
}

TEST_F(KeyringTest, AnAuthorityIsReplacedInThreeStepsAndNoAgentIsLeftBehind) {
  auto keyring = *open();
  const auto agent_key = *tls::make_key();
  const auto request = *tls::make_request(agent_key);
  const auto certificate = [&] {
    return *keyring.authority().sign_agent(request, "a", {clock_.now(), clock_.now() + kDay}, 3);
  };
  const auto trusts = [](const std::string& bundle, const std::string& pem) {
    return tls::check_signed_by(pem, bundle).ok();
  };
  const auto first_pin = keyring.authority().pin();
  const auto of_first = certificate();
  EXPECT_EQ(tls::facts(of_first)->generation, 3u);
  const auto bundle_before = keyring.bundle_pem();

  const auto announced = rotate_authority(options_.state_dir, kDay, false, clock_);
  ASSERT_TRUE(announced.ok()) << announced.error().to_string();
  EXPECT_EQ(announced->step, Rotation::Step::announced);
  EXPECT_EQ(announced->next_step_at, clock_.now() + kDay);
  ASSERT_TRUE(keyring.refresh(clock_.now()).ok());
  EXPECT_EQ(keyring.authority().pin(), first_pin) << "it is only trusted so far";
  const auto bundle_between = keyring.bundle_pem();
  EXPECT_EQ(tls::split_bundle(bundle_between)->size(), 2u);
  EXPECT_TRUE(trusts(bundle_before, server_pem()));

  clock_.advance(kDay - kMicrosPerSecond);
  const auto early = rotate_authority(options_.state_dir, kDay, false, clock_);
  EXPECT_EQ(early.error().code(), Code::unavailable);
  EXPECT_THAT(early.error().message(), HasSubstr("too early: until "));
  clock_.advance(kMicrosPerSecond);
  const auto switched = rotate_authority(options_.state_dir, kDay, false, clock_);
  ASSERT_TRUE(switched.ok()) << switched.error().to_string();
  EXPECT_EQ(switched->step, Rotation::Step::switched);
  EXPECT_EQ(switched->pin, announced->pin);
  EXPECT_TRUE(*keyring.refresh(clock_.now())) << "the server's certificate is made anew";
  EXPECT_EQ(keyring.authority().pin(), announced->pin);
  const auto of_second = certificate();
  EXPECT_TRUE(trusts(keyring.bundle_pem(), of_first));
  EXPECT_TRUE(trusts(keyring.bundle_pem(), of_second));
  EXPECT_TRUE(trusts(bundle_between, server_pem())) << "an agent that renewed in time knows it";
  EXPECT_FALSE(trusts(bundle_before, server_pem()));

  EXPECT_FALSE(rotate_authority(options_.state_dir, kDay, false, clock_).ok());
  clock_.advance(kDay);
  const auto finished = rotate_authority(options_.state_dir, kDay, false, clock_);
  ASSERT_TRUE(finished.ok()) << finished.error().to_string();
  EXPECT_EQ(finished->step, Rotation::Step::finished);
  ASSERT_TRUE(keyring.refresh(clock_.now()).ok());
  EXPECT_FALSE(trusts(keyring.bundle_pem(), of_first));
  EXPECT_TRUE(trusts(keyring.bundle_pem(), of_second));
  EXPECT_EQ(rotate_authority(options_.state_dir, kDay, false, clock_)->step,
            Rotation::Step::announced)
      << "and it can begin again";
}

TEST_F(KeyringTest, ARotationAtOnceDoesNotWait) {
  const auto first = (*open()).authority().pin();
  for (const auto step :
       {Rotation::Step::announced, Rotation::Step::switched, Rotation::Step::finished})
    EXPECT_EQ(rotate_authority(options_.state_dir, kDay, true, clock_)->step, step);
  EXPECT_NE((*open()).authority().pin(), first);
}

TEST_F(KeyringTest, ASwitchThatACrashInterruptedIsCompleted) {
  const auto pki = folder_.path() / "pki";
  ASSERT_TRUE(open().ok());
  const auto announced = *rotate_authority(options_.state_dir, kDay, true, clock_);
  // The key was replaced, the certificate not yet.
  ASSERT_TRUE(write_file_atomic(pki / "ca.key", *read_file(pki / "next.key"), 0600).ok());
  const auto keyring = open();
  ASSERT_TRUE(keyring.ok()) << keyring.error().to_string();
  EXPECT_EQ(keyring->authority().pin(), announced.pin);
}

TEST_F(KeyringTest, AnAuthorityIsTakenAlongAndPutBackButNeverOverAnother) {
  const auto pin = (*open()).authority().pin();
  const auto kept = export_authority(options_.state_dir);
  ASSERT_TRUE(kept.ok()) << kept.error().to_string();
  const auto elsewhere = folder_.path() / "elsewhere";
  ASSERT_TRUE(import_authority(elsewhere, *kept).ok());
  options_.state_dir = elsewhere;
  EXPECT_EQ((*open()).authority().pin(), pin);
  EXPECT_TRUE(import_authority(elsewhere, *kept).ok()) << "the same again changes nothing";
  options_.state_dir = folder_.path() / "third";
  ASSERT_TRUE(open().ok());
  EXPECT_EQ(import_authority(options_.state_dir, *kept).error().code(), Code::already_exists);
  EXPECT_FALSE(import_authority(elsewhere, "nonsense").ok());
}

TEST_F(KeyringTest, AKeyThatOthersCanReadIsRefusedWithTheCure) {
  ASSERT_TRUE(open().ok());
  const auto key = folder_.path() / "pki/ca.key";
  ASSERT_EQ(chmod(key.c_str(), 0644), 0);
  const auto refused = open();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().to_string(), HasSubstr("chmod 600 " + key.string()));
}

}  // namespace
}  // namespace gitaiops::enrollment
