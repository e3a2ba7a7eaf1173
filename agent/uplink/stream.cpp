#include "agent/uplink/stream.h"

#include "base/bytes/bytes.h"
#include "base/log/log.h"
#include "base/rpc/skew.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::seconds kWelcomeTimeout{15};
constexpr std::chrono::milliseconds kLook{
    500};  // how long the sender sleeps on the spool before it looks at the stream
constexpr std::chrono::seconds kEndTimeout{3};
constexpr std::size_t kMaxCredit =
    100;  // below the wire's write queue, results of commands fit beside it
constexpr std::size_t kBatch = 16;  // envelopes in memory at once
constexpr std::size_t kMaxRunningCommands = 8;
constexpr std::size_t kMaxExcerpt = 16 << 10;
constexpr std::size_t kEnvelopeLimit = rpc::kMaxMessageBytes - 64;

fleet::v1::CommandResult result_of(const std::string& id, fleet::v1::CommandResult::Status status,
                                   std::string message) {
  fleet::v1::CommandResult result;
  result.set_id(id);
  result.set_status(status);
  result.set_message(std::move(message));
  return result;
}

// The answer to Hello, in time.
Task<Result<fleet::v1::ConnectResponse>> read_answer(std::shared_ptr<rpc::ClientSession> session) {
  asio::steady_timer timer(co_await asio::this_coro::executor, kWelcomeTimeout);
  const auto late = std::make_shared<bool>(false);
  timer.async_wait([session, late](const asio::error_code& stopped) {
    if (stopped) return;
    *late = true;
    session->cancel();
  });
  auto answer = co_await session->read();
  timer.cancel();
  if (*late) co_return Error(Code::deadline_exceeded, "the controller did not answer within 15 s");
  co_return answer;
}

}  // namespace

Task<Status> Stream::open(fleet::v1::Hello hello) {
  const auto self = shared_from_this();
  const uint64_t newest = hello.newest_seq();
  fleet::v1::ConnectRequest first;
  *first.mutable_hello() = std::move(hello);
  CO_RETURN_IF_ERROR(session_->write(std::move(first)));
  auto answer = co_await read_answer(session_);
  if (!answer.ok()) co_return answer.error();
  if (answer->has_refusal()) {
    refusal_ = std::move(*answer->mutable_refusal());
    co_return Error(Code::permission_denied, to_utf8(refusal_->message()));
  }
  if (!answer->has_welcome())
    co_return Error(Code::internal, "the controller answered Hello with something else");
  const auto& welcome = answer->welcome();
  if (welcome.high_water_seq() > newest) {
    // Anything appended now would get a number that the controller takes for a duplicate.
    co_return Error(Code::data_loss, "the controller has records of this spool up to " +
                                         std::to_string(welcome.high_water_seq()) +
                                         ", the spool ends at " + std::to_string(newest) +
                                         ": it was set back (a restored snapshot?). Move the spool "
                                         "file away and restart the agent");
  }
  credit_ = std::clamp<std::size_t>(welcome.credit(), 1, kMaxCredit);
  sent_seq_ = welcome.high_water_seq();
  if (welcome.now_us() != 0)
    shared_->clock_skew_us = rpc::told_time(welcome.now_us()) - shared_->clock.now();
  settle(sent_seq_);
  executor_ = co_await asio::this_coro::executor;
  spawn(*executor_, "uplink reader", read_all(self));
  co_return Status();
}

void Stream::settle(uint64_t seq) {
  if (seq <= shared_->acknowledged_seq) return;
  shared_->acknowledged_seq = seq;
  shared_->spool.acknowledged(seq);
}

Task<Status> Stream::run(UnixMicros until) {
  const auto self = shared_from_this();
  while (!end_ && shared_->clock.now() < until) {
    if (room() == 0) {
      changed_.reset();
      co_await changed_.wait(kLook);
      continue;
    }
    auto batch = co_await shared_->spool.after(sent_seq_, std::min(room(), kBatch));
    if (!batch.ok()) co_return batch.error().within("reading the spool");
    for (auto& envelope : *batch) {
      if (end_) break;
      CO_RETURN_IF_ERROR(send(std::move(envelope)));
    }
    if (batch->empty()) co_await shared_->spool.wait_after(sent_seq_, kLook);
  }
  if (end_) co_return *end_;
  co_return Status();
}

Status Stream::send(fleet::v1::Envelope envelope) {
  const uint64_t seq = envelope.seq();
  const bool too_large = envelope.ByteSizeLong() > kEnvelopeLimit;
  sent_seq_ = seq;
  if (too_large) {
    // The wire would break on it, for ever again after each reconnect.
    ++shared_->oversized;
    log::error("a record is too large for the controller and is skipped",
               {{"seq", seq}, {"bytes", envelope.ByteSizeLong()}});
    in_flight_.push_back({seq, true});
    return take_ack(0);
  }
  in_flight_.push_back({seq, false});
  fleet::v1::ConnectRequest message;
  *message.mutable_envelope() = std::move(envelope);
  return session_->write(std::move(message));
}

