#include "base/outgoing/outgoing.h"

#include <cstdlib>
#include <filesystem>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <gtest/gtest.h>

#include "tests/unit/outgoing/http_double.h"

namespace gitaiops {
namespace {

using namespace std::chrono_literals;
using testing::HttpDouble;
using testing::Reply;
using testing::run;
using testing::SeenRequest;

TEST(Outgoing, SendsMethodHeadersAndBodyAndReadsTheAnswer) {
  asio::io_context loop;
  HttpDouble server(loop, [](const SeenRequest&) {
    return Reply{.status = 201,
                 .body = "made",
                 .headers = {{"X-Next-Page", "2"}, {"Link", "<u>; rel=\"next\""}}};
  });
  Outgoing web(loop.get_executor());
  auto response = run(loop, web.send({.method = "PUT",
                                      .url = server.url() + "/a/b?c=d",
                                      .headers = {{"PRIVATE-TOKEN", "t"}},
                                      .body = "{\"x\":1}"}));
  ASSERT_TRUE(response.ok()) << response.error().to_string();
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "made");
  EXPECT_EQ(response->header("x-next-page"), "2");
  EXPECT_EQ(response->header("LINK"), "<u>; rel=\"next\"");
  EXPECT_EQ(response->header("missing"), "");
  ASSERT_EQ(server.seen().size(), 1u);
  EXPECT_EQ(server.seen()[0].method, "PUT");
  EXPECT_EQ(server.seen()[0].target, "/a/b?c=d");
  EXPECT_EQ(server.seen()[0].body, "{\"x\":1}");
  EXPECT_NE(server.seen()[0].head.find("PRIVATE-TOKEN: t\r\n"), std::string::npos);
}

TEST(Outgoing, ManyAtOnceAndConnectionsAreReused) {
  asio::io_context loop;
  HttpDouble server(loop, [](const SeenRequest& request) { return Reply{.body = request.target}; });
  Outgoing web(loop.get_executor());
  int right = 0, left = 20;
  for (int i = 0; i < 20; ++i)
    spawn(loop.get_executor(), "one",
          [](Outgoing& w, std::string url, int n, int& ok, int& open,
             asio::io_context& l) -> Task<void> {
            OutgoingRequest request{.url = url + "/" + std::to_string(n)};
            auto response = co_await w.send(std::move(request));
            if (response.ok() && response->body == "/" + std::to_string(n)) ++ok;
            if (--open == 0) l.stop();
          }(web, server.url(), i, right, left, loop));
  loop.run();
  EXPECT_EQ(right, 20);
  const int before = server.connections();
  auto again = run(loop, web.send({.url = server.url() + "/again"}));
  EXPECT_EQ(again->body, "/again");
  EXPECT_EQ(server.connections(), before);
}

TEST(Outgoing, TimesOut) {
  asio::io_context loop;
  HttpDouble server(loop, [](const SeenRequest&) { return Reply{.hang = true}; });
  Outgoing web(loop.get_executor());
  auto response =
      run(loop, web.send({.url = server.url() + "/slow?secret=1", .total_timeout = 30ms}));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code(), Code::deadline_exceeded);
  EXPECT_EQ(response.error().to_string().find("secret"), std::string::npos);
}

TEST(Outgoing, NobodyListensAndDroppedConnectionAreUnavailable) {
  asio::io_context loop;
  asio::ip::tcp::acceptor closed(loop, {asio::ip::address_v4::loopback(), 0});
  const std::string gone = "http://127.0.0.1:" + std::to_string(closed.local_endpoint().port());
  closed.close();
  Outgoing web(loop.get_executor());
  EXPECT_EQ(run(loop, web.send({.url = gone})).error().code(), Code::unavailable);
  HttpDouble server(loop, [](const SeenRequest&) { return Reply{.drop = true}; });
  EXPECT_EQ(run(loop, web.send({.url = server.url()})).error().code(), Code::unavailable);
}

TEST(Outgoing, APostGoesOutOnceWhenAnIdleConnectionBreaks) {
  asio::io_context loop;
  HttpDouble server(
      loop, [](const SeenRequest& request) { return Reply{.drop = request.method == "POST"}; });
  Outgoing web(loop.get_executor());
  ASSERT_TRUE(run(loop, web.send({.url = server.url() + "/warm"})).ok());
  const auto response =
      run(loop, web.send({.method = "POST", .url = server.url() + "/notes", .body = "{}"}));
  EXPECT_EQ(response.error().code(), Code::unavailable);
  EXPECT_EQ(server.lines(), (std::vector<std::string>{"GET /warm", "POST /notes"}));
}

