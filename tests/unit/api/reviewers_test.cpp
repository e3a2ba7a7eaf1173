// Who could review: the query is read strictly, and the scope goes along.
#include <gmock/gmock.h>

#include "tests/unit/api/api_fixture.h"

namespace gitaiops::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ReviewersTest : public ApiTest {
 protected:
  ReviewersTest() {
    reviewers_ = [this](store::Scope scope, std::string instance, std::string project,
                        std::vector<std::string> paths) -> Task<Result<Reviewers>> {
      asked_paths_ = paths;
      asked_instance_ = instance;
      if (!store::allows(scope, "main", project)) co_return Error(Code::not_found, project);
      Reviewers out;
      out.pending = true;
      out.people = {{"ben", "Ben Ode", "gave 3 of the last 4 reviews in lib"}};
      co_return out;
    };
  }
  std::vector<std::string> asked_paths_;
  std::string asked_instance_ = "none";
};

TEST_F(ReviewersTest, PeopleOfAProjectInTheScope) {
  const auto answer =
      body("/api/v1/reviewers?project=grp/a&path=lib/a.c&path=lib/b.c&instance=main", "of-a");
  EXPECT_EQ(answer["pending"], true);
  EXPECT_EQ(answer["reviewers"][0]["username"], "ben");
  EXPECT_EQ(answer["reviewers"][0]["name"], "Ben Ode");
  EXPECT_EQ(answer["reviewers"][0]["reason"], "gave 3 of the last 4 reviews in lib");
  EXPECT_THAT(asked_paths_, ElementsAre("lib/a.c", "lib/b.c"));
  EXPECT_EQ(asked_instance_, "main");
  EXPECT_EQ(status("/api/v1/reviewers?project=grp/b&path=a", "of-a"), 404);
  EXPECT_EQ(status("/api/v1/reviewers?project=grp/a&path=a", ""), 401);
}

TEST_F(ReviewersTest, WhatCannotBeAskedIsSaid) {
  for (const auto& [query, detail] : std::vector<std::pair<std::string, std::string>>{
           {"path=a", "'project' takes"},
           {"project=7&path=a", "'project' takes"},
           {"project=g/p", "'path' takes"},
           {"project=g/p&path=", "'path' takes"},
           {"project=g/p&project=g/q&path=a", "given twice"},
           {"project=g/p&paths=a", "did you mean 'path'"}}) {
    const auto response = ask("/api/v1/reviewers?" + query, "of-all");
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_THAT(response.body, HasSubstr(detail)) << query;
  }
}

TEST_F(ApiTest, WithoutMirrorsNobodyIsKnown) {
  const auto response = ask("/api/v1/reviewers?project=grp/a&path=a", "of-all");
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("reviewers.enabled"));
}

}  // namespace
}  // namespace gitaiops::api
