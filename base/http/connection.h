// One connection of the server, from its first byte to its last. Private to base/http.
//
// Thread safety: none; the executor of the server.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_set>

#include <asio/cancellation_signal.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "base/http/parse.h"
#include "base/http/server.h"
#include "base/http/transport.h"

namespace gitaiops::http {

class Connection;

struct Server::State {
  State(const asio::any_io_executor& executor, ServerOptions o, Handler h)
      : options(std::move(o)), handler(std::move(h)), acceptor(executor) {}
  ServerOptions options;
  Handler handler;
  asio::ip::tcp::acceptor acceptor;
  std::shared_ptr<TlsContext> tls;              // null: plain
  std::unordered_set<Connection*> connections;  // each takes itself out
  std::size_t in_flight = 0;
  bool stopping = false;
  Event stopped, drained;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Server::State> server, std::unique_ptr<Transport> transport,
             std::string peer, const asio::any_io_executor& executor);
  ~Connection();

  // Serves `self` until the peer or the server has had enough.
  static Task<void> serve(std::shared_ptr<Connection> self);
  // Ends at once when no request is under way, else after its answer.
  void stop_when_idle();
  // Cancels the handler; the answer is 503.
  void stop_now();

 private:
  // What the deadline interrupts.
  enum class Phase { waiting, reading, handling, writing };

  void arm(std::chrono::milliseconds limit);
  void on_deadline();
  Task<void> converse();
  Task<bool> read_request();
  Task<Response> answer(Request request);
  Task<Response> handle(Request request);
  Task<bool> send(Response response, bool keep_alive, bool head_only);
  Task<void> linger();

  std::shared_ptr<Server::State> server_;
  std::unique_ptr<Transport> transport_;
  std::string peer_;
  asio::any_io_executor executor_;
  asio::steady_timer deadline_;
  asio::cancellation_signal cancel_handler_;
  RequestParser parser_;
  std::array<char, 16 << 10> chunk_;
  Phase phase_ = Phase::waiting;
  bool timed_out_ = false;  // the deadline of the current request has passed
  bool closing_ = false;    // this request is the last
};

}  // namespace gitaiops::http
