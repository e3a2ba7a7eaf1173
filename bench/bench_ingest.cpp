// Reports a second over real mutual TLS, durable, with indexes and outbox, from 200 agents that
// send at a steady pace from this same machine: 8 KiB in the median, 64 KiB at most.
//   GITAIOPS_BENCH_SECONDS  how long (60)
//   GITAIOPS_BENCH_RATE     reports a second that are sent (2200)
#include <cmath>
#include <cstdio>
#include <deque>
#include <random>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "base/crypto/crypto.h"
#include "bench/agents.h"
#include "bench/bench.h"

namespace gitaiops::bench {
namespace {

constexpr std::size_t kAgents = 200;
constexpr std::size_t kPayloads = 256;

struct Run {
  std::vector<fleet::v1::Envelope> payloads;
  std::vector<double> latencies_s;
  double begun = 0, end = 0, last_ack = 0, interval_s = 0;
  uint64_t sent = 0;
  int lost = 0;
};

// A report of about that size, within the contract's limits for each part.
fleet::v1::Envelope report_of(std::size_t bytes) {
  fleet::v1::Envelope envelope;
  auto& report = *envelope.mutable_job_report();
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  report.mutable_key()->set_instance("main");
  report.mutable_key()->set_project_id(7);
  report.mutable_key()->set_project_path("group/ring");
  auto& diagnosis = *report.mutable_diagnosis();
  diagnosis.set_category("test_failure");
  diagnosis.set_owner("test");
  const std::size_t packet = std::min<std::size_t>(bytes, 12 << 10);
  diagnosis.add_packet()->set_text(std::string(packet, 'p'));
  for (std::size_t left = bytes - packet; left > 600; left -= std::min<std::size_t>(left, 520))
    diagnosis.add_failing_tests()->set_name(std::string(500, 't'));
  return envelope;
}

std::vector<fleet::v1::Envelope> make_payloads() {
  std::mt19937 random(1);
  std::lognormal_distribution<double> size(std::log(8.0 * 1024), 0.8);
  std::vector<fleet::v1::Envelope> out;
  for (std::size_t i = 0; i < kPayloads; ++i)
    out.push_back(report_of(
        std::min<std::size_t>(static_cast<std::size_t>(size(random)), (64 << 10) - 2000)));
  return out;
}

struct Agent {
  std::shared_ptr<rpc::ClientSession> session;
  std::deque<std::pair<uint64_t, double>> in_flight;
  std::size_t credit = 0;
  uint64_t seq = 0;
};

Task<void> read_acks(Agent* agent, Run* run) {
  for (;;) {
    const auto message = co_await agent->session->read();
    if (!message.ok()) co_return;
    if (message->has_welcome()) agent->credit = message->welcome().credit();
    if (!message->has_ack()) continue;
    run->last_ack = seconds_now();
    while (!agent->in_flight.empty() && agent->in_flight.front().first <= message->ack().seq()) {
      run->latencies_s.push_back(run->last_ack - agent->in_flight.front().second);
      agent->in_flight.pop_front();
    }
  }
}

// Reports become due at a steady pace; one that waits for credit has been waiting since then.
Task<void> send_reports(Agent* agent, Run* run, std::size_t number) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  double due = run->begun + run->interval_s * static_cast<double>(number) / kAgents;
  for (; due < run->end; due += run->interval_s) {
    while (seconds_now() < due || agent->in_flight.size() + 1 >= agent->credit) {
      const double wait = std::max(due - seconds_now(), 0.002);
      timer.expires_after(std::chrono::microseconds(static_cast<int64_t>(wait * 1e6)));
      co_await timer.async_wait(asio::use_awaitable);
      if (seconds_now() > run->end + 30) co_return;
    }
    fleet::v1::ConnectRequest message;
    auto& envelope = *message.mutable_envelope();
    envelope = run->payloads[run->sent % kPayloads];
    envelope.set_seq(++agent->seq);
    envelope.mutable_job_report()->set_report_id(crypto::uuid7(system_clock().now()));
    envelope.mutable_job_report()->mutable_key()->set_job_id(static_cast<int64_t>(++run->sent));
    agent->in_flight.emplace_back(agent->seq, due);
    if (!agent->session->write(std::move(message)).ok()) {
      ++run->lost;
      co_return;
    }
  }
  while (!agent->in_flight.empty() && seconds_now() < run->end + 30) {
    timer.expires_after(std::chrono::milliseconds(20));
    co_await timer.async_wait(asio::use_awaitable);
  }
  agent->session->cancel();
}

void measure() {
  const Folder folder;
  const double disk_ms = fsync_ms(folder.path());
  const auto identities = make_agents(folder.path(), kAgents);
  const Controller controller(folder.path());
  Run run;
  run.payloads = make_payloads();
  const auto seconds = static_cast<double>(setting("GITAIOPS_BENCH_SECONDS", 60));
  run.interval_s =
      static_cast<double>(kAgents) / static_cast<double>(setting("GITAIOPS_BENCH_RATE", 2200));
  std::vector<Agent> agents(kAgents);
  asio::io_context loop;
  for (std::size_t i = 0; i < kAgents; ++i) {
    agents[i].session = open_stream(loop.get_executor(), identities, i, controller.fleet());
    spawn(loop.get_executor(), "acks", read_acks(&agents[i], &run));
  }
  // Connecting is not measured.
  while (std::any_of(agents.begin(), agents.end(), [](const Agent& a) { return a.credit == 0; }))
    loop.run_one_for(std::chrono::milliseconds(100));
  const auto before = cost_of(controller.pid());
  run.begun = seconds_now();
  run.end = run.begun + seconds;
  for (std::size_t i = 0; i < kAgents; ++i)
    spawn(loop.get_executor(), "reports", send_reports(&agents[i], &run, i));
  loop.run();
  const auto after = cost_of(controller.pid());
  const double taken = run.last_ack - run.begun;
  const double rate = static_cast<double>(run.latencies_s.size()) / taken;
  fact("one fdatasync on this disk", disk_ms, "ms");
  row("ingest, 200 agents over mTLS, durable", rate, "reports/s", 2000, Better::higher);
  row("ingest, acknowledgement, p99", quantile(run.latencies_s, 0.99) * 1000, "ms", 500,
      Better::lower);
  fact("ingest, acknowledgement, median", quantile(run.latencies_s, 0.5) * 1000, "ms");
  fact("ingest, controller's processor", (after.cpu_s - before.cpu_s) / taken * 100, "% of a core");
  fact("ingest, controller's memory afterwards", after.pss_mb, "MB PSS");
  if (run.lost > 0) std::printf("error: %d agents were thrown out\n", run.lost);
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  gitaiops::bench::raise_file_limit();
  gitaiops::bench::measure();
  return gitaiops::bench::verdict();
}
