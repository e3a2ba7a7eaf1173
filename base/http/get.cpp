#include "base/http/get.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace gitaiops::http {
namespace {

namespace beast = boost::beast::http;
using asio::ip::tcp;
using Parser = beast::response_parser<beast::string_body>;

constexpr std::size_t kMaxHead = 64 << 10;

std::vector<tcp::endpoint> addresses(const std::string& host, uint16_t port) {
  if (host == "localhost") {
    return {{asio::ip::address_v4::loopback(), port}, {asio::ip::address_v6::loopback(), port}};
  }
  asio::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return {};
  return {{address, port}};
}

// Closes the socket when the time is over: whatever waits on it then ends.
struct Deadline {
  Deadline(std::shared_ptr<tcp::socket> socket, std::chrono::milliseconds timeout)
      : timer(socket->get_executor(), timeout) {
    timer.async_wait([socket, over = over](const asio::error_code& cancelled) {
      if (cancelled) return;
      *over = true;
      asio::error_code ignored;
      socket->close(ignored);
    });
  }
  std::shared_ptr<bool> over = std::make_shared<bool>(false);
  asio::steady_timer timer;
};

Error parse_error(const boost::system::error_code& error, std::size_t max_body) {
  if (error == beast::error::body_limit) {
    return {Code::resource_exhausted,
            "the answer is larger than " + std::to_string(max_body) + " bytes"};
  }
  return {Code::data_loss, "the answer is not HTTP: " + error.message()};
}

// Feeds what has arrived; keeps in `pending` what the parser could not use yet. True when the
// message is complete.
Result<bool> parse(Parser& parser, std::string& pending, bool at_end, std::size_t max_body) {
  boost::system::error_code error;
  while (!pending.empty() && !parser.is_done()) {
    const auto used = parser.put(boost::asio::const_buffer(pending.data(), pending.size()), error);
    pending.erase(0, used);
    if (error == beast::error::need_more) break;
    if (error) return parse_error(error, max_body);
    if (used == 0) break;
  }
  if (at_end && !parser.is_done()) {
    if (!parser.got_some())
      return Error(Code::unavailable, "the connection was closed without an answer");
    error = {};
    parser.put_eof(error);
    if (error)
      return Error(Code::unavailable, "the connection was closed in the middle of the answer");
  }
  if (pending.size() > kMaxHead)
    return Error(Code::data_loss, "the answer is not HTTP: its head has no end");
  return parser.is_done();
}

}  // namespace

Task<Result<Fetched>> get(std::string host, uint16_t port, std::string target,
                          std::chrono::milliseconds timeout, std::size_t max_body) {
  const auto where = "http://" + host + ":" + std::to_string(port) + target;
  const auto endpoints = addresses(host, port);
  if (endpoints.empty())
    co_return Error(Code::invalid_argument,
                    "'" + host + "' is neither an IP address nor localhost");
  if (!target.starts_with('/') ||
      std::any_of(target.begin(), target.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    co_return Error(Code::invalid_argument,
                    "'" + target + "' is not a path of visible ASCII that begins with /");
  }

  auto socket = std::make_shared<tcp::socket>(co_await asio::this_coro::executor);
  const Deadline deadline(socket, timeout);
  const auto failed = [&](std::string why) {
    return *deadline.over
               ? Error(Code::deadline_exceeded,
                       where + ": no answer in " + std::to_string(timeout.count()) + " ms")
               : Error(Code::unavailable, where + ": " + why);
  };

  asio::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await asio::async_connect(*socket, endpoints, token);
  if (error) co_return failed(error.message());
  const auto authority = host.find(':') == std::string::npos ? host : "[" + host + "]";
  const auto request =
      "GET " + target + " HTTP/1.1\r\nHost: " + authority + ":" + std::to_string(port) +
      "\r\nConnection: close\r\nAccept: */*\r\nUser-Agent: gitaiops/" GITAIOPS_VERSION "\r\n\r\n";
  co_await asio::async_write(*socket, asio::buffer(request), token);
  if (error) co_return failed(error.message());

  Parser parser;
  parser.eager(true);
  parser.header_limit(kMaxHead);
  parser.body_limit(max_body);
  std::string pending;
  std::array<char, 16 << 10> chunk;
  for (;;) {
    const auto received = co_await socket->async_read_some(asio::buffer(chunk), token);
    if (error && error != asio::error::eof) co_return failed(error.message());
    pending.append(chunk.data(), received);
    const auto complete = parse(parser, pending, error == asio::error::eof, max_body);
    if (!complete.ok()) co_return complete.error().within(where);
    if (*complete) break;
  }
  Fetched fetched{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
  co_return fetched;
}

}  // namespace gitaiops::http
