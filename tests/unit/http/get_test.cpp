#include "base/http/get.h"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <gtest/gtest.h>

namespace gitaiops::http {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

// What get() makes of a server that answers with these bytes and closes (or, without any, says
// nothing).
class Get : public testing::Test {
 protected:
  Result<Fetched> fetch(std::string answer, std::size_t max_body = 1000,
                        std::string target = "/x?y=1") {
    tcp::acceptor acceptor(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = acceptor.local_endpoint().port();
    spawn(loop_.get_executor(), "server", serve(acceptor, answer));
    spawn(loop_.get_executor(), "client",
          call("localhost", port, target, answer.empty() ? 50ms : 10'000ms, max_body, acceptor));
    request_.clear();
    loop_.restart();
    loop_.run();
    return std::move(*result_);
  }

  Task<void> serve(tcp::acceptor& acceptor, std::string answer) {
    asio::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    auto socket = co_await acceptor.async_accept(token);
    if (error) co_return;
    auto buffer = asio::dynamic_buffer(request_);
    co_await asio::async_read_until(socket, buffer, "\r\n\r\n", token);
    if (!answer.empty()) {
      co_await asio::async_write(socket, asio::buffer(answer), token);
    } else {
      std::string more;
      auto ending = asio::dynamic_buffer(more);
      co_await asio::async_read_until(socket, ending, "never",
                                      token);  // ends when the client gives up
    }
  }

  Task<void> call(std::string host, uint16_t port, std::string target,
                  std::chrono::milliseconds timeout, std::size_t max_body,
                  tcp::acceptor& acceptor) {
    result_ = co_await get(host, port, target, timeout, max_body);
    acceptor.close();
  }

  asio::io_context loop_;
  std::string request_;
  std::optional<Result<Fetched>> result_;
};

TEST_F(Get, ByLength) {
  const auto fetched = fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloGARBAGE");
  ASSERT_TRUE(fetched.ok()) << fetched.error().to_string();
  EXPECT_EQ(fetched->status, 200);
  EXPECT_EQ(fetched->body, "hello");
  EXPECT_TRUE(request_.starts_with("GET /x?y=1 HTTP/1.1\r\nHost: localhost:")) << request_;
}

TEST_F(Get, ChunkedAndUntilClose) {
  EXPECT_EQ(
      fetch("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
          ->status,
      404);
  EXPECT_EQ(
      fetch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")->body,
      "abc");
  EXPECT_EQ(fetch("HTTP/1.0 200 OK\r\n\r\nuntil the end")->body, "until the end");
}

TEST_F(Get, WhatGoesWrong) {
  EXPECT_EQ(fetch("").error().code(), Code::deadline_exceeded);
  EXPECT_EQ(fetch("SSH-2.0-OpenSSH\r\n\r\n").error().code(), Code::data_loss);
  EXPECT_EQ(fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").error().code(),
            Code::unavailable);
  EXPECT_EQ(fetch("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", 49).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(fetch("HTTP/1.1 200 OK\r\n\r\n" + std::string(50, 'x'), 49).error().code(),
            Code::resource_exhausted);
  EXPECT_EQ(
      fetch("HTTP/1.1 200 OK\r\nX: " + std::string(100 << 10, 'x') + "\r\n\r\n").error().code(),
      Code::data_loss);
  EXPECT_EQ(fetch("-", 10, "/a b").error().code(), Code::invalid_argument);
  EXPECT_EQ(fetch("-", 10, "/a\r\nX: y").error().code(), Code::invalid_argument);
}

TEST_F(Get, NobodyListensAndNamesAreNotLookedUp) {
  tcp::acceptor free(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto port = free.local_endpoint().port();
  free.close();
  tcp::acceptor unused(loop_);
  spawn(loop_.get_executor(), "client", call("127.0.0.1", port, "/", 10'000ms, 10, unused));
  loop_.run();
  EXPECT_EQ(result_->error().code(), Code::unavailable);
  loop_.restart();
  spawn(loop_.get_executor(), "client", call("example.org", port, "/", 10'000ms, 10, unused));
  loop_.run();
  EXPECT_EQ(result_->error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace gitaiops::http
