#include "base/http/server.h"

#include <cstdlib>
#include <filesystem>

#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/write.hpp>
#include <gtest/gtest.h>

#include "base/http/get.h"

namespace gitaiops::http {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

Task<Response> echo(Request request) {
  if (request.path == "/throw") throw std::runtime_error("as the test wants");
  if (request.path == "/split") {
    Response response = text(200, "");
    response.headers.add("Link", "a\r\nSet-Cookie: b");
    co_return response;
  }
  if (request.path == "/never") co_await sleep_for(std::chrono::hours(1));
  co_return text(200, request.method + " " + request.path + " " + request.body);
}

// A server and its clients on one loop; the loop ends when the client has, and the server is
// stopped.
class HttpServer : public testing::Test {
 protected:
  void serve(std::function<Task<void>(uint16_t)> client, ServerOptions options = {},
             Handler handler = echo) {
    auto listening = Server::listen(loop_.get_executor(), std::move(options), std::move(handler));
    ASSERT_TRUE(listening.ok()) << listening.error().to_string();
    server_ = std::move(listening).value();
    spawn(loop_.get_executor(), "server", server_->run());
    spawn(loop_.get_executor(), "client", scenario(client));
    loop_.run();
  }

  Task<void> scenario(std::function<Task<void>(uint16_t)> client) {
    co_await client(server_->port());
    server_->stop();
  }

  asio::io_context loop_;
  std::unique_ptr<Server> server_;
};

Task<tcp::socket> connect(uint16_t port) {
  tcp::socket socket(co_await asio::this_coro::executor);
  const tcp::endpoint server(asio::ip::address_v4::loopback(), port);
  co_await socket.async_connect(server, asio::use_awaitable);
  co_return socket;
}

// Everything until the server closes.
template <class Stream>
Task<std::string> rest(Stream& socket) {
  std::string received;
  asio::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await asio::async_read(socket, asio::dynamic_buffer(received), token);
  co_return received;
}

Task<std::string> exchange(uint16_t port, std::string bytes) {
  auto socket = co_await connect(port);
  asio::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await asio::async_write(socket, asio::buffer(bytes), token);
  co_return co_await rest(socket);
}

std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}
constexpr const char* kClose = "Host: h\r\nConnection: close\r\n";

TEST_F(HttpServer, AnswersAndKeepsAlive) {
  std::string answer;
  serve([&](uint16_t port) -> Task<void> {
    std::string requests = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";
    requests += std::string("GET /b HTTP/1.1\r\n") + kClose + "\r\n";
    answer = co_await exchange(port, requests);
  });
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("\r\nContent-Length: 10\r\n\r\nPOST /a hiHTTP/1.1 200 OK\r\n"),
            std::string::npos)
      << answer;
  EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("\r\nDate: "), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("GET /b ")) << answer;
}

