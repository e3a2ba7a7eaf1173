#include "engines/triage/reviewers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::triage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int64_t kDay = 86'400;
constexpr int64_t kStart = 1'700'000'000;

Commit commit(int64_t day, std::string author, std::vector<std::string> files,
              std::vector<std::string> reviewers = {}) {
  return {"c" + std::to_string(day), kStart + day * kDay,  std::move(author),
          std::move(files),          std::move(reviewers), {}};
}

std::vector<std::string> names(const std::vector<Suggestion>& found) {
  std::vector<std::string> out;
  for (const auto& one : found) out.push_back(one.person);
  return out;
}

// Ben reviews the network code, Cem the storage code; Ann and Dan write both.
Reviewers two_areas() {
  Reviewers reviewers;
  for (int day = 0; day < 40; ++day) {
    const std::string author = day % 2 == 0 ? "ann" : "dan";
    reviewers.add(commit(day, author, {"net/tcp.c"}, {"ben"}));
    reviewers.add(commit(day, author, {"store/disk.c"}, {"cem"}));
  }
  return reviewers;
}

TEST(Reviewers, WhoReviewedThereComesFirstAndSaysWhy) {
  const auto reviewers = two_areas();
  const auto found = reviewers.suggest({"ann", {"net/udp.c"}, kStart + 41 * kDay}, 3);
  ASSERT_GE(found.size(), 2u);
  EXPECT_EQ(found[0].person, "ben");
  EXPECT_EQ(found[0].reason, "gave 20 of the last 20 reviews in net, last review 2 days ago");
  EXPECT_GT(found[0].share, found[1].share);
  EXPECT_THAT(names(reviewers.suggest({"ann", {"store/disk.c"}, kStart + 41 * kDay}, 1)),
              ElementsAre("cem"));
}

TEST(Reviewers, NeitherTheAuthorNorMachinesNorWhoIsLeftOut) {
  Reviewers reviewers;
  for (int day = 0; day < 10; ++day)
    reviewers.add(commit(day, "ann", {"a.c"}, {"ben", "merge-bot", "cem", "ann"}));
  const Change change{"ben", {"a.c"}, kStart + 11 * kDay};
  EXPECT_THAT(names(reviewers.suggest(change, 9)), Not(testing::Contains("ben")));
  EXPECT_THAT(names(reviewers.suggest(change, 9)), Not(testing::Contains("merge-bot")));
  EXPECT_THAT(names(reviewers.suggest(change, 9, {"cem"})), ElementsAre("ann"));
}

TEST(Reviewers, OldReviewsFade) {
  Reviewers reviewers;
  for (int day = 0; day < 30; ++day) reviewers.add(commit(day, "ann", {"a.c"}, {"long-gone"}));
  for (int day = 900; day < 910; ++day) reviewers.add(commit(day, "ann", {"a.c"}, {"here-now"}));
  EXPECT_THAT(names(reviewers.suggest({"ann", {"a.c"}, kStart + 911 * kDay}, 1)),
              ElementsAre("here-now"));
}

TEST(Reviewers, ANewFolderFallsBackToWhatLiesAbove) {
  const auto reviewers = two_areas();
  const auto found = reviewers.suggest({"eve", {"net/quic/stream.c"}, kStart + 41 * kDay}, 1);
  EXPECT_THAT(names(found), ElementsAre("ben"));
}

TEST(Reviewers, ImportsSayNothingOfWhoKnowsWhat) {
  Reviewers reviewers;
  std::vector<std::string> many;
  for (int i = 0; i < 500; ++i) many.push_back("vendor/" + std::to_string(i));
  reviewers.add(commit(0, "ann", many, {"ben"}));
  EXPECT_THAT(reviewers.suggest({"dan", {"vendor/1"}, kStart + kDay}, 3), IsEmpty());
}

TEST(Reviewers, NothingKnownNamesNobody) {
  EXPECT_THAT(Reviewers().suggest({"ann", {"a.c"}, kStart}, 3), IsEmpty());
  EXPECT_THAT(two_areas().suggest({"ann", {}, kStart + 41 * kDay}, 0), IsEmpty());
}

// In one project the author's usual reviewer looks at everything, wherever it lies; in the other
// whoever knows the folder does. The same change gets another answer.
TEST(Reviewers, TheProjectsOwnWayIsLearnt) {
  Reviewers by_person, by_folder;
  for (int day = 0; day < 400; ++day) {
    const std::string author = "author" + std::to_string(day % 4);
    const std::string folder = "part" + std::to_string(day % 3) + "/x.c";
    by_person.add(commit(day, author, {folder}, {"friend-of-" + author}));
    by_folder.add(commit(day, author, {folder}, {"keeper-" + std::to_string(day % 3)}));
  }
  const auto& person = by_person.weights();
  const auto& folder = by_folder.weights();
  EXPECT_GT(person[Signals::affinity] - person[Signals::folder_reviews],
            folder[Signals::affinity] - folder[Signals::folder_reviews]);
  const Change change{"author1", {"part2/x.c"}, kStart + 401 * kDay};
  EXPECT_THAT(names(by_person.suggest(change, 1)), ElementsAre("friend-of-author1"));
  EXPECT_THAT(names(by_folder.suggest(change, 1)), ElementsAre("keeper-2"));
}

TEST(Reviewers, TheOrderIsTheSameEachTime) {
  Reviewers reviewers;
  for (int day = 0; day < 5; ++day)
    reviewers.add(commit(day, "ann", {"a.c"}, {"zoe", "ben", "moe"}));
  const Change change{"ann", {"a.c"}, kStart + 6 * kDay};
  EXPECT_THAT(names(reviewers.suggest(change, 3)), ElementsAre("ben", "moe", "zoe"));
}

}  // namespace
}  // namespace gitaiops::triage
