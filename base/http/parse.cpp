#include "base/http/parse.h"

#include <algorithm>
#include <cstdint>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/bytes/bytes.h"

namespace gitaiops::http {
namespace {

namespace beast = boost::beast::http;

// A chunked body may be larger on the wire than it is; six bytes around each single one is the
// worst honest case.
constexpr std::size_t kMaxChunkOverhead = 8;
// "0 CRLF CRLF": the shortest chunked body. Beast asserts that it sees that much of a first chunk
// at once; later ones have the CRLF of the one before.
constexpr std::size_t kLastChunk = 5;
constexpr const char* kVersions = "only HTTP/1.1 and HTTP/1.0 are spoken here";

// What is wrong with these bytes of a head, looking only backwards so that each byte is seen once;
// nullptr: nothing.
const char* malformed(std::string_view head, std::size_t from) {
  for (std::size_t i = from; i < head.size(); ++i) {
    const char c = head[i];
    const char before = i > 0 ? head[i - 1] : '\0';
    if (c == '\0') return "a NUL byte in the head";
    if (c == '\n' && before != '\r') return "a line feed without carriage return";
    if (c != '\n' && before == '\r') return "a carriage return without line feed";
    if ((c == ' ' || c == '\t') && before == '\n') return "a folded header line";
  }
  return nullptr;
}

}  // namespace

struct RequestParser::Message {
  beast::request_parser<beast::string_body> parser;
};

RequestParser::RequestParser(ParseLimits limits) : limits_(limits) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

RequestParser::State RequestParser::fail(int status, std::string detail) {
  failure_ = {status, std::move(detail)};
  return state_ = State::failed;
}

RequestParser::State RequestParser::feed(std::string_view bytes) {
  if (state_ == State::failed) return state_;
  buffer_ += bytes;
  return advance();
}

RequestParser::State RequestParser::advance() {
  if (state_ == State::head && !read_head()) return state_;
  if (state_ == State::body) read_body();
  return state_;
}

Request RequestParser::take() {
  Request request = std::move(request_);
  request_ = {};
  message_.reset();
  state_ = State::head;
  scanned_ = body_bytes_ = 0;
  advance();
  return request;
}

// True when the head was complete and good.
bool RequestParser::read_head() {
  const auto end = buffer_.find("\r\n\r\n", scanned_ < 3 ? 0 : scanned_ - 3);
  const auto head = std::string_view(buffer_).substr(0, end == std::string::npos ? end : end + 4);
  if (const char* wrong = malformed(head, scanned_)) return fail(400, wrong), false;
  if (head.size() > limits_.head) {
    return fail(431, "the head is larger than " + std::to_string(limits_.head) + " bytes"), false;
  }
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return false;
  }

  message_ = std::make_unique<Message>();
  auto& parser = message_->parser;
  parser.eager(true);
  parser.header_limit(static_cast<std::uint32_t>(
      2 * limits_.head));          // ours is enforced above; trailers share Beast's
  parser.body_limit(boost::none);  // known once the head is
  boost::system::error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error == beast::error::bad_version) return fail(505, kVersions), false;
  if (error && error != beast::error::need_more) return fail(400, error.message()), false;
  if (!parser.is_header_done()) return fail(400, "the head is not HTTP"), false;
  if (!accept_head()) return false;
  buffer_.erase(0, head.size());
  state_ = State::body;
  return true;
}

bool RequestParser::accept_head() {
  const auto& head = message_->parser.get();
  if (head.version() != 11 && head.version() != 10) return fail(505, kVersions), false;
  request_.method = std::string(head.method_string());
  request_.target = std::string(head.target());
  keep_alive_ = head.keep_alive();
  // Copied now: Beast would add the trailers of a chunked body to the same list.
  for (const auto& field : head)
    request_.headers.add(std::string(field.name_string()), std::string(field.value()));
  return accept_framing(head.version() == 10) && accept_target() && accept_length();
}

