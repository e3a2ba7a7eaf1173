// The table on a /proc of our own making: every process is written down in the test.
#include "agent/observer/process_table.h"

#include "tests/unit/observer/fixture.h"

namespace gitaiops::agent {
namespace {

struct Fake {
  int pid = 0, parent = 1;
  std::string comm = "sh";
  int session = 0;     // 0: its own
  uint64_t start = 0;  // 0: its pid
  uint32_t uid = 0;
  bool thread = false;
  std::string cwd = "/";
};

class ProcessTableTest : public ::testing::Test {
 protected:
  void put(Fake process) {
    const auto folder = root_.path / std::to_string(process.pid);
    std::filesystem::remove_all(folder);  // a fresh inode, as for a fresh process
    write(process);
  }
  // The same process: another parent, name or session.
  void change(Fake process) { write(process); }
  void end(int pid) { std::filesystem::remove_all(root_.path / std::to_string(pid)); }

  // pid → root's pid, of all descendants.
  std::map<int, int> trees() {
    std::map<int, int> trees;
    for (const auto& record : table_.sample(now_)) trees[record.id.pid] = record.root.pid;
    return trees;
  }
  std::vector<int> runners() {
    table_.scan(now_);
    std::vector<int> pids;
    for (const auto& record : table_.runners()) pids.push_back(record.id.pid);
    return pids;
  }
  using Trees = std::map<int, int>;
  using Pids = std::vector<int>;

  int64_t now_ = 1;  // microseconds
  TempFolder root_;
  ProcFs proc_ = *ProcFs::open(root_.path.string());
  ProcessTable table_{proc_, {{"gitlab-runner"}, {0, 999}}};

 private:
  void write(const Fake& process) {
    const auto folder = root_.path / std::to_string(process.pid);
    std::filesystem::create_directories(folder);
    const auto session = process.session != 0 ? process.session : process.pid;
    const auto start = process.start != 0 ? process.start : static_cast<uint64_t>(process.pid);
    std::ofstream(folder / "stat")
        << process.pid << " (" << process.comm << ") S " << process.parent << " " << session << " "
        << session << " 0 -1 0 0 0 0 0 1 1 1 1 20 0 1 0 " << start
        << " 0 10 0 0 0 0 0 0 0 0 0 0 0 0 0 " << (process.thread ? -1 : 17) << " 0\n";
    std::ofstream(folder / "status") << "Name:\tx\nUid:\t" << process.uid << "\t" << process.uid
                                     << "\t" << process.uid << "\t" << process.uid << "\n";
    std::error_code ignored;
    std::filesystem::create_symlink("/usr/bin/gitlab-runner", folder / "exe", ignored);
    std::filesystem::remove(folder / "cwd", ignored);
    std::filesystem::create_symlink(process.cwd, folder / "cwd", ignored);
  }
};

TEST_F(ProcessTableTest, AttributesDescendantsToTheChildOfTheRunner) {
  put({.pid = 1, .comm = "init"});
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 20, .parent = 10, .session = 10});
  put({.pid = 21, .parent = 20, .session = 10});
  put({.pid = 30, .parent = 10, .session = 10});
  put({.pid = 40, .comm = "sshd"});
  EXPECT_EQ(trees(), (Trees{{20, 20}, {21, 20}, {30, 30}}));
  EXPECT_EQ(runners(), Pids{10});
}

TEST_F(ProcessTableTest, WhatIsMoreUrgentNeedNotWaitForALongListing) {
  for (int pid = 100; pid < 500; ++pid) put({.pid = pid});
  int called = 0;
  ProcessTable table(proc_, {{"gitlab-runner"}, {0}}, [&] { ++called; });
  table.scan(now_);
  EXPECT_GE(called, 400 / 100);
  // A runner that starts makes it look at all strangers again.
  put({.pid = 600, .comm = "gitlab-runner"});
  called = 0;
  table.scan(now_ += 1);
  EXPECT_GE(called, 2 * 400 / 100);
  ASSERT_EQ(table.runners().size(), 1u);
}

TEST_F(ProcessTableTest, AJobCannotPoseAsARunner) {
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 20, .parent = 10, .session = 10});
  put({.pid = 21, .parent = 20, .comm = "gitlab-runner", .session = 10});
  EXPECT_EQ(runners(), Pids{10});
  // It leaves its tree in every way there is, and its runner ends.
  change({.pid = 21, .parent = 1, .comm = "gitlab-runner"});
  end(20);
  end(10);
  EXPECT_EQ(runners(), Pids{});
  EXPECT_EQ(trees(), (Trees{{21, 20}}));
}

