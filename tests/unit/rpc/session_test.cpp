// The wire over loopback: real gRPC, real certificates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/io/files.h"
#include "base/rpc/rpc.h"
#include "base/tls/tls.h"
#include "tests/unit/rpc/loop.h"

namespace gitaiops::rpc {
namespace {

using fleet::v1::ConnectRequest;
using fleet::v1::ConnectResponse;
using ::testing::HasSubstr;

constexpr int64_t kHour = 3600 * kMicrosPerSecond;
constexpr const char* kAgent = "0190b1e2-0000-7000-8000-000000000001";

tls::Validity today() {
  const auto now = system_clock().now();
  return {now + -kHour, now + kHour};
}

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override { write_server_certificate(); }
  // A stream posts to the loop until its end has been read.
  void TearDown() override {
    for (const auto& session : opened_) {
      session->cancel();
      while (loop_.run(session->read()).ok()) {
      }
    }
  }
  std::shared_ptr<ClientSession> open(const Target& target) {
    opened_.push_back(connect(loop_.executor(), target));
    return opened_.back();
  }

  void write_server_certificate() {
    const auto key = *tls::make_key();
    const auto leaf =
        *ca_.sign_server(*tls::make_request(key), {"localhost", "127.0.0.1"}, today());
    ASSERT_TRUE(write_file_atomic(folder_.path() / "key.pem", key, 0600).ok());
    ASSERT_TRUE(
        write_file_atomic(folder_.path() / "cert.pem", leaf + ca_.certificate_pem(), 0600).ok());
    ASSERT_TRUE(write_file_atomic(folder_.path() / "ca.pem", ca_.certificate_pem(), 0600).ok());
  }

  ListenOptions listen() {
    return {"127.0.0.1:0", folder_.path() / "key.pem", folder_.path() / "cert.pem",
            folder_.path() / "ca.pem", std::chrono::seconds(1)};
  }

  void serve(ConnectHandler handler) {
    auto server = serve_fleet(loop_.executor(), listen(), std::move(handler), {});
    ASSERT_TRUE(server.ok()) << server.error().to_string();
    server_ = *std::move(server);
  }

  Target target(const tls::Authority& signer, const std::string& id = kAgent) {
    const auto key = *tls::make_key();
    return {"127.0.0.1:" + std::to_string(server_->port()), ca_.certificate_pem(), key,
            *signer.sign_agent(*tls::make_request(key), id, today())};
  }

