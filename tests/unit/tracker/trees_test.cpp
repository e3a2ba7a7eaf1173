#include "agent/tracker/trees.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kSecond = kMicrosPerSecond;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// A job that began and ended at these seconds (0: still running), closed half a second later.
TreeJob job(int64_t id, uint64_t rank, int64_t began, int64_t ended,
            std::string project = "grp/demo") {
  TreeJob job;
  job.ref = {"lab", id};
  job.runner_short = "tok";
  job.project = std::move(project);
  job.announced = rank;
  job.ended = ended == 0 ? 0 : rank + 1;
  job.born = {began * kSecond, began * kSecond};
  job.end = ended == 0 ? Between{kNever, kNever} : Between{ended * kSecond, ended * kSecond};
  job.freed = ended == 0 ? Between{kNever, kNever}
                         : Between{ended * kSecond + kSecond / 2, ended * kSecond + kSecond / 2};
  return job;
}

// A tree that was seen in each second from `from` until `until`.
Tree tree(int32_t pid, int64_t from, int64_t until, const std::string& cwd,
          std::optional<int64_t> claim = {}) {
  const ProcessId root{pid, static_cast<uint64_t>(from * 100 + 50)};
  Tree tree(root, {1, 1}, (from + 1) * kSecond);
  for (auto second = from + 1; second <= until; ++second) {
    ProcessSample process;
    process.id = process.root = root;
    process.cwd = cwd;
    process.claimed_job = claim;
    tree.saw(process, second * kSecond);
  }
  return tree;
}

TreeVerdict verdict(const std::vector<TreeJob>& jobs, std::size_t index,
                    const std::vector<Tree>& trees) {
  std::vector<const Tree*> seen;
  for (const auto& t : trees) seen.push_back(&t);
  return trees_of(jobs, index, seen);
}

std::vector<int> pids(const TreeVerdict& v) {
  std::vector<int> found;
  for (const auto& root : v.trees) found.push_back(root.pid);
  return found;
}

TEST(Slots, LowestFreeNumber) {
  // 1 ended and was closed before 3 began; 2 still runs.
  const std::vector jobs{job(1, 1, 0, 5), job(2, 3, 1, 0), job(3, 4, 10, 0), job(4, 5, 11, 0)};
  const auto slots = predict_slots(jobs);
  EXPECT_EQ(slots[0], std::vector{0});
  EXPECT_EQ(slots[1], std::vector{1});
  EXPECT_EQ(slots[2], std::vector{0});
  EXPECT_EQ(slots[3], std::vector{2});
}

TEST(Slots, AJobMayStillHoldItsSlotWhileItsTraceIsOpen) {
  auto first = job(1, 1, 0, 5);
  first.freed = {5 * kSecond, 20 * kSecond};
  const auto slots =
      predict_slots(std::vector{first, job(2, 3, 10, 0), job(3, 4, 30, 0), job(4, 5, 31, 0)});
  EXPECT_EQ(slots[1], (std::vector{0, 1}));
  EXPECT_EQ(slots[2], (std::vector{0, 1})) << "the other one of the two";
  EXPECT_EQ(slots[3], std::vector{2}) << "both are taken, in whichever order";
}

TEST(Slots, OtherProjectsAndEntriesDoNotCount) {
  auto elsewhere = job(2, 2, 1, 0);
  elsewhere.runner_short = "other";
  const auto slots =
      predict_slots(std::vector{job(1, 1, 0, 0, "grp/a"), elsewhere, job(3, 3, 2, 0, "grp/b")});
  EXPECT_EQ(slots[1], std::vector{0});
  EXPECT_EQ(slots[2], std::vector{0});
}

TEST(Slots, StrangersMakeThemUnknowable) {
  auto with_strangers = job(1, 1, 0, 5);
  with_strangers.strangers = true;
  const auto slots = predict_slots(std::vector{with_strangers, job(2, 3, 2, 0), job(3, 4, 40, 0)});
  EXPECT_FALSE(slots[0]);
  EXPECT_FALSE(slots[1]);
}

TEST(TreesOf, StagesInTheCheckoutBelongToTheJob) {
  const auto v =
      verdict({job(1, 1, 0, 20)}, 0,
              {tree(100, 1, 4, "/b/tok/0/grp/demo"), tree(101, 5, 18, "/b/tok/0/grp/demo/src"),
               tree(102, 3, 9, "/usr/lib"), tree(103, 3, 9, "/b/tok/0/grp/other")});
  EXPECT_THAT(pids(v), ElementsAre(100, 101));
  EXPECT_EQ(v.reason, "");
}

TEST(TreesOf, JobsOfOneProjectAreToldApartByTheirSlots) {
  const std::vector jobs{job(1, 1, 0, 20), job(2, 2, 1, 19)};
  const std::vector trees{tree(100, 2, 18, "/b/tok/0/grp/demo"),
                          tree(101, 2, 18, "/b/tok/1/grp/demo")};
  EXPECT_THAT(pids(verdict(jobs, 0, trees)), ElementsAre(100));
  EXPECT_THAT(pids(verdict(jobs, 1, trees)), ElementsAre(101));
}

