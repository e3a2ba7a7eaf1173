// The kernel's files of control groups: version 1, 2 and both, as trees made by the test.
#include "agent/usage/cgroup.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;

const std::string kId = "1537a876a3b07b3f5c9843232aea7fac8070c4adef72bfa568e234ea808d6b3f";

TEST(CgroupPlaceOf, OfVersionTwo) {
  const auto place = place_of("0::/system.slice/docker-" + kId + ".scope/init.scope\n", kId);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->unified, "/system.slice/docker-" + kId + ".scope");
  EXPECT_TRUE(place->legacy.empty());
}

TEST(CgroupPlaceOf, OfVersionOneWithControllersMountedTogether) {
  const auto place = place_of("12:cpu,cpuacct:/docker/" + kId + "\n11:memory:/docker/" + kId +
                                  "\n5:freezer:/docker/" + kId + "\n1:name=systemd:/docker/" + kId +
                                  "\n0::/system.slice/containerd.service\n",
                              kId);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->unified, "");
  EXPECT_EQ(place->legacy.size(), 3u);
  EXPECT_EQ(place->legacy.at("cpuacct").hierarchy, "cpu,cpuacct");
  EXPECT_EQ(place->legacy.at("memory").path, "/docker/" + kId);
}

TEST(CgroupPlaceOf, OfAPodAndOfPodman) {
  const auto pod = place_of(
      "0::/kubepods.slice/kubepods-burstable.slice/"
      "kubepods-burstable-pod1.slice/cri-containerd-" +
          kId + ".scope\n",
      kId);
  ASSERT_TRUE(pod);
  EXPECT_TRUE(pod->unified.ends_with(kId + ".scope"));
  EXPECT_EQ(place_of("0::/machine.slice/libpod-" + kId + ".scope/container\n", kId)->unified,
            "/machine.slice/libpod-" + kId + ".scope");
}

TEST(CgroupPlaceOf, NothingUnlessTheGroupBearsTheId) {
  EXPECT_FALSE(place_of("0::/user.slice/session-1.scope\n", kId));
  EXPECT_FALSE(place_of("0::/../docker-" + kId + ".scope\n", kId));
  EXPECT_FALSE(place_of("0::/docker/" + kId + "/../../x\n", kId));
  EXPECT_FALSE(place_of("4:../../etc:/docker/" + kId + "\n", kId));
  EXPECT_FALSE(place_of("", kId));
  EXPECT_FALSE(place_of("0:" + kId, kId));
  EXPECT_FALSE(place_of("0::/docker/" + kId, ""));
}

TEST(CgroupFiles, TheirFormats) {
  EXPECT_EQ(parse_count("123\n"), 123);
  EXPECT_EQ(parse_count("max\n"), std::nullopt);
  EXPECT_EQ(parse_count("-1\n"), std::nullopt);
  EXPECT_EQ(parse_count("18446744073709551615"), int64_t{1} << 53);
  EXPECT_EQ(parse_keyed("oom 3\noom_kill 2\noom_group_kill 0\n", "oom_kill"), 2);
  EXPECT_EQ(parse_keyed("oom_killer 2\n", "oom_kill"), std::nullopt);
  const auto io = parse_io_stat("8:0 rbytes=10 wbytes=20 rios=1 wios=2\n253:1 rbytes=5 wbytes=7\n");
  EXPECT_EQ(io.read, 15);
  EXPECT_EQ(io.written, 27);
  const auto service = parse_io_service_bytes(
      "8:0 Read 10\n8:0 Write 20\n8:0 Sync 1\n8:0 Total 30\n8:16 Read 1\nTotal 31\n");
  EXPECT_EQ(service.read, 11);
  EXPECT_EQ(service.written, 20);
  EXPECT_EQ(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\nfull avg10=0.00 "
                           "avg60=0.00 avg300=0.00 total=99\n"),
            1234);
  EXPECT_EQ(parse_pressure("full total=1\n"), std::nullopt);
}

class CgroupTree : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "gitaiops-cgroup-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const fs::path& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  fs::path root_;
};

