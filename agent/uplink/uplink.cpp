#include "agent/uplink/uplink.h"

#include <mutex>

#include "agent/uplink/identity.h"
#include "agent/uplink/stream.h"
#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "base/rpc/rpc.h"
#include "base/tls/tls.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::seconds kRenewTimeout{15};
constexpr int64_t kShortestRenewRetry = 10 * kMicrosPerSecond;
constexpr int64_t kLongestRenewRetry = 600 * kMicrosPerSecond;
constexpr int64_t kLongestRefusal = 3600 * kMicrosPerSecond;
constexpr std::size_t kMaxFeatures = 32;

// A value between half and all of `micros`: a fleet that lost its controller must not come back at
// one moment.
int64_t jittered(int64_t micros) {
  return micros / 2 +
         static_cast<int64_t>(crypto::random_u64() % static_cast<uint64_t>(micros / 2 + 1));
}

class UplinkLoop final : public Uplink {
 public:
  UplinkLoop(UplinkOptions options, std::shared_ptr<Shared> shared,
             std::function<std::string()> observation)
      : options_(std::move(options)),
        shared_(std::move(shared)),
        observation_(std::move(observation)),
        backoff_us_(options_.min_backoff_us) {}

  Task<void> run() override {
    while (!stopping_.is_set()) {
      const auto began = shared_->clock.steady();
      const int64_t pause = co_await once();
      // A connection that held for a while was a good one: the next failure starts over.
      if (shared_->clock.steady() - began > 2 * backoff_us_) backoff_us_ = options_.min_backoff_us;
      if (pause > 0) co_await stopping_.wait(std::chrono::microseconds(pause));
    }
    set_state(UplinkStatus::State::idle, "stopped");
  }

  void stop() override {
    stopping_.set();
    if (stream_) stream_->stop();
  }

  void ask(fleet::v1::BaselineRequest request) override {
    if (stream_) stream_->ask(std::move(request));
  }

  UplinkStatus status() const override {
    const std::scoped_lock lock(mutex_);
    return status_;
  }

 private:
  using State = UplinkStatus::State;

  // One connection, from keys to its end; how long to wait before the next.
  Task<int64_t> once() {
    auto identity = load_identity(options_.identity_dir);
    if (!identity.ok()) co_return failed(State::waiting, identity.error(), options_.max_backoff_us);
    note_certificate(*identity);
    if (identity->not_after <= shared_->clock.now()) {
      const Error expired(Code::unauthenticated, "this host's certificate expired at " +
                                                     to_rfc3339(identity->not_after) +
                                                     ": enrol again with a new token");
      co_return failed(State::refused, expired, options_.max_backoff_us);
    }
    if (co_await renew_when_due(*identity) || stopping_.is_set()) co_return 0;
    set_state(State::connecting, "connecting to " + options_.controller);
    stream_ = std::make_shared<Stream>(
        shared_, rpc::connect(co_await asio::this_coro::executor, target(*identity)));
    const auto ended = co_await serve(*identity);
    const auto refusal = stream_->refusal();
    stream_->stop();
    co_await stream_->finish();
    stream_.reset();
    note_progress();
    if (ended.ok() || stopping_.is_set()) co_return 0;
    if (refusal) co_return refused(*refusal);
    co_return failed(State::waiting, ended.error(), next_backoff());
  }

  // Ok: it is time to renew.
  Task<Status> serve(const Identity& identity) {
    CO_RETURN_IF_ERROR(co_await stream_->open(hello()));
    log::info("connected to the controller",
              {{"controller", options_.controller}, {"agent", identity.agent_id}});
    set_state(State::connected, "");
    for (;;) {
      const UnixMicros tick = shared_->clock.now() + kMicrosPerSecond;
      CO_RETURN_IF_ERROR(co_await stream_->run(tick));
      note_progress();
      if (stopping_.is_set()) co_return Status();
      const UnixMicros now = shared_->clock.now();
      if (now >= identity.renew_after && shared_->clock.steady() >= next_renewal_)
        co_return Status();
    }
  }

  fleet::v1::Hello hello() const {
    fleet::v1::Hello hello;
    hello.set_protocol_minor(rpc::kProtocolMinor);
    hello.set_agent_version(options_.agent_version);
    for (const auto& feature : options_.features) {
      if (static_cast<std::size_t>(hello.features_size()) < kMaxFeatures)
        hello.add_features(feature);
    }
    hello.set_epoch(shared_->spool.epoch());
    hello.set_oldest_seq(shared_->spool.oldest_seq());
    hello.set_newest_seq(shared_->spool.newest_seq());
    hello.set_host_name(truncate_utf8(to_utf8(options_.host_name), 253));
    hello.set_now_us(shared_->clock.now().value);
    if (observation_) hello.set_observation(truncate_utf8(to_utf8(observation_()), 512));
    return hello;
  }

