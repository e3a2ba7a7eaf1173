#include "controller/models/google_auth.h"

#include <memory>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "tests/unit/outgoing/http_double.h"

namespace gitaiops::models {
namespace {

using gitaiops::testing::HttpDouble;
using gitaiops::testing::Reply;
using gitaiops::testing::run;
using gitaiops::testing::SeenRequest;
using nlohmann::json;

EVP_PKEY* key() {
  static EVP_PKEY* const made = EVP_RSA_gen(2048);
  return made;
}

std::string key_pem() {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string url_decoded(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return crypto::base64_decode(text).value_or("");
}

bool verified(const std::string& message, const std::string& signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

class GoogleAuthTest : public ::testing::Test {
 protected:
  GoogleAuthTest()
      : server_(loop_, [this](const SeenRequest& request) { return answer(request); }),
        web_(loop_.get_executor()) {
    std::string name = (std::filesystem::temp_directory_path() / "gitaiops-google-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~GoogleAuthTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const json& content, mode_t mode = 0600) {
    const auto path = folder_ / "credentials.json";
    EXPECT_TRUE(write_file_atomic(path, content.dump(), mode).ok());
    return path;
  }
  json service_account() {
    return {{"type", "service_account"},
            {"client_email", "ci@p1.iam.example"},
            {"private_key", key_pem()},
            {"private_key_id", "k7"},
            {"token_uri", server_.url() + "/token"}};
  }
  json external_account() {
    EXPECT_TRUE(write_file_atomic(folder_ / "subject", R"({"jwt":"subject.token"})", 0600).ok());
    return {
        {"type", "external_account"},
        {"audience", "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a"},
        {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"},
        {"token_url", server_.url() + "/v1/token"},
        {"service_account_impersonation_url", server_.url() + "/impersonate"},
        {"credential_source",
         {{"file", (folder_ / "subject").string()},
          {"format", {{"type", "json"}, {"subject_token_field_name", "jwt"}}}}}};
  }
  Result<std::unique_ptr<GoogleAuth>> open(const std::filesystem::path& file, bool besides = true) {
    GoogleAuthOptions options{.credentials_file = file, .metadata_url = server_.url()};
    if (besides) options.allowed_besides = server_.url();
    return open_google_auth(std::move(options), web_, clock_);
  }

  std::function<Reply(const SeenRequest&)> answer = [](const SeenRequest&) {
    return Reply{.body = R"({"access_token":"ya29.one","expires_in":3599})"};
  };
  asio::io_context loop_;
  FakeClock clock_;
  HttpDouble server_;
  Outgoing web_;
  std::filesystem::path folder_;
};

TEST_F(GoogleAuthTest, AServiceAccountSignsItsClaims) {
  auto auth = open(write(service_account()));
  ASSERT_TRUE(auth.ok()) << auth.error().to_string();
  EXPECT_EQ(run(loop_, (*auth)->token()).value(), "ya29.one");
  const std::string& body = server_.seen().at(0).body;
  const std::string start =
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  ASSERT_TRUE(body.starts_with(start)) << body;
  const std::string assertion = body.substr(start.size());
  const auto parts = split(assertion, '.');
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(json::parse(url_decoded(std::string(parts[0]))),
            json::parse(R"({"alg":"RS256","typ":"JWT","kid":"k7"})"));
  EXPECT_EQ(json::parse(url_decoded(std::string(parts[1]))),
            json({{"iss", "ci@p1.iam.example"},
                  {"scope", "https://www.googleapis.com/auth/cloud-platform"},
                  {"aud", server_.url() + "/token"},
                  {"iat", 1'700'000'000},
                  {"exp", 1'700'003'600}}));
  EXPECT_TRUE(verified(std::string(parts[0]) + "." + std::string(parts[1]),
                       url_decoded(std::string(parts[2]))));
}

TEST_F(GoogleAuthTest, ATokenIsKeptUntilFiveMinutesBeforeItsEnd) {
  auto auth = open(write(service_account()));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run(loop_, (*auth)->token()).ok());
  EXPECT_EQ(server_.seen().size(), 1u);
  clock_.advance(3298 * kMicrosPerSecond);
  EXPECT_TRUE(run(loop_, (*auth)->token()).ok());
  EXPECT_EQ(server_.seen().size(), 1u);
  clock_.advance(2 * kMicrosPerSecond);
  EXPECT_TRUE(run(loop_, (*auth)->token()).ok());
  EXPECT_EQ(server_.seen().size(), 2u);
  (*auth)->forget();
  EXPECT_TRUE(run(loop_, (*auth)->token()).ok());
  EXPECT_EQ(server_.seen().size(), 3u);
}

TEST_F(GoogleAuthTest, ThoseWhoAskMeanwhileWaitForTheOneRequest) {
  auto auth = open(write(service_account()));
  int good = 0, open_ones = 5;
  for (int i = 0; i < 5; ++i)
    spawn(loop_.get_executor(), "one",
          [](GoogleAuth& a, int& ok, int& left, asio::io_context& l) -> Task<void> {
            const auto token = co_await a.token();
            if (token.ok()) ++ok;
            if (--left == 0) l.stop();
          }(**auth, good, open_ones, loop_));
  loop_.run();
  EXPECT_EQ(good, 5);
  EXPECT_EQ(server_.seen().size(), 1u);
}

TEST_F(GoogleAuthTest, AFailureIsToldToAllAndTriedAgainLater) {
  auto auth = open(write(service_account()));
  answer = [](const SeenRequest&) {
    return Reply{.status = 400,
                 .body = R"({"error":"invalid_grant","error_description":"secret"})"};
  };
  const auto refused = run(loop_, (*auth)->token());
  EXPECT_EQ(refused.error().code(), Code::unauthenticated);
  EXPECT_NE(refused.error().to_string().find("invalid_grant"), std::string::npos);
  EXPECT_EQ(refused.error().to_string().find("secret"), std::string::npos);
  answer = [](const SeenRequest&) { return Reply{.status = 503}; };
  EXPECT_EQ(run(loop_, (*auth)->token()).error().code(), Code::unavailable);
  answer = [](const SeenRequest&) { return Reply{.body = R"({"access_token":"t"})"}; };
  EXPECT_EQ(run(loop_, (*auth)->token()).value(), "t");
}

TEST_F(GoogleAuthTest, TheMetadataServerMustSayThatItIsOne) {
  auto auth = open({});
  EXPECT_EQ(run(loop_, (*auth)->token()).error().code(), Code::unavailable);
  answer = [](const SeenRequest&) {
    return Reply{.body = R"({"access_token":"m","expires_in":600})",
                 .headers = {{"Metadata-Flavor", "Google"}}};
  };
  EXPECT_EQ(run(loop_, (*auth)->token()).value(), "m");
  EXPECT_NE(server_.seen()[1].head.find("Metadata-Flavor: Google\r\n"), std::string::npos);
  EXPECT_EQ(server_.seen()[1].target,
            "/computeMetadata/v1/instance/service-accounts/default/token");
}

TEST_F(GoogleAuthTest, AForeignTokenIsExchangedThenImpersonates) {
  answer = [](const SeenRequest& request) {
    return request.target == "/impersonate"
               ? Reply{.body = R"({"accessToken":"sa","expireTime":"2023-11-14T23:13:20Z"})"}
               : Reply{.body = R"({"access_token":"fed","expires_in":3600})"};
  };
  auto auth = open(write(external_account(), 0644));
  ASSERT_TRUE(auth.ok()) << auth.error().to_string();
  EXPECT_EQ(run(loop_, (*auth)->token()).value(), "sa");
  EXPECT_EQ(server_.lines(), (std::vector<std::string>{"POST /v1/token", "POST /impersonate"}));
  EXPECT_NE(server_.seen()[0].body.find("&subject_token=subject.token&"), std::string::npos);
  EXPECT_NE(server_.seen()[0].body.find("%2F%2Fiam.googleapis.com"), std::string::npos);
  EXPECT_NE(server_.seen()[1].head.find("Authorization: Bearer fed\r\n"), std::string::npos);
  EXPECT_EQ(json::parse(server_.seen()[1].body)["lifetime"], "3600s");
}

TEST_F(GoogleAuthTest, NothingGoesToOtherHosts) {
  auto auth = open(write(service_account()), false);
  EXPECT_EQ(run(loop_, (*auth)->token()).error().code(), Code::invalid_argument);
  EXPECT_TRUE(server_.seen().empty());
  EXPECT_TRUE(is_google_token_host("https://oauth2.googleapis.com/token"));
  EXPECT_TRUE(is_google_token_host("https://sts.googleapis.com/v1/token"));
  EXPECT_TRUE(is_google_token_host("https://sts.europe-west4.rep.googleapis.com/v1/token"));
  for (const char* other :
       {"http://oauth2.googleapis.com/token", "https://oauth2.googleapis.com.evil.example/token",
        "https://evil.example/?oauth2.googleapis.com", "https://sts.googleapis.com:8443/",
        "https://sts@evil.example/.googleapis.com", "https://storage.googleapis.com/b",
        "https://sts.bucket.storage.googleapis.com/", "https://.googleapis.com/"})
    EXPECT_FALSE(is_google_token_host(other)) << other;
}

TEST_F(GoogleAuthTest, WhatIsWrongWithTheFileIsToldAtTheStart) {
  EXPECT_EQ(open(folder_ / "none").error().code(), Code::not_found);
  EXPECT_FALSE(open(write(service_account(), 0644)).ok());  // others may read the key
  EXPECT_FALSE(open(write({{"type", "authorized_user"}})).ok());
  json account = service_account();
  account["private_key"] = "no key";
  EXPECT_FALSE(open(write(account)).ok());
  json external = external_account();
  external["credential_source"] = {{"executable", {{"command", "/bin/sh"}}}};
  EXPECT_FALSE(open(write(external)).ok());
  external["credential_source"] = 7;
  EXPECT_FALSE(open(write(external)).ok());
}

}  // namespace
}  // namespace gitaiops::models
