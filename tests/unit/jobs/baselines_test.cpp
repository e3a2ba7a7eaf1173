#include "agent/jobs/baselines.h"

#include <fstream>

#include <gmock/gmock.h>

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BaselinesTest : public testing::Test {
 protected:
  BaselinesTest() {
    char name[] = "/tmp/gitaiops-baselines-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~BaselinesTest() override { fs::remove_all(folder); }
  Baselines open(BaselineLimits limits = {}) {
    Baselines baselines(folder / "b", limits);
    EXPECT_TRUE(baselines.open().ok());
    return baselines;
  }
  std::vector<fs::path> files(const std::string& suffix) const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(folder / "b"))
      if (entry.path().extension() == suffix) out.push_back(entry.path());
    return out;
  }
  fs::path folder;
  const JobName unit{"main", "grp/demo", "unit"}, lint{"main", "grp/demo", "lint"};
};

TEST_F(BaselinesTest, KeepTheLastRunsOfEachJobOverARestart) {
  {
    auto b = open();
    EXPECT_TRUE(b.add(unit, {1, 2}));
    EXPECT_FALSE(b.add(unit, {1, 2})) << "nothing new to tell";
    EXPECT_TRUE(b.add(unit, {2, 0xffff'ffff'ffff'fff0}));
    EXPECT_TRUE(b.add(lint, {9}));
  }
  auto b = open();
  EXPECT_THAT(b.find(unit), ElementsAre(1, 2, 0xffff'ffff'ffff'fff0));
  EXPECT_THAT(b.find(lint), ElementsAre(9));
  b.add(unit, {3});
  b.add(unit, {4});
  EXPECT_THAT(b.find(unit), ElementsAre(2, 3, 4, 0xffff'ffff'ffff'fff0)) << "the first run is gone";
  EXPECT_THAT(b.find({"other", "grp/demo", "unit"}), IsEmpty());
  EXPECT_THAT(b.find({}), IsEmpty());
  EXPECT_FALSE(b.add({}, {1}));
}

TEST_F(BaselinesTest, OthersAreToldOnlyWhenEnoughIsNew) {
  auto b = open();
  std::vector<uint64_t> run;
  for (uint64_t i = 1; i <= 100; ++i) run.push_back(i);
  EXPECT_TRUE(b.add(unit, run));
  run.push_back(101);
  EXPECT_FALSE(b.add(unit, run));
  for (uint64_t i = 200; i < 210; ++i) run.push_back(i);
  EXPECT_TRUE(b.add(unit, run));
}

TEST_F(BaselinesTest, ADamagedFileIsSetAsideAndBegunAnew) {
  auto b = open();
  b.add(unit, {1, 2, 3});
  ASSERT_EQ(files(".baseline").size(), 1u);
  const auto file = files(".baseline")[0];
  EXPECT_EQ(fs::status(file).permissions() & fs::perms::all,
            fs::perms::owner_read | fs::perms::owner_write);
  {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(-3, std::ios::end);
    f.put('!');
  }
  EXPECT_THAT(b.find(unit), IsEmpty());
  EXPECT_EQ(files(".damaged").size(), 1u);
  EXPECT_TRUE(b.add(unit, {7}));
  EXPECT_THAT(b.find(unit), ElementsAre(7));
  for (const std::string hostile : {"", "gitaiops-baseline 1\n", "x"}) {
    std::ofstream(file, std::ios::trunc) << hostile;
    EXPECT_THAT(b.find(unit), IsEmpty());
  }
}

TEST_F(BaselinesTest, AreBounded) {
  auto b = open({.runs = 2, .hashes = 4, .files = 3, .bytes = 1 << 20});
  b.add(unit, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(b.find(unit), ElementsAre(1, 2, 3, 4));
  for (int i = 0; i < 9; ++i) b.add({"main", "grp/demo", "job " + std::to_string(i)}, {1});
  EXPECT_EQ(files(".baseline").size(), 3u);
  auto small = open({.bytes = 1});
  EXPECT_TRUE(files(".baseline").empty());
}

}  // namespace
}  // namespace gitaiops::agent
