// Private to controller/fleet: one agent's open stream after Welcome.
#pragma once

#include <deque>

#include "controller/fleet/fleet.h"

namespace gitaiops::fleet {

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  struct Facts {  // from the certificate and Hello
    std::string agent_id;
    uint64_t epoch = 0;
    uint32_t credit = 0;
    UnixMicros certificate_not_after;
    std::string version, observation, host_name;
    int64_t clock_skew_us = 0;  // agent minus controller
  };
  Stream(std::shared_ptr<rpc::ServerSession> session, Facts facts, ingest::Ingest& ingest,
         Counters& counters, BaselineSource on_baseline = {})
      : facts(std::move(facts)),
        on_baseline_(std::move(on_baseline)),
        session_(std::move(session)),
        ingest_(ingest),
        counters_(counters) {}

  // Reads until the stream ends. Two tasks: this one reads and counts, the other stores and
  // acknowledges, so that a peer that ignores its credit is seen and memory stays below credit ×
  // message size.
  Task<void> run();

  void welcome(v1::Welcome welcome);
  void refuse(v1::Refusal refusal, Error status);
  Task<Result<v1::CommandResult>> command(v1::Command command, std::chrono::microseconds limit);

  const Facts facts;            // before what is set from it
  bool ended_by_check = false;  // for Fleet: refused because revoked or expired, counted once
  SteadyMicros seen_written;    // for Fleet: when "last seen" was last stored

 private:
  struct Waiting {
    Event done;
    std::optional<v1::CommandResult> result;
  };
  static Task<void> answer(std::shared_ptr<Stream> self, v1::BaselineRequest request);
  static Task<void> store_all(std::shared_ptr<Stream> self);
  Status take(v1::ConnectRequest message);
  void take_result(v1::CommandResult result);
  void send(v1::ConnectResponse message);

  const BaselineSource on_baseline_;
  int asked_ = 0;
  std::optional<asio::any_io_executor> executor_;  // once it runs
  const std::shared_ptr<rpc::ServerSession> session_;
  ingest::Ingest& ingest_;
  Counters& counters_;
  std::deque<v1::Envelope> pending_;  // received, not yet durable; at most `credit`
  uint64_t last_seq_ = 0;
  Event work_, stored_all_;
  bool over_ = false;
  std::map<std::string, std::shared_ptr<Waiting>> commands_;
};

}  // namespace gitaiops::fleet
