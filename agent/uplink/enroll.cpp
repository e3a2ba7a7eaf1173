#include <optional>

#include <asio/executor_work_guard.hpp>

#include "agent/uplink/identity.h"
#include "agent/uplink/uplink.h"
#include "base/bytes/bytes.h"
#include "base/rpc/enrollment_token.h"
#include "base/rpc/rpc.h"
#include "base/rpc/skew.h"
#include "base/tls/tls.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::seconds kHandshakeTimeout{10};
constexpr std::chrono::seconds kEnrollTimeout{20};

Result<rpc::EnrollmentToken> token_of(const EnrollOptions& options) {
  ASSIGN_OR_RETURN(auto token, rpc::EnrollmentToken::parse(options.token));
  if (token.ca_pin.empty()) token.ca_pin = options.ca_pin;
  if (token.ca_pin.empty())
    return Error(Code::invalid_argument,
                 "the token has no pin of the controller's CA, and none was given");
  if (!options.ca_pin.empty() && options.ca_pin != token.ca_pin) {
    return Error(Code::invalid_argument, "the pin that was given is not the one in the token");
  }
  return token;
}

// The certificate in the presented chain whose key is pinned. Nothing has been sent to that server,
// nor will be without it.
Result<std::string> pinned_authority(const std::string& where,
                                     const std::vector<std::string>& chain,
                                     const std::string& pin) {
  std::string presented = "none";
  for (const auto& pem : chain) {
    ASSIGN_OR_RETURN(const auto about, tls::facts(pem), where);
    if (!about.authority) continue;
    if (about.pin == pin) return pem;
    presented = about.pin;
  }
  return Error(
      Code::permission_denied,
      where + " is not the controller this token is for: its CA key is " + presented +
          ", the token expects " + pin +
          ". Check the address, and whether something stands in between; the token was not sent");
}

Status check_times(const std::vector<std::string>& chain, UnixMicros now) {
  for (const auto& pem : chain) {
    ASSIGN_OR_RETURN(const auto about, tls::facts(pem));
    const auto [from, to] = about.validity;
    if (now < from) {
      return Error(Code::invalid_argument,
                   "the controller's certificate is not valid before " + to_rfc3339(from) +
                       ": this host's clock (" + to_rfc3339(now) + ") is at least " +
                       rpc::describe_skew(now, from) + " it; set it and enrol again");
    }
    if (now > to) {
      return Error(Code::invalid_argument,
                   "the controller's certificate expired at " + to_rfc3339(to) +
                       " by this host's clock (" + to_rfc3339(now) + "), which is " +
                       rpc::describe_skew(now, to) + " that: is the clock right?");
    }
  }
  return {};
}

using Answer = std::optional<Result<enrollment::v1::EnrollResponse>>;

Task<void> ask(rpc::Target target, enrollment::v1::EnrollRequest request,
               std::shared_ptr<Answer> answer) {
  *answer = co_await rpc::enroll(std::move(target), std::move(request), kEnrollTimeout);
}

// One call on a loop of its own: `enroll` is a command, there is no other loop.
Result<enrollment::v1::EnrollResponse> call(const rpc::Target& target,
                                            const enrollment::v1::EnrollRequest& request) {
  asio::io_context loop(1);
  const auto answer = std::make_shared<Answer>();
  // The answer comes from a thread of gRPC: the loop must wait for it even when it has nothing to
  // do.
  const auto busy = asio::make_work_guard(loop);
  spawn(loop.get_executor(), "enrolment", ask(target, request, answer));
  while (!*answer) loop.run_one();
  return std::move(**answer);
}

// The controller's other listener shows the same authority, and hangs up on who has no certificate.
Error explained(const Error& error, const std::string& where) {
  auto told = error.within("enrolling at " + where);
  if (error.code() != Code::unavailable) return told;
  return {told.code(), told.message() +
                           "; it is the controller, but is this the port of its fleet listener "
                           "(7461 by default)? Enrolment listens on 7462 by default "
                           "(enrollment.port)"};
}

}  // namespace

Result<Enrolled> enroll(const EnrollOptions& options, const Clock& clock) {
  ASSIGN_OR_RETURN(const auto token, token_of(options));
  ASSIGN_OR_RETURN(const auto at, tls::parse_host_port(options.controller));
  ASSIGN_OR_RETURN(const auto chain, tls::fetch_peer_chain(at.host, at.port, kHandshakeTimeout),
                   "reaching the controller");
  ASSIGN_OR_RETURN(const auto authority, pinned_authority(options.controller, chain, token.ca_pin));
  RETURN_IF_ERROR(check_times(chain, clock.now()));

  ASSIGN_OR_RETURN(auto key, tls::make_key());
  ASSIGN_OR_RETURN(const auto request_der, tls::make_request(key));
  enrollment::v1::EnrollRequest request;
  request.set_token(token.sent());
  request.set_csr_der(request_der);
  request.set_host_name(truncate_utf8(to_utf8(options.host_name), 253));
  request.set_agent_version(options.agent_version);
  request.set_now_us(clock.now().value);
  const auto answer = call({options.controller, authority, {}, {}}, request);
  if (!answer.ok()) return explained(answer.error(), options.controller);
  const auto& response = *answer;

  ASSIGN_OR_RETURN(const auto identity,
                   checked_identity(std::move(key), response.certificate(), clock.now()));
  RETURN_IF_ERROR(store_identity(options.identity_dir, identity), "keeping the identity");
  return Enrolled{identity.agent_id,
                  identity.not_after,
                  {response.instances().begin(), response.instances().end()},
                  {response.project_globs().begin(), response.project_globs().end()}};
}

}  // namespace gitaiops::agent
