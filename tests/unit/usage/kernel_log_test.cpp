#include "agent/usage/kernel_log.h"

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
  auto log = KernelLog::open(loop.get_executor(), path.c_str());
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

TEST(KernelLog, SaysWhyItCannotBeRead) {
  asio::io_context loop;
  const auto log = KernelLog::open(loop.get_executor(), "/nonexistent/kmsg");
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code(), Code::not_found);
}

}  // namespace
}  // namespace gitaiops::agent
