// What models said of merge requests' changes.
#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using gitaiops::testing::await;

ReadMergeRequest one(std::string sha, bool said = true) {
  ReadMergeRequest out;
  out.instance = "main";
  out.project_id = 42;
  out.iid = 7;
  out.project_path = "grp/demo";
  out.sha = std::move(sha);
  out.prompt = "change/1";
  out.content = "c1";
  out.model = "m";
  out.cost_microusd = 12;
  out.at = {1000};
  if (said)
    out.said = Reading{triage::Type::security,
                       triage::Level::high,
                       "high",
                       {{"lib/a.c", 11, true, "why", "SQL"}, {"b.c", 2, false, "and why", ""}}};
  return out;
}

class ReadingsConformance : public StoreConformance {
 protected:
  void keep(ReadMergeRequest row) {
    ASSERT_TRUE(await(store->advance("test", 0, {{"k", "1", "", kNow}})).ok());
    const auto work = *await(store->lease(kNow, kSecond));
    ASSERT_TRUE(work);
    WorkOutcome outcome;
    outcome.read = std::move(row);
    ASSERT_TRUE(await(store->finish(*work, std::move(outcome))).ok());
  }
  std::size_t told() {
    std::size_t out = 0;
    const auto events = await(store->events_after(0, 100)).value();
    for (const auto& event : events)
      if (event.type == "merge_request.read" && event.subject == "main/42/7") ++out;
    return out;
  }
  Result<ReadMergeRequest> reading(Scope scope = everything(), int64_t iid = 7) {
    return await(store->readings().reading(std::move(scope), "main", 42, iid));
  }
};

TEST_P(ReadingsConformance, AReadingIsKeptAsItIs) {
  keep(one("abc"));
  const auto found = reading();
  ASSERT_TRUE(found.ok()) << found.error().to_string();
  EXPECT_EQ(found->project_path, "grp/demo");
  EXPECT_EQ(found->sha, "abc");
  EXPECT_EQ(found->prompt, "change/1");
  EXPECT_EQ(found->content, "c1");
  EXPECT_EQ(found->model, "m");
  EXPECT_EQ(found->cost_microusd, 12);
  EXPECT_EQ(found->at.value, 1000);
  ASSERT_TRUE(found->said);
  EXPECT_EQ(found->said->kind, triage::Type::security);
  EXPECT_EQ(found->said->risk, triage::Level::high);
  EXPECT_EQ(found->said->confidence, "high");
  ASSERT_EQ(found->said->points.size(), 2u);
  const auto& point = found->said->points[0];
  EXPECT_EQ(point.path, "lib/a.c");
  EXPECT_EQ(point.line, 11);
  EXPECT_TRUE(point.removed);
  EXPECT_EQ(point.why, "why");
  EXPECT_EQ(point.guideline, "SQL");
  EXPECT_EQ(told(), 1u);
}

TEST_P(ReadingsConformance, TheNewestTakesThePlaceAndIsToldWhereItSaysSomethingNew) {
  keep(one("abc"));
  keep(one("abc"));
  EXPECT_EQ(told(), 1u);
  keep(one("def", false));
  EXPECT_EQ(told(), 1u);
  EXPECT_EQ(reading()->sha, "def");
  EXPECT_FALSE(reading()->said);
  keep(one("def"));
  EXPECT_EQ(told(), 2u);
}

TEST_P(ReadingsConformance, OnlyOfTheScopeAndWhileItIsKept) {
  keep(one("abc"));
  EXPECT_TRUE(reading({{"main", "grp/*"}}).ok());
  EXPECT_EQ(reading({{"main", "other/*"}}).error().code(), Code::not_found);
  EXPECT_EQ(reading({}).error().code(), Code::not_found);
  EXPECT_EQ(reading(everything(), 8).error().code(), Code::not_found);
  ASSERT_TRUE(await(store->sweep({.older_than = {2000}, .max_bytes = 0})).ok());
  EXPECT_EQ(reading().error().code(), Code::not_found);
}

INSTANTIATE_TEST_SUITE_P(Backends, ReadingsConformance, ::testing::ValuesIn(backends()),
                         backend_name);

}  // namespace
}  // namespace gitaiops::store
