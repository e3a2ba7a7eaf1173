#include "agent/usage/kernel_log.h"

#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io/files.h"

namespace gitaiops::agent {
namespace {

TEST(ParseOomKill, KnowsTheKernelsSentences) {
  EXPECT_EQ(
      parse_oom_kill("Out of memory: Killed process 1234 (cc1plus) total-vm:1kB, anon-rss:1kB"),
      1234);
  EXPECT_EQ(parse_oom_kill("Memory cgroup out of memory: Killed process 77 (node) total-vm:9kB"),
            77);
  EXPECT_EQ(parse_oom_kill("3,1045,55123456,-;Memory cgroup out of memory: Killed process 5 (a)"),
            5);
  EXPECT_EQ(
      parse_oom_kill(
          "Nov 22 10:00:00 host kernel: [55.1] Out of memory: Killed process 8, UID 0, (java)"),
      8);
  EXPECT_EQ(parse_oom_kill("Out of memory (oom_kill_allocating_task): Killed process 9 (x)"), 9);
}

TEST(ParseOomKill, IgnoresEverythingElse) {
  for (const std::string_view line :
       {"", "oom_reaper: reaped process 1234 (cc1plus), now anon-rss:0kB",
        "cc1plus invoked oom-killer: gfp_mask=0x1", "Out of memory: Killed process (x)",
        "Out of memory: Killed process -3 (x)", "Out of memory: Killed process 99999999999 (x)",
        "Out of memory: Killed process 0 (x)", "Killed process 12 (x)",
        "task (Out of memory: Killed process 12 ) exited"})
    EXPECT_EQ(parse_oom_kill(line), std::nullopt) << line;
}

TEST(KernelLog, FollowsRecordsAsTheyCome) {
  std::string folder = (std::filesystem::temp_directory_path() / "kmsg-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto path = folder + "/kmsg";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  asio::io_context loop;
  auto log = KernelLog::open_device(loop.get_executor(), path.c_str());
  ASSERT_TRUE(log.ok());
  Fd writer(::open(path.c_str(), O_WRONLY));
  const std::string text =
      "6,1,1,-;usb 1-1: new device\n3,2,2,-;Out of memory: Killed process 11 (a) x\n" +
      std::string(20'000, 'x') + "Out of memory: Killed process 12 (b)\n" +
      "3,3,3,-;Memory cgroup out of memory: Killed process 13 (c) x\n";
  ASSERT_EQ(::write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  writer.reset();
  std::vector<int32_t> killed;
  std::optional<Code> end;
  spawn(loop.get_executor(), "test",
        [](KernelLog& source, std::vector<int32_t>& out, std::optional<Code>& code) -> Task<void> {
          for (;;) {
            const auto pid = co_await source.next_oom_kill();
            if (!pid.ok()) {
              code = pid.error().code();
              co_return;
            }
            out.push_back(*pid);
          }
        }(*log, killed, end));
  loop.run();
  EXPECT_EQ(killed, (std::vector<int32_t>{11, 13})) << "a line beyond every limit is skipped";
  EXPECT_TRUE(end.has_value());
  std::filesystem::remove_all(folder);
}

// A journal file with these entries, in the journal's export format.
void add_entries(const std::string& folder, std::string_view text) {
  const auto program =
      "/lib/systemd/systemd-journal-remote --output=" + folder + "/a.journal - 2>&1";
  FILE* remote = ::popen(program.c_str(), "w");
  ASSERT_NE(remote, nullptr);
  std::fwrite(text.data(), 1, text.size(), remote);
  ASSERT_EQ(::pclose(remote), 0);
}

std::string entry(int second, std::string_view transport, int facility, std::string_view message) {
  const auto at = std::to_string(1'700'000'000'000'000 + second * 1'000'000);
  return "__REALTIME_TIMESTAMP=" + at + "\n__MONOTONIC_TIMESTAMP=" + std::to_string(second) +
         "\n_BOOT_ID=4d2d3dd7b5e34a5f9f1e0c0a6f6f0001\n_TRANSPORT=" + std::string(transport) +
         "\nSYSLOG_FACILITY=" + std::to_string(facility) + "\nMESSAGE=" + std::string(message) +
         "\n\n";
}

TEST(KernelLog, FollowsTheKernelsEntriesInTheJournal) {
  if (!std::filesystem::exists("/lib/systemd/systemd-journal-remote"))
    GTEST_SKIP() << "needs systemd-journal-remote to write a journal";
  std::string folder = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  add_entries(folder, entry(1, "kernel", 0, "Out of memory: Killed process 10 (before) x"));
  asio::io_context loop;
  auto log = KernelLog::open_journal(loop.get_executor(), folder);
  ASSERT_TRUE(log.ok()) << log.error().to_string();
  std::vector<int32_t> killed;
  spawn(loop.get_executor(), "test",
        [](KernelLog& source, std::string in, std::vector<int32_t>& out) -> Task<void> {
          add_entries(in, entry(2, "stdout", 3, "Out of memory: Killed process 11 (a job's) x") +
                              entry(3, "kernel", 1, "Out of memory: Killed process 12 (root's) x") +
                              entry(4, "kernel", 0, "oom_reaper: reaped process 13 (cc1)") +
                              entry(5, "kernel", 0, "Out of memory: Killed process 14 (cc1) x") +
                              entry(6, "kernel", 0,
                                    "Memory cgroup out of memory: Killed process 15 (ld) x"));
          for (int i = 0; i < 2; ++i) {
            const auto pid = co_await source.next_oom_kill();
            if (pid.ok()) out.push_back(*pid);
          }
          add_entries(in, entry(7, "kernel", 0, "Out of memory: Killed process 16 (as) x"));
          const auto pid = co_await source.next_oom_kill();
          if (pid.ok()) out.push_back(*pid);
        }(*log, folder, killed));
  loop.run();
  EXPECT_EQ(killed, (std::vector<int32_t>{14, 15, 16}));
  std::filesystem::remove_all(folder);
}

TEST(KernelLog, SaysWhyItCannotBeRead) {
  asio::io_context loop;
  const auto log = KernelLog::open_device(loop.get_executor(), "/nonexistent/kmsg");
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code(), Code::not_found);
  EXPECT_FALSE(KernelLog::open_journal(loop.get_executor(), "/nonexistent").ok());
}

}  // namespace
}  // namespace gitaiops::agent
