// Bytes of a connection in, requests out. Pure: no socket, no clock. Stricter than the grammar
// where leniency has been used to smuggle requests past a proxy: folded lines, bare CR or LF,
// Content-Length beside Transfer-Encoding or twice, any coding but "chunked", more or fewer than
// one Host are all refused. HTTP/1.1, and HTTP/1.0 (what a proxy speaks unless told otherwise):
// without Host if it likes, never with Transfer-Encoding, kept alive only when it asks for that.
//
// Memory: at most `head` + `body` bytes and one chunk of input. Cost: linear in the bytes fed,
// however they are cut. Tests: tests/unit/http/parse_test.cpp; fuzzed by tests/fuzz/http. Thread
// safety: none; one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/http/message.h"

namespace gitaiops::http {

struct ParseLimits {
  std::size_t head = 64 << 10;
  std::size_t body = 1 << 20;
  // Of the request whose head this is, instead of `body`; its own body is empty yet.
  std::function<std::size_t(const Request& head)> body_of = {};
};

class RequestParser {
 public:
  explicit RequestParser(ParseLimits limits);
  RequestParser(RequestParser&&) noexcept;
  ~RequestParser();

  // head, body: more bytes are needed. done: take(). failed: answer failure() and close; the rest
  // cannot be trusted.
  enum class State { head, body, done, failed };
  State feed(std::string_view bytes);
  State state() const { return state_; }

  // Nothing of a request has arrived: closing now loses nothing.
  bool idle() const { return state_ == State::head && buffer_.empty(); }
  // The head is read, and the client waits for "100 Continue" before it sends the body.
  bool wants_continue() const { return state_ == State::body && wants_continue_; }
  bool keep_alive() const { return keep_alive_; }  // of the request that is done

  // Hands out the request and begins the next with the bytes that came after it: look at state()
  // again. `peer` is empty.
  Request take();

  struct Failure {
    int status = 400;
    std::string detail;
  };
  const Failure& failure() const { return failure_; }

 private:
  struct Message;  // Beast's parser: kept out of this header
  State fail(int status, std::string detail);
  State advance();
  bool read_head();
  void read_body();
  bool accept_head();
  bool accept_framing(bool http10);
  bool accept_target();
  bool accept_length();

  ParseLimits limits_;
  State state_ = State::head;
  std::string buffer_;          // received, not yet parsed
  std::size_t scanned_ = 0;     // of buffer_, for the end of the head
  std::size_t body_limit_ = 0;  // of the current request
  std::size_t body_bytes_ = 0;  // on the wire: chunk headers count
  bool wants_continue_ = false;
  bool keep_alive_ = false;
  Request request_;
  Failure failure_;
  std::unique_ptr<Message> message_;
};

}  // namespace gitaiops::http