TEST_F(ProcessTableTest, ANameTakenAfterLeavingTheTreeDoesNotHelp) {
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 20, .parent = 10, .session = 10});
  table_.scan(now_);
  change({.pid = 20, .parent = 1, .comm = "gitlab-runner"});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(runners(), Pids{10});
}

TEST_F(ProcessTableTest, AProcessOfAnotherUserIsNoRunner) {
  put({.pid = 10, .comm = "gitlab-runner", .uid = 1000});
  put({.pid = 11, .comm = "gitlab-runner", .uid = 999});
  EXPECT_EQ(runners(), Pids{11});
  ASSERT_EQ(table_.refused().size(), 1u);
  EXPECT_EQ(table_.refused()[0].id.pid, 10);
  EXPECT_EQ(table_.refused()[0].uid, 1000u);
}

TEST_F(ProcessTableTest, ARunnerThatExecsLateTakesItsChildrenAlong) {
  put({.pid = 10, .comm = "entrypoint.sh"});
  put({.pid = 20, .parent = 10, .session = 10});
  for (int i = 0; i < 20; ++i) table_.scan(now_);
  EXPECT_EQ(trees(), Trees{});
  change({.pid = 10, .comm = "gitlab-runner"});
  now_ += 30'000'000;  // that often every stranger is looked at
  EXPECT_EQ(runners(), Pids{10});
  EXPECT_EQ(trees(), (Trees{{20, 20}}));
}

TEST_F(ProcessTableTest, WhatWasBornLongAgoIsLookedAtSeldom) {
  now_ = 100'000'000;
  put({.pid = 10, .comm = "entrypoint.sh"});
  table_.scan(now_);
  change({.pid = 10, .comm = "gitlab-runner"});
  EXPECT_EQ(runners(), Pids{});
  now_ += 30'000'000;
  EXPECT_EQ(runners(), Pids{10});
}

TEST_F(ProcessTableTest, AnOrphanStaysInTheTreeItWasFirstSeenIn) {
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 20, .parent = 10, .session = 10});
  put({.pid = 21, .parent = 20, .session = 10});
  put({.pid = 30, .parent = 10, .session = 10});
  EXPECT_EQ(trees(), (Trees{{20, 20}, {21, 20}, {30, 30}}));
  end(20);
  change({.pid = 21, .parent = 1});
  put({.pid = 22, .parent = 21, .session = 21});
  EXPECT_EQ(trees(), (Trees{{21, 20}, {22, 20}, {30, 30}}));
  const auto records = table_.sample(now_);
  ASSERT_EQ(records[1].id.pid, 21);
  EXPECT_EQ(records[1].parent.start_ticks, 0u) << "its parent is gone";
}

TEST_F(ProcessTableTest, AnOrphanNeverSeenBeforeBelongsToItsSession) {
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 20, .parent = 10, .session = 10});
  put({.pid = 21, .parent = 20});  // setsid
  table_.sample(now_);
  put({.pid = 50, .parent = 1, .session = 21});
  end(21);
  put({.pid = 51, .parent = 1, .session = 10});  // the runner's own session: no proof of any tree
  EXPECT_EQ(trees(), (Trees{{20, 20}, {50, 20}}));
}

// One job works in a checkout of the user 999; the runner and its reaper began before.
class OrphanTest : public ProcessTableTest {
 protected:
  static constexpr auto kCheckout = "/home/ci/builds/t1abc/0/grp/demo";
  OrphanTest() {
    put({.pid = 1, .comm = "init"});
    put({.pid = 5, .comm = "reaper"});
    put({.pid = 10, .parent = 5, .comm = "gitlab-runner"});
    put({.pid = 20, .parent = 10, .session = 10, .uid = 999, .cwd = kCheckout});
    table_.sample(now_);
  }
  bool joins(Fake process) {
    put(process);
    return trees().contains(process.pid);
  }
};

TEST_F(OrphanTest, OneThatWasNeverSeenInItsTreeBelongsWhereItWorks) {
  EXPECT_TRUE(joins({.pid = 30, .uid = 999, .cwd = kCheckout}));
  EXPECT_TRUE(joins({.pid = 31, .parent = 5, .uid = 999, .cwd = std::string(kCheckout) + "/src"}));
  // What it starts belongs there, too, wherever that works; and it keeps its place when it moves.
  EXPECT_TRUE(joins({.pid = 32, .parent = 31, .uid = 999}));
  change({.pid = 30, .uid = 999, .cwd = "/home/ci/builds/t1abc/1/grp/demo"});
  EXPECT_EQ(trees(), (Trees{{20, 20}, {30, 20}, {31, 20}, {32, 20}}));
}

