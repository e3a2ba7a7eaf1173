// A spool in memory.
#pragma once

#include <map>

#include "agent/spool/spool.h"

namespace gitaiops::testing {

class FakeSpool final : public agent::Spool {
 public:
  void add(fleet::v1::Envelope envelope) {
    envelope.set_seq(++newest_);
    messages_[newest_] = std::move(envelope);
    news_.set();
  }
  void add_started(int64_t job) {
    fleet::v1::Envelope envelope;
    auto& key = *envelope.mutable_job_started()->mutable_key();
    key.set_instance("main");
    key.set_project_id(7);
    key.set_job_id(job);
    add(std::move(envelope));
  }
  std::size_t size() const { return messages_.size(); }
  void set_newest(uint64_t newest) { newest_ = newest; }

  uint64_t epoch() const override { return 77; }
  uint64_t oldest_seq() const override { return messages_.empty() ? 0 : messages_.begin()->first; }
  uint64_t newest_seq() const override { return newest_; }
  Task<Result<uint64_t>> append(agent::SpoolBatch batch) override {
    for (auto& message : batch.messages) add(std::move(message));
    co_return newest_;
  }
  Task<Result<std::vector<fleet::v1::Envelope>>> after(uint64_t seq, std::size_t limit) override {
    std::vector<fleet::v1::Envelope> out;
    for (auto at = messages_.upper_bound(seq); at != messages_.end() && out.size() < limit; ++at)
      out.push_back(at->second);
    co_return out;
  }
  void acknowledged(uint64_t seq) override {
    messages_.erase(messages_.begin(), messages_.upper_bound(seq));
  }
  Task<void> wait_after(uint64_t seq, std::chrono::microseconds limit) override {
    if (newest_ > seq) co_return;
    news_.reset();
    co_await news_.wait(limit);
  }
  Task<Result<std::map<std::string, std::string>>> cursors() override {
    co_return std::map<std::string, std::string>();
  }
  Task<Result<std::string>> tracker_state() override { co_return std::string(); }
  Stats stats() const override { return {}; }

 private:
  std::map<uint64_t, fleet::v1::Envelope> messages_;
  uint64_t newest_ = 0;
  Event news_;
};

}  // namespace gitaiops::testing
