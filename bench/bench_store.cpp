// What the durable parts reach on this disk: reports a second into the controller's store, appends
// a second into the agent's spool, one at a time and many in flight, beside what one fdatasync
// costs here.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>

#include <asio/io_context.hpp>

#include "agent/spool/spool.h"
#include "bench/bench.h"
#include "controller/store/store.h"

namespace gitaiops {
namespace {

using Seconds = std::chrono::duration<double>;

fleet::v1::Envelope failed_job(uint64_t number) {
  fleet::v1::Envelope envelope;
  envelope.set_seq(number);
  auto& report = *envelope.mutable_job_report();
  report.set_report_id(std::to_string(number));
  report.mutable_key()->set_instance("gitlab");
  report.mutable_key()->set_job_id(static_cast<int64_t>(number));
  report.mutable_key()->set_project_path("group/project" + std::to_string(number % 50));
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  report.mutable_diagnosis()->set_category("test_failure");
  report.mutable_diagnosis()->add_evidence()->set_text(std::string(6'000, 'e'));
  report.mutable_diagnosis()->add_packet()->set_text(std::string(8'000, 'p'));
  return envelope;
}

// Runs `total` calls, `in_flight` at a time; calls a second.
double rate(uint64_t total, int in_flight, const std::function<Task<bool>(uint64_t number)>& call) {
  asio::io_context loop;
  uint64_t next = 0;
  uint64_t failed = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < in_flight; ++i)
    spawn(loop.get_executor(), "bench",
          [](const std::function<Task<bool>(uint64_t)>& act, uint64_t& number, uint64_t& bad,
             uint64_t last) -> Task<void> {
            while (number < last) {
              const bool ok = co_await act(++number);
              if (!ok) ++bad;
            }
          }(call, next, failed, total));
  loop.run();
  if (failed > 0) std::printf("error: %lu calls failed\n", static_cast<unsigned long>(failed));
  return failed > 0 ? 0
                    : static_cast<double>(total) /
                          Seconds(std::chrono::steady_clock::now() - begun).count();
}

template <class T>
Task<bool> succeeds(Task<T> task) {
  const auto answer = co_await std::move(task);
  co_return answer.ok();
}

// Many agents, as in life: each message has an epoch of its own.
Task<bool> accepted(store::Store& store, uint64_t number) {
  return succeeds(store.accept("agent", number, failed_job(number), system_clock().now()));
}

Task<bool> appended(agent::Spool& spool, uint64_t number) {
  agent::SpoolBatch batch;
  batch.messages.push_back(failed_job(number));
  batch.cursors["log"] = std::to_string(number);
  const auto answer = co_await spool.append(std::move(batch));
  if (answer.ok() && number % 16 == 0) spool.acknowledged(*answer - 8);
  co_return answer.ok();
}

bool enroll(store::Store& store) {
  const auto now = system_clock().now();
  store::EnrollmentToken token;
  token.id = "token";
  token.secret_sha256 = "hash";
  token.expires_at = now + 3600 * kMicrosPerSecond;
  token.scope = store::everything();
  store::Agent agent;
  agent.id = "agent";
  return rate(1, 1, [&](uint64_t) { return succeeds(store.add_enrollment_token(token)); }) > 0 &&
         rate(1, 1, [&](uint64_t) { return succeeds(store.enroll_agent("hash", agent, now)); }) > 0;
}

int run(const std::filesystem::path& folder) {
  const double disk_ms = bench::fsync_ms(folder);
  bench::fact("one fdatasync on this disk", disk_ms, "ms");
  // One at a time cannot be quicker than the disk: on a slow one the target is most of what it
  // gives.
  const double single = std::min(200.0, 0.7 * 1000 / disk_ms);
  const auto row = [](const char* what, double figure, double target) {
    bench::row(what, figure, "/s", target, bench::Better::higher);
  };
  {
    auto store = store::open_sqlite({folder / "store.db"}, system_clock());
    auto spool = agent::Spool::open({folder / "spool.db"}, system_clock());
    if (!store.ok() || !spool.ok() || !enroll(**store)) {
      std::printf("error: cannot work in %s\n", folder.c_str());
      return 1;
    }
    const auto accept_from = [&store](uint64_t first) {
      return [&store, first](uint64_t number) { return accepted(**store, first + number); };
    };
    const auto append = [&spool](uint64_t number) { return appended(**spool, number); };
    bench::fact("store, reports of 14 kB, 1 in flight", rate(1000, 1, accept_from(0)), "/s");
    row("store, reports of 14 kB, 64 in flight", rate(8000, 64, accept_from(1'000'000)), 500);
    row("spool, appends, 1 in flight", rate(1000, 1, append), single);
    row("spool, appends, 64 in flight", rate(20'000, 64, append), 2000);
  }
  return bench::verdict();
}

}  // namespace
}  // namespace gitaiops

int main() {
  const gitaiops::bench::Folder folder;
  return gitaiops::run(folder.path());
}