TEST_F(OrphanTest, ItIsFoundWhenItsTreeGoesToTheCheckoutAfterIt) {
  change({.pid = 20, .parent = 10, .session = 10, .uid = 999, .cwd = "/home/ci"});
  for (int i = 0; i < 16; ++i) table_.sample(now_);  // one that sleeps is read seldom
  EXPECT_FALSE(joins({.pid = 30, .uid = 999, .cwd = kCheckout}));
  put({.pid = 33, .parent = 20, .session = 10, .uid = 999, .cwd = kCheckout});
  EXPECT_EQ(trees(), (Trees{{20, 20}, {30, 20}, {33, 20}}));
}

TEST_F(OrphanTest, OthersAreLeftAlone) {
  EXPECT_FALSE(joins({.pid = 30, .uid = 1000, .cwd = kCheckout})) << "another user's";
  EXPECT_FALSE(joins({.pid = 31, .start = 19, .uid = 999, .cwd = kCheckout})) << "began before";
  EXPECT_FALSE(joins({.pid = 32, .uid = 999, .cwd = "/home/ci/builds/t1abc/0/grp/demo2"}));
  EXPECT_FALSE(joins({.pid = 33, .uid = 999, .cwd = "/home/ci"}));
  put({.pid = 40, .comm = "sshd"});
  EXPECT_FALSE(joins({.pid = 41, .parent = 40, .uid = 999, .cwd = kCheckout})) << "has a parent";
}

TEST_F(OrphanTest, TheLongestCheckoutDecidesAndASharedOneIsNobodys) {
  const auto inner = std::string(kCheckout) + "/inner";
  put({.pid = 21, .parent = 10, .session = 10, .uid = 999, .cwd = inner});
  table_.sample(now_);
  put({.pid = 30, .uid = 999, .cwd = inner + "/x"});
  put({.pid = 31, .uid = 999, .cwd = kCheckout});
  EXPECT_EQ(trees(), (Trees{{20, 20}, {21, 21}, {30, 21}, {31, 20}}));
  put({.pid = 22, .parent = 10, .session = 10, .uid = 999, .cwd = kCheckout});
  table_.sample(now_);
  EXPECT_FALSE(joins({.pid = 32, .uid = 999, .cwd = kCheckout}));
}

TEST_F(OrphanTest, WhatItSaysOfItselfIsNotTold) {
  put({.pid = 30, .uid = 999, .cwd = kCheckout});
  for (const auto& record : table_.sample(now_))
    EXPECT_EQ(record.cwd_length == 0, record.id.pid == 30);
}

TEST_F(ProcessTableTest, AReusedPidInheritsNothing) {
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 20, .parent = 10, .session = 10});
  put({.pid = 21, .parent = 20, .session = 10});
  table_.sample(now_);
  put({.pid = 21, .parent = 1, .comm = "cron", .start = 5000});
  put({.pid = 20, .parent = 1, .comm = "cron", .start = 5001});
  put({.pid = 22, .parent = 1, .session = 20, .start = 6000});
  EXPECT_EQ(trees(), Trees{});
  // A parent that started after its child is not its parent.
  put({.pid = 10, .comm = "gitlab-runner", .start = 9000});
  put({.pid = 60, .parent = 10, .session = 10, .start = 8000});
  EXPECT_EQ(trees(), Trees{});
}

TEST_F(ProcessTableTest, SeveralRunnersAreKeptApart) {
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 11, .comm = "gitlab-runner", .uid = 999});
  put({.pid = 20, .parent = 10, .session = 10});
  put({.pid = 30, .parent = 11, .session = 11});
  EXPECT_EQ(runners(), (Pids{10, 11}));
  std::map<int, int> runner_of;
  for (const auto& record : table_.sample(now_)) runner_of[record.id.pid] = record.runner.pid;
  EXPECT_EQ(runner_of, (Trees{{20, 10}, {30, 11}}));
}

TEST_F(ProcessTableTest, ParentsComeBeforeChildren) {
  put({.pid = 500, .comm = "gitlab-runner", .start = 1});
  put({.pid = 400, .parent = 500, .session = 500, .start = 2});
  put({.pid = 300, .parent = 400, .session = 500, .start = 3});
  put({.pid = 200, .parent = 300, .session = 500, .start = 4});
  std::vector<int> order;
  for (const auto& record : table_.sample(now_)) order.push_back(record.id.pid);
  EXPECT_EQ(order, (Pids{400, 300, 200}));
}