bool RequestParser::accept_length() {
  body_limit_ = limits_.body_of ? limits_.body_of(request_) : limits_.body;
  const auto length = message_->parser.content_length();
  if (length && *length > body_limit_)
    return fail(413, "the body is larger than " + std::to_string(body_limit_) + " bytes"), false;
  message_->parser.body_limit(body_limit_);
  return true;
}

bool RequestParser::accept_framing(bool http10) {
  const auto& headers = request_.headers;
  if (const auto hosts = headers.count("Host"); hosts > 1 || (hosts == 0 && !http10))
    return fail(400, "a request names exactly one Host"), false;
  const auto lengths = headers.count("Content-Length");
  const auto codings = headers.count("Transfer-Encoding");
  if (codings > 0 && http10)
    return fail(400, "HTTP/1.0 has no Transfer-Encoding"), false;  // its proxies would not see it
  if (lengths + codings > 1)
    return fail(400, "the length of the body is given more than once"), false;
  if (codings == 1 && !same_name(*headers.get("Transfer-Encoding"), "chunked")) {
    return fail(501, "the only transfer coding known here is chunked"), false;
  }
  // Beast would take a list of equal lengths.
  if (lengths == 1 && !parse_uint(*headers.get("Content-Length")))
    return fail(400, "Content-Length is not a number"), false;
  const auto expect = headers.get("Expect");
  const bool invited = expect && same_name(*expect, "100-continue");
  wants_continue_ = invited && !http10;
  if (expect && !invited)
    return fail(417, "the only expectation known here is 100-continue"), false;
  return true;
}

// Splits and decodes the target: "/path?query", or the same after "http://authority" as sent to
// proxies.
bool RequestParser::accept_target() {
  std::string_view target = request_.target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_name(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(std::min(target.find_first_of("/?", scheme.size()), target.size()));
    if (!target.starts_with('/')) return fail(400, "the target has no path"), false;
    break;
  }
  if (!target.starts_with('/')) return fail(400, "the target does not begin with /"), false;
  const auto mark = target.find('?');
  const auto path = percent_decode(target.substr(0, mark));
  if (!path) return fail(400, "the path is not percent-encoded properly"), false;
  request_.path = *path;
  for (const auto part :
       split(target.substr(1, mark == std::string_view::npos ? mark : mark - 1), '/')) {
    request_.segments.push_back(*percent_decode(part));
  }
  if (mark == std::string_view::npos || mark + 1 == target.size()) return true;
  for (const auto pair : split(target.substr(mark + 1), '&')) {
    const auto equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), Plus::space);
    const auto value = percent_decode(
        equals == std::string_view::npos ? "" : pair.substr(equals + 1), Plus::space);
    if (!name || !value) return fail(400, "the query is not percent-encoded properly"), false;
    if (!pair.empty()) request_.query.emplace(*name, *value);
  }
  return true;
}

void RequestParser::read_body() {
  auto& parser = message_->parser;
  const auto enough = [&] { return parser.chunked() && body_bytes_ == 0 ? kLastChunk : 1; };
  while (!parser.is_done() && buffer_.size() >= enough()) {
    boost::system::error_code error;
    const auto used = parser.put(boost::asio::const_buffer(buffer_.data(), buffer_.size()), error);
    buffer_.erase(0, used);
    body_bytes_ += used;
    if (error == beast::error::need_more) break;
    if (error == beast::error::body_limit ||
        body_bytes_ > kMaxChunkOverhead * body_limit_ + limits_.head) {
      fail(413, "the body is larger than " + std::to_string(body_limit_) + " bytes");
      return;
    }
    if (error || used == 0) {
      fail(400, error ? error.message() : "the body is not HTTP");
      return;
    }
  }
  if (parser.is_done()) {
    request_.body = std::move(parser.get().body());
    state_ = State::done;
  } else if (buffer_.size() > limits_.head) {
    fail(400, "a chunk header is larger than " + std::to_string(limits_.head) + " bytes");
  }
}

}  // namespace gitaiops::http
