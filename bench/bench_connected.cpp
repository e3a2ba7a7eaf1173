// What an agent that is connected and says nothing costs the controller.
//   GITAIOPS_BENCH_AGENTS  how many (5000)
//   GITAIOPS_BENCH_HOLD_S  how long they stay (60; the promise is 600)
#include <cstdio>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "bench/agents.h"
#include "bench/bench.h"

namespace gitaiops::bench {
namespace {

constexpr std::size_t kOpeningAtOnce = 100;

struct Counts {
  std::size_t opening = 0, connected = 0, lost = 0;
  bool leaving = false;
};

Task<void> stay(std::shared_ptr<rpc::ClientSession> session, Counts* counts) {
  ++counts->opening;
  const auto first = co_await session->read();
  --counts->opening;
  if (!first.ok() || !first->has_welcome()) {
    ++counts->lost;
    co_return;
  }
  ++counts->connected;
  for (;;) {
    const auto message = co_await session->read();
    if (message.ok()) continue;
    if (!counts->leaving) ++counts->lost, --counts->connected;
    co_return;
  }
}

void measure() {
  const auto agents = static_cast<std::size_t>(setting("GITAIOPS_BENCH_AGENTS", 5000));
  const auto hold = setting("GITAIOPS_BENCH_HOLD_S", 60);
  const Folder folder;
  const auto identities = make_agents(folder.path(), agents);
  const Controller controller(folder.path());
  const auto before = cost_of(controller.pid());
  asio::io_context loop;
  Counts counts;
  std::vector<std::shared_ptr<rpc::ClientSession>> sessions;
  const double begun = seconds_now();
  while (sessions.size() < agents || counts.opening > 0) {
    if (sessions.size() < agents && counts.opening < kOpeningAtOnce) {
      sessions.push_back(
          open_stream(loop.get_executor(), identities, sessions.size(), controller.fleet()));
      spawn(loop.get_executor(), "stay", stay(sessions.back(), &counts));
      loop.poll();
    } else {
      loop.run_one_for(std::chrono::milliseconds(100));
    }
  }
  const double opened = seconds_now();
  const auto first = cost_of(controller.pid());
  loop.run_for(std::chrono::seconds(hold));
  const auto after = cost_of(controller.pid());
  const auto connected = static_cast<double>(counts.connected);
  fact("connected agents held for " + std::to_string(hold) + " s", connected, "agents");
  row("lost while held", static_cast<double>(counts.lost), "agents", 0, Better::lower);
  row("a connected agent at the controller", (after.pss_mb - before.pss_mb) * 1000 / connected,
      "KB PSS", 150, Better::lower);
  fact("their processor together", (after.cpu_s - first.cpu_s) / (seconds_now() - opened) * 100,
       "% of a core");
  fact("connecting, each with a handshake", connected / (opened - begun), "agents/s");
  counts.leaving = true;
  for (const auto& session : sessions) session->cancel();
  loop.run_for(std::chrono::seconds(5));
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  gitaiops::bench::raise_file_limit();
  gitaiops::bench::measure();
  std::fflush(stdout);
  std::_Exit(gitaiops::bench::verdict());  // thousands of channels need not be taken down in order
}
