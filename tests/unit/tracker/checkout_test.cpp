#include "agent/tracker/checkout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Checkout, TakesPathsApart) {
  EXPECT_THAT(checkouts_in("/home/gitlab-runner/builds/glrt-AbC/0/grp/demo/src"),
              ElementsAre(Checkout{"glrt-AbC", 0, "grp/demo/src"}));
  EXPECT_THAT(checkouts_in("/b/x/7/y/3/grp/demo"),
              ElementsAre(Checkout{"x", 7, "y/3/grp/demo"}, Checkout{"y", 3, "grp/demo"}));
  EXPECT_THAT(checkouts_in("/usr/lib/gcc/12"), IsEmpty());
  EXPECT_THAT(checkouts_in("builds/glrt-AbC/0/grp/demo"), IsEmpty());
  EXPECT_THAT(checkouts_in("/glrt-AbC/99999999/grp/demo"), IsEmpty());
  EXPECT_THAT(checkouts_in(""), IsEmpty());
}

TEST(Checkout, InsideMeansTheProjectItself) {
  EXPECT_TRUE(inside({"a", 0, "grp/demo"}, "grp/demo"));
  EXPECT_TRUE(inside({"a", 0, "grp/demo/build/x"}, "grp/demo"));
  EXPECT_TRUE(inside({"a", 0, "grp/demo.tmp/CI"}, "grp/demo"));
  EXPECT_FALSE(inside({"a", 0, "grp/demo2"}, "grp/demo"));
  EXPECT_FALSE(inside({"a", 0, "grp/dem"}, "grp/demo"));
  EXPECT_FALSE(inside({"a", 0, "grp/demo"}, ""));
}

TEST(Checkout, AClaimContradictsOnlyAnotherProject) {
  EXPECT_FALSE(contradicts("/builds/grp/demo/.git/", "s", "grp/demo"));
  EXPECT_FALSE(contradicts("/b/s/0/grp/demo", "s", "grp/demo"));
  EXPECT_FALSE(contradicts("", "s", "grp/demo"));
  EXPECT_FALSE(contradicts("/go/src/demo", "s", "grp/demo")) << "GIT_CLONE_PATH";
  EXPECT_TRUE(contradicts("/b/s/0/other/demo", "s", "grp/demo"));
  EXPECT_TRUE(contradicts("/b/s/0/grp/secret", "s", "grp/demo"));
  EXPECT_TRUE(contradicts("/builds/grp/secret", "s", "grp/demo"));
  EXPECT_TRUE(contradicts("/builds/xgrp/xdemo", "s", "grp/demo"));
}

}  // namespace
}  // namespace gitaiops::agent
