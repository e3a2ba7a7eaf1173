// Whatever was found on disk: a refusal, or a tracker that saves what it read and goes on working.
#include <cstdlib>

#include "agent/tracker/tracker.h"

using namespace gitaiops;
using namespace gitaiops::agent;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Tracker tracker;
  if (!tracker.restore({reinterpret_cast<const char*>(data), size}).ok()) return 0;
  const auto saved = tracker.save();
  Tracker again;
  if (!again.restore(saved).ok() || again.save() != saved) std::abort();

  constexpr int64_t kUtc = 1'700'000'000'000'000;
  const TraceId trace{1, 2, (kUtc + 1000) * 1000};
  again.on_fact(
      {{"lab", 7}, Field::received_at, std::to_string(kUtc), Source::runner_log, {kUtc}, 0, 0},
      {1000});
  again.on_trace_opened(trace, {1, 1}, {2000});
  ProcessSample process;
  process.id = process.root = {5, 1};
  process.cwd = "/b/tok/0/grp/demo";
  again.on_processes({process}, {3000});
  again.on_trace_closed(trace, {4000}, UnixMicros{kUtc + 4000});
  again.on_fact({{"lab", 7}, Field::outcome, "failed", Source::runner_log, {kUtc}, 0, 0}, {5000});
  again.take_started();
  again.take_finished({2'000'000'000});
  again.take_orphaned_traces({2'000'000'000});
  again.next_deadline();
  return 0;
}