TEST_F(CgroupTree, VersionTwo) {
  write("cgroup.controllers", "cpu memory io pids\n");
  const fs::path group = "docker/" + kId;
  write(group / "cpu.stat", "usage_usec 1500\nuser_usec 1000\nnr_throttled 2\nthrottled_usec 70\n");
  write(group / "memory.current", "4096\n");
  write(group / "memory.peak", "8192\n");
  write(group / "memory.events", "low 0\noom 1\noom_kill 1\n");
  write(group / "memory.max", "67108864\n");
  write(group / "io.stat", "8:0 rbytes=1 wbytes=2 rios=1\n");
  write(group / "pids.current", "3\n");
  write(group / "cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n");
  write(group / "memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=8\n");
  write(group / "io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  const auto reading = CgroupReader(root_).read(*place_of("0::/docker/" + kId, kId));
  EXPECT_EQ(reading.cpu_us, 1500);
  EXPECT_EQ(reading.throttled_us, 70);
  EXPECT_EQ(reading.memory_bytes, 4096);
  EXPECT_EQ(reading.memory_peak_bytes, 8192);
  EXPECT_EQ(reading.oom_kills, 1);
  EXPECT_EQ(reading.memory_limit_bytes, 67108864);
  write(group / "memory.max", "max\n");
  EXPECT_EQ(CgroupReader(root_).read(*place_of("0::/docker/" + kId, kId)).memory_limit_bytes,
            std::nullopt);
  EXPECT_EQ(reading.read_bytes, 1);
  EXPECT_EQ(reading.write_bytes, 2);
  EXPECT_EQ(reading.processes, 3);
  EXPECT_EQ(reading.processes_peak, std::nullopt);
  EXPECT_EQ(reading.cpu_pressure_us, 9);
  EXPECT_EQ(reading.memory_pressure_us, 8);
  EXPECT_EQ(reading.io_pressure_us, 7);
}

TEST_F(CgroupTree, VersionOne) {
  const std::string group = "docker/" + kId;
  write("cpu,cpuacct/" + group + "/cpuacct.usage", "1500999\n");
  write("cpu,cpuacct/" + group + "/cpu.stat",
        "nr_periods 5\nnr_throttled 1\nthrottled_time 70000\n");
  write("memory/" + group + "/memory.usage_in_bytes", "4096\n");
  write("memory/" + group + "/memory.max_usage_in_bytes", "8192\n");
  write("memory/" + group + "/memory.limit_in_bytes", "9223372036854771712\n");
  write("memory/" + group + "/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
  write("blkio/" + group + "/blkio.throttle.io_service_bytes",
        "8:0 Read 1\n8:0 Write 2\nTotal 3\n");
  write("pids/" + group + "/pids.current", "3\n");
  std::string text;
  for (const char* line : {"5:cpu,cpuacct", "4:memory", "3:blkio", "2:pids"})
    text += std::string(line) + ":/" + group + "\n";
  const auto reading = CgroupReader(root_).read(*place_of(text, kId));
  EXPECT_EQ(reading.cpu_us, 1500);
  EXPECT_EQ(reading.throttled_us, 70);
  EXPECT_EQ(reading.memory_bytes, 4096);
  EXPECT_EQ(reading.memory_peak_bytes, 8192);
  EXPECT_EQ(reading.oom_kills, 4);
  EXPECT_EQ(reading.memory_limit_bytes, std::nullopt) << "no limit is a large number there";
  write("memory/" + group + "/memory.limit_in_bytes", "67108864\n");
  EXPECT_EQ(CgroupReader(root_).read(*place_of(text, kId)).memory_limit_bytes, 67108864);
  EXPECT_EQ(reading.read_bytes, 1);
  EXPECT_EQ(reading.write_bytes, 2);
  EXPECT_EQ(reading.processes, 3);
}

TEST_F(CgroupTree, BothSideBySide) {
  const std::string group = "docker/" + kId;
  write("unified/cgroup.controllers", "\n");
  write("unified/" + group + "/cpu.stat", "usage_usec 1\n");
  write("unified/" + group + "/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n");
  write("memory/" + group + "/memory.max_usage_in_bytes", "8192\n");
  write("cpuacct/" + group + "/cpuacct.usage", "2000\n");
  const auto reading = CgroupReader(root_).read(
      *place_of("4:memory:/" + group + "\n3:cpuacct:/" + group + "\n0::/" + group + "\n", kId));
  EXPECT_EQ(reading.cpu_us, 2);
  EXPECT_EQ(reading.memory_peak_bytes, 8192);
  EXPECT_EQ(reading.cpu_pressure_us, 9);
}

TEST_F(CgroupTree, AGroupThatIsGoneIsEmpty) {
  write("cgroup.controllers", "cpu\n");
  EXPECT_TRUE(CgroupReader(root_).read(*place_of("0::/docker/" + kId, kId)).empty());
}

}  // namespace
}  // namespace gitaiops::agent