// Where the kernel tells the last number it gave.
class FollowingTest : public ProcessTableTest {
 protected:
  FollowingTest() {
    std::filesystem::create_directories(root_.path / "self");
    std::ofstream(root_.path / "self" / "status") << "Name:\tx\nNSpid:\t7\n";
    gave(100);
    put({.pid = 1, .comm = "init"});
    put({.pid = 10, .comm = "gitlab-runner"});
    proc_ = *ProcFs::open(root_.path.string());
    for (int i = 0; i < 20; ++i) table_.scan(now_);
  }
  void gave(int newest) {
    std::ofstream(root_.path / "loadavg") << "0.50 0.25 0.10 1/100 " << newest << "\n";
  }
};

TEST_F(FollowingTest, LooksAtTheNumbersGivenSince) {
  put({.pid = 101, .parent = 10, .session = 10});
  put({.pid = 103, .parent = 101, .session = 10});
  gave(103);
  put({.pid = 104, .parent = 10, .session = 10});  // not given: it is not looked for
  EXPECT_EQ(trees(), (Trees{{101, 101}, {103, 101}}));
  EXPECT_EQ(table_.known(), 4u);
  gave(104);
  EXPECT_EQ(trees(), (Trees{{101, 101}, {103, 101}, {104, 104}}));
  end(101);
  end(104);
  EXPECT_EQ(trees(), (Trees{{103, 101}}));
}

TEST_F(FollowingTest, WhatAppearsAMomentAfterItsNumberIsNotMissed) {
  gave(101);
  EXPECT_EQ(trees(), Trees{});
  put({.pid = 101, .parent = 10, .session = 10});
  EXPECT_EQ(trees(), (Trees{{101, 101}}));
}

TEST_F(FollowingTest, ANumberUsedAgainIsAnotherProcess) {
  put({.pid = 101, .parent = 10, .session = 10});
  gave(101);
  EXPECT_EQ(trees(), (Trees{{101, 101}}));
  gave(60);  // they began anew
  put({.pid = 60, .parent = 10, .session = 10, .start = 900});
  EXPECT_EQ(trees(), (Trees{{101, 101}, {60, 60}}));
  put({.pid = 101, .comm = "cron", .start = 901});
  gave(101);
  EXPECT_EQ(trees(), (Trees{{60, 60}}));
}

TEST_F(FollowingTest, ARunnerThatEndsOrExecsIsSeenWithoutAListing) {
  end(10);
  EXPECT_EQ(runners(), Pids{});
  put({.pid = 101, .comm = "entrypoint.sh"});
  gave(101);
  EXPECT_EQ(runners(), Pids{});
  change({.pid = 101, .comm = "gitlab-runner"});
  EXPECT_EQ(runners(), Pids{101});
}

TEST_F(FollowingTest, AStrangerThatExecsLateIsSeenOnceSomethingIsBorn) {
  put({.pid = 101, .comm = "entrypoint.sh"});
  gave(101);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(runners(), Pids{10});
  change({.pid = 101, .comm = "gitlab-runner"});
  now_ += 30'000'000;
  gave(110);  // its threads
  EXPECT_EQ(runners(), (Pids{10, 101}));
}

TEST_F(FollowingTest, AThreadIsNoProcess) {
  put({.pid = 101, .parent = 10, .session = 10, .thread = true});
  gave(101);
  EXPECT_EQ(trees(), Trees{});
}

TEST_F(FollowingTest, ManyNumbersAreAListing) {
  put({.pid = 50'000, .parent = 10, .session = 10});
  gave(50'001);
  EXPECT_EQ(trees(), (Trees{{50'000, 50'000}}));
}

TEST_F(ProcessTableTest, GarbageIsSkipped) {
  put({.pid = 10, .comm = "gitlab-runner"});
  put({.pid = 20, .parent = 10, .session = 10});
  std::filesystem::create_directories(root_.path / "30");
  std::ofstream(root_.path / "30" / "stat") << std::string(5000, 'x');
  std::filesystem::create_directories(root_.path / "31");
  std::filesystem::create_directories(root_.path / "99999999999999999999");
  std::filesystem::create_directories(root_.path / "acpi");
  EXPECT_EQ(trees(), (Trees{{20, 20}}));
}

}  // namespace
}  // namespace gitaiops::agent