  testing::TemporaryFolder folder_;
  tls::Authority ca_ = *tls::Authority::create("Test CA", today());
  testing::Loop loop_;
  std::unique_ptr<Server> server_;
  std::vector<std::shared_ptr<ClientSession>> opened_;
};

ConnectRequest envelope(uint64_t seq) {
  ConnectRequest message;
  message.mutable_envelope()->set_seq(seq);
  return message;
}

// Acknowledges each envelope.
Task<void> acknowledge(std::shared_ptr<ServerSession> session) {
  for (;;) {
    auto message = co_await session->read();
    if (!message.ok()) co_return;
    ConnectResponse answer;
    answer.mutable_ack()->set_seq(message->envelope().seq());
    if (!session->write(std::move(answer)).ok()) co_return;
  }
}

TEST_F(SessionTest, MessagesArriveInOrderBothWaysAndTheCertificateSaysWhoSpeaks) {
  Peer seen;
  serve([&](std::shared_ptr<ServerSession> session) {
    seen = session->peer();
    return acknowledge(session);
  });
  const auto session = open(target(ca_));
  for (uint64_t first = 1; first < 1000; first += 100) {
    for (uint64_t seq = first; seq < first + 100; ++seq)
      ASSERT_TRUE(session->write(envelope(seq)).ok());
    for (uint64_t seq = first; seq < first + 100; ++seq) {
      const auto answer = loop_.run(session->read());
      ASSERT_TRUE(answer.ok()) << answer.error().to_string();
      ASSERT_EQ(answer->ack().seq(), seq);
    }
  }
  EXPECT_EQ(seen.agent_id, kAgent);
  EXPECT_THAT(seen.address, HasSubstr("127.0.0.1"));
  EXPECT_GT(seen.certificate_not_after, system_clock().now());
  session->close({});
  EXPECT_EQ(loop_.run(session->read()).error().code(), Code::cancelled);
  EXPECT_EQ(session->write(envelope(1)).error().code(), Code::unavailable);
}

Task<void> refuse_by_status(std::shared_ptr<ServerSession> session) {
  auto first = co_await session->read();
  ConnectResponse last;
  last.mutable_refusal()->set_message("last words");
  EXPECT_TRUE(session->write(std::move(last)).ok());
  session->close(Error(Code::permission_denied, "revoked"));
}

TEST_F(SessionTest, TheServersLastMessageAndItsStatusArriveInThatOrder) {
  serve(refuse_by_status);
  const auto session = open(target(ca_));
  ASSERT_TRUE(session->write(envelope(1)).ok());
  EXPECT_EQ(loop_.run(session->read())->refusal().message(), "last words");
  const auto end = loop_.run(session->read());
  EXPECT_EQ(end.error().code(), Code::permission_denied);
  EXPECT_EQ(end.error().message(), "revoked");
}

TEST_F(SessionTest, WithoutACertificateOfOurAuthorityNoHandlerIsCalled) {
  int called = 0;
  serve([&](std::shared_ptr<ServerSession> session) {
    ++called;
    return acknowledge(session);
  });
  const auto stranger = *tls::Authority::create("Test CA", today());
  auto foreign = target(stranger);
  const auto session = open(foreign);
  EXPECT_EQ(loop_.run(session->read()).error().code(), Code::unavailable);

  auto naked = target(ca_);
  naked.key_pem.clear();
  naked.certificate_pem.clear();
  EXPECT_EQ(loop_.run(open(naked)->read()).error().code(), Code::unavailable);

  // The controller's own server certificate names no agent, and may not be used as a client's.
  auto server = target(ca_);
  server.key_pem = *read_file(folder_.path() / "key.pem");
  server.certificate_pem = *read_file(folder_.path() / "cert.pem");
  EXPECT_FALSE(loop_.run(open(server)->read()).ok());
  EXPECT_EQ(called, 0);
}

TEST_F(SessionTest, AServerOfAnotherAuthorityIsNotSpokenTo) {
  serve(acknowledge);
  auto mistaken = target(ca_);
  mistaken.ca_pem = tls::Authority::create("Test CA", today())->certificate_pem();
  EXPECT_EQ(loop_.run(open(mistaken)->read()).error().code(), Code::unavailable);
}

TEST_F(SessionTest, AnAgentsCertificateDoesNotPassForAServers) {
  const auto key = *tls::make_key();
  const auto leaf = *ca_.sign_agent(*tls::make_request(key), kAgent, today());
  ASSERT_TRUE(write_file_atomic(folder_.path() / "key.pem", key, 0600).ok());
  ASSERT_TRUE(write_file_atomic(folder_.path() / "cert.pem", leaf, 0600).ok());
  serve(acknowledge);
  EXPECT_EQ(loop_.run(open(target(ca_))->read()).error().code(), Code::unavailable);
}

TEST_F(SessionTest, AnOversizedMessageEndsTheStreamWithTheReason) {
  serve(acknowledge);
  const auto session = open(target(ca_));
  auto large = envelope(1);
  large.mutable_envelope()->mutable_job_report()->add_notes(std::string(kMaxMessageBytes + 1, 'x'));
  ASSERT_TRUE(session->write(std::move(large)).ok());
  EXPECT_EQ(loop_.run(session->read()).error().code(), Code::resource_exhausted);
}

Task<void> never_read(std::shared_ptr<ServerSession> session, std::shared_ptr<Event> go) {
  co_await go->wait();
  session->cancel();
}

TEST_F(SessionTest, APeerThatDoesNotReadIsNoticedByABoundedQueue) {
  const auto go = std::make_shared<Event>();
  serve([&](std::shared_ptr<ServerSession> session) { return never_read(session, go); });
  const auto session = open(target(ca_));
  auto message = envelope(1);
  message.mutable_envelope()->mutable_job_report()->add_notes(std::string(60'000, 'x'));
  Status last;
  std::size_t taken = 0;
  loop_.until([&] {
    while (last.ok() && taken < 5000) {
      last = session->write(message);
      if (last.ok()) ++taken;
    }
    return !last.ok();
  });
  EXPECT_EQ(last.error().code(), Code::resource_exhausted);
  EXPECT_LT(taken, 200u);
  go->set();
  EXPECT_FALSE(loop_.run(session->read()).ok());
}

TEST_F(SessionTest, StoppingTheServerEndsOpenStreams) {
  serve(acknowledge);
  const auto session = open(target(ca_));
  ASSERT_TRUE(session->write(envelope(1)).ok());
  ASSERT_TRUE(loop_.run(session->read()).ok());
  bool stopped = false;
  const auto stop = [](Server& server, bool& done) -> Task<void> {
    co_await server.stop();
    done = true;
  };
  spawn(loop_.executor(), "stop", stop(*server_, stopped));
  const auto end = loop_.run(session->read());
  EXPECT_EQ(end.error().code(), Code::unavailable);
  EXPECT_THAT(end.error().message(), HasSubstr("stopping"));
  loop_.until([&] { return stopped; });
}

TEST_F(SessionTest, DestroyingTheServerEndsOpenStreams) {
  serve(acknowledge);
  const auto session = open(target(ca_));
  ASSERT_TRUE(session->write(envelope(1)).ok());
  ASSERT_TRUE(loop_.run(session->read()).ok());
  server_.reset();
  EXPECT_FALSE(loop_.run(session->read()).ok());
}

TEST_F(SessionTest, ARenewedServerCertificateIsServedWithoutARestart) {
  serve(acknowledge);
  const auto port = static_cast<uint16_t>(server_->port());
  const auto before = tls::fetch_peer_chain("127.0.0.1", port, std::chrono::seconds(5));
  ASSERT_TRUE(before.ok()) << before.error().to_string();
  ASSERT_EQ(before->size(), 2u);
  EXPECT_EQ(tls::facts(before->at(1))->pin, ca_.pin());
  write_server_certificate();
  loop_.until([&] {
    const auto now = tls::fetch_peer_chain("127.0.0.1", port, std::chrono::seconds(5));
    return now.ok() && now->at(0) != before->at(0);
  });
}

TEST_F(SessionTest, AnAddressInUseAndAKeyOfAnotherCertificateAreErrorsAtStart) {
  serve(acknowledge);
  auto same = listen();
  same.address = "127.0.0.1:" + std::to_string(server_->port());
  EXPECT_THAT(serve_fleet(loop_.executor(), same, acknowledge, {}).error().to_string(),
              HasSubstr("in use"));
  ASSERT_TRUE(write_file_atomic(folder_.path() / "key.pem", *tls::make_key(), 0600).ok());
  EXPECT_THAT(serve_fleet(loop_.executor(), listen(), acknowledge, {}).error().to_string(),
              HasSubstr("does not belong"));
}

TEST_F(SessionTest, NobodyListeningIsUnavailable) {
  serve(acknowledge);
  const auto gone = target(ca_);
  server_.reset();
  EXPECT_EQ(loop_.run(open(gone)->read()).error().code(), Code::unavailable);
}

Task<Result<enrollment::v1::EnrollResponse>> answer_enroll(enrollment::v1::EnrollRequest request,
                                                           Peer peer) {
  if (request.token() != "good") co_return Error(Code::unauthenticated, "unknown token");
  enrollment::v1::EnrollResponse response;
  response.mutable_certificate()->set_agent_id(peer.agent_id.empty() ? "nobody yet"
                                                                     : peer.agent_id);
  co_return response;
}

TEST_F(SessionTest, EnrolmentNeedsNoCertificateAndRenewalIsNotOnThatListener) {
  auto server = serve_enrollment(loop_.executor(), listen(), answer_enroll);
  ASSERT_TRUE(server.ok()) << server.error().to_string();
  const Target there{
      "127.0.0.1:" + std::to_string((*server)->port()), ca_.certificate_pem(), {}, {}};
  enrollment::v1::EnrollRequest request;
  request.set_token("good");
  const auto good = loop_.run(enroll(there, request, std::chrono::seconds(10)));
  ASSERT_TRUE(good.ok()) << good.error().to_string();
  EXPECT_EQ(good->certificate().agent_id(), "nobody yet");
  request.set_token("bad");
  EXPECT_EQ(loop_.run(enroll(there, request, std::chrono::seconds(10))).error().message(),
            "unknown token");
  request.set_host_name(std::string(9000, 'x'));
  EXPECT_EQ(loop_.run(enroll(there, request, std::chrono::seconds(10))).error().code(),
            Code::resource_exhausted);
  const Event never;
  EXPECT_EQ(loop_.run(renew(there, {}, std::chrono::seconds(10), never)).error().code(),
            Code::unimplemented);
}

}  // namespace
}  // namespace gitaiops::rpc
