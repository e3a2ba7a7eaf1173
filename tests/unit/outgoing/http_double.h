// A tiny HTTP/1.1 server inside the test: real sockets on 127.0.0.1, one handler that gets each
// request and says what to answer. It records every request. One loop, no threads.
#pragma once

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include "base/bytes/bytes.h"
#include "base/io/io.h"

namespace gitaiops::testing {

// A proxy of the machine the tests run on is not asked for 127.0.0.1.
inline const bool kWithoutProxy =
    ::unsetenv("http_proxy") + ::unsetenv("all_proxy") + ::unsetenv("ALL_PROXY") == 0;

struct SeenRequest {
  std::string method, target, head, body;
};

struct Reply {
  int status = 200;
  std::string body = "{}";
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool hang = false;  // never answer
  bool drop = false;  // close the connection without a word
};

class HttpDouble {
 public:
  using Handler = std::function<Reply(const SeenRequest&)>;

  HttpDouble(asio::io_context& loop, Handler handler)
      : acceptor_(loop, {asio::ip::address_v4::loopback(), 0}), handler_(std::move(handler)) {
    spawn(loop.get_executor(), "http double", accept());
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  const std::vector<SeenRequest>& seen() const { return seen_; }
  int connections() const { return connections_; }
  // "GET /a", "PUT /b", … in order
  std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& request : seen_) out.push_back(request.method + " " + request.target);
    return out;
  }

 private:
  Task<void> accept() {
    for (;;) {
      asio::error_code error;
      auto socket =
          co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      ++connections_;
      spawn(acceptor_.get_executor(), "http double connection", serve(std::move(socket)));
    }
  }

  Task<void> serve(asio::ip::tcp::socket socket) {
    std::string bytes;
    for (;;) {
      asio::error_code error;
      const auto end =
          co_await asio::async_read_until(socket, asio::dynamic_buffer(bytes), "\r\n\r\n",
                                          asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      SeenRequest request;
      request.head = bytes.substr(0, end);
      bytes.erase(0, end);
      request.method = request.head.substr(0, request.head.find(' '));
      const auto target = request.method.size() + 1;
      request.target = request.head.substr(target, request.head.find(' ', target) - target);
      std::size_t length = 0;
      if (const auto at = request.head.find("Content-Length: "); at != std::string::npos)
        length = std::stoul(request.head.substr(at + 16));
      if (bytes.size() < length) {
        co_await asio::async_read(socket, asio::dynamic_buffer(bytes),
                                  asio::transfer_exactly(length - bytes.size()),
                                  asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
      }
      request.body = bytes.substr(0, length);
      bytes.erase(0, length);
      seen_.push_back(request);
      const Reply reply = handler_(request);
      if (reply.drop) co_return;
      if (reply.hang) {
        char byte = 0;
        co_await socket.async_read_some(asio::buffer(&byte, 1),
                                        asio::redirect_error(asio::use_awaitable, error));
        co_return;
      }
      std::string out = "HTTP/1.1 " + std::to_string(reply.status) +
                        " Said\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n";
      for (const auto& [name, value] : reply.headers) out += name + ": " + value + "\r\n";
      out += "\r\n" + reply.body;
      co_await asio::async_write(socket, asio::buffer(out),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
    }
  }

  asio::ip::tcp::acceptor acceptor_;
  Handler handler_;
  std::vector<SeenRequest> seen_;
  int connections_ = 0;
};

// Runs the task to its end and gives back its value; the loop is left as it is then.
template <class T>
T run(asio::io_context& loop, Task<T> task) {
  std::optional<T> out;
  spawn(loop.get_executor(), "test",
        [](Task<T> t, std::optional<T>& o, asio::io_context& l) -> Task<void> {
          o.emplace(co_await std::move(t));
          l.stop();
        }(std::move(task), out, loop));
  loop.restart();
  loop.run();
  return std::move(*out);
}

}  // namespace gitaiops::testing