Task<void> Stream::read_all(std::shared_ptr<Stream> self) {
  while (!self->end_) {
    auto message = co_await self->session_->read();
    if (!message.ok()) {
      self->end_ = message.error();
      break;
    }
    const auto taken = self->take(*std::move(message));
    if (!taken.ok()) self->end_ = taken.error();
  }
  self->changed_.set();
  self->read_over_.set();
}

Status Stream::take(fleet::v1::ConnectResponse message) {
  switch (message.message_case()) {
    case fleet::v1::ConnectResponse::kAck:
      return take_ack(message.ack().seq());
    case fleet::v1::ConnectResponse::kCommand:
      take_command(std::move(*message.mutable_command()));
      return {};
    case fleet::v1::ConnectResponse::kRemoteConfig:
      if (shared_->on_config) shared_->on_config(message.remote_config());
      return {};
    case fleet::v1::ConnectResponse::kBaseline:
      if (shared_->on_baseline) shared_->on_baseline(message.baseline());
      return {};
    case fleet::v1::ConnectResponse::kRefusal:
      refusal_ = std::move(*message.mutable_refusal());
      return Error(Code::permission_denied, to_utf8(refusal_->message()));
    case fleet::v1::ConnectResponse::kWelcome:
      return Error(Code::internal, "the controller sent a second Welcome");
    case fleet::v1::ConnectResponse::MESSAGE_NOT_SET:
      return {};  // a kind of a later revision
  }
  return {};
}

Status Stream::take_ack(uint64_t seq) {
  if (seq > sent_seq_)
    return Error(Code::internal,
                 "the controller acknowledged " + std::to_string(seq) + ", which was never sent");
  uint64_t settled = seq;
  while (!in_flight_.empty() && (in_flight_.front().seq <= seq || in_flight_.front().skipped)) {
    settled = in_flight_.front().seq;
    in_flight_.pop_front();
  }
  settle(settled);
  changed_.set();
  return {};
}

void Stream::take_command(fleet::v1::Command command) {
  using fleet::v1::CommandResult;
  const std::string id = command.id();
  if (const auto* known = shared_->remembered.result(id)) return answer(*known);
  // Its expiry is by the controller's clock.
  const UnixMicros there = shared_->clock.now() + shared_->clock_skew_us;
  if (command.expires_at_us() <= there.value) {
    return answer(
        result_of(id, CommandResult::STATUS_EXPIRED, "the command had expired when it arrived"));
  }
  if (command.action_case() == fleet::v1::Command::ACTION_NOT_SET || !shared_->on_command) {
    return answer(result_of(id, CommandResult::STATUS_UNSUPPORTED,
                            "this agent does not know the command; a newer one may"));
  }
  if (shared_->remembered.running() >= kMaxRunningCommands) {
    return answer(result_of(id, CommandResult::STATUS_FAILED,
                            "8 commands already run on this agent; try again"));
  }
  if (shared_->remembered.begin(id) != Remembered::State::fresh)
    return;  // runs: its result comes when it is done
  spawn(*executor_, "command", run_command(shared_from_this(), std::move(command)));
}

Task<void> Stream::run_command(std::shared_ptr<Stream> self, fleet::v1::Command command) {
  const std::string id = command.id();
  auto result = co_await self->shared_->on_command(std::move(command));
  result.set_id(id);
  result.set_message(truncate_utf8(result.message(), 512));
  if (result.has_excerpt())
    result.mutable_excerpt()->set_text(truncate_utf8(result.excerpt().text(), kMaxExcerpt));
  self->shared_->remembered.finish(result);
  self->answer(std::move(result));
}

void Stream::answer(fleet::v1::CommandResult result) {
  fleet::v1::ConnectRequest message;
  *message.mutable_command_result() = std::move(result);
  // On a stream that is over, or full: the controller asks again with the same id and gets what is
  // remembered.
  if (const auto sent = session_->write(std::move(message)); !sent.ok()) {
    log::debug("a command's result could not be sent", {{"reason", sent.error().to_string()}});
  }
}

void Stream::ask(fleet::v1::BaselineRequest request) {
  if (end_ || !executor_) return;
  fleet::v1::ConnectRequest message;
  *message.mutable_baseline_request() = std::move(request);
  if (const auto sent = session_->write(std::move(message)); !sent.ok())
    log::debug("a question could not be sent", {{"reason", sent.error().to_string()}});
}

Task<void> Stream::finish() {
  const auto self = shared_from_this();
  session_->close({});
  if (!executor_) co_return;
  co_await read_over_.wait(kEndTimeout);
}

}  // namespace gitaiops::agent