  rpc::Target target(const Identity& identity) const {
    return {options_.controller, identity.ca_pem, identity.key_pem, identity.certificate_pem};
  }

  // True when there is a new identity. A failure is retried later, the old certificate serves until
  // then.
  Task<bool> renew_when_due(Identity identity) {
    const UnixMicros now = shared_->clock.now();
    if (now < identity.renew_after || shared_->clock.steady() < next_renewal_) co_return false;
    const int64_t left = identity.not_after - now;
    next_renewal_ = shared_->clock.steady() +
                    jittered(std::clamp(left / 4, kShortestRenewRetry, kLongestRenewRetry));
    const auto renewed = co_await renew(std::move(identity));
    if (!renewed.ok()) {
      log::warning(
          "the certificate could not be renewed",
          {{"reason", renewed.error().to_string()}, {"seconds_left", left / kMicrosPerSecond}});
      co_return false;
    }
    log::info("certificate renewed", {{"not_after", to_rfc3339(*renewed)}});
    co_return true;
  }

  Task<Result<UnixMicros>> renew(Identity identity) {
    CO_ASSIGN_OR_RETURN(auto key, tls::make_key());
    enrollment::v1::RenewRequest request;
    CO_ASSIGN_OR_RETURN(*request.mutable_csr_der(), tls::make_request(key));
    request.set_host_name(truncate_utf8(to_utf8(options_.host_name), 253));
    const auto response = co_await rpc::renew(target(identity), request, kRenewTimeout, stopping_);
    if (!response.ok()) co_return response.error();
    CO_ASSIGN_OR_RETURN(const auto fresh, checked_identity(std::move(key), response->certificate(),
                                                           shared_->clock.now()));
    if (fresh.agent_id != identity.agent_id)
      co_return Error(Code::internal, "the renewed certificate is for another agent");
    CO_RETURN_IF_ERROR(store_identity(options_.identity_dir, fresh),
                       "keeping the renewed identity");
    co_return fresh.not_after;
  }

  int64_t next_backoff() {
    const int64_t pause = jittered(backoff_us_);
    backoff_us_ = std::min(backoff_us_ * 2, options_.max_backoff_us);
    return pause;
  }

  int64_t refused(const fleet::v1::Refusal& refusal) {
    using fleet::v1::Refusal;
    const bool passing = refusal.reason() == Refusal::REASON_OVERLOADED ||
                         refusal.reason() == Refusal::REASON_DUPLICATE;
    const int64_t own = passing ? next_backoff() : jittered(options_.max_backoff_us);
    const int64_t asked = std::clamp<int64_t>(refusal.retry_after_us(), 0, kLongestRefusal);
    const Error why(Code::permission_denied,
                    "the controller refused: " + to_utf8(refusal.message()));
    return failed(State::refused, why, std::max(own, asked));
  }

  int64_t failed(State state, const Error& why, int64_t pause) {
    const auto text = why.to_string();
    // The same words every minute would fill a journal while a controller is away.
    if (text != last_logged_)
      log::warning("no connection to the controller",
                   {{"controller", options_.controller}, {"reason", text}});
    last_logged_ = text;
    set_state(state, text);
    return pause;
  }

  void set_state(State state, std::string detail) {
    if (state == State::connected) last_logged_.clear();
    const std::scoped_lock lock(mutex_);
    // While it tries again, the status still says what went wrong.
    if (state == State::connecting && !status_.detail.empty()) detail = status_.detail;
    status_.state = state;
    status_.detail = std::move(detail);
    status_.clock_skew_us = shared_->clock_skew_us;
  }
  void note_certificate(const Identity& identity) {
    const std::scoped_lock lock(mutex_);
    status_.certificate_not_after = identity.not_after;
  }
  void note_progress() {
    const std::scoped_lock lock(mutex_);
    status_.acknowledged_seq = shared_->acknowledged_seq;
  }

  // Constant after construction.
  const UplinkOptions options_;
  const std::shared_ptr<Shared> shared_;
  const std::function<std::string()> observation_;
  // Only on the loop.
  std::shared_ptr<Stream> stream_;
  int64_t backoff_us_;
  SteadyMicros next_renewal_;
  std::string last_logged_;
  Event stopping_;

  mutable std::mutex mutex_;
  UplinkStatus status_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<Uplink> Uplink::make(UplinkOptions options, Spool& spool, const Clock& clock,
                                     std::function<std::string()> observation,
                                     CommandHandler on_command, RemoteConfigHandler on_config,
                                     BaselineHandler on_baseline) {
  auto shared = std::make_shared<Shared>(Shared{spool,
                                                clock,
                                                std::move(on_command),
                                                std::move(on_config),
                                                {},
                                                0,
                                                0,
                                                0,
                                                std::move(on_baseline)});
  return std::make_unique<UplinkLoop>(std::move(options), std::move(shared),
                                      std::move(observation));
}

}  // namespace gitaiops::agent
