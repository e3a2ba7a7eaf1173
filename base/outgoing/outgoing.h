// HTTP requests to other people's servers: TLS verified, proxies as the environment says, every
// wait and size bounded.
//
//   Outgoing web(executor, {.ca_file = "/etc/ssl/own.pem"});
//   OutgoingRequest request{.url = "https://gitlab.example/api/v4/user"};
//   auto response = co_await web.send(std::move(request));     // any HTTP status is a response; no
//   answer is an Error
//
// Errors: deadline_exceeded (a timeout below ran out), unavailable (name, connection or transfer
// failed: try again), unauthenticated (the server's certificate is not to be trusted),
// resource_exhausted (the response is larger than allowed), data_loss (on_body did not take it),
// invalid_argument (the request itself), cancelled (the awaiting task was cancelled, or Outgoing
// went away).
//
// libcurl does the talking, driven by the loop's timers and sockets; nothing blocks but the first
// look-up of a CA file. Thread safety: one executor that runs one handler at a time; construct,
// send and destroy there.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops {

constexpr std::chrono::milliseconds kOutgoingConnectTimeout{5'000};
constexpr std::chrono::milliseconds kOutgoingTotalTimeout{15'000};
constexpr std::size_t kOutgoingMaxResponseBytes = 8 << 20;
constexpr std::size_t kOutgoingMaxHeaderBytes = 64 << 10;

using OutgoingHeaders = std::vector<std::pair<std::string, std::string>>;

struct OutgoingRequest {
  std::string method = "GET";
  std::string url;  // http or https
  OutgoingHeaders headers = {};
  std::string body = {};  // sent when not empty, and with POST and PUT
  std::chrono::milliseconds connect_timeout = kOutgoingConnectTimeout;  // name, TCP and TLS
  std::chrono::milliseconds total_timeout = kOutgoingTotalTimeout;      // all of it
  std::size_t max_response_bytes = kOutgoingMaxResponseBytes;
  // Gets the body of an answer of status 200 piece by piece instead of response.body; false ends
  // the transfer with data_loss. Called on the executor.
  std::function<bool(std::string_view)> on_body = {};
  int max_redirects =
      0;  // 0: a redirect is an answer like any other. Headers go along: no secret in them
};

struct OutgoingResponse {
  int status = 0;
  OutgoingHeaders headers;  // of the final answer, in order, names as sent
  std::string body;

  // The first header of that name in any case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

struct OutgoingOptions {
  std::filesystem::path ca_file = {};  // PEM; replaces the system's authorities when set
  std::string user_agent = "gitaiops/" GITAIOPS_VERSION;
};

class Outgoing {
 public:
  explicit Outgoing(asio::any_io_executor executor, OutgoingOptions options = {});
  ~Outgoing();  // what is still awaited ends with `cancelled`
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;

  Task<Result<OutgoingResponse>> send(OutgoingRequest request);

 private:
  class Engine;
  std::shared_ptr<Engine> engine_;
};

}  // namespace gitaiops
