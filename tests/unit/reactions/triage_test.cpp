// The note and what the merge request is like: told when it is known, waited for never.
#include "tests/unit/reactions/reactions_fixture.h"

namespace gitaiops::reactions {
namespace {

class TriageTest : public ReactionsTest {
 protected:
  TriageTest() {
    job(9, "unit", "failed");
    at_pipeline();
    resolve(9);
    options_.triage = [](const std::string& instance, const gitlab::MergeRequest& mr,
                         const std::optional<store::TriagedMergeRequest>& known,
                         UnixMicros now) -> std::optional<store::NewWork> {
      EXPECT_EQ(instance, "main");
      if (known && known->sha == mr.sha) return std::nullopt;
      return store::NewWork{"find.out", "main/42/7", "", now};
    };
  }
  void known(std::string sha) {
    store::TriagedMergeRequest row;
    row.instance = "main";
    row.project_id = 42;
    row.iid = 7;
    row.project_path = "grp/demo";
    row.sha = std::move(sha);
    row.triage.risk = triage::Risk{triage::Level::high, 95, 0.3, true, {}};
    store_.triage.keep(std::move(row));
  }
  queue::Verdict update() { return update_by(options_); }
  Options options_;
};

TEST_F(TriageTest, TheNoteIsWrittenWithoutItAndToldOfItLater) {
  auto verdict = update();
  ASSERT_TRUE(verdict.outcome.note);
  EXPECT_EQ(verdict.outcome.note->body.find("Risk"), std::string::npos);
  ASSERT_EQ(verdict.outcome.follow_up.size(), 1u);
  EXPECT_EQ(verdict.outcome.follow_up[0].kind, "find.out");
  known("older");
  EXPECT_EQ(update().outcome.note->body.find("Risk"), std::string::npos) << "of another commit";
  known("abc");
  verdict = update();
  EXPECT_NE(verdict.outcome.note->body.find("- Risk **high**"), std::string::npos);
  EXPECT_TRUE(verdict.outcome.follow_up.empty());
}

TEST_F(TriageTest, BeforeThereIsAPipelineToo) {
  gitlab_.merge_requests[{42, 7}].head_pipeline.reset();
  const auto verdict = update();
  EXPECT_FALSE(verdict.outcome.note);
  EXPECT_EQ(verdict.outcome.follow_up.size(), 1u);
}

TEST_F(TriageTest, NotOfAMergedOneNorWhereNobodyWantsToKnow) {
  known("abc");
  gitlab_.merge_requests[{42, 7}].state = "merged";
  EXPECT_TRUE(update().outcome.follow_up.empty());
  gitlab_.merge_requests[{42, 7}].state = "opened";
  options_.triage = {};
  const auto verdict = update();
  EXPECT_TRUE(verdict.outcome.follow_up.empty());
  EXPECT_EQ(verdict.outcome.note->body.find("Risk"), std::string::npos);
}

TEST_F(TriageTest, AloneWhereWanted) {
  gitlab_.pipelines[77][0].status = "success";
  gitlab_.merge_requests[{42, 7}].head_pipeline->status = "success";
  known("abc");
  EXPECT_FALSE(update().outcome.note);
  options_.triage_alone = true;
  const auto verdict = update();
  ASSERT_TRUE(verdict.outcome.note);
  EXPECT_NE(verdict.outcome.note->body.find("- Risk **high**"), std::string::npos);
}

}  // namespace
}  // namespace gitaiops::reactions
