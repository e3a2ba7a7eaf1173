#include "base/http/connection.h"

#include <ctime>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/bytes/bytes.h"
#include "base/clock/clock.h"
#include "base/log/log.h"

namespace gitaiops::http {
namespace {

namespace beast = boost::beast::http;
using std::chrono::milliseconds;

// How long a refusal may take to be written, and how long and how much we go on reading so that the
// client sees it: a close with unread bytes makes the kernel throw away what we have sent.
constexpr milliseconds kLastWords{500};
constexpr std::size_t kLingerBytes = 256 << 10;

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(UnixMicros now) {
  const std::time_t seconds = now.value / kMicrosPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text;
  return {text.data(),
          std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

// Handlers put foreign text into headers (a Link of a query): it must not end the line.
std::string one_line(std::string value) {
  for (char& c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return value;
}

// The bytes of a response. A HEAD's answer carries the length of the body it leaves out.
std::string serialize(Response response, bool keep_alive, bool head_only) {
  beast::response<beast::string_body> message;
  message.version(11);
  message.result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) message.insert(name, one_line(value));
  message.set(beast::field::date, http_date(system_clock().now()));
  // A client of HTTP/1.0 takes silence for "close".
  message.set(beast::field::connection, keep_alive ? "keep-alive" : "close");
  message.body() = std::move(response.body);
  message.prepare_payload();

  std::string bytes;
  beast::response_serializer<beast::string_body> serializer(message);
  serializer.split(head_only);
  boost::system::error_code error;
  while (!error && !serializer.is_done() && !(head_only && serializer.is_header_done())) {
    serializer.next(error, [&](boost::system::error_code&, const auto& buffers) {
      std::size_t count = 0;
      for (const auto& buffer : boost::beast::buffers_range_ref(buffers)) {
        bytes.append(static_cast<const char*>(buffer.data()), buffer.size());
        count += buffer.size();
      }
      serializer.consume(count);
    });
  }
  return bytes;
}

// Keeps what a handler throws from unwinding the connection.
Task<Response> guarded(const Handler& handler, Request request) {
  const std::string what = request.method + " " + request.path;
  try {
    co_return co_await handler(std::move(request));
  } catch (const std::exception& e) {
    log::error("an HTTP handler failed", {{"request", to_utf8(what)}, {"error", e.what()}});
  }
  co_return problem(500, "this request met a bug; the log of the server says more");
}

}  // namespace

Connection::Connection(std::shared_ptr<Server::State> server, std::unique_ptr<Transport> transport,
                       std::string peer, const asio::any_io_executor& executor)
    : server_(std::move(server)),
      transport_(std::move(transport)),
      peer_(std::move(peer)),
      executor_(executor),
      deadline_(executor),
      parser_({server_->options.max_head_bytes, server_->options.max_body_bytes,
               server_->options.body_limit}) {
  server_->connections.insert(this);
}

Connection::~Connection() {
  server_->connections.erase(this);
  if (server_->stopping && server_->connections.empty()) server_->drained.set();
}

void Connection::arm(milliseconds limit) {
  deadline_.expires_after(limit);
  deadline_.async_wait([weak = weak_from_this()](const asio::error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    // A wait that was over already when it was armed anew still comes through here.
    if (self->deadline_.expiry() <= asio::steady_timer::clock_type::now()) self->on_deadline();
  });
}

void Connection::on_deadline() {
  timed_out_ = closing_ = true;
  switch (phase_) {
    case Phase::waiting:
    case Phase::writing:
      transport_->close();
      break;
    case Phase::reading:
      transport_->cancel();  // there is a 408 to be written yet
      break;
    case Phase::handling:
      cancel_handler_.emit(asio::cancellation_type::all);
      break;
  }
}

void Connection::stop_when_idle() {
  closing_ = true;
  if (phase_ == Phase::waiting) transport_->close();
}

void Connection::stop_now() {
  closing_ = timed_out_ = true;
  if (phase_ == Phase::handling) {
    cancel_handler_.emit(asio::cancellation_type::all);
  } else {
    transport_->close();
  }
}

Task<void> Connection::serve(std::shared_ptr<Connection> self) {
  self->arm(self->server_->options.request_timeout);
  const Status opened = co_await self->transport_->open();
  if (opened.ok()) co_await self->converse();
  self->deadline_.cancel();
  self->transport_->close();
}

Task<void> Connection::converse() {
  while (!closing_) {
    const bool whole = co_await read_request();
    if (!whole) co_return;
    if (timed_out_ || parser_.state() == RequestParser::State::failed) {
      const auto failure = timed_out_
                               ? RequestParser::Failure{408, "the request took too long to arrive"}
                               : parser_.failure();
      arm(kLastWords);
      Response refusal = problem(failure.status, failure.detail);
      const bool sent = co_await send(std::move(refusal), false, false);
      if (sent) co_await linger();
      co_return;
    }
    const bool keep_alive = parser_.keep_alive();
    Request request = parser_.take();
    request.peer = peer_;
    const bool head_only = request.method == "HEAD";
    Response response = co_await answer(std::move(request));
    if (!keep_alive) closing_ = true;
    if (timed_out_) arm(kLastWords);
    const bool sent = co_await send(std::move(response), !closing_, head_only);
    if (!sent) co_return;
    if (closing_) co_await linger();
  }
}

// False: the peer has left, or nothing of a request came in time; there is nobody to answer.
Task<bool> Connection::read_request() {
  const auto& options = server_->options;
  bool started = !parser_.idle();
  bool invited = false;
  phase_ = started ? Phase::reading : Phase::waiting;
  arm(started ? options.request_timeout : options.idle_timeout);
  while (parser_.state() == RequestParser::State::head ||
         parser_.state() == RequestParser::State::body) {
    if (parser_.wants_continue() && !invited) {
      invited = true;
      const Status sent = co_await transport_->write("HTTP/1.1 100 Continue\r\n\r\n");
      if (!sent.ok()) co_return false;
    }
    if (timed_out_) break;
    const auto received = co_await transport_->read(chunk_);
    if (timed_out_) break;
    if (!received.ok() || *received == 0) co_return false;
    if (!started) {
      started = true;
      phase_ = Phase::reading;
      arm(options.request_timeout);
    }
    parser_.feed(std::string_view(chunk_.data(), *received));
  }
  co_return started;
}

Task<Response> Connection::answer(Request request) {
  if (server_->in_flight >= server_->options.max_in_flight) {
    Response busy = problem(503, "too many requests at once; try again shortly");
    busy.headers.add("Retry-After", "1");
    co_return busy;
  }
  ++server_->in_flight;
  phase_ = Phase::handling;
  Response response = co_await handle(std::move(request));
  --server_->in_flight;
  if (timed_out_) response = problem(503, "the answer was not ready in time");
  co_return response;
}

// A task of its own, because only such can be cancelled without cancelling us.
Task<Response> Connection::handle(Request request) {
  auto token = asio::bind_cancellation_slot(cancel_handler_.slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(executor_, guarded(server_->handler, std::move(request)),
                                    token);
}

Task<bool> Connection::send(Response response, bool keep_alive, bool head_only) {
  phase_ = Phase::writing;
  const std::string bytes = serialize(std::move(response), keep_alive, head_only);
  const Status sent = co_await transport_->write(bytes);
  co_return sent.ok();
}

Task<void> Connection::linger() {
  phase_ = Phase::writing;
  arm(kLastWords);
  co_await transport_->finish();
  for (std::size_t total = 0; total < kLingerBytes;) {
    const auto received = co_await transport_->read(chunk_);
    if (!received.ok() || *received == 0) co_return;
    total += *received;
  }
}

}  // namespace gitaiops::http