TEST(TreesOf, SwappedFacesAreWithheldForBoth) {
  std::vector jobs{job(1, 1, 0, 20), job(2, 2, 1, 19)};
  jobs[0].claim = "/b/tok/1/grp/demo";
  jobs[1].claim = "/b/tok/0/grp/demo";
  const std::vector trees{tree(100, 2, 18, "/b/tok/0/grp/demo", 2),
                          tree(101, 2, 18, "/b/tok/1/grp/demo", 1)};
  EXPECT_THAT(pids(verdict(jobs, 0, trees)), IsEmpty());
  EXPECT_THAT(verdict(jobs, 0, trees).reason, HasSubstr("says it is of job 2"));
  EXPECT_TRUE(verdict(jobs, 1, trees).withheld);
}

TEST(TreesOf, AClaimOnASilentJobGivesItNothing) {
  const std::vector jobs{job(1, 1, 0, 20), job(2, 2, 1, 19)};
  const std::vector trees{tree(101, 2, 18, "/b/tok/1/grp/demo", 1)};
  EXPECT_THAT(pids(verdict(jobs, 0, trees)), IsEmpty());
  EXPECT_THAT(pids(verdict(jobs, 1, trees)), IsEmpty());
}

TEST(TreesOf, ATreeInTwoCheckoutsIsNobodys) {
  const std::vector jobs{job(1, 1, 0, 20, "grp/a"), job(2, 2, 1, 19, "grp/b")};
  auto wandering = tree(100, 2, 10, "/b/tok/0/grp/a");
  ProcessSample process;
  process.id = process.root = wandering.root;
  process.cwd = "/b/tok/0/grp/b";
  wandering.saw(process, 11 * kSecond);
  EXPECT_THAT(pids(verdict(jobs, 0, {wandering})), IsEmpty());
  EXPECT_THAT(pids(verdict(jobs, 1, {wandering})), IsEmpty());
}

TEST(TreesOf, TwoTreesAtOnceInOneCheckoutAreBothWithheld) {
  const auto v =
      verdict({job(1, 1, 0, 20)}, 0,
              {tree(100, 2, 18, "/b/tok/0/grp/demo"), tree(101, 3, 17, "/b/tok/0/grp/demo")});
  EXPECT_THAT(pids(v), IsEmpty());
  EXPECT_THAT(v.reason, HasSubstr("at the same time"));
}

TEST(TreesOf, SomebodyWhoIsNowhereToBeSeenMayBeTheRealOwner) {
  // Job 2 works in job 1's checkout while job 1 has no process of its own.
  const std::vector jobs{job(1, 1, 0, 20, "grp/a"), job(2, 2, 1, 19, "grp/b")};
  const std::vector trees{tree(100, 2, 9, "/b/tok/0/grp/a"), tree(101, 10, 17, "/b/tok/0/grp/a"),
                          tree(102, 2, 9, "/b/tok/0/grp/b")};
  EXPECT_THAT(verdict(jobs, 0, trees).reason, HasSubstr("job 2 ran at the same time"));
}

TEST(TreesOf, AnHonestJobElsewhereDisturbsNobody) {
  const std::vector jobs{job(1, 1, 0, 20, "grp/a"), job(2, 2, 1, 19, "grp/b")};
  const std::vector trees{tree(100, 2, 18, "/b/tok/0/grp/a"), tree(102, 2, 5, "/b/tok/0/grp/b"),
                          tree(103, 5, 18, "/srv/app", 2)};
  EXPECT_THAT(pids(verdict(jobs, 0, trees)), ElementsAre(100));
}

TEST(TreesOf, TheNextJobInTheSameCheckoutKeepsItsOwn) {
  const std::vector jobs{job(1, 1, 0, 5), job(2, 3, 10, 0)};
  const std::vector trees{tree(100, 1, 4, "/b/tok/0/grp/demo"),
                          tree(101, 11, 15, "/b/tok/0/grp/demo")};
  EXPECT_THAT(pids(verdict(jobs, 0, trees)), ElementsAre(100));
  EXPECT_THAT(pids(verdict(jobs, 1, trees)), ElementsAre(101));
}

TEST(TreesOf, WhereSlotsAreUnknownTheLogMustNameTheCheckout) {
  auto one = job(1, 1, 0, 20);
  one.strangers = true;
  const std::vector trees{tree(100, 2, 18, "/b/tok/3/grp/demo")};
  EXPECT_THAT(pids(verdict({one}, 0, trees)), IsEmpty());
  one.claim = "/b/tok/3/grp/demo";
  EXPECT_THAT(pids(verdict({one}, 0, trees)), ElementsAre(100));
  one.claim = "/b/tok/0/grp/demo";
  EXPECT_THAT(pids(verdict({one}, 0, trees)), IsEmpty());
}

}  // namespace
}  // namespace gitaiops::agent