TEST_F(HttpServer, ClosesAfterHttp10UnlessAskedNotTo) {
  std::string answer, kept;
  serve([&](uint16_t port) -> Task<void> {
    answer = co_await exchange(port, "GET /a HTTP/1.0\r\n\r\n");
    kept = co_await exchange(port,
                             "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                             "GET /b HTTP/1.0\r\n\r\n");
  });
  EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << answer;
  EXPECT_EQ(body_of(answer), "GET /a ");
  EXPECT_NE(kept.find("\r\nConnection: keep-alive\r\n"), std::string::npos) << kept;
  EXPECT_TRUE(kept.ends_with("GET /b ")) << kept;
}

TEST_F(HttpServer, HeadHasTheLengthButNotTheBody) {
  std::string answer;
  serve([&](uint16_t port) -> Task<void> {
    answer = co_await exchange(port, std::string("HEAD /b HTTP/1.1\r\n") + kClose + "\r\n");
  });
  EXPECT_NE(answer.find("\r\nContent-Length: 8\r\n"), std::string::npos) << answer;
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(HttpServer, InvitesTheBodyOnce) {
  std::string invitation, answer;
  serve([&](uint16_t port) -> Task<void> {
    auto socket = co_await connect(port);
    const std::string head = std::string("PUT /c HTTP/1.1\r\n") + kClose +
                             "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(head), asio::use_awaitable);
    auto buffer = asio::dynamic_buffer(invitation);
    co_await asio::async_read_until(socket, buffer, "\r\n\r\n", asio::use_awaitable);
    const std::string body = "xyz";
    co_await asio::async_write(socket, asio::buffer(body), asio::use_awaitable);
    answer = co_await rest(socket);
  });
  EXPECT_EQ(invitation, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(body_of(answer), "PUT /c xyz");
}

TEST_F(HttpServer, RefusesAndCloses) {
  std::string folded, large, long_head, huge;
  ServerOptions options;
  options.max_body_bytes = 100;
  options.max_head_bytes = 1000;
  serve(
      [&](uint16_t port) -> Task<void> {
        folded = co_await exchange(port,
                                   "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\nGET /smuggled "
                                   "HTTP/1.1\r\nHost: h\r\n\r\n");
        large = co_await exchange(
            port, std::string("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n") +
                      std::string(101, 'x'));
        long_head = co_await exchange(
            port, "GET /" + std::string(2000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n");
        // More than the kernel buffers: the refusal must still arrive.
        huge =
            co_await exchange(port, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" +
                                        std::string(200000, 'x'));
      },
      options);
  EXPECT_TRUE(folded.starts_with("HTTP/1.1 400 Bad Request\r\n")) << folded;
  EXPECT_NE(folded.find("application/problem+json"), std::string::npos);
  EXPECT_EQ(folded.find("smuggled"), std::string::npos);
  EXPECT_TRUE(large.starts_with("HTTP/1.1 413 Payload Too Large\r\n")) << large;
  EXPECT_TRUE(huge.starts_with("HTTP/1.1 413 Payload Too Large\r\n")) << huge;
  EXPECT_TRUE(long_head.starts_with("HTTP/1.1 431 ")) << long_head;
}

TEST_F(HttpServer, SlowRequestGets408) {
  std::string head, body, silent;
  ServerOptions options;
  options.request_timeout = 50ms;
  options.idle_timeout = 60ms;
  serve(
      [&](uint16_t port) -> Task<void> {
        head = co_await exchange(port, "GET / HT");
        body = co_await exchange(port, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nx");
        silent = co_await exchange(port, "");
      },
      options);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 408 ")) << head;
  EXPECT_TRUE(body.starts_with("HTTP/1.1 408 ")) << body;
  EXPECT_EQ(silent, "");  // nothing was asked
}

// One byte at a time never resets the clock: the whole request has one deadline.
TEST_F(HttpServer, SlowLorisIsCutOff) {
  std::string answer;
  ServerOptions options;
  options.request_timeout = 100ms;
  serve(
      [&](uint16_t port) -> Task<void> {
        auto socket = co_await connect(port);
        asio::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        const std::string start = "GET / HTTP/1.1\r\nX: ";
        co_await asio::async_write(socket, asio::buffer(start), token);
        while (!error && socket.available(error) == 0) {
          co_await asio::async_write(socket, asio::buffer("x", 1), token);
          co_await sleep_for(5ms);
        }
        answer = co_await rest(socket);
      },
      options);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
}

TEST_F(HttpServer, HandlerThatThrowsIsA500) {
  std::string answer;
  serve([&](uint16_t port) -> Task<void> {
    answer = co_await exchange(port, std::string("GET /throw HTTP/1.1\r\n") + kClose + "\r\n");
  });
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  EXPECT_EQ(answer.find("as the test wants"), std::string::npos) << answer;
}

TEST_F(HttpServer, HandlerThatHangsIsCancelled) {
  std::string answer;
  ServerOptions options;
  options.request_timeout = 50ms;
  serve(
      [&](uint16_t port) -> Task<void> {
        answer = co_await exchange(port, "GET /never HTTP/1.1\r\nHost: h\r\n\r\n");
      },
      options);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
}

TEST_F(HttpServer, HeadersCannotBeSplit) {
  std::string answer;
  serve([&](uint16_t port) -> Task<void> {
    answer = co_await exchange(port, std::string("GET /split HTTP/1.1\r\n") + kClose + "\r\n");
  });
  EXPECT_NE(answer.find("\r\nLink: a  Set-Cookie: b\r\n"), std::string::npos) << answer;
}

TEST_F(HttpServer, TooManyConnections) {
  std::string answer;
  ServerOptions options;
  options.max_connections = 1;
  serve(
      [&](uint16_t port) -> Task<void> {
        auto first = co_await connect(port);
        const std::string request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
        co_await asio::async_write(first, asio::buffer(request), asio::use_awaitable);
        std::string received;
        auto buffer = asio::dynamic_buffer(received);
        co_await asio::async_read_until(first, buffer, "GET /a", asio::use_awaitable);
        auto second = co_await connect(port);
        answer = co_await rest(second);
      },
      options);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  const auto end = answer.find("\r\n\r\n");
  ASSERT_NE(end, std::string::npos) << answer;
  const std::string body = answer.substr(end + 4);
  EXPECT_EQ(body, R"({"type":"about:blank","title":"Service Unavailable","status":503,)"
                  R"("detail":"too many connections at once; try again shortly"})");
  EXPECT_NE(answer.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"),
            std::string::npos)
      << answer;
}

TEST_F(HttpServer, TooManyRequestsInFlight) {
  std::string answer;
  ServerOptions options;
  options.max_in_flight = 1;
  Event entered, leave;
  serve(
      [&](uint16_t port) -> Task<void> {
        auto first = co_await connect(port);
        const std::string request = "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n";
        co_await asio::async_write(first, asio::buffer(request), asio::use_awaitable);
        co_await entered.wait();
        answer = co_await exchange(port, std::string("GET /b HTTP/1.1\r\n") + kClose + "\r\n");
        leave.set();
      },
      options,
      [&](Request) -> Task<Response> {
        entered.set();
        co_await leave.wait();
        co_return text(200, "");
      });
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("\r\nRetry-After: 1\r\n"), std::string::npos) << answer;
}

// stop() lets a request end that needs no more than a second, closes idle connections, and cancels
// the rest.
TEST_F(HttpServer, StopIsOrdered) {
  std::string idle = "not read", quick, endless;
  Event quick_entered, endless_entered, leave, all_read;
  int pending = 3;
  const auto client = [&](uint16_t port, std::string request, std::string& answer) -> Task<void> {
    answer = co_await exchange(port, std::move(request));
    if (--pending == 0) all_read.set();
  };
  serve(
      [&](uint16_t port) -> Task<void> {
        spawn(loop_.get_executor(), "idle", client(port, "", idle));
        spawn(loop_.get_executor(), "quick",
              client(port, "GET /quick HTTP/1.1\r\nHost: h\r\n\r\n", quick));
        spawn(loop_.get_executor(), "endless",
              client(port, "GET /never HTTP/1.1\r\nHost: h\r\n\r\n", endless));
        co_await quick_entered.wait();
        co_await endless_entered.wait();
        server_->stop();
        leave.set();
        co_await all_read.wait();
      },
      {},
      [&](Request request) -> Task<Response> {
        (request.path == "/quick" ? quick_entered : endless_entered).set();
        if (request.path == "/quick") {
          co_await leave.wait();
        } else {
          co_await sleep_for(std::chrono::hours(1));
        }
        co_return text(200, "whole");
      });
  EXPECT_EQ(idle, "");
  EXPECT_EQ(body_of(quick), "whole");
  EXPECT_TRUE(endless.starts_with("HTTP/1.1 503 ")) << endless;
}

TEST_F(HttpServer, ListenSaysWhatIsWrong) {
  ServerOptions options;
  options.address = "localhost";
  EXPECT_EQ(Server::listen(loop_.get_executor(), options, echo).error().code(),
            Code::invalid_argument);
  options.address = "127.0.0.1";
  options.tls_certificate = "/nonexistent/cert.pem";
  EXPECT_EQ(Server::listen(loop_.get_executor(), options, echo).error().code(),
            Code::invalid_argument);
  options.tls_key = "/nonexistent/key.pem";
  const auto missing = Server::listen(loop_.get_executor(), options, echo);
  EXPECT_NE(missing.error().to_string().find("/nonexistent/cert.pem"), std::string::npos)
      << missing.error().to_string();
  auto first = Server::listen(loop_.get_executor(), {}, echo);
  ServerOptions taken;
  taken.port = (*first)->port();
  EXPECT_EQ(Server::listen(loop_.get_executor(), taken, echo).error().code(), Code::unavailable);
}

TEST_F(HttpServer, Tls) {
  const auto folder =
      std::filesystem::path(testing::TempDir()) / ("http-tls-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto command = "umask 077 && cd " + folder.string() +
                       " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                       "-keyout key.pem -out cert.pem"
                       " -subj /CN=localhost -days 2 2>openssl.log";
  ASSERT_EQ(std::system(command.c_str()), 0) << "the openssl program is needed";
  ServerOptions options;
  options.tls_certificate = folder / "cert.pem";
  options.tls_key = folder / "key.pem";
  std::string answer, plain;
  serve(
      [&](uint16_t port) -> Task<void> {
        asio::ssl::context context(asio::ssl::context::tls_client);
        context.load_verify_file(options.tls_certificate.string());
        context.set_verify_mode(asio::ssl::verify_peer);
        auto socket = co_await connect(port);
        asio::ssl::stream<tcp::socket> stream(std::move(socket), context);
        co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
        const std::string request = std::string("GET /tls HTTP/1.1\r\n") + kClose + "\r\n";
        co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);
        answer = co_await rest(stream);
        plain = co_await exchange(port, request);
      },
      options);
  EXPECT_EQ(body_of(answer), "GET /tls ");
  EXPECT_EQ(plain.find("HTTP/1.1 200"), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gitaiops::http