TEST(Outgoing, BoundsTheAnswer) {
  asio::io_context loop;
  HttpDouble server(loop, [](const SeenRequest& request) {
    return request.target == "/body" ? Reply{.body = std::string(5000, 'x')}
                                     : Reply{.headers = {{"A", std::string(70'000, 'h')}}};
  });
  Outgoing web(loop.get_executor());
  auto body = run(loop, web.send({.url = server.url() + "/body", .max_response_bytes = 4999}));
  EXPECT_EQ(body.error().code(), Code::resource_exhausted);
  EXPECT_TRUE(
      run(loop, web.send({.url = server.url() + "/body", .max_response_bytes = 5000})).ok());
  EXPECT_EQ(run(loop, web.send({.url = server.url() + "/head"})).error().code(),
            Code::resource_exhausted);
}

TEST(Outgoing, RedirectsOnlyWhenAsked) {
  asio::io_context loop;
  HttpDouble server(loop, [](const SeenRequest& request) {
    return request.target == "/from"
               ? Reply{.status = 302, .body = "", .headers = {{"Location", "/to"}, {"X-Old", "1"}}}
               : Reply{.body = "there"};
  });
  Outgoing web(loop.get_executor());
  auto first = run(loop, web.send({.url = server.url() + "/from"}));
  EXPECT_EQ(first->status, 302);
  auto followed = run(loop, web.send({.url = server.url() + "/from", .max_redirects = 1}));
  EXPECT_EQ(followed->status, 200);
  EXPECT_EQ(followed->body, "there");
  EXPECT_EQ(followed->header("X-Old"), "");
}

TEST(Outgoing, RefusesWhatIsNoRequest) {
  asio::io_context loop;
  Outgoing web(loop.get_executor());
  EXPECT_EQ(run(loop, web.send({.url = "file:///etc/passwd"})).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(run(loop, web.send({.url = "http://127.0.0.1:1/", .headers = {{"A", "b\r\nC: d"}}}))
                .error()
                .code(),
            Code::invalid_argument);
}

TEST(Outgoing, CancellationEndsTheTransfer) {
  asio::io_context loop;
  asio::cancellation_signal signal;
  HttpDouble server(loop, [&](const SeenRequest&) {
    asio::post(loop, [&] { signal.emit(asio::cancellation_type::terminal); });
    return Reply{.hang = true};
  });
  Outgoing web(loop.get_executor());
  std::optional<Code> code;
  asio::co_spawn(
      loop,
      [](Outgoing& w, std::string url, std::optional<Code>& ended) -> Task<void> {
        OutgoingRequest request{.url = std::move(url)};
        const auto response = co_await w.send(std::move(request));
        ended = response.error().code();
      }(web, server.url(), code),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) { loop.stop(); }));
  loop.run();
  EXPECT_EQ(code, Code::cancelled);
  // The engine goes on.
  HttpDouble other(loop, [](const SeenRequest&) { return Reply{.body = "fine"}; });
  EXPECT_EQ(run(loop, web.send({.url = other.url()}))->body, "fine");
}

TEST(Outgoing, GoingAwayEndsWhatIsAwaited) {
  asio::io_context loop;
  std::unique_ptr<Outgoing> web = std::make_unique<Outgoing>(loop.get_executor());
  HttpDouble server(loop, [&](const SeenRequest&) {
    asio::post(loop, [&] { web.reset(); });
    return Reply{.hang = true};
  });
  EXPECT_EQ(run(loop, web->send({.url = server.url()})).error().code(), Code::cancelled);
}

TEST(Outgoing, HonoursTheProxyOfTheEnvironment) {
  asio::io_context loop;
  HttpDouble proxy(loop, [](const SeenRequest&) { return Reply{.body = "by proxy"}; });
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  Outgoing web(loop.get_executor());
  auto response = run(loop, web.send({.url = "http://nowhere.invalid/x"}));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(response.ok()) << response.error().to_string();
  EXPECT_EQ(response->body, "by proxy");
  EXPECT_EQ(proxy.lines(), std::vector<std::string>{"GET http://nowhere.invalid/x"});
}

}  // namespace
}  // namespace gitaiops
