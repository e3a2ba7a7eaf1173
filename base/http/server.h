// An HTTP server on the process's loop: 1.1 and, for proxies, 1.0; keep-alive, HEAD, 100-continue,
// TLS when given a certificate.
//
// What a hostile client can hold: `max_connections` sockets, for at most `request_timeout` once it
// has sent a byte and `idle_timeout` otherwise; memory is bounded by the limits below. Refusals are
// problem+json: 408 too slow, 413 body and 431 head too large, 503 too many at once, 400 and 501
// whatever could be read in two ways (see parse.h); the connection is closed after each but the 503
// for requests in flight.
//
// A HEAD request reaches the handler as such; whatever body it returns is counted, not sent.
//
// Thread safety: belongs to the thread that runs the executor.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <asio/any_io_executor.hpp>

#include "base/http/message.h"
#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::http {

// May run long; its awaits are cancelled at the request's timeout and at stop(), and it must then
// return within a second. An exception that escapes it is logged and answered with 500.
using Handler = std::function<Task<Response>(Request)>;

struct ServerOptions {
  std::string address = "127.0.0.1";      // an IP address; "::" is every address
  uint16_t port = 0;                      // 0: any free one, see Server::port()
  std::filesystem::path tls_certificate;  // PEM chain, leaf first; empty: plain HTTP
  std::filesystem::path tls_key;          // PEM, a secret file (0600)
  std::size_t max_head_bytes = 64 << 10;
  std::size_t max_body_bytes = 1 << 20;
  // Where given, asked with each head instead: some paths take more than others.
  std::function<std::size_t(const Request& head)> body_limit = {};
  std::chrono::milliseconds idle_timeout{30'000};  // between requests, and for the first byte
  std::chrono::milliseconds request_timeout{
      30'000};  // from a request's first byte to its answer's last; TLS handshake
  std::size_t max_connections = 256;  // beyond: 503 and closed
  std::size_t max_in_flight = 64;     // requests in handlers; beyond: 503
};

class Server {
 public:
  // Opens the port; connections wait in the kernel's queue until run(). invalid_argument: address,
  // certificate or key; unavailable: the port is taken.
  static Result<std::unique_ptr<Server>> listen(asio::any_io_executor executor,
                                                ServerOptions options, Handler handler);
  ~Server();

  uint16_t port() const;
  // Serves until stop(); returns when the last request is answered, at most two seconds after
  // stop(). Once.
  Task<void> run();
  // No new connections, idle ones are closed, requests being handled have a second to end and are
  // then cancelled.
  void stop();

  struct State;  // shared with connections that outlive a late run()

 private:
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace gitaiops::http
