#include "controller/enrollment/enrollment.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "base/rpc/enrollment_token.h"
#include "base/rpc/skew.h"

namespace gitaiops::enrollment {
namespace {

using gitaiops::enrollment::v1::Certificate;
using gitaiops::enrollment::v1::EnrollRequest;
using gitaiops::enrollment::v1::EnrollResponse;
using gitaiops::enrollment::v1::RenewRequest;
using gitaiops::enrollment::v1::RenewResponse;

constexpr int64_t kShortestLife = kHour;
constexpr int64_t kLongestLife = 90 * kDay;
constexpr std::chrono::seconds kKeyringCheck{30};
constexpr std::size_t kMaxHostName = 253;
constexpr std::size_t kMaxVersion = 64;

Status check_clock(const EnrollRequest& request, UnixMicros now) {
  const UnixMicros theirs = rpc::told_time(request.now_us());
  // An agent that does not tell its time is checked by itself, after the answer.
  if (request.now_us() == 0 ||
      (now < theirs + rpc::kMaxClockSkew && theirs < now + rpc::kMaxClockSkew))
    return {};
  return Error(Code::invalid_argument, "the host's clock (" + to_rfc3339(theirs) + ") is " +
                                           rpc::describe_skew(theirs, now) + " the controller's (" +
                                           to_rfc3339(now) +
                                           "): set it and enrol again; the token was not used");
}

void describe_scope(const store::Scope& scope, EnrollResponse& out) {
  for (const auto& glob : scope) {
    if (std::find(out.instances().begin(), out.instances().end(), glob.instance) ==
        out.instances().end()) {
      out.add_instances(glob.instance);
    }
    out.add_project_globs(glob.path);
  }
}

}  // namespace

Result<std::unique_ptr<Enrollment>> Enrollment::make(Options options, Keyring& keyring,
                                                     store::Store& store, const Clock& clock) {
  if (options.certificate_life_us < kShortestLife || options.certificate_life_us > kLongestLife) {
    return Error(Code::invalid_argument, "an agent's certificate must live from 1 hour to 90 days");
  }
  return std::unique_ptr<Enrollment>(new Enrollment(std::move(options), keyring, store, clock));
}

Result<Certificate> Enrollment::certify(const store::Agent& agent, std::string_view request_der,
                                        uint64_t generation) const {
  const UnixMicros now = clock_.now();
  const int64_t life = agent.certificate_life_us.value_or(options_.certificate_life_us);
  const tls::Validity validity{now + -rpc::kMaxClockSkew, now + life};
  ASSIGN_OR_RETURN(auto pem,
                   keyring_.authority().sign_agent(request_der, agent.id, validity, generation));
  // As the certificate itself says, in whole seconds.
  ASSIGN_OR_RETURN(const auto about, tls::facts(pem));
  Certificate out;
  out.set_agent_id(agent.id);
  out.set_generation(generation);
  out.set_certificate_pem(std::move(pem));
  out.set_ca_bundle_pem(keyring_.bundle_pem());
  out.set_not_before_us(about.validity.not_before.value);
  out.set_not_after_us(about.validity.not_after.value);
  out.set_renew_after_us((now + life / 3 * 2).value);
  return out;
}

Task<Result<EnrollResponse>> Enrollment::enroll(EnrollRequest request, rpc::Peer peer) {
  const UnixMicros now = clock_.now();
  const auto token = rpc::EnrollmentToken::parse(request.token());
  if (!token.ok()) co_return Error(Code::unauthenticated, token.error().message());
  // Everything that can be wrong with the request is said before a use of the token is spent.
  CO_RETURN_IF_ERROR(tls::check_request(request.csr_der()));
  CO_RETURN_IF_ERROR(check_clock(request, now));

  store::Agent agent;
  agent.id = crypto::uuid7(now);
  agent.host_name = truncate_utf8(to_utf8(request.host_name()), kMaxHostName);
  agent.version = truncate_utf8(to_utf8(request.agent_version()), kMaxVersion);
  agent.enrolled_at = now;
  agent.certificate_not_after = now + options_.certificate_life_us;
  auto enrolled = co_await store_.enroll_agent(token->secret_sha256(), agent, now);
  if (!enrolled.ok()) {
    log::warning("enrolment refused", {{"peer", peer.address},
                                       {"host", agent.host_name},
                                       {"reason", enrolled.error().to_string()}});
    co_return enrolled.error();
  }
  CO_ASSIGN_OR_RETURN(const auto certificate, certify(*enrolled, request.csr_der(), 1));
  log::info("agent enrolled",
            {{"agent", agent.id}, {"host", agent.host_name}, {"peer", peer.address}});
  EnrollResponse response;
  *response.mutable_certificate() = certificate;
  describe_scope(enrolled->scope, response);
  response.set_now_us(now.value);
  co_return response;
}

Task<Result<RenewResponse>> Enrollment::renew(RenewRequest request, rpc::Peer peer) {
  // A resumed TLS session may outlive the certificate it was made with.
  if (peer.certificate_not_after <= clock_.now()) {
    co_return Error(
        Code::unauthenticated,
        "the certificate expired at " + to_rfc3339(peer.certificate_not_after) + ": enrol again");
  }
  const auto agent = co_await store_.agent(peer.agent_id);
  if (!agent.ok() && agent.error().code() != Code::not_found) co_return agent.error();
  if (!agent.ok() || agent->revoked_at) {
    co_return Error(Code::permission_denied,
                    agent.ok()
                        ? "this agent was revoked; to let it in again, enrol it with a new token"
                        : "this controller does not know the agent; enrol it with a new token");
  }
  const auto host = truncate_utf8(to_utf8(request.host_name()), kMaxHostName);
  store::Holder holder{peer.certificate_generation, holder_name(host, peer.address)};
  CO_ASSIGN_OR_RETURN(const auto held,
                      co_await store_.agent_held(peer.agent_id, std::move(holder), clock_.now()));
  if (held.generation > peer.certificate_generation) {
    const auto why = describe_clone(held);
    log::error("an agent's identity is held twice", {{"agent", held.id}, {"holders", why}});
    co_return Error(Code::permission_denied, why);
  }
  CO_ASSIGN_OR_RETURN(auto certificate,
                      certify(held, request.csr_der(), peer.certificate_generation + 1));
  log::info("certificate renewed", {{"agent", peer.agent_id}, {"host", agent->host_name}});
  RenewResponse response;
  *response.mutable_certificate() = std::move(certificate);
  co_return response;
}

Task<void> Enrollment::run() {
  for (;;) {
    co_await stopping_.wait(kKeyringCheck);
    if (stopping_.is_set()) co_return;
    const auto made = keyring_.refresh(clock_.now());
    if (!made.ok())
      log::error("the authority or the server's certificate could not be renewed",
                 {{"reason", made.error().to_string()}});
  }
}

}  // namespace gitaiops::enrollment
