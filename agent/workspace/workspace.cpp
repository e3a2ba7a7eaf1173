#include "agent/workspace/workspace.h"

#include <atomic>
#include <chrono>

#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gitaiops::agent {
namespace {

constexpr auto kTreeLimit = std::chrono::seconds(20);  // one tree; beyond, what is known counts
constexpr int kMaxWaiting = 64;
constexpr int kNice = 10;  // jobs first

}  // namespace

bool names_checkout_of(std::string_view folder, std::string_view project) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  return folder.starts_with('/') && !project.empty() && folder.size() > project.size() &&
         folder.ends_with(project) && folder[folder.size() - project.size() - 1] == '/';
}

struct Workspace::State {
  explicit State(Observer& o) : observer(o) {}

  Observer& observer;
  asio::thread_pool thread{1};
  std::atomic<bool> ending = false;
  int waiting = 0;

  fleet::v1::InventoryReport read(const Folder& folder) const {
    // Linux: the priority is the thread's.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
    const auto until = std::chrono::steady_clock::now() + kTreeLimit;
    return compose(read_tree(
        folder, [&] { return ending.load() || std::chrono::steady_clock::now() > until; }));
  }
};

namespace {

// Reads on the thread; resumes where it was awaited.
Task<fleet::v1::InventoryReport> on_thread(std::shared_ptr<Workspace::State> state, Folder folder) {
  auto begin = [state](auto&& handler, Folder opened) {
    auto executor = asio::get_associated_executor(handler);
    auto waiting = std::make_shared<std::decay_t<decltype(handler)>>(std::move(handler));
    // The guard keeps the caller's loop running until its answer is there, and goes with it.
    auto done = [waiting, executor, guard = asio::make_work_guard(executor)](
                    fleet::v1::InventoryReport report) mutable {
      asio::post(executor,
                 [waiting = std::move(waiting), guard = std::move(guard),
                  report = std::move(report)]() mutable { (*waiting)(std::move(report)); });
    };
    asio::post(state->thread,
               [state = state.get(), done = std::move(done), folder = std::move(opened)]() mutable {
                 done(state->read(folder));
               });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(fleet::v1::InventoryReport)>(
      begin, asio::use_awaitable, std::move(folder));
}

}  // namespace

Workspace::Workspace(Observer& observer) : state_(std::make_shared<State>(observer)) {}

void Workspace::stop() {
  state_->ending = true;
}

Workspace::~Workspace() {
  stop();
  state_->thread.join();
}

namespace {

Task<Result<fleet::v1::InventoryReport>> read_opened(std::shared_ptr<Workspace::State> state,
                                                     Task<Result<Fd>> opening) {
  if (state->waiting >= kMaxWaiting)
    co_return Error(Code::resource_exhausted,
                    "more than " + std::to_string(kMaxWaiting) + " checkouts wait to be read");
  ++state->waiting;
  auto opened = co_await std::move(opening);
  if (!opened.ok()) {
    --state->waiting;
    co_return opened.error();
  }
  Folder folder(std::move(opened).value());
  auto report = co_await on_thread(state, std::move(folder));
  --state->waiting;
  co_return report;
}

}  // namespace

Task<Result<fleet::v1::InventoryReport>> Workspace::take(ProcessId runner, std::string path) {
  return read_opened(state_, state_->observer.open_checkout(runner, path));
}

Task<Result<fleet::v1::InventoryReport>> Workspace::take_inside(ContainerId container, int32_t pid,
                                                                std::string path) {
  return read_opened(state_, state_->observer.open_inside(container, pid, path));
}

}  // namespace gitaiops::agent
