// The cursor on the outbox, and what hangs the reactions onto the queue.
#include "base/log/log.h"
#include "controller/reactions/decide.h"
#include "controller/reactions/reactions.h"

namespace gitaiops::reactions {
namespace {

constexpr std::string_view kConsumer = "reactions";
constexpr std::size_t kEventsAtOnce = 256;
constexpr std::chrono::seconds kIdle{1};  // also how long stop() may take
constexpr std::chrono::seconds kStoreTrouble{1};

}  // namespace

Reactions::Reactions(store::Store& store, const Clock& clock,
                     std::map<std::string, gitlab::Gitlab*> instances, note::Composer composer,
                     Options options)
    : store_(store),
      clock_(clock),
      instances_(std::move(instances)),
      composer_(std::move(composer)),
      options_(options) {}

void Reactions::attach(queue::Worker& worker) {
  worker.handle(std::string(kResolveJob),
                [this](store::Work work) { return resolve_job(std::move(work)); });
  worker.handle(std::string(kUpdateNote),
                [this](store::Work work) { return update_note(std::move(work)); });
  worker.handle(std::string(kRefreshNotes),
                [this](store::Work work) { return refresh_notes(std::move(work)); });
}

void Reactions::stop() {
  stopped_.set();
}

Task<void> Reactions::follow() {
  while (!stopped_.is_set()) {
    const Status status = co_await follow_once();
    if (status.ok()) continue;
    log::error("the outbox cannot be followed", {{"error", status.error().to_string()}});
    co_await stopped_.wait(kStoreTrouble);
  }
}

Task<Status> Reactions::follow_once() {
  CO_ASSIGN_OR_RETURN(const uint64_t at, co_await store_.cursor(std::string(kConsumer)));
  CO_ASSIGN_OR_RETURN(const auto events, co_await store_.events_after(at, kEventsAtOnce));
  if (events.empty()) {
    co_await store_.wait_event(at, kIdle);
    co_return Status();
  }
  auto work = work_for(events, clock_.now());
  co_return co_await store_.advance(std::string(kConsumer), events.back().number, std::move(work));
}

}  // namespace gitaiops::reactions
