// The note and a model's words on the change: asked for when the pipeline is over, told when they
// are there, waited for never.
#include "tests/unit/reactions/reactions_fixture.h"

namespace gitaiops::reactions {
namespace {

class ReadingTest : public ReactionsTest {
 protected:
  ReadingTest() {
    job(9, "unit", "failed");
    at_pipeline();
    gitlab_.merge_requests[{42, 7}].head_pipeline->status = "failed";
    resolve(9);
    options_.read = [](const std::string& instance, const gitlab::MergeRequest& mr,
                       const std::optional<store::ReadMergeRequest>& known,
                       const note::View& view) -> std::optional<store::NewWork> {
      EXPECT_EQ(view.place, "main/42/7");
      EXPECT_EQ(instance, "main");
      if (known && known->sha == mr.sha) return std::nullopt;
      return store::NewWork{"read.it", "main/42/7", "", UnixMicros()};
    };
  }
  void known(std::string sha) {
    store::ReadMergeRequest row;
    row.instance = "main";
    row.project_id = 42;
    row.iid = 7;
    row.project_path = "grp/demo";
    row.sha = std::move(sha);
    row.model = "m-1";
    row.said = store::Reading{triage::Type::bugfix,
                              triage::Level::low,
                              "high",
                              {{"lib/a.c", 11, false, "one too far", "Loops"}}};
    store_.read.rows = {row};
  }
  queue::Verdict update() { return update_by(options_); }
  static bool tells(const queue::Verdict& verdict) {
    return verdict.outcome.note && verdict.outcome.note->body.find(
                                       "- `lib/a.c:11`: `one too far`, against the guideline "
                                       "`Loops`") != std::string::npos;
  }
  Options options_;
};

TEST_F(ReadingTest, TheNoteIsWrittenWithoutItAndToldOfItLater) {
  auto verdict = update();
  ASSERT_TRUE(verdict.outcome.note);
  EXPECT_FALSE(tells(verdict));
  ASSERT_EQ(verdict.outcome.follow_up.size(), 1u);
  EXPECT_EQ(verdict.outcome.follow_up[0].kind, "read.it");
  known("older");
  EXPECT_FALSE(tells(update())) << "of another commit";
  known("abc");
  verdict = update();
  EXPECT_TRUE(tells(verdict));
  EXPECT_TRUE(verdict.outcome.follow_up.empty());
}

TEST_F(ReadingTest, APipelineThatIsAboutToEndIsLookedAtAgain) {
  gitlab_.merge_requests[{42, 7}].head_pipeline->status = "running";
  gitlab_.pipelines[77][0].finished_at = clock_.now();
  const auto verdict = update();
  ASSERT_EQ(verdict.outcome.follow_up.size(), 1u);
  EXPECT_EQ(verdict.outcome.follow_up[0].kind, "note.update");
  EXPECT_GT(verdict.outcome.follow_up[0].not_before, clock_.now());
  clock_.advance(60 * kMicrosPerSecond);
  EXPECT_TRUE(update().outcome.follow_up.empty()) << "it waits for somebody";
}

TEST_F(ReadingTest, NobodyIsAskedWhileThePipelineRunsNorOfAMergedOne) {
  gitlab_.merge_requests[{42, 7}].head_pipeline->status = "running";
  gitlab_.pipelines[77][0].finished_at = clock_.now();
  job(10, "lint", "running");
  gitlab_.pipelines[77].push_back(gitlab_.jobs[10]);
  EXPECT_TRUE(update().outcome.follow_up.empty());
  gitlab_.merge_requests[{42, 7}].head_pipeline->status = "failed";
  gitlab_.merge_requests[{42, 7}].state = "merged";
  EXPECT_TRUE(update().outcome.follow_up.empty());
}

TEST_F(ReadingTest, WhereNoNoteIsWrittenNobodyIsAskedUnlessItIsWantedAlone) {
  gitlab_.pipelines[77][0].status = "success";
  gitlab_.merge_requests[{42, 7}].head_pipeline->status = "success";
  EXPECT_TRUE(update().outcome.follow_up.empty());
  options_.reading_alone = true;
  auto verdict = update();
  EXPECT_FALSE(verdict.outcome.note);
  EXPECT_EQ(verdict.outcome.follow_up.size(), 1u);
  known("abc");
  EXPECT_TRUE(tells(update()));
}

TEST_F(ReadingTest, WhoWantsNoWordsOfModelsIsNotToldOfThem) {
  known("abc");
  for (const auto* section : {"look_at", "explanation"}) {
    project_files::ProjectFiles files(store_, [](const auto&, auto) {});
    gitlab_.files[{42, ".gitaiops.yml"}] = "note:\n  " + std::string(section) + ": off\n";
    options_.project_files = &files;
    const auto verdict = update();
    ASSERT_TRUE(verdict.outcome.note) << section;
    EXPECT_FALSE(tells(verdict)) << section;
  }
}

TEST_F(ReadingTest, AStoreThatFailsIsAskedAgain) {
  store_.read.failure = Error(Code::unavailable, "busy");
  EXPECT_TRUE(std::holds_alternative<queue::Failed>(update().what));
}

}  // namespace
}  // namespace gitaiops::reactions
