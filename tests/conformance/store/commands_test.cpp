// What people ask for in comments: remembered once, counted, and with what it changes.
#include <gmock/gmock.h>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using gitaiops::testing::await;

Commanded comment(int64_t note, int64_t commands, UnixMicros at) {
  Commanded out;
  out.instance = "gl";
  out.project_id = 7;
  out.iid = 3;
  out.note_id = note;
  out.user_id = 11;
  out.username = "ana";
  out.commands = commands;
  out.at = at;
  return out;
}

bool keep(Store& store, WorkOutcome outcome) {
  const std::string key = std::to_string(outcome.commanded->note_id);
  if (!await(store.advance("c", 0, {{"command.run", key, "", kNow}})).ok()) return false;
  const auto work = *await(store.lease(kNow, kSecond));
  return work && await(store.finish(*work, outcome)).ok();
}

bool keep(Store& store, Commanded of) {
  WorkOutcome outcome;
  outcome.commanded = std::move(of);
  return keep(store, std::move(outcome));
}

std::vector<std::string> told(Store& store) {
  std::vector<std::string> out;
  const auto found = await(store.events_after(0, 10));
  for (const auto& event : *found) out.push_back(event.type + " " + event.subject);
  return out;
}

TEST_P(StoreConformance, ACommentIsRememberedAndCounted) {
  ASSERT_TRUE(keep(*store, comment(31, 2, kNow)));
  ASSERT_TRUE(keep(*store, comment(32, 3, kNow + 10)));
  EXPECT_TRUE(*await(store->commands().was_commanded("gl", 7, 31)));
  EXPECT_FALSE(*await(store->commands().was_commanded("gl", 7, 33)));
  EXPECT_FALSE(*await(store->commands().was_commanded("other", 7, 31)));
  EXPECT_EQ(*await(store->commands().commands_of("gl", 11, kNow + -1)), 5);
  EXPECT_EQ(*await(store->commands().commands_of("gl", 11, kNow)), 3);
  EXPECT_EQ(*await(store->commands().commands_of("gl", 12, kNow + -1)), 0);
  EXPECT_TRUE(told(*store).empty()) << "the note is as it was";
  ASSERT_TRUE(keep(*store, comment(34, 1, kNow + 8 * 24 * 3600 * kSecond)));
  EXPECT_FALSE(*await(store->commands().was_commanded("gl", 7, 31))) << "a week is over";
}

TEST_P(StoreConformance, AMutedMergeRequestIsOneUntilItIsUnmuted) {
  auto mute = comment(31, 1, kNow);
  mute.mute = true;
  ASSERT_TRUE(keep(*store, mute));
  EXPECT_EQ(*await(store->commands().muted_by("gl", 7, 3)), "ana");
  EXPECT_EQ(*await(store->commands().muted_by("gl", 7, 4)), "");
  auto unmute = comment(32, 1, kNow);
  unmute.mute = false;
  ASSERT_TRUE(keep(*store, unmute));
  EXPECT_EQ(*await(store->commands().muted_by("gl", 7, 3)), "");
  EXPECT_THAT(told(*store), ::testing::ElementsAre("merge_request.changed gl/7/3",
                                                   "merge_request.changed gl/7/3"));
}

TEST_P(StoreConformance, AWrongReviewerComesWithTheComment) {
  WorkOutcome outcome;
  outcome.commanded = comment(31, 1, kNow);
  outcome.wrong_reviewers = {{"gl", 7, 3, 14, "ana", kNow}};
  ASSERT_TRUE(keep(*store, outcome));
  const auto wrong = await(store->wrong_reviewers("gl", 7, kNow));
  ASSERT_EQ(wrong->size(), 1u);
  EXPECT_EQ(wrong->at(0).user_id, 14);
  EXPECT_EQ(told(*store).size(), 1u);
}

TEST_P(StoreConformance, WhatPeopleAskForDoesNotCountAgainstTheRules) {
  const auto retry = [](std::string id, std::string asked_by) {
    Decision d;
    d.act.id = id;
    d.act.what = "job.retry";
    d.act.instance = "gl";
    d.act.project_id = 7;
    d.act.category = id;
    d.act.asked_by = std::move(asked_by);
    d.act.at = kNow;
    d.audit = {kNow, "user:ana", "job.retry", "gl", 7, "job 41", "decided"};
    d.work = {"act.do", id, "{}", kNow + kSecond};
    d.since = kNow + -kSecond;
    d.most = 1;
    return d;
  };
  WorkOutcome outcome;
  outcome.commanded = comment(31, 1, kNow);
  outcome.decisions = {retry("a1", "ana"), retry("a2", "ben"), retry("a3", ""), retry("a4", "")};
  ASSERT_TRUE(keep(*store, outcome));
  EXPECT_EQ(await(store->act("a1"))->asked_by, "ana");
  EXPECT_FALSE(await(store->act("a2")).ok());
  EXPECT_EQ(await(store->act("a3"))->asked_by, "");
  EXPECT_FALSE(await(store->act("a4")).ok());
}

}  // namespace
}  // namespace gitaiops::store
