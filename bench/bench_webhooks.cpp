// Events of GitLab at a steady pace, signed, over kept-alive connections: each is on the disk
// before it is answered. Among them some that are forged, too late, or sent twice. A latency counts
// from when the event was due, so that a controller that stalls is charged for all it kept waiting.
//   GITAIOPS_BENCH_EVENTS_A_SECOND  the pace (1000)
//   GITAIOPS_BENCH_SECONDS          for how long (10)
#include <cstdio>
#include <fstream>
#include <memory>

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include "base/clock/clock.h"
#include "base/crypto/crypto.h"
#include "base/io/io.h"
#include "base/sqlite/connection.h"
#include "bench/bench.h"

namespace gitaiops::bench {
namespace {

using asio::ip::tcp;

constexpr int kConnections = 64;  // GitLab's workers
constexpr int kOddOneIn = 50;     // forged, late and doubled ones, each
const std::string kKey(32, 'k');

struct Shot {
  std::string bytes;
  int expected = 200;
};

struct Run {
  std::vector<Shot> shots;
  double begun = 0, pace = 0;
  std::vector<double> ms;
  int wrong = 0, overloaded = 0;
};

std::string hex(const crypto::Sha256& mac) {
  return crypto::base64_encode({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

// A job's event as large as GitLab's are.
std::string payload(int64_t n) {
  return "{\"object_kind\":\"build\",\"build_id\":" + std::to_string(n) +
         ",\"build_status\":\"success\",\"project_id\":7,\"project\":{\"id\":7,"
         "\"path_with_namespace\":\"group/project\"},\"commit\":{\"message\":\"" +
         std::string(2500, static_cast<char>('a' + n % 26)) + "\"}}";
}

Shot shot(int64_t n, int64_t same_as) {
  const std::string body = payload(same_as), id = "event-" + std::to_string(same_as);
  const int64_t now = system_clock().now().value / kMicrosPerSecond;
  const bool late = n % kOddOneIn == 1, forged = n % kOddOneIn == 2;
  const std::string timestamp = std::to_string(late ? now - 900 : now);
  const auto mac =
      crypto::hmac_sha256(forged ? "another key" : kKey, id + "." + timestamp + "." + body);
  Shot out;
  out.expected = late || forged ? 401 : 200;
  out.bytes =
      "POST /webhooks/gitlab/main HTTP/1.1\r\nHost: controller\r\nContent-Type: "
      "application/json\r\nX-Gitlab-Event: Job Hook\r\nIdempotency-Key: " +
      id + "\r\nwebhook-id: " + id + "\r\nwebhook-timestamp: " + timestamp +
      "\r\nwebhook-signature: v1," + hex(mac) +
      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  return out;
}

Task<void> send_some(Run* run, uint16_t port, std::size_t first) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::socket socket(executor);
  asio::steady_timer timer(executor);
  co_await socket.async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
  socket.set_option(tcp::no_delay(true));
  std::string answer;
  for (std::size_t i = first; i < run->shots.size(); i += kConnections) {
    const double due = run->begun + static_cast<double>(i) / run->pace;
    const double ahead = due - seconds_now();
    if (ahead > 0) {
      timer.expires_after(std::chrono::microseconds(static_cast<int64_t>(ahead * 1e6)));
      co_await timer.async_wait(asio::use_awaitable);
    }
    const Shot& one = run->shots[i];
    co_await asio::async_write(socket, asio::buffer(one.bytes), asio::use_awaitable);
    answer.clear();
    const std::size_t head = co_await asio::async_read_until(socket, asio::dynamic_buffer(answer),
                                                             "\r\n\r\n", asio::use_awaitable);
    const auto length_at = answer.find("Content-Length: ");
    const std::size_t length = length_at == std::string::npos || length_at > head
                                   ? 0
                                   : std::stoul(answer.substr(length_at + 16, 12));
    while (answer.size() < head + length) {
      char more[4096];
      const std::size_t got =
          co_await socket.async_read_some(asio::buffer(more), asio::use_awaitable);
      answer.append(more, got);
    }
    run->ms.push_back((seconds_now() - due) * 1000);
    const int status = std::stoi(answer.substr(9, 3));
    run->overloaded += status == 503;
    run->wrong += status != one.expected;
  }
}

int64_t kept(const std::filesystem::path& folder) {
  const auto c = sqlite::Connection::open((folder / "state/controller.db").string(),
                                          sqlite::Connection::Mode::read_only);
  return c.ok() ? (*c)->integer("SELECT count(*) FROM deliveries").value_or(-1) : -1;
}

void secret(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text << "\n";
  std::filesystem::permissions(
      file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void measure() {
  const int64_t pace = setting("GITAIOPS_BENCH_EVENTS_A_SECOND", 1000);
  const int64_t count = pace * setting("GITAIOPS_BENCH_SECONDS", 10);
  const Folder folder;
  std::filesystem::create_directory(folder.path() / "state");
  secret(folder.path() / "hook", "whsec_" + crypto::base64_encode(kKey));
  secret(folder.path() / "token", "glpat");
  const auto file = [&](const char* name) { return (folder.path() / name).string(); };
  const Controller controller(
      folder.path(), "[[gitlab]]\nid = \"main\"\nurl = \"http://127.0.0.1:9\"\ntoken_file = \"" +
                         file("token") + "\"\nwebhook_secret_files = [\"" + file("hook") + "\"]\n");
  Run run;
  run.pace = static_cast<double>(pace);
  int64_t unique = 0;
  for (int64_t n = 0; n < count; ++n) {
    const bool doubled = n % kOddOneIn == 3 && n > kConnections;
    run.shots.push_back(shot(n, doubled ? n - kOddOneIn - 3 + 10 : n));
    unique += run.shots.back().expected == 200 && !doubled;
  }
  fact("one fdatasync here", fsync_ms(folder.path()), "ms");
  const double cpu = cost_of(controller.pid()).cpu_s;
  asio::io_context loop;
  run.begun = seconds_now() + 0.2;
  for (std::size_t i = 0; i < kConnections; ++i)
    spawn(loop.get_executor(), "hook", send_some(&run, controller.api_port(), i));
  loop.run();
  const double took = seconds_now() - run.begun;
  const std::string what = "webhooks, " + std::to_string(pace) + " a second, durable: ";
  row(what + "accepted", static_cast<double>(run.ms.size()) / took, "/s",
      0.98 * static_cast<double>(pace), Better::higher);
  row(what + "p99 of the answer", quantile(run.ms, 0.99), "ms", 50, Better::lower);
  fact(what + "median", quantile(run.ms, 0.5), "ms");
  fact(what + "slowest", quantile(run.ms, 1), "ms");
  row(what + "answered otherwise than they should", run.wrong, "", 0, Better::lower);
  row(what + "lost or kept twice", static_cast<double>(std::abs(kept(folder.path()) - unique)), "",
      0, Better::lower);
  fact(what + "busy (503)", run.overloaded, "");
  fact(what + "the controller's processor time for each second",
       (cost_of(controller.pid()).cpu_s - cpu) / took, "s");
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  gitaiops::bench::measure();
  return gitaiops::bench::verdict();
}
