// The runner's list of running jobs, asked for every two seconds.
#include "agent/sources/debug_jobs.h"
#include "agent/sources/kinds.h"
#include "base/http/get.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::seconds kPeriod{2};
constexpr std::chrono::milliseconds kTimeout{1500};
constexpr std::size_t kMaxBody = 1 << 20;

class DebugSource final : public LogSource {
 public:
  DebugSource(World world, std::string name)
      : world_(std::move(world)), reader_(world_->instances) {
    state_.name = std::move(name);
    state_.reads = "the runner's list of jobs at http://" + world_->options.debug_host + ":" +
                   std::to_string(world_->options.debug_port) + "/debug/jobs/list";
  }

  Task<Result<SourceBatch>> next() override {
    SourceBatch batch;
    for (;;) {
      if (asked_ && !co_await sleep_for(kPeriod))
        co_return Error(Code::cancelled, "asking the runner for its jobs");
      asked_ = true;
      const auto& options = world_->options;
      auto answer = co_await http::get(options.debug_host, options.debug_port, "/debug/jobs/list",
                                       kTimeout, kMaxBody);
      take(answer, batch);
      if (!batch.facts.empty() || !batch.problems.empty()) co_return batch;
    }
  }

  SourceState state() const override {
    auto state = state_;
    const auto& counters = reader_.counters();
    state.lines = counters.lines;
    state.records = counters.records;
    state.unknown_hosts = counters.unknown_hosts;
    state.unreadable = counters.unreadable;
    return state;
  }

 private:
  void take(const Result<http::Fetched>& answer, SourceBatch& batch) {
    const std::string cure = "set listen_address = \"" + world_->options.debug_host + ":" +
                             std::to_string(world_->options.debug_port) +
                             "\" in the runner's config.toml";
    if (!answer.ok()) return set_problem(state_, batch, answer.error().to_string(), cure);
    if (answer->status != 200)
      return set_problem(state_, batch,
                         "/debug/jobs/list answered with status " + std::to_string(answer->status),
                         cure);
    clear_problem(state_);
    const auto now = world_->clock->now();
    reader_.feed(answer->body, now, batch.facts);
    if (!batch.facts.empty()) state_.last_line = now;
  }

  const World world_;
  DebugJobsReader reader_;
  SourceState state_;
  bool asked_ = false;
};

}  // namespace

std::unique_ptr<LogSource> make_debug_source(World world, std::string name) {
  return std::make_unique<DebugSource>(std::move(world), std::move(name));
}

}  // namespace gitaiops::agent
