#include "agent/sources/sources.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class Sources : public testing::Test {
 protected:
  Sources() : folder_(fs::temp_directory_path() / ("sources-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.instances = {{"lab", "http://gitlab.test"}};
  }
  ~Sources() override { fs::remove_all(folder_); }

  void append(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::app) << text;
  }

  std::unique_ptr<LogSource> start() {
    auto sources = start_sources(options_, loop_.get_executor(), system_clock(), cursors_);
    EXPECT_TRUE(sources.ok());
    EXPECT_EQ(sources->size(), 1u);
    return std::move(sources->front());
  }

  // Asks once, does `then` as soon as the source waits, and gives what it said.
  SourceBatch next(LogSource& source, const std::function<void()>& then = {}) {
    std::optional<Result<SourceBatch>> answer;
    loop_.restart();
    spawn(loop_.get_executor(), "asking a source", ask(source, answer));
    loop_.poll();
    if (then) then();
    loop_.run_for(std::chrono::seconds(10));
    EXPECT_TRUE(answer && answer->ok());
    return std::move(**answer);
  }

  // A batch that only moves the cursor is stored and not shown.
  Task<void> ask(LogSource& source, std::optional<Result<SourceBatch>>& answer) {
    for (;;) {
      auto batch = co_await source.next();
      if (batch.ok() && !batch->cursor_name.empty()) cursors_[batch->cursor_name] = batch->cursor;
      if (batch.ok() && batch->facts.empty() && batch->problems.empty()) continue;
      answer.emplace(std::move(batch));
      co_return;
    }
  }

  static std::vector<int64_t> jobs(const SourceBatch& batch) {
    std::vector<int64_t> found;
    for (const auto& fact : batch.facts)
      if (fact.field == Field::outcome) found.push_back(fact.job.job_id);
    return found;
  }

  static std::string ended(int job) {
    return "Job succeeded  duration_s=1 job=" + std::to_string(job) + " project=1 runner=tok\n";
  }

  asio::io_context loop_;
  fs::path folder_;
  SourcesOptions options_;
  std::map<std::string, std::string> cursors_;
};

std::string docker_entry(const std::string& text, const std::string& time) {
  return R"({"log":")" + text + R"(\n","stream":"stderr","time":")" + time + "\"}\n";
}

TEST_F(Sources, DockersLogOfTheRunnersContainer) {
  const auto file = folder_ / "json.log";
  append(file,
         docker_entry("Job succeeded  duration_s=1 job=6 runner=tok", "2026-11-22T10:00:00Z"));
  options_.open_docker_log = [&file]() -> Task<Result<Fd>> {
    Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) co_return errno_error("open", file.native());
    co_return fd;
  };
  const auto received = docker_entry(
      "Checking for jobs... received   job=7 repo_url=http://gitlab.test/grp/demo.git "
      "runner=tok",
      "2026-11-22T10:00:01.5Z");
  auto source = start();
  const auto batch = next(*source, [&] { append(file, received); });
  ASSERT_EQ(batch.facts.size(), 3u) << "what was there before is not read";
  EXPECT_EQ(batch.facts[2].job.job_id, 7);
  EXPECT_EQ(batch.facts[2].observed_at, *parse_rfc3339("2026-11-22T10:00:01.5Z"));
  EXPECT_EQ(batch.facts[2].late_us, 0);

  // A restart goes on where it was, and docker's next file is taken up from its beginning.
  append(file,
         docker_entry("Job succeeded  duration_s=1 job=7 runner=tok", "2026-11-22T10:00:02Z"));
  source = start();
  const auto after = next(*source);
  ASSERT_FALSE(after.facts.empty());
  EXPECT_EQ(after.facts.front().job.job_id, 7);
  const auto rotated = next(*source, [&] {
    fs::rename(file, folder_ / "json.log.1");
    append(file,
           docker_entry("Job succeeded  duration_s=1 job=8 runner=tok", "2026-11-22T10:00:03Z"));
  });
  ASSERT_FALSE(rotated.facts.empty());
  EXPECT_EQ(rotated.facts.front().job.job_id, 8);
}

TEST_F(Sources, DockersLogThatCannotBeOpenedIsSaidOnce) {
  options_.open_docker_log = []() -> Task<Result<Fd>> {
    co_return Error(Code::permission_denied, "no runner lives in this container");
  };
  auto source = start();
  const auto batch = next(*source);
  ASSERT_EQ(batch.problems.size(), 1u);
  EXPECT_THAT(batch.problems[0], HasSubstr("no runner lives in this container"));
  EXPECT_THAT(source->state().cure, HasSubstr("json-file"));
}

