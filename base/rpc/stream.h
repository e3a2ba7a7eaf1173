// Private to base/rpc: one stream as a state machine on our executor. gRPC's reactors call post_*()
// from their threads and do nothing else; every operation on the reactor is started here, on the
// executor, so that no lock is needed and the rules hold: one read and one write in flight, and
// nothing is started once `released_` is set. Tested by tests/unit/rpc.
#pragma once

#include <deque>
#include <optional>

#include <asio/post.hpp>

#include "base/rpc/rpc.h"
#include "base/rpc/wire.h"

namespace gitaiops::rpc {

template <class In, class Out>
class Stream : public Session<In, Out>, public std::enable_shared_from_this<Stream<In, Out>> {
 public:
  Stream(asio::any_io_executor executor, Peer peer)
      : executor_(executor), peer_(std::move(peer)), grace_(executor) {}

  // -- Session, on the executor --

  Task<Result<In>> read() final {
    const auto self = this->shared_from_this();
    for (;;) {
      if (!inbox_.empty()) {
        In message = std::move(inbox_.front());
        inbox_.pop_front();
        pump();
        co_return message;
      }
      if (end_) co_return *end_;
      news_.reset();
      co_await news_.wait();
    }
  }

  Status write(Out message) final {
    if (closing_ || end_ || broken_) return Error(Code::unavailable, "the stream is over");
    if (outbox_.size() >= kWriteQueue) {
      return Error(Code::resource_exhausted,
                   "the other side does not take what is sent: 128 messages are waiting");
    }
    outbox_.push_back(std::move(message));
    pump();
    return {};
  }

  void close(Status why) final {
    if (closing_) return;
    closing_ = std::move(why);
    pump();
    if (gone_) return;
    grace_.expires_after(kCloseGrace);
    grace_.async_wait([self = this->shared_from_this()](const asio::error_code& stopped) {
      if (!stopped) self->cancel();
    });
  }

  void cancel() final {
    broken_ = true;
    cancel_call();
    pump();
  }

  const Peer& peer() const final { return peer_; }

  void begin() { pump(); }

  // -- What gRPC reports, any thread --

  void post_read(bool ok) { on_executor(&Stream::on_read, ok); }
  void post_written(bool ok) { on_executor(&Stream::on_written, ok); }
  void post_end(Error why) { on_executor(&Stream::on_end, std::move(why)); }
  // The last word: nothing is posted after it, and gRPC's thread keeps nothing, so that who has
  // read the end may stop the loop.
  static void post_gone(std::shared_ptr<Stream> self, Error why) {
    const auto executor = self->executor_;
    asio::post(executor, [self = std::move(self), why = std::move(why)]() mutable {
      self->on_gone(std::move(why));
    });
  }

 protected:
  // -- Operations of the reactor; called on the executor, at most as often as the rules above allow
  // --
  virtual void start_read(In* into) = 0;
  virtual void start_write(const Out* message) = 0;
  virtual void finish_writing(const Status& why) = 0;  // once, after the last write
  virtual void cancel_call() = 0;  // any number of times, also when the call is gone
  virtual void reads_ended() = 0;  // once: nothing more will come

  void release() { released_ = true; }
  bool released() const { return released_; }
  // The stream's end as read() tells it; the first reason stays.
  void on_end(Error why) {
    if (!end_) end_ = std::move(why);
    news_.set();
  }

 private:
  template <class Argument>
  void on_executor(void (Stream::*member)(Argument), std::type_identity_t<Argument> argument) {
    asio::post(executor_,
               [self = this->shared_from_this(), member, argument = std::move(argument)]() mutable {
                 (self.get()->*member)(std::move(argument));
               });
  }

  void on_read(bool ok) {
    reading_ = false;
    if (ok) {
      inbox_.push_back(std::move(incoming_));
      incoming_ = In();
      news_.set();
    } else {
      read_ended_ = true;
      reads_ended();
    }
    pump();
  }

  void on_written(bool ok) {
    writing_ = false;
    if (!outbox_.empty()) outbox_.pop_front();
    if (!ok) broken_ = true;
    pump();
  }

  void on_gone(Error why) {
    gone_ = true;
    grace_.cancel();
    on_end(std::move(why));
  }

  void pump() {
    if (released_) return;
    if (!reading_ && !read_ended_ && inbox_.size() < kReadAhead) {
      reading_ = true;
      start_read(&incoming_);
    }
    if (writing_) return;
    if (broken_) outbox_.clear();
    if (!outbox_.empty()) {
      writing_ = true;
      start_write(&outbox_.front());
    } else if (closing_ && !finished_) {
      finished_ = true;
      finish_writing(*closing_);
    }
  }

  const asio::any_io_executor executor_;
  const Peer peer_;

  // Only on the executor.
  asio::steady_timer grace_;
  Event news_;
  std::deque<In> inbox_;
  In incoming_;
  std::deque<Out> outbox_;  // the front one is in flight while writing_
  std::optional<Status> closing_;
  std::optional<Error> end_;
  bool reading_ = false, read_ended_ = false;
  bool writing_ = false, broken_ = false;
  bool finished_ = false, released_ = false, gone_ = false;
};

}  // namespace gitaiops::rpc
