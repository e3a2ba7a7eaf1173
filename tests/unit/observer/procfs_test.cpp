#include "agent/observer/procfs.h"

#include "tests/unit/observer/fixture.h"

namespace gitaiops::agent {
namespace {

constexpr std::string_view kTail =
    " S 12 34 35 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 1 0 987654 1000000 77 "
    "18446744073709551615 1 2 3 4 5 0 0 0 0 0 0 0 "
    "17 0 0 0 0 0 0 1 2 3 4 5 4242 6 0\n";

TEST(ParseStat, TakesTheFieldsThatMatter) {
  const auto stat = parse_stat("4711 (bash)" + std::string(kTail));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->pid, 4711);
  EXPECT_EQ(wire::text_of(stat->comm), "bash");
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 12);
  EXPECT_EQ(stat->session, 35);
  EXPECT_EQ(stat->cpu_ticks, 33);
  EXPECT_EQ(stat->reaped_cpu_ticks, 77);
  EXPECT_EQ(stat->start_ticks, 987654u);
  EXPECT_EQ(stat->rss_pages, 77);
}

TEST(ParseStat, ANameCannotForgeFields) {
  const auto stat = parse_stat("4711 (x) S 1 1 1 (y)" + std::string(kTail));
  ASSERT_TRUE(stat);
  EXPECT_EQ(wire::text_of(stat->comm), "x) S 1 1 1 (y");
  EXPECT_EQ(stat->parent, 12);
}

TEST(ParseStat, RefusesWhatIsNotAStatLine) {
  const auto whole = "4711 (bash)" + std::string(kTail);
  for (const std::string_view text :
       {"", "4711", "4711 (bash", "(bash) S 1", "x (bash) S 1 2 3", "-1 (a) S 1 1 1"})
    EXPECT_FALSE(parse_stat(text)) << text;
  for (std::size_t cut = 0; cut < 60; ++cut)
    EXPECT_FALSE(parse_stat(std::string_view(whole).substr(0, cut))) << cut;
}

TEST(ParseStat, ReadsItself) {
  const auto proc = ProcFs::open("/proc");
  ASSERT_TRUE(proc.ok());
  const auto stat = proc->stat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_EQ(stat->session, ::getsid(0));
  EXPECT_GT(stat->rss_pages, 0);
  EXPECT_NE(stat->environment_at, 0u);
}

TEST(ParseStat, TellsAThread) {
  auto line = "4711 (bash)" + std::string(kTail);
  EXPECT_FALSE(parse_stat(line)->thread);
  line.replace(line.find(" 17 "), 4, " -1 ");
  EXPECT_TRUE(parse_stat(line)->thread);
}

TEST(NewestPid, IsTheLastOneGiven) {
  const auto proc = ProcFs::open("/proc");
  ASSERT_TRUE(proc.ok());
  const auto before = proc->newest_pid();
  ASSERT_TRUE(before) << "this test runs in a pid namespace that /proc is not of";
  const Process child({"/bin/true"}, {});
  EXPECT_NE(proc->newest_pid(), before);
}

TEST(NewestPid, IsNotToldByAnotherNamespacesFiles) {
  EXPECT_TRUE(is_of_our_pids("Name:\tx\nNSpid:\t12\n"));
  EXPECT_FALSE(is_of_our_pids("Name:\tx\nNSpid:\t12\t1\n"));
  EXPECT_FALSE(is_of_our_pids("Name:\tx\n"));
  EXPECT_FALSE(is_of_our_pids(""));
}

TEST(ParseIo, TakesBytesOfTheBlockLayer) {
  const auto io = parse_io(
      "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: "
      "8192\ncancelled_write_bytes: 5\n");
  EXPECT_EQ(io.read_bytes, 4096);
  EXPECT_EQ(io.write_bytes, 8192);
  EXPECT_FALSE(parse_io("").read_bytes);
  EXPECT_FALSE(parse_io("read_bytes: -1\n").read_bytes);
  EXPECT_FALSE(parse_io("read_bytes: 99999999999999999999\n").read_bytes);
}

TEST(ParseUids, TakesRealAndEffective) {
  const auto uids = parse_uids("Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t1\t1\t1\t1\n");
  ASSERT_TRUE(uids);
  EXPECT_EQ(uids->real, 1000u);
  EXPECT_EQ(uids->effective, 0u);
  EXPECT_FALSE(parse_uids("Uid:\t1\n"));
  EXPECT_FALSE(parse_uids("Uid:\t-1\t0\t0\t0\n"));
  EXPECT_FALSE(parse_uids("Name:\tUid:\t0\n"));
}

TEST(TraceName, IsTraceAndDigits) {
  EXPECT_TRUE(is_trace_name("trace1"));
  EXPECT_TRUE(is_trace_name("trace2817364509"));
  for (const auto name : {"trace", "trace1.gz", "Trace1", "trace-1", "xtrace1", "trace1 ",
                          "trace9999999999999999999999999999"})
    EXPECT_FALSE(is_trace_name(name)) << name;
  EXPECT_EQ(without_deleted("/tmp/trace1 (deleted)"), "/tmp/trace1");
}

TEST(Variable, GivesOneVariableOnly) {
  const std::string big(5000, 'x');
  int out[2];
  ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  const Fd from(out[0]), to(out[1]);
  const Process sleeper({"/bin/sleep", "1000"},
                        {"CI_JOB_IDX=1", "BIG=" + big, "CI_JOB_ID=4242", "EMPTY="});
  const auto proc = ProcFs::open("/proc");
  // Empty until the exec is through.
  ASSERT_TRUE(eventually([&] { return proc->variable(sleeper.pid(), "CI_JOB_ID", 19) == "4242"; }));
  EXPECT_EQ(proc->variable(sleeper.pid(), "EMPTY", 19), "");
  EXPECT_EQ(proc->variable(sleeper.pid(), "BIG", 19), std::nullopt) << "longer than the limit";
  EXPECT_EQ(proc->variable(sleeper.pid(), "BIG", 5000), big);
  EXPECT_EQ(proc->variable(sleeper.pid(), "CI_JOB", 19), std::nullopt);
}

}  // namespace
}  // namespace gitaiops::agent