TEST_F(Sources, AFileIsFollowedAcrossRestarts) {
  const auto log = folder_ / "runner.log";
  options_.log_files = {log};
  append(log, ended(1));
  {
    auto source = start();
    EXPECT_THAT(jobs(next(*source, [&] { append(log, ended(2)); })), ElementsAre(2));
    EXPECT_EQ(source->state().records, 1u);
    EXPECT_TRUE(source->state().last_line);
  }
  append(log, ended(3));
  auto source = start();
  EXPECT_THAT(jobs(next(*source)), ElementsAre(3));
}

TEST_F(Sources, BetweenTheHalvesOfARecordTheCursorStaysBeforeIt) {
  const auto log = folder_ / "runner.log";
  options_.log_files = {log};
  append(log, "");
  {
    auto source = start();
    next(*source, [&] { append(log, ended(1)); });
    EXPECT_THAT(jobs(next(*source,
                          [&] { append(log, ended(2) + "WARNING: Job failed: exit status 3\n"); })),
                ElementsAre(2));
  }
  append(log, "       duration_s=1 job=4 runner=tok\n");
  auto source = start();
  EXPECT_THAT(jobs(next(*source)), ElementsAre(2, 4)) << "2 comes again, which is harmless";
}

TEST_F(Sources, OnlyTheRunnersLinesOfASyslogFile) {
  const auto log = folder_ / "syslog";
  options_.syslog_files = {log};
  append(log, "");
  auto source = start();
  const auto batch = next(*source, [&] {
    append(log, "Nov 22 13:29:10 host cron[1]: " + ended(1) +
                    "Nov 22 13:29:10 host gitlab-runner[1]: " + ended(2) +
                    "2026-11-22T13:29:10Z host gitlab-runner[1]: " + ended(3) + ended(4));
  });
  EXPECT_THAT(jobs(batch), ElementsAre(2, 3));
  EXPECT_GE(batch.facts.front().late_us, 2'000'000);
  EXPECT_EQ(batch.facts.back().late_us, 0);
  EXPECT_EQ(batch.facts.back().observed_at, parse_rfc3339("2026-11-22T13:29:10Z"));
}

TEST_F(Sources, AMissingFileIsSaidOnceWithItsCure) {
  const auto log = folder_ / "runner.log";
  options_.log_files = {log};
  auto source = start();
  EXPECT_THAT(next(*source).problems, ElementsAre(HasSubstr("does not exist")));
  EXPECT_THAT(source->state().problem, HasSubstr(log.native()));
  EXPECT_NE(source->state().cure, "");
  EXPECT_THAT(jobs(next(*source, [&] { append(log, ended(1)); })), ElementsAre(1));
  EXPECT_EQ(source->state().problem, "");
}

TEST_F(Sources, UnknownHostsAreSaidOnce) {
  const auto log = folder_ / "runner.log";
  options_.log_files = {log};
  append(log, "");
  auto source = start();
  const std::string line =
      "Checking for jobs... received  job=1 repo_url=http://elsewhere.test/g/d.git runner=far\n";
  const auto batch = next(*source, [&] { append(log, line); });
  EXPECT_THAT(batch.problems, ElementsAre(HasSubstr("elsewhere.test:80")));
  EXPECT_THAT(batch.facts, IsEmpty());
  EXPECT_THAT(next(*source, [&] { append(log, line + ended(2)); }).problems, IsEmpty());
  EXPECT_EQ(source->state().unknown_hosts, 2u);
}

std::string usage(int job) {
  return R"({"job":{"id":)" + std::to_string(job) +
         R"(,"url":"http://gitlab.test/g/d/-/jobs/1","status":"failed"}})" + "\n";
}

TEST_F(Sources, TheUsageLogFolder) {
  options_.usage_log_folder = folder_;
  append(folder_ / "usage-log-1.json", usage(1));
  append(folder_ / "usage-log-2.json", usage(2));
  {
    auto source = start();
    EXPECT_THAT(
        jobs(next(*source, [&] { append(folder_ / "usage-log-2.json", "{bad\n" + usage(3)); })),
        ElementsAre(3));
    EXPECT_EQ(source->state().unreadable, 1u);
    EXPECT_THAT(jobs(next(*source, [&] { append(folder_ / "usage-log-3.json", usage(4)); })),
                ElementsAre(4));
  }
  append(folder_ / "usage-log-3.json", usage(5));
  append(folder_ / "usage-log-4.json", usage(6));
  auto source = start();
  EXPECT_THAT(jobs(next(*source)), ElementsAre(5));
  EXPECT_THAT(jobs(next(*source)), ElementsAre(6));
}

