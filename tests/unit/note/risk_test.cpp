// What the note says of what the change is like.
#include <gtest/gtest.h>

#include "controller/note/note.h"
#include "tests/fuzz/note/invariants.h"

namespace gitaiops::note {
namespace {

using triage::Complexity;
using triage::Level;

triage::Triage risky() {
  triage::Triage t;
  t.risk = triage::Risk{
      Level::high, 93.7, 0.3, true, {"it touches 14 files (more than 97 % of changes here)"}};
  t.size = triage::Size{14, triage::LineCount{820, 40}, 800, Complexity::large, 95.0};
  t.kind = triage::Kind{triage::Type::bugfix, 0.9, true, std::nullopt};
  t.effort = triage::Effort{2.6, 30, true, std::nullopt};
  t.required_reviews = {{"security", {"it touches how people sign in"}, {"lib/auth.c", "b.c"}}};
  return t;
}

View view_of(triage::Triage t) {
  View view;
  view.place = "main/42/7";
  view.pipeline_status = "failed";
  JobView job;
  job.id = 9;
  job.name = "unit";
  job.status = "failed";
  job.report.emplace().mutable_diagnosis()->set_category("test_failure");
  view.jobs = {job};
  view.triage = std::move(t);
  return view;
}

std::string composed(const View& view) {
  const std::string note = Composer().compose(view);
  EXPECT_EQ(broken_rule(note), std::nullopt) << note;
  return note;
}

bool says_something(triage::Triage t) {
  return composed(view_of(std::move(t))).find("\n- ") != std::string::npos;
}

constexpr std::string_view kTwoLines =
    "\n"
    "- Risk **high**, above 93 % of this project's changes: it touches 14 files (more than 97 % of "
    "changes here)\n"
    "- Size large, +820 −40 lines in 14 files · kind bugfix · half of such reviews took up to 3 "
    "hours, four in five up to 30 hours · needs a review of its security (it touches how people "
    "sign in: `lib/auth.c`)\n";

TEST(RiskInTheNote, TwoLinesRightBelowTheHeadline) {
  const auto note = composed(view_of(risky()));
  const auto headline = note.find('\n') + 1;
  EXPECT_EQ(note.substr(note.find('\n', headline) + 1).substr(0, kTwoLines.size()), kTwoLines)
      << note;
}

TEST(RiskInTheNote, ReadersWhoMayNotSeeLogsMaySeeTheDiff) {
  auto view = view_of(risky());
  view.quote_logs = false;
  EXPECT_NE(composed(view).find(kTwoLines), std::string::npos);
}

TEST(RiskInTheNote, SilentWhereTheChangeIsSmallAndOrdinary) {
  triage::Triage t;
  EXPECT_FALSE(says_something(t));
  t.size = triage::Size{2, triage::LineCount{20, 4}, 22, Complexity::small, 40.0};
  t.risk = triage::Risk{Level::medium, 75, 0.1, false, {"it touches 2 files"}};
  EXPECT_FALSE(says_something(t));
  t.size->complexity = Complexity::medium;
  EXPECT_TRUE(says_something(t));
  t.risk->level = Level::low;
  EXPECT_FALSE(says_something(t));
  t.size->complexity = Complexity::large;
  EXPECT_TRUE(says_something(t));
  t.size->complexity = Complexity::trivial;
  t.required_reviews = {{"database", {}, {}}};
  EXPECT_TRUE(says_something(t));
}

TEST(RiskInTheNote, WhatIsNotSureOrNotKnownIsNotSaid) {
  auto t = risky();
  t.kind->said = false;
  t.kind->confidence = 0.4;
  t.effort.reset();
  t.size->lines.reset();
  t.required_reviews.clear();
  t.risk.reset();
  const auto note = composed(view_of(t));
  EXPECT_NE(note.find("\n- Size large, 14 files\n"), std::string::npos) << note;
}

TEST(RiskInTheNote, AloneOnlyWhereWanted) {
  auto view = view_of(risky());
  view.pipeline_status = "success";
  view.jobs.clear();
  EXPECT_EQ(composed(view), "");
  view.triage_alone = true;
  EXPECT_EQ(composed(view), "<!-- gitaiops:note v1 main/42/7 -->\n**What this change is like**\n" +
                                std::string(kTwoLines));
  view.triage = triage::Triage();
  EXPECT_EQ(composed(view), "");
}

// Paths are the author's, areas and reasons the rules'.
TEST(RiskInTheNote, ForeignTextStaysCode) {
  auto t = risky();
  const std::string evil = "`@all\n/close #1 <b>![x](http://evil.example)";
  t.required_reviews = {
      {evil, {evil}, {evil}}, {evil, {}, {evil}}, {evil, {}, {}}, {"more", {}, {}}};
  t.risk->reasons = {std::string(4000, 'x'), "and"};
  const auto note = composed(view_of(t));
  EXPECT_EQ(note.find(", of its more"), std::string::npos) << "three are enough";
}

TEST(RiskInTheNote, RoomForItIsTakenFromTheRest) {
  auto view = view_of(risky());
  for (int i = 0; i < 60; ++i) view.jobs.push_back(view.jobs.front());
  EXPECT_NE(composed(view).find(kTwoLines), std::string::npos);
}

}  // namespace
}  // namespace gitaiops::note
