// Stands in for journal_source.cpp where libsystemd was not found at build time.
#include "agent/sources/kinds.h"

namespace gitaiops::agent {
namespace {

class NoJournal final : public LogSource {
 public:
  explicit NoJournal(std::string name) {
    state_.name = std::move(name);
    state_.reads = "nothing";
  }
  Task<Result<SourceBatch>> next() override {
    SourceBatch batch;
    set_problem(state_, batch,
                "this agent was built without libsystemd and cannot read the journal",
                "read the runner's log from a file instead, or install a build with libsystemd");
    if (!batch.problems.empty()) co_return batch;
    for (bool slept = true; slept;) slept = co_await sleep_for(std::chrono::hours(1));
    co_return Error(Code::cancelled, "the journal");
  }
  SourceState state() const override { return state_; }

 private:
  SourceState state_;
};

}  // namespace

std::unique_ptr<LogSource> make_journal_source(World, std::string name, std::optional<Cursor>) {
  return std::make_unique<NoJournal>(std::move(name));
}

}  // namespace gitaiops::agent
