// A container over all its starts, and a job over all its containers.
#include "agent/usage/container_meter.h"

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

CgroupReading reading(int64_t cpu, int64_t memory, std::optional<int64_t> peak = {}) {
  CgroupReading reading;
  reading.cpu_us = cpu;
  reading.memory_bytes = memory;
  reading.memory_peak_bytes = peak;
  return reading;
}

TEST(ContainerMeter, EachStartCountsFromZero) {
  ContainerMeter meter;
  meter.begin_life();
  meter.sample(reading(100, 10));
  meter.sample(reading(300, 50));
  meter.begin_life();
  meter.sample(reading(400, 20));
  EXPECT_EQ(meter.cpu_us(), 700);
  EXPECT_EQ(meter.memory_bytes(), 20);
  const auto usage = meter.summary();
  EXPECT_EQ(usage.cpu_us().method(), fleet::v1::METHOD_CGROUP);
  EXPECT_EQ(usage.memory_peak_bytes().value(), 50);
  EXPECT_EQ(usage.memory_peak_bytes().method(), fleet::v1::METHOD_CGROUP_SAMPLED);
}

TEST(ContainerMeter, AStartThatWasNotNoticedShowsInCountsThatFall) {
  ContainerMeter meter;
  meter.sample(reading(300, 1));
  meter.sample(reading(50, 1));
  EXPECT_EQ(meter.cpu_us(), 350);
}

TEST(ContainerMeter, TheKernelsPeakIsToldAsSuch) {
  ContainerMeter meter;
  meter.sample(reading(1, 10, 90));
  const auto peak = meter.summary().memory_peak_bytes();
  EXPECT_EQ(peak.value(), 90);
  EXPECT_EQ(peak.method(), fleet::v1::METHOD_CGROUP);
}

TEST(ContainerMeter, AGroupThatIsGoneChangesNothing) {
  ContainerMeter meter;
  meter.sample(reading(5, 10));
  meter.sample({});
  EXPECT_EQ(meter.cpu_us(), 5);
  EXPECT_EQ(meter.memory_bytes(), 10);
  EXPECT_FALSE(ContainerMeter().any());
}

TEST(ContainerMeter, TheEnginesWordCountsWhereTheKernelsIsMissing) {
  ContainerMeter meter;
  meter.sample(reading(5, 10));
  EXPECT_FALSE(meter.summary().has_oom_kills());
  meter.engine_says_oom();
  EXPECT_EQ(meter.summary().oom_kills().value(), 1);
  EXPECT_EQ(meter.summary().oom_kills().method(), fleet::v1::METHOD_ENGINE);
  auto counted = reading(6, 10);
  counted.oom_kills = 3;
  meter.sample(counted);
  EXPECT_EQ(meter.summary().oom_kills().value(), 3);
  EXPECT_EQ(meter.summary().oom_kills().method(), fleet::v1::METHOD_CGROUP);
}

TEST(ContainerSum, AddsUpAndKeepsTheCourse) {
  ContainerMeter build, service;
  ContainerSum sum;
  const auto second = [](int64_t s) { return SteadyMicros{s * kMicrosPerSecond}; };
  for (int64_t s = 0; s < 3; ++s) {
    build.sample(reading(100 * s, 1000 + s, 1500));
    service.sample(reading(10 * s, 600, 700));
    sum.add(build.cpu_us() + service.cpu_us(), build.memory_bytes() + service.memory_bytes(), {},
            second(s), UnixMicros{s});
  }
  const auto usage = sum.summary({service.summary(), build.summary()});
  EXPECT_EQ(usage.cpu_us().value(), 220);
  EXPECT_EQ(usage.memory_peak_bytes().value(), 1602);
  EXPECT_EQ(usage.memory_peak_bytes().method(), fleet::v1::METHOD_CGROUP_SAMPLED);
  ASSERT_EQ(usage.containers_size(), 2);
  EXPECT_EQ(usage.containers(0).cpu_us().value(), 200);
  ASSERT_EQ(usage.samples().cpu_us_size(), 3);
  EXPECT_EQ(usage.samples().cpu_us(2), 110);
  EXPECT_EQ(usage.samples().memory_bytes(2), 1602);
  EXPECT_EQ(usage.samples().io_bytes(2), -1);
  EXPECT_EQ(usage.samples().interval_us(), kMicrosPerSecond);
  EXPECT_FALSE(usage.has_io_read_bytes());
}

TEST(ContainerSum, AHigherPeakOfOneContainerWins) {
  ContainerMeter build;
  build.sample(reading(1, 10, 9000));
  ContainerSum sum;
  sum.add(1, 10, {}, SteadyMicros{0}, UnixMicros{0});
  const auto usage = sum.summary({build.summary()});
  EXPECT_EQ(usage.memory_peak_bytes().value(), 9000);
  EXPECT_EQ(usage.memory_peak_bytes().method(), fleet::v1::METHOD_CGROUP);
}

TEST(ContainerSum, ListsNoMoreThanTheContractAllows) {
  std::vector<fleet::v1::ContainerUsage> many(40);
  for (int i = 0; i < 40; ++i) many[static_cast<size_t>(i)].mutable_cpu_us()->set_value(i);
  const auto usage = ContainerSum().summary(many);
  EXPECT_EQ(usage.containers_size(), 32);
  EXPECT_EQ(usage.containers(31).cpu_us().value(), 8);
  EXPECT_EQ(usage.cpu_us().value(), 40 * 39 / 2);
}

}  // namespace
}  // namespace gitaiops::agent
