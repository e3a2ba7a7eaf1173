#include "agent/status/status.h"

#include <asio/ip/address.hpp>

#include "agent/status/render.h"
#include "base/http/get.h"
#include "base/http/server.h"
#include "base/metrics/catalogue.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{5000};
constexpr std::size_t kMaxStatus = 1 << 20;
// A page for one host's few readers.
constexpr std::size_t kMaxConnections = 32;
constexpr std::size_t kMaxBody = 4 << 10;

bool is_loopback(const std::string& address) {
  asio::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  return !error && parsed.is_loopback();
}

// "localhost:9417", "127.0.0.1", "[::1]:9417": names that only this host answers to.
bool is_loopback_name(std::string_view host) {
  if (host.starts_with('[')) return is_loopback(std::string(host.substr(1, host.find(']') - 1)));
  host = host.substr(0, host.find(':'));
  return http::same_name(host, "localhost") || is_loopback(std::string(host));
}

http::Response page(std::string type, std::string body) {
  http::Response response;
  response.headers.add("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

http::Response respond(const http::Request& request, const StatusSnapshot& snapshot,
                       metrics::Registry& registry) {
  if (request.path == "/") return page("text/html; charset=utf-8", to_html(snapshot));
  if (request.path == "/status.json") return page("application/json", to_json(snapshot));
  to_metrics(snapshot, registry);
  return page(std::string(metrics::kContentType), registry.render());
}

class Page final : public StatusPage {
 public:
  Page(std::unique_ptr<http::Server> server) : server_(std::move(server)) {}
  uint16_t port() const override { return server_->port(); }
  Task<void> run() override { return server_->run(); }
  void stop() override { server_->stop(); }

 private:
  std::unique_ptr<http::Server> server_;
};

http::Response answer(const http::Request& request, const std::function<StatusSnapshot()>& snapshot,
                      metrics::Registry& registry) {
  if (!is_loopback_name(request.headers.get("Host").value_or(""))) {
    return http::problem(421, "this page answers to localhost only");
  }
  if (request.path != "/" && request.path != "/status.json" && request.path != "/metrics") {
    return http::problem(404, "there are /, /status.json and /metrics");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    auto refused = http::problem(405, "this page only answers GET");
    refused.headers.add("Allow", "GET, HEAD");
    return refused;
  }
  auto response = respond(request, snapshot(), registry);
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Content-Security-Policy",
                       "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  return response;
}

Task<http::Response> ready(http::Response response) {
  co_return response;
}

}  // namespace

Result<std::unique_ptr<StatusPage>> StatusPage::listen(asio::any_io_executor executor,
                                                       StatusOptions options,
                                                       std::function<StatusSnapshot()> snapshot) {
  if (!is_loopback(options.address)) {
    return Error(
        Code::invalid_argument,
        "'" + options.address + "' is not a loopback address: the status page is for this host");
  }
  http::ServerOptions server;
  server.address = options.address;
  server.port = options.port;
  server.max_connections = kMaxConnections;
  server.max_body_bytes = kMaxBody;
  auto registry = std::make_shared<metrics::Registry>();
  registry->declare(metrics::agent_metrics());
  const auto handler = [registry, snapshot = std::move(snapshot)](http::Request request) {
    return ready(answer(request, snapshot, *registry));
  };
  ASSIGN_OR_RETURN(auto listening,
                   http::Server::listen(std::move(executor), std::move(server), handler));
  return std::unique_ptr<StatusPage>(std::make_unique<Page>(std::move(listening)));
}

Task<Result<StatusSnapshot>> ask_status(std::string address, uint16_t port) {
  const auto fetched =
      co_await http::get(std::move(address), port, "/status.json", kAnswerLimit, kMaxStatus);
  if (!fetched.ok()) co_return fetched.error();
  if (fetched->status != 200) {
    co_return Error(Code::unavailable,
                    "the status page answered " + std::to_string(fetched->status));
  }
  co_return snapshot_from_json(fetched->body);
}

Task<Result<std::string>> status_text(std::string address, uint16_t port) {
  const auto snapshot = co_await ask_status(std::move(address), port);
  if (!snapshot.ok()) co_return snapshot.error();
  co_return to_text(*snapshot);
}

}  // namespace gitaiops::agent
