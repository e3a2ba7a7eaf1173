#include "controller/api/api.h"

#include <asio/ip/address.hpp>

#include "base/metrics/catalogue.h"
#include "controller/api/service.h"

namespace gitaiops::api {
namespace {

constexpr std::size_t kMaxBody = 64 << 10;  // but for webhooks, a body is a mistake
constexpr std::size_t kMaxInFlight = 384;   // webhooks wait for the disk, all of them together
constexpr std::size_t kMaxConnections = 512;

bool is_loopback(const std::string& address) {
  asio::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  return !error && parsed.is_loopback();
}

}  // namespace

std::span<const metrics::Definition> metric_definitions() {
  return metrics::controller_metrics();
}

Status check_exposure(const ApiOptions& options) {
  asio::error_code error;
  asio::ip::make_address(options.address, error);
  if (error)
    return Error(Code::invalid_argument,
                 "api.address: '" + options.address + "' is not an IP address");
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return Error(Code::invalid_argument,
                 "api.tls_certificate and api.tls_key belong together: set both or neither");
  }
  if (is_loopback(options.address) || !options.tls_certificate.empty() || options.behind_proxy)
    return {};
  return Error(Code::invalid_argument,
               "api.address: " + options.address +
                   " can be reached from other machines, and tokens would cross the network in the "
                   "clear; set "
                   "api.tls_certificate and api.tls_key, or api.behind_proxy = true if a proxy in "
                   "front speaks TLS, or "
                   "listen on 127.0.0.1");
}

http::Handler make_handler(const ApiOptions& options, Dependencies dependencies) {
  const bool reachable = !is_loopback(options.address) || options.behind_proxy;
  auto service = std::make_shared<Service>(reachable, std::move(dependencies));
  return [service](http::Request request) { return service->handle(std::move(request)); };
}

Result<std::unique_ptr<http::Server>> listen(asio::any_io_executor executor,
                                             const ApiOptions& options, Dependencies dependencies) {
  RETURN_IF_ERROR(check_exposure(options));
  http::ServerOptions server;
  server.address = options.address;
  server.port = options.port;
  server.tls_certificate = options.tls_certificate;
  server.tls_key = options.tls_key;
  server.max_body_bytes = kMaxBody;
  server.max_in_flight = kMaxInFlight;
  server.max_connections = kMaxConnections;
  if (dependencies.webhook_bytes)
    server.body_limit = [limit = dependencies.webhook_bytes](const http::Request& head) {
      const auto& path = head.segments;
      const bool hook = path.size() == 3 && path[0] == "webhooks" && path[1] == "gitlab";
      return hook ? limit(path[2], head.headers) : kMaxBody;
    };
  return http::Server::listen(std::move(executor), std::move(server),
                              make_handler(options, std::move(dependencies)));
}

std::vector<Route> routes() {
  std::vector<Route> list;
  for (const auto& endpoint : Service::endpoints())
    list.push_back({std::string(endpoint.method), std::string(endpoint.path)});
  return list;
}

}  // namespace gitaiops::api
