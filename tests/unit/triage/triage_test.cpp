#include "engines/triage/triage.h"

#include <gmock/gmock.h>

namespace gitaiops::triage {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int64_t kDay = 86'400;

std::string id_of(int64_t day) {
  char id[40];
  std::snprintf(id, sizeof id, "%08xabcd", static_cast<unsigned>(day) * 2'654'435'761u);
  return id;
}

Commit commit(int64_t day, std::vector<std::string> files, int64_t lines, std::string message) {
  Commit out;
  out.id = id_of(day);
  out.time_s = day * kDay;
  out.author = day % 3 ? "ann" : "ben";
  out.lines.assign(files.size(), {lines, lines / 2});
  out.files = std::move(files);
  out.message = std::move(message);
  return out;
}

ProjectHistory quiet(int commits) {
  ProjectHistory history;
  for (int day = 1; day <= commits; ++day)
    history.add(commit(day, {"src/a" + std::to_string(day % 7) + ".c"}, 5 + day % 40, "Change it"));
  return history;
}

TEST(Triage, ALargeChangeOfAStrangerIsComparedWithTheProject) {
  const auto history = quiet(300);
  Change change{"cem", {}, 301 * kDay, "fix(auth): crash when the token is gone"};
  for (int i = 0; i < 30; ++i) {
    change.files.push_back("src/auth/f" + std::to_string(i) + ".c");
    change.lines.push_back({60, 20});
  }
  const auto t = triage(change, history, risk_model(history, 301 * kDay));
  ASSERT_TRUE(t.risk);
  EXPECT_EQ(t.risk->level, Level::high);
  EXPECT_FALSE(t.risk->calibrated);
  EXPECT_THAT(t.risk->reasons, Contains(HasSubstr("1800 lines added")));
  EXPECT_EQ(t.size->complexity, Complexity::huge);
  EXPECT_EQ(*t.size->percentile, 100);
  EXPECT_EQ(t.kind->type, Type::bugfix);
  EXPECT_TRUE(t.kind->said);
  ASSERT_EQ(t.required_reviews.size(), 1);
  EXPECT_EQ(t.required_reviews[0].area, "security");
  EXPECT_EQ(t.priority, Priority::high);
  EXPECT_THAT(t.labels, ElementsAre("risk::high", "type::bugfix", "size::huge", "review:security",
                                    "priority::high"));
  EXPECT_THAT(t.reasons, Contains(HasSubstr("Larger than 100 % of this project's changes.")));
}

TEST(Triage, IsSilentWhereNothingIsKnown) {
  const auto t = triage(Change{}, ProjectHistory(), risk::Model::prior());
  EXPECT_FALSE(t.risk || t.size || t.kind || t.effort);
  EXPECT_THAT(t.required_reviews, IsEmpty());
  EXPECT_THAT(t.labels, IsEmpty());
  EXPECT_THAT(t.reasons, IsEmpty());
}

TEST(Triage, AHotfixIsUrgentAndDocumentationIsNot) {
  Change change{"ann", {"README.md"}, kDay, "Hotfix: wrong address"};
  EXPECT_EQ(triage(change, ProjectHistory(), risk::Model::prior()).priority, Priority::urgent);
  change.title = "docs: say how to install";
  change.lines = {{1, 1}};
  const auto history = quiet(100);
  EXPECT_EQ(triage(change, history, risk_model(history, 400 * kDay)).priority, Priority::low);
}

TEST(Triage, LearnsFromTheProjectsOwnRevertsAndFixes) {
  ProjectHistory history;
  for (int day = 1; day <= 600; ++day) {
    const bool large = day % 4 == 0;
    // Each large change is repaired the day after.
    history.add(
        commit(day, {"src/a" + std::to_string(day % 5) + ".c"}, large ? 400 : 10,
               day % 4 == 1 && day > 4 ? "Repair it\n\nFixes: " + id_of(day - 1) : "Change it"));
  }
  const auto model = risk_model(history, 700 * kDay);
  EXPECT_TRUE(model.calibrated()) << model.basis();
  Change change{"ann", {"src/a1.c"}, 700 * kDay, "Change it", "", {}, {{400, 200}}};
  EXPECT_GT(triage(change, history, model).risk->probability, 0.7);
  change.lines = {{10, 5}};
  EXPECT_LT(triage(change, history, model).risk->probability, 0.2);
}

TEST(Triage, WhatIsYoungIsNotLearntFrom) {
  const auto history = quiet(100);
  EXPECT_THAT(risk_model(history, 100 * kDay).basis(), HasSubstr(": 40 changes of this project"));
}

TEST(Triage, ThousandsOfFilesEnd) {
  const auto history = quiet(300);
  Change change{"ann", {}, 301 * kDay, "Format everything"};
  for (int i = 0; i < 3'000; ++i) {
    change.files.push_back("lib/part" + std::to_string(i % 50) + "/auth/f" + std::to_string(i) +
                           ".c");
    change.lines.push_back({3, 3});
  }
  const auto t = triage(change, history, risk_model(history, 301 * kDay));
  EXPECT_EQ(t.size->files, 3'000);
  EXPECT_EQ(t.risk->level, Level::high);
  EXPECT_EQ(t.required_reviews.size(), 2);  // security, and architecture for its size
}

}  // namespace
}  // namespace gitaiops::triage
