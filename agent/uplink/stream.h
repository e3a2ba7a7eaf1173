// Private to agent/uplink: one stream from Hello to its end. Two tasks: one reads what the
// controller says, the other sends the spool within the credit.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "agent/uplink/remembered.h"
#include "agent/uplink/uplink.h"
#include "base/rpc/rpc.h"

namespace gitaiops::agent {

// What outlives a single stream.
struct Shared {
  Spool& spool;
  const Clock& clock;
  CommandHandler on_command;
  RemoteConfigHandler on_config;
  Remembered remembered;
  int64_t clock_skew_us = 0;  // controller minus agent, at the last Welcome
  uint64_t acknowledged_seq = 0;
  uint64_t oversized = 0;  // envelopes that no controller would take, skipped
  BaselineHandler on_baseline = {};
};

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<Shared> shared, std::shared_ptr<rpc::ClientSession> session)
      : shared_(std::move(shared)), session_(std::move(session)) {}

  // Hello, then Welcome (ok) or why not; a Refusal is in refusal().
  Task<Status> open(fleet::v1::Hello hello);
  const std::optional<fleet::v1::Refusal>& refusal() const { return refusal_; }

  // Sends and reads until the stream ends, `until` has passed (ok: the caller has something to do),
  // or stop().
  Task<Status> run(UnixMicros until);
  // Ends the stream and waits for its reader.
  Task<void> finish();
  void stop() { session_->cancel(); }
  void ask(fleet::v1::BaselineRequest request);

 private:
  struct Sent {
    uint64_t seq = 0;
    bool skipped = false;  // not sent: acknowledged as soon as all before it are
  };
  static Task<void> read_all(std::shared_ptr<Stream> self);
  static Task<void> run_command(std::shared_ptr<Stream> self, fleet::v1::Command command);
  Status take(fleet::v1::ConnectResponse message);
  Status take_ack(uint64_t seq);
  void take_command(fleet::v1::Command command);
  void answer(fleet::v1::CommandResult result);
  void settle(uint64_t seq);
  Status send(fleet::v1::Envelope envelope);
  std::size_t room() const { return in_flight_.size() < credit_ ? credit_ - in_flight_.size() : 0; }

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<rpc::ClientSession> session_;
  std::optional<fleet::v1::Refusal> refusal_;
  std::size_t credit_ = 0;
  uint64_t sent_seq_ = 0;
  std::deque<Sent> in_flight_;
  std::optional<Error> end_;
  std::optional<asio::any_io_executor> executor_;  // once open
  Event changed_, read_over_;
};

}  // namespace gitaiops::agent