TEST_F(Sources, AnEmptyUsageFolderIsNoHistory) {
  options_.usage_log_folder = folder_;
  auto source = start();
  EXPECT_THAT(jobs(next(*source, [&] { append(folder_ / "usage-log-1.json", usage(1)); })),
              ElementsAre(1));
}

TEST_F(Sources, ARunnerThatDoesNotListenIsSaidWithItsCure) {
  options_.debug_port = 1;
  auto source = start();
  const auto batch = next(*source);
  EXPECT_THAT(batch.problems, ElementsAre(HasSubstr("listen_address = \"127.0.0.1:1\"")));
  EXPECT_EQ(batch.cursor_name, "");
}

TEST_F(Sources, AnEmptyJournalIsSaidWithItsCure) {
  options_.journal_unit = "gitlab-runner.service";
  options_.journal_folder = folder_;
  auto source = start();
  EXPECT_EQ(next(*source).problems.size(), 1u);
  EXPECT_NE(source->state().cure, "");
}

// An entry of the journal, in its export format, as docker's driver journald writes it.
std::string journald_entry(int second, const std::string& comm, const std::string& container,
                           const std::string& message, const std::string& more = "") {
  const auto at = std::to_string(1'700'000'000'000'000 + second * 1'000'000);
  return "__REALTIME_TIMESTAMP=" + at + "\n__MONOTONIC_TIMESTAMP=" + std::to_string(second) +
         "\n_BOOT_ID=4d2d3dd7b5e34a5f9f1e0c0a6f6f0001\n_TRANSPORT=journal\n_PID=77\n_COMM=" + comm +
         "\n_SYSTEMD_UNIT=docker.service\nCONTAINER_NAME=" + container + "\n" + more +
         "MESSAGE=" + message + "\n\n";
}

void add_to_journal(const fs::path& folder, const std::string& entries) {
  const auto program =
      "/lib/systemd/systemd-journal-remote --output=" + (folder / "a.journal").string() + " - 2>&1";
  FILE* remote = ::popen(program.c_str(), "w");
  ASSERT_NE(remote, nullptr);
  std::fwrite(entries.data(), 1, entries.size(), remote);
  ASSERT_EQ(::pclose(remote), 0);
}

TEST_F(Sources, TheRunnersContainerInTheJournal) {
  if (!fs::exists("/lib/systemd/systemd-journal-remote"))
    GTEST_SKIP() << "needs systemd-journal-remote to write a journal";
  const auto ended = [](int job) {
    return "Job succeeded  duration_s=1 job=" + std::to_string(job) + " runner=tok";
  };
  add_to_journal(folder_, journald_entry(1, "dockerd", "gitlab-runner", ended(1)));
  options_.journal_unit = "docker.service";
  options_.journal_container = "gitlab-runner";
  options_.journal_folder = folder_;
  auto source = start();
  const auto entries =
      journald_entry(2, "dockerd", "runner-tok-project-7-concurrent-0-build", ended(2)) +
      journald_entry(3, "sh", "gitlab-runner", ended(3)) +
      // The second piece of a line that did not fit would be a line of its author's choice.
      journald_entry(4, "dockerd", "gitlab-runner", "x", "CONTAINER_PARTIAL_MESSAGE=true\n") +
      journald_entry(5, "dockerd", "gitlab-runner", ended(5)) +
      journald_entry(6, "dockerd", "gitlab-runner", ended(6), "CONTAINER_PARTIAL_ID=f00\n") +
      journald_entry(7, "dockerd", "gitlab-runner", ended(7));
  const auto batch = next(*source, [&] { add_to_journal(folder_, entries); });
  EXPECT_THAT(batch.problems, IsEmpty());
  EXPECT_THAT(jobs(batch), ElementsAre(7));
}

TEST_F(Sources, OptionsThatCanNeverWorkAreRefused) {
  options_.instances = {{"lab", "nonsense"}};
  const auto sources = start_sources(options_, loop_.get_executor(), system_clock(), {});
  EXPECT_EQ(sources.error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace gitaiops::agent
