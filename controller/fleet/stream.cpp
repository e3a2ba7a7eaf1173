#include "controller/fleet/stream.h"

#include "base/bytes/bytes.h"
#include "base/log/log.h"
#include "controller/fleet/hello.h"

namespace gitaiops::fleet {
namespace {
constexpr int kAckEvery = 16;  // while more are waiting
constexpr std::size_t kMaxWaitingCommands = 32;
constexpr std::size_t kMaxResultText = 16 << 10;
constexpr int kMaxQuestions = 8;  // at once; beyond, an agent goes without an answer
constexpr int64_t kStoreRetryAfter = 5 * kMicrosPerSecond;
}  // namespace

void Stream::send(v1::ConnectResponse message) {
  const auto sent = session_->write(std::move(message));
  if (!sent.ok() && sent.error().code() == Code::resource_exhausted) session_->close(sent.error());
}

void Stream::welcome(v1::Welcome welcome) {
  v1::ConnectResponse message;
  *message.mutable_welcome() = std::move(welcome);
  send(std::move(message));
}

void Stream::refuse(v1::Refusal refusal, Error status) {
  v1::ConnectResponse message;
  *message.mutable_refusal() = std::move(refusal);
  send(std::move(message));
  over_ = true;
  session_->close(std::move(status));
}

Task<void> Stream::run() {
  const auto self = shared_from_this();
  executor_ = co_await asio::this_coro::executor;
  spawn(*executor_, "fleet store", store_all(self));
  while (!over_) {
    auto message = co_await session_->read();
    if (!message.ok()) break;
    const auto taken = take(*std::move(message));
    if (taken.ok()) continue;
    log::warning("stream closed: the agent broke the protocol",
                 {{"agent", facts.agent_id}, {"reason", taken.error().to_string()}});
    session_->close(taken.error());
    break;
  }
  over_ = true;
  work_.set();
  for (const auto& [id, waiting] : commands_) waiting->done.set();
  co_await stored_all_.wait();
}

Status Stream::take(v1::ConnectRequest message) {
  switch (message.message_case()) {
    case v1::ConnectRequest::kEnvelope:
      if (pending_.size() >= facts.credit) {
        ++counters_.over_credit;
        return Error(Code::resource_exhausted,
                     "more than " + std::to_string(facts.credit) + " envelopes are unacknowledged");
      }
      if (message.envelope().seq() <= last_seq_) {
        return Error(Code::invalid_argument,
                     "envelope.seq: " + std::to_string(message.envelope().seq()) + " after " +
                         std::to_string(last_seq_) + "; it must grow");
      }
      last_seq_ = message.envelope().seq();
      pending_.push_back(std::move(*message.mutable_envelope()));
      work_.set();
      return {};
    case v1::ConnectRequest::kCommandResult:
      take_result(std::move(*message.mutable_command_result()));
      return {};
    case v1::ConnectRequest::kBaselineRequest:
      if (on_baseline_ && asked_ < kMaxQuestions) {
        ++asked_;
        ingest::sanitise(*message.mutable_baseline_request());
        spawn(executor_.value(), "baseline",
              answer(shared_from_this(), std::move(*message.mutable_baseline_request())));
      }
      return {};
    case v1::ConnectRequest::kHello:
      return Error(Code::invalid_argument, "a second Hello");
    case v1::ConnectRequest::MESSAGE_NOT_SET:
      return {};  // a kind of a later revision
  }
  return {};
}

Task<void> Stream::store_all(std::shared_ptr<Stream> self) {
  int unacknowledged = 0;
  for (;;) {
    while (self->pending_.empty() && !self->over_) {
      self->work_.reset();
      co_await self->work_.wait();
    }
    if (self->over_) break;
    v1::Envelope envelope =
        self->pending_
            .front();  // stays in the queue: it counts against the credit until it is durable
    const uint64_t seq = envelope.seq();
    const auto taken =
        co_await self->ingest_.take(self->facts.agent_id, self->facts.epoch, std::move(envelope));
    if (!taken.ok()) {
      log::error("an envelope could not be stored",
                 {{"agent", self->facts.agent_id}, {"reason", taken.error().to_string()}});
      self->refuse(refusal(v1::Refusal::REASON_OVERLOADED,
                           "the controller cannot store at the moment", kStoreRetryAfter),
                   Error(Code::unavailable, "the controller cannot store at the moment"));
      break;
    }
    self->pending_.pop_front();
    if (++unacknowledged < kAckEvery && !self->pending_.empty()) continue;
    unacknowledged = 0;
    v1::ConnectResponse message;
    message.mutable_ack()->set_seq(seq);
    self->send(std::move(message));
  }
  self->stored_all_.set();
}

Task<void> Stream::answer(std::shared_ptr<Stream> self, v1::BaselineRequest request) {
  auto baseline = co_await self->on_baseline_(self->facts.agent_id, std::move(request));
  --self->asked_;
  if (!baseline || self->over_) co_return;
  v1::ConnectResponse message;
  *message.mutable_baseline() = std::move(*baseline);
  self->send(std::move(message));
}

void Stream::take_result(v1::CommandResult result) {
  const auto found = commands_.find(result.id());
  if (found == commands_.end()) return;  // late, or never asked
  ingest::sanitise(result);
  result.set_message(truncate_utf8(result.message(), 512));
  if (result.has_excerpt())
    result.mutable_excerpt()->set_text(truncate_utf8(result.excerpt().text(), kMaxResultText));
  found->second->result = std::move(result);
  found->second->done.set();
}

Task<Result<v1::CommandResult>> Stream::command(v1::Command command,
                                                std::chrono::microseconds limit) {
  const auto self = shared_from_this();
  const std::string id = command.id();
  if (over_) co_return Error(Code::unavailable, "the agent is not connected");
  if (commands_.size() >= kMaxWaitingCommands)
    co_return Error(Code::resource_exhausted, "32 commands already wait for this agent");
  const auto waiting = std::make_shared<Waiting>();
  if (!commands_.emplace(id, waiting).second)
    co_return Error(Code::already_exists, "this command is already under way");
  v1::ConnectResponse message;
  *message.mutable_command() = std::move(command);
  send(std::move(message));
  const bool done = co_await waiting->done.wait(limit);
  commands_.erase(id);
  if (waiting->result) co_return *std::move(waiting->result);
  if (done) co_return Error(Code::unavailable, "the agent's stream ended before it answered");
  co_return Error(Code::deadline_exceeded, "the agent did not answer in time");
}

}  // namespace gitaiops::fleet
