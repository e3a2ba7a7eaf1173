#include "base/http/server.h"

#include "base/http/connection.h"
#include "base/log/log.h"

namespace gitaiops::http {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr milliseconds kGraceForHandlers{1000};  // after stop(), then they are cancelled
constexpr milliseconds kGraceForLastWords{800};  // after that, run() returns whatever is left
constexpr milliseconds kAcceptBackoff{
    100};  // out of descriptors: accepting again at once would spin

std::string name_of(const tcp::socket& socket) {
  asio::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "";
  const auto address = endpoint.address().to_string();
  const auto host = endpoint.address().is_v6() ? "[" + address + "]" : address;
  return host + ":" + std::to_string(endpoint.port());
}

// Best effort without waiting: these few bytes fit a fresh socket's buffer. A TLS client sees only
// the close.
void turn_away(tcp::socket socket, bool tls) {
  const Response response = problem(503, "too many connections at once; try again shortly");
  const std::string busy =
      "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: "
      "application/problem+json\r\nContent-Length: " +
      std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
  asio::error_code ignored;
  socket.non_blocking(true, ignored);
  if (!tls) socket.write_some(asio::buffer(busy), ignored);
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

void admit(const std::shared_ptr<Server::State>& state, tcp::socket socket) {
  if (state->connections.size() >= state->options.max_connections) {
    turn_away(std::move(socket), state->tls != nullptr);
    return;
  }
  asio::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const asio::any_io_executor executor = socket.get_executor();
  auto peer = name_of(socket);
  auto transport = state->tls ? tls_transport(std::move(socket), state->tls)
                              : plain_transport(std::move(socket));
  auto connection =
      std::make_shared<Connection>(state, std::move(transport), std::move(peer), executor);
  spawn(executor, "http connection", Connection::serve(std::move(connection)));
}

}  // namespace

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::listen(asio::any_io_executor executor,
                                               ServerOptions options, Handler handler) {
  asio::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return Error(Code::invalid_argument, "'" + options.address + "' is not an IP address");
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return Error(Code::invalid_argument, "TLS needs both a certificate and its key");
  }
  const tcp::endpoint endpoint(address, options.port);
  const auto where = options.address + " port " + std::to_string(options.port);
  auto state = std::make_shared<State>(executor, std::move(options), std::move(handler));
  if (!state->options.tls_certificate.empty()) {
    ASSIGN_OR_RETURN(state->tls, load_tls(state->options.tls_certificate, state->options.tls_key));
  }
  auto& acceptor = state->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return Error(Code::unavailable, "listening on " + where + ": " + error.message());
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

uint16_t Server::port() const {
  asio::error_code ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

Task<void> Server::run() {
  const auto state = state_;
  while (!state->stopping) {
    asio::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    tcp::socket socket = co_await state->acceptor.async_accept(token);
    if (state->stopping) break;
    if (!error) {
      admit(state, std::move(socket));
    } else if (error != asio::error::connection_aborted) {
      log::warning("accepting a connection failed", {{"error", error.message()}});
      co_await state->stopped.wait(kAcceptBackoff);
    }
  }
  if (state->connections.empty()) co_return;
  co_await state->drained.wait(kGraceForHandlers);
  std::vector<std::shared_ptr<Connection>>
      late;  // kept while they are told: one that ends takes itself out
  for (auto* connection : state->connections) late.push_back(connection->shared_from_this());
  for (const auto& connection : late) connection->stop_now();
  late.clear();
  if (state->connections.empty()) co_return;
  const bool drained = co_await state->drained.wait(kGraceForLastWords);
  if (!drained)
    log::warning("HTTP requests did not end in time", {{"connections", state->connections.size()}});
}

void Server::stop() {
  if (state_->stopping) return;
  state_->stopping = true;
  asio::error_code ignored;
  state_->acceptor.close(ignored);
  state_->stopped.set();
  for (auto* connection : state_->connections) connection->stop_when_idle();
}

}  // namespace gitaiops::http
