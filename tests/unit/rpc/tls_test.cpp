#include "base/tls/tls.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"

namespace gitaiops::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Validity kDay2030{{1'900'000'000'000'000}, {1'900'086'400'000'000}};

Authority authority(std::string_view name = "Test CA") {
  return *Authority::create(name, kDay2030);
}
std::string request() {
  return *make_request(*make_key());
}

TEST(Tls, AnAgentsCertificateCarriesItsIdentityAndNothingOfTheRequest) {
  const auto ca = authority();
  const auto key = *make_key();
  const auto pem =
      ca.sign_agent(*make_request(key), "0190b1e2-0000-7000-8000-000000000001", kDay2030);
  ASSERT_TRUE(pem.ok()) << pem.error().to_string();
  const auto about = *facts(*pem);
  EXPECT_THAT(about.uris, ElementsAre("gitaiops://agent/0190b1e2-0000-7000-8000-000000000001"));
  EXPECT_EQ(*agent_id(about), "0190b1e2-0000-7000-8000-000000000001");
  EXPECT_TRUE(about.hosts.empty());
  EXPECT_FALSE(about.authority);
  EXPECT_EQ(about.validity.not_before.value, 1'900'000'000'000'000);
  EXPECT_EQ(about.validity.not_after.value, 1'900'086'400'000'000);
  EXPECT_TRUE(check_key_matches(key, *pem).ok());
  EXPECT_TRUE(check_signed_by(*pem, ca.certificate_pem()).ok());
}

TEST(Tls, AServersCertificateNamesHostsAndAddresses) {
  const auto ca = authority();
  const auto pem =
      *ca.sign_server(request(), {"controller.example", "192.0.2.7", "2001:db8::1"}, kDay2030);
  EXPECT_THAT(facts(pem)->hosts, ElementsAre("controller.example", "192.0.2.7", "2001:db8::1"));
  EXPECT_EQ(agent_id(*facts(pem)).error().code(), Code::not_found);
  EXPECT_EQ(ca.sign_server(request(), {}, kDay2030).error().code(), Code::invalid_argument);
}

TEST(Tls, ThePinIsTheAuthoritysKeyNotItsCertificate) {
  const auto ca = authority();
  EXPECT_EQ(ca.pin().size(), 7 + 64u);
  EXPECT_TRUE(ca.pin().starts_with("sha256:"));
  EXPECT_EQ(facts(ca.certificate_pem())->pin, ca.pin());
  EXPECT_NE(authority().pin(), ca.pin());
  EXPECT_NE(ca.pin().substr(7), facts(ca.certificate_pem())->fingerprint);
}

TEST(Tls, AnAuthoritySurvivesStorage) {
  const auto ca = authority();
  const auto loaded = Authority::load(ca.key_pem(), ca.certificate_pem());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->pin(), ca.pin());
  EXPECT_EQ(Authority::load(*make_key(), ca.certificate_pem()).error().code(),
            Code::invalid_argument);
  const auto key = *make_key();
  const auto leaf = *ca.sign_agent(*make_request(key), "x", kDay2030);
  EXPECT_THAT(Authority::load(key, leaf).error().to_string(), HasSubstr("may not sign others"));
}

TEST(Tls, RefusesRequestsThatAreDamagedForgedTooLargeOrOfAnotherKind) {
  auto good = request();
  EXPECT_TRUE(check_request(good).ok());
  EXPECT_THAT(check_request("").error().to_string(), HasSubstr("damaged"));
  EXPECT_THAT(check_request(good + "x").error().to_string(), HasSubstr("damaged"));
  EXPECT_THAT(check_request(std::string(2049, 'x')).error().to_string(), HasSubstr("2 KiB"));
  for (std::size_t cut = 0; cut < good.size(); cut += 7)
    EXPECT_FALSE(check_request(good.substr(0, cut)).ok());
  auto forged = good;
  forged.back() = static_cast<char>(forged.back() ^ 1);
  EXPECT_FALSE(check_request(forged).ok());
  // openssl req -new -newkey ed25519: a valid request of a key that is not P-256.
  const auto ed25519 = *hex_decode(
      "307f30330201003000302a300506032b65700321007c9fefbe956a8632c4c5a25b417fe0023b805f0577d2470c"
      "561bb35fc52a5a25a000300506032b65700341001d87ea670ba1945e7c75be13dedb84a44a2557d556b15ab874"
      "85564d106a377ba17199b73a668c5e0097a0ba59772a8d56ca071d714145c87c829927cae69a05");
  EXPECT_THAT(check_request(ed25519).error().to_string(), HasSubstr("not P-256"));
}

TEST(Tls, ReadsABundleAndSaysWhenItIsNone) {
  const auto a = authority("a"), b = authority("b");
  const auto parts = split_bundle("comment\n" + a.certificate_pem() + b.certificate_pem());
  ASSERT_TRUE(parts.ok());
  EXPECT_THAT(*parts, ElementsAre(a.certificate_pem(), b.certificate_pem()));
  EXPECT_FALSE(split_bundle("").ok());
  EXPECT_FALSE(split_bundle("nonsense").ok());
  EXPECT_FALSE(split_bundle(a.certificate_pem() +
                            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
                   .ok());
}

TEST(Tls, OnlyTheAuthoritysSignatureCounts) {
  const auto ours = authority(), other = authority();
  const auto pem = *ours.sign_agent(request(), "x", kDay2030);
  EXPECT_TRUE(check_signed_by(pem, other.certificate_pem() + ours.certificate_pem()).ok());
  // The same name, another key.
  EXPECT_EQ(check_signed_by(pem, other.certificate_pem()).error().code(), Code::permission_denied);
  // A leaf is no authority.
  EXPECT_FALSE(check_signed_by(pem, pem).ok());
}

TEST(Tls, NonsenseIsAnError) {
  EXPECT_EQ(facts("nonsense").error().code(), Code::invalid_argument);
  EXPECT_EQ(make_request("nonsense").error().code(), Code::invalid_argument);
  EXPECT_FALSE(check_key_matches("", "").ok());
}

TEST(Tls, ParsesHostAndPort) {
  EXPECT_EQ(parse_host_port("controller.example:9443")->host, "controller.example");
  EXPECT_EQ(parse_host_port("controller.example:9443")->port, 9443);
  EXPECT_EQ(parse_host_port("[2001:db8::1]:1")->host, "2001:db8::1");
  for (const auto* wrong :
       {"", "host", "host:", ":1", "host:0", "host:65536", "host:x", "2001:db8::1:80"}) {
    EXPECT_THAT(parse_host_port(wrong).error().to_string(), HasSubstr("is not host:port")) << wrong;
  }
}

// A listening socket on loopback that the test answers itself.
class Listening {
 public:
  Listening() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(fd_.get(), 1);
    socklen_t size = sizeof address;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  int fd() const { return fd_.get(); }
  uint16_t port() const { return port_; }

 private:
  Fd fd_;
  uint16_t port_ = 0;
};

TEST(PeerChain, SaysWhatIsWrongWithTheOtherSide) {
  uint16_t closed = 0;
  {
    const Listening gone;
    closed = gone.port();
  }
  EXPECT_THAT(fetch_peer_chain("127.0.0.1", closed, std::chrono::seconds(5)).error().to_string(),
              HasSubstr("refused"));

  const Listening silent;
  const auto mute = fetch_peer_chain("127.0.0.1", silent.port(), std::chrono::milliseconds(50));
  EXPECT_EQ(mute.error().code(), Code::deadline_exceeded);

  const Listening plain;
  std::thread speaker([&] {
    const Fd peer(accept(plain.fd(), nullptr, nullptr));
    EXPECT_GT(send(peer.get(), "HTTP/1.1 400 no TLS here\r\n\r\n", 28, MSG_NOSIGNAL), 0);
  });
  const auto answer = fetch_peer_chain("127.0.0.1", plain.port(), std::chrono::seconds(5));
  speaker.join();
  EXPECT_THAT(answer.error().to_string(), HasSubstr("does not speak TLS"));
}

}  // namespace
}  // namespace gitaiops::tls
