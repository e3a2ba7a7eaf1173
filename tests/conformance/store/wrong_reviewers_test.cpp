// What was said of proposed reviewers.
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

TEST_P(StoreConformance, WrongReviewersAreRememberedByProjectAndTime) {
  const auto tell = [&](int64_t project, int64_t iid, int64_t user, int64_t at) {
    EXPECT_TRUE(await(store->add_wrong_reviewer({"main", project, iid, user, "ann", {at}})).ok());
  };
  tell(42, 7, 1, 100);
  tell(42, 7, 2, 200);
  tell(42, 7, 1, 300);  // said again
  tell(43, 7, 3, 300);
  const auto all = await(store->wrong_reviewers("main", 42, {0})).value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].user_id, 2);
  EXPECT_EQ(all[1].user_id, 1);
  EXPECT_EQ(all[1].at.value, 300);
  EXPECT_EQ(all[1].said_by, "ann");
  EXPECT_EQ(await(store->wrong_reviewers("main", 42, {250})).value().size(), 1u);
  EXPECT_TRUE(await(store->wrong_reviewers("other", 42, {0})).value().empty());
}

}  // namespace
}  // namespace gitaiops::store
