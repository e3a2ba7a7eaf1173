#include "agent/status/status.h"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/http/get.h"

namespace gitaiops::agent {
namespace {

using asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;

StatusSnapshot troubled() {
  StatusSnapshot s;
  s.version = "0.1.0";
  s.uptime_us = (3 * 3600 + 12 * 60) * kMicrosPerSecond;
  s.link_state = "waiting";
  s.link_detail = "connection refused <script>alert(1)</script>";
  s.controller = "ctl.example:7461";
  s.certificate_not_after = {1'700'000'000'000'000};
  s.runners = {"gitlab-runner (pid 812)"};
  s.open_jobs = 2;
  s.jobs_reported = 31;
  s.withheld_traces = 1;
  s.explanations = {"two jobs began at once\x1b[31m\nand one more line"};
  s.spool_bytes = 3 << 20;
  s.spool_messages = 5;
  s.spool_oldest_us = 20 * 60 * kMicrosPerSecond;
  s.spool_damaged = 1;
  s.dropped = 4;
  s.sources = {{"journal", "gitlab-runner.service", 120, 14, UnixMicros{1'700'000'000'000'000},
                "not readable", "join the group adm"}};
  return s;
}

class StatusPageTest : public testing::Test {
 protected:
  // Runs the page while the client works.
  void serve(std::function<Task<void>(uint16_t)> client) {
    auto page = StatusPage::listen(loop_.get_executor(), {.port = 0}, [this] { return snapshot_; });
    ASSERT_TRUE(page.ok()) << page.error().to_string();
    spawn(loop_.get_executor(), "page", (*page)->run());
    spawn(loop_.get_executor(), "client", scenario(client, **page));
    loop_.restart();
    loop_.run();
  }
  Task<void> scenario(std::function<Task<void>(uint16_t)> client, StatusPage& page) {
    co_await client(page.port());
    page.stop();
  }
  http::Fetched fetch(const std::string& target) {
    http::Fetched result;
    serve([&](uint16_t port) -> Task<void> {
      auto fetched =
          co_await http::get("localhost", port, target, std::chrono::seconds(10), 1 << 20);
      if (fetched.ok()) result = *fetched;
    });
    return result;
  }
  std::string exchange(const std::string& bytes) {
    std::string answer;
    serve([&](uint16_t port) -> Task<void> {
      tcp::socket socket(co_await asio::this_coro::executor);
      const tcp::endpoint server(asio::ip::address_v4::loopback(), port);
      co_await socket.async_connect(server, asio::use_awaitable);
      co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
      asio::error_code error;
      auto token = asio::redirect_error(asio::use_awaitable, error);
      co_await asio::async_read(socket, asio::dynamic_buffer(answer), token);
    });
    return answer;
  }

  asio::io_context loop_;
  StatusSnapshot snapshot_ = troubled();
};

TEST_F(StatusPageTest, TextForATerminal) {
  std::optional<Result<std::string>> text;
  serve([&](uint16_t port) -> Task<void> { text = co_await status_text("127.0.0.1", port); });
  ASSERT_TRUE(text->ok()) << text->error().to_string();
  EXPECT_EQ(**text,
            "Agent        0.1.0, up 3 h 12 min\n"
            "Controller   waiting (ctl.example:7461)  (!)\n"
            "             - connection refused <script>alert(1)</script>\n"
            "Certificate  valid until 2023-11-14T22:13:20.000000Z\n"
            "Observer     answers\n"
            "Runners      1\n"
            "             - gitlab-runner (pid 812)\n"
            "Jobs         2 open, 31 reported\n"
            "Withheld     1 log, 0 process trees: it was not certain whose they are  (!)\n"
            "             - two jobs began at once\xEF\xBF\xBD[31m and one more line\n"
            "Spool        3072 KiB, 5 messages wait  (!)\n"
            "             - 4 records were dropped for lack of room\n"
            "             - 1 damaged file was set aside beside it (*.damaged-*); check the disk, "
            "then delete them\n"
            "             - the oldest waits for 20 min\n"
            "Source       journal  (!)\n"
            "             - reads gitlab-runner.service\n"
            "             - 120 lines, 14 about jobs, last at 2023-11-14T22:13:20.000000Z\n"
            "             - problem: not readable\n"
            "             - cure: join the group adm\n");
}

TEST_F(StatusPageTest, NobodyThere) {
  std::optional<Result<std::string>> text;
  uint16_t gone = 0;
  serve([&](uint16_t port) -> Task<void> {
    gone = port;
    co_return;
  });
  loop_.restart();
  const auto ask = [&]() -> Task<void> { text = co_await status_text("127.0.0.1", gone); };
  spawn(loop_.get_executor(), "ask", ask());
  loop_.run();
  EXPECT_EQ(text->error().code(), Code::unavailable);
}

TEST_F(StatusPageTest, HtmlEscapesAndHasNoScripts) {
  const auto page = fetch("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("connection refused &lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
  EXPECT_THAT(page.body, HasSubstr("<span class=\"attention\">waiting (ctl.example:7461)</span>"));
  EXPECT_THAT(page.body, HasSubstr("prefers-color-scheme: dark"));
}

TEST_F(StatusPageTest, Metrics) {
  const auto text = fetch("/metrics").body;
  for (const char* line :
       {"gitaiops_agent_info{version=\"0.1.0\"} 1\n", "gitaiops_agent_connected 0\n",
        "gitaiops_agent_certificate_expiry_timestamp_seconds 1700000000\n",
        "gitaiops_agent_jobs_reported_total 31\n",
        "gitaiops_agent_withheld_total{kind=\"log\"} 1\n",
        "gitaiops_agent_source_up{source=\"journal\"} 0\n",
        "gitaiops_agent_source_lines_total{source=\"journal\"} 120\n",
        "gitaiops_agent_dropped_total 4\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(StatusPageTest, AnswersToLoopbackNamesOnly) {
  const auto ask = [&](const std::string& host) {
    return exchange("GET /status.json HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
        .substr(9, 3);
  };
  for (const char* host : {"localhost", "LOCALHOST:9417", "127.0.0.1:1", "[::1]:9417", "127.1.2.3"})
    EXPECT_EQ(ask(host), "200") << host;
  for (const char* host : {"evil.example", "localhost.evil.example:9417", "127.0.0.1.evil.example",
                           "[::2]", "10.0.0.1", "["}) {
    EXPECT_EQ(ask(host), "421") << host;
  }
}

TEST_F(StatusPageTest, OtherPathsAndMethods) {
  EXPECT_EQ(fetch("/etc/passwd").status, 404);
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
              testing::StartsWith("HTTP/1.1 405 "));
  const auto headers = exchange("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(headers, HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(headers, testing::EndsWith("\r\n\r\n"));
}

TEST_F(StatusPageTest, LoopbackOnly) {
  const auto refused = StatusPage::listen(loop_.get_executor(), {.address = "0.0.0.0", .port = 0},
                                          [] { return StatusSnapshot(); });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace gitaiops::agent
