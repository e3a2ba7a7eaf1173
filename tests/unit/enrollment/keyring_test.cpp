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
  EXPECT_FALSE(*keyring.refresh_server_certificate(clock_.now()));
  clock_.advance(options_.server_certificate_life_us / 5);
  EXPECT_TRUE(*keyring.refresh_server_certificate(clock_.now()));
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

}  // namespace
}  // namespace gitaiops::enrollment
