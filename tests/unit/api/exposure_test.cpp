#include <gtest/gtest.h>

#include "controller/api/api.h"

namespace gitaiops::api {
namespace {

ApiOptions at(const std::string& address) {
  ApiOptions options;
  options.address = address;
  return options;
}

TEST(Exposure, LoopbackNeedsNothing) {
  for (const char* address : {"127.0.0.1", "127.8.8.8", "::1"})
    EXPECT_TRUE(check_exposure(at(address)).ok()) << address;
}

TEST(Exposure, ElsewhereTlsOrAProxy) {
  for (const char* address : {"0.0.0.0", "::", "192.168.1.5", "2001:db8::1"}) {
    auto options = at(address);
    const auto refused = check_exposure(options);
    ASSERT_FALSE(refused.ok()) << address;
    for (const char* word :
         {address, "api.tls_certificate", "api.tls_key", "api.behind_proxy = true"}) {
      EXPECT_NE(refused.error().to_string().find(word), std::string::npos)
          << refused.error().to_string();
    }
    options.behind_proxy = true;
    EXPECT_TRUE(check_exposure(options).ok()) << address;
    options.behind_proxy = false;
    options.tls_certificate = "cert.pem";
    EXPECT_FALSE(check_exposure(options).ok()) << address;  // a certificate without its key
    options.tls_key = "key.pem";
    EXPECT_TRUE(check_exposure(options).ok()) << address;
  }
}

TEST(Exposure, NamesAreNotAddresses) {
  EXPECT_FALSE(check_exposure(at("localhost")).ok());
  EXPECT_FALSE(check_exposure(at("")).ok());
}

}  // namespace
}  // namespace gitaiops::api
