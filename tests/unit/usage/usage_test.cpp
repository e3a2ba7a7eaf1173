#include "agent/usage/usage.h"

#include <random>

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

constexpr int64_t kSecond = kMicrosPerSecond;
constexpr UnixMicros kNow{1'700'000'000'000'000};

struct P {
  int pid;
  int parent = 0;
  int64_t cpu = 0;
  int64_t reaped = 0;
  int64_t rss = 0;
  std::optional<int64_t> read = {}, written = {};
  char state = 'S';
};

ProcessSample to_sample(const P& p) {
  ProcessSample sample;
  sample.id = {p.pid, static_cast<uint64_t>(p.pid)};
  sample.parent = {p.parent, static_cast<uint64_t>(p.parent)};
  sample.cpu_us = p.cpu;
  sample.reaped_cpu_us = p.reaped;
  sample.rss_bytes = p.rss;
  sample.read_bytes = p.read;
  sample.write_bytes = p.written;
  sample.state = p.state;
  return sample;
}

class Meter {
 public:
  void at(int64_t second, const std::vector<P>& processes) {
    std::vector<ProcessSample> samples;
    for (const auto& p : processes) samples.push_back(to_sample(p));
    meter.sample(samples, {second * kSecond}, kNow + second * kSecond);
  }
  int64_t cpu() const { return meter.summary().cpu_us().value(); }
  UsageMeter meter;
};

std::vector<int64_t> list(const google::protobuf::RepeatedField<int64_t>& values) {
  return {values.begin(), values.end()};
}

TEST(UsageMeter, WithoutSamplesEverythingIsAbsent) {
  UsageMeter meter;
  meter.sample({}, {0}, kNow);
  const auto usage = meter.summary();
  EXPECT_FALSE(usage.has_cpu_us() || usage.has_memory_peak_bytes() || usage.has_io_read_bytes() ||
               usage.has_io_write_bytes() || usage.has_processes_peak() || usage.has_oom_kills() ||
               usage.has_samples());
}

TEST(UsageMeter, AChildSeenAliveIsCountedOnceWhenItIsReaped) {
  Meter m;
  m.at(0, {{1, 0, 100, 0}, {2, 1, 50}});
  EXPECT_EQ(m.cpu(), 150);
  m.at(1, {{1, 0, 110, 70}});  // it used 70 until its end
  EXPECT_EQ(m.cpu(), 180);
  m.at(2, {});
  EXPECT_EQ(m.cpu(), 180) << "the root was reaped by the runner: its last values stay";
  EXPECT_EQ(m.meter.summary().cpu_us().method(), fleet::v1::METHOD_PROC_LIVE_AND_REAPED);
}

TEST(UsageMeter, ReapingThatShowsLateIsCountedOnce) {
  Meter m;
  m.at(0, {{1, 0, 100, 30}, {2, 1, 50}});
  m.at(1, {{1, 0, 100, 30}});  // the child is gone, its parent was read before it was reaped
  EXPECT_EQ(m.cpu(), 180);
  m.at(2, {{1, 0, 100, 30 + 60}});
  EXPECT_EQ(m.cpu(), 190);
}

TEST(UsageMeter, AChildThatNobodyWaitsForIsKept) {
  Meter m;
  m.at(0, {{1, 0, 100, 0}, {2, 1, 50}});
  m.at(1, {{1, 0, 100, 0}});
  m.at(2, {{1, 0, 100, 0}});
  EXPECT_EQ(m.cpu(), 150);
}

TEST(UsageMeter, AnOrphanIsCountedAfterItsParentIsGone) {
  Meter m;
  m.at(0, {{1, 0, 100}, {2, 1, 50}, {3, 2, 7}});
  m.at(1, {{1, 0, 100, 50}, {3, 0, 9}});
  EXPECT_EQ(m.cpu(), 159);
  m.at(2, {{1, 0, 100, 50}});
  EXPECT_EQ(m.cpu(), 159);
}

TEST(UsageMeter, MemoryIsTheHighestSumAndZombiesAreNoProcesses) {
  Meter m;
  m.at(0, {{1, 0, 0, 0, 100}, {2, 1, 0, 0, 300}});
  m.at(1, {{1, 0, 0, 0, 350}, {2, 1, 0, 0, 0, {}, {}, 'Z'}, {3, 1, 0, 0, 20, {}, {}, 'Z'}});
  const auto usage = m.meter.summary();
  EXPECT_EQ(usage.memory_peak_bytes().value(), 400);
  EXPECT_EQ(usage.processes_peak().value(), 2);
  EXPECT_EQ(usage.memory_peak_bytes().method(), fleet::v1::METHOD_PROC_LIVE);
}

TEST(UsageMeter, IoIsAbsentUnlessReadAndCountsAReapedChildOnce) {
  Meter blind;
  blind.at(0, {{1}});
  EXPECT_FALSE(blind.meter.summary().has_io_read_bytes());
  EXPECT_EQ(list(blind.meter.summary().samples().io_bytes()), std::vector<int64_t>{-1});
  Meter m;
  m.at(0, {{1, 0, 0, 0, 0, 1000, 10}, {2, 1, 0, 0, 0, 500, {}}});
  m.at(1, {{1, 0, 0, 0, 0, 1500, 10}});  // the kernel moved the child's bytes into its parent
  EXPECT_EQ(m.meter.summary().io_read_bytes().value(), 1500);
  EXPECT_EQ(m.meter.summary().io_write_bytes().value(), 10);
  EXPECT_EQ(m.meter.summary().io_read_bytes().method(), fleet::v1::METHOD_TASK_IO);
}

TEST(UsageMeter, KillsAreCountedOncePerProcessAndKnowTheirOwner) {
  Meter m;
  m.at(0, {{1}, {2, 1}});
  m.at(1, {{1}});
  EXPECT_TRUE(m.meter.owns(2)) << "it was in the sample before";
  m.at(2, {{1}});
  EXPECT_FALSE(m.meter.owns(2));
  m.meter.oom_kill(2);
  m.meter.oom_kill(2);
  EXPECT_EQ(m.meter.summary().oom_kills().value(), 1);
  EXPECT_EQ(m.meter.summary().oom_kills().method(), fleet::v1::METHOD_KERNEL_LOG);
}

TEST(UsageMeter, PointsHoldDifferencesAndGaps) {
  Meter m;
  m.at(0, {{1, 0, 10, 0, 5, 1, 1}});
  m.at(1, {{1, 0, 30, 0, 7, 1, 4}});
  m.at(2, {});
  m.at(3, {{2, 0, 4, 0, 9, 0, 0}});
  m.at(6, {{2, 0, 5, 0, 1, 0, 0}});
  const auto samples = m.meter.summary().samples();
  EXPECT_EQ(list(samples.cpu_us()), (std::vector<int64_t>{10, 20, -1, 4, -1, -1, 1}));
  EXPECT_EQ(list(samples.memory_bytes()), (std::vector<int64_t>{5, 7, -1, 9, -1, -1, 1}));
  EXPECT_EQ(list(samples.io_bytes()), (std::vector<int64_t>{2, 3, -1, 0, -1, -1, 0}));
  EXPECT_EQ(samples.start_us(), kNow.value);
  EXPECT_EQ(samples.interval_us(), kSecond);
}

TEST(UsageMeter, ALongJobKeepsAtMost120PointsAndItsSum) {
  Meter m;
  for (int second = 0; second < 10'000; ++second) m.at(second, {{1, 0, second * 3, 0, second}});
  const auto samples = m.meter.summary().samples();
  EXPECT_LE(samples.cpu_us_size(), 120);
  EXPECT_GE(samples.cpu_us_size(), 60);
  int64_t sum = 0;
  for (const auto value : samples.cpu_us()) sum += value;
  EXPECT_EQ(sum, m.cpu());
  EXPECT_EQ(samples.memory_bytes(samples.memory_bytes_size() - 1), 9999);
  EXPECT_NEAR(static_cast<double>(samples.interval_us()) * samples.cpu_us_size(),
              10'000.0 * kSecond, 200.0 * kSecond);
}

TEST(Thin, AddsCpuKeepsPeaksAndOnlyWholeGaps) {
  fleet::v1::Samples samples;
  for (const int64_t v : {1, -1, -1, -1, 5})
    samples.add_cpu_us(v), samples.add_memory_bytes(v), samples.add_io_bytes(v);
  samples.set_cpu_us(1, 2);
  samples.set_memory_bytes(1, 9);
  samples.set_interval_us(10);
  thin(samples, 3);
  EXPECT_EQ(list(samples.cpu_us()), (std::vector<int64_t>{3, -1, 5}));
  EXPECT_EQ(list(samples.memory_bytes()), (std::vector<int64_t>{9, -1, 5}));
  EXPECT_EQ(list(samples.io_bytes()), (std::vector<int64_t>{1, -1, 5}));
  EXPECT_EQ(samples.interval_us(), 20);
}

// A tree as the kernel keeps it, with the true total beside. Samples are taken parents first, and
// processes may end and be reaped while one is taken.
class Simulation {
 public:
  explicit Simulation(unsigned seed) : random_(seed) { processes_[1] = {}; }

  void step() {
    const auto pick = [&] {
      return std::next(processes_.begin(), static_cast<long>(random_() % processes_.size()))->first;
    };
    switch (random_() % 4) {
      case 0: {
        const int parent = pick();
        processes_[++last_] = {.parent = parent};
        break;
      }
      case 1:
        if (const auto pid = pick(); pid != 1) end(pid);
        break;
      default: {
        const int64_t used = static_cast<int64_t>(random_() % 100);
        processes_[pick()].cpu += used;
        truth_ += used;
      }
    }
  }
  void end_all() {
    while (processes_.size() > 1) end(processes_.rbegin()->first);
  }
  std::vector<P> sample(int steps_meanwhile) {
    std::vector<P> seen;
    std::vector<int> order;
    for (const auto& [pid, process] : processes_)
      order.push_back(pid);  // a parent's number is lower than its child's
    for (const auto pid : order) {
      if (steps_meanwhile > 0 && random_() % 4 == 0) --steps_meanwhile, step();
      if (const auto place = processes_.find(pid); place != processes_.end())
        seen.push_back({pid, place->second.parent, place->second.cpu, place->second.reaped});
    }
    return seen;
  }
  int64_t truth() const { return truth_; }

 private:
  struct Process {
    int parent = 0;
    int64_t cpu = 0, reaped = 0;
  };
  // Ends a process without children, and its parent waits for it.
  void end(int pid) {
    for (const auto& [other, process] : processes_)
      if (process.parent == pid) return;
    const auto process = processes_.extract(pid).mapped();
    processes_[process.parent].reaped += process.cpu + process.reaped;
  }
  std::mt19937 random_;
  std::map<int, Process> processes_;
  int last_ = 1;
  int64_t truth_ = 0;
};

TEST(UsageMeter, IsMonotonicNeverTooHighAndExactAtTheEnd) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Simulation tree(seed);
    Meter m;
    int64_t before = 0;
    for (int second = 0; second < 40; ++second) {
      for (unsigned i = 0; i < 1 + seed % 30; ++i) tree.step();
      m.at(second, tree.sample(static_cast<int>(seed % 5)));
      ASSERT_GE(m.cpu(), before) << "seed " << seed;
      ASSERT_LE(m.cpu(), tree.truth()) << "seed " << seed;
      before = m.cpu();
    }
    tree.end_all();
    m.at(40, tree.sample(0));
    ASSERT_EQ(m.cpu(), tree.truth()) << "seed " << seed;
    m.at(41, {});
    ASSERT_EQ(m.cpu(), tree.truth()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace gitaiops::agent
