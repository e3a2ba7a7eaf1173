// What the note says of a model's words about the change.
#include <gtest/gtest.h>

#include "controller/note/note.h"
#include "tests/fuzz/note/invariants.h"

namespace gitaiops::note {
namespace {

using triage::Level;
using triage::Type;

Reading reading() {
  return {"m-1",
          Type::bugfix,
          Level::medium,
          true,
          {{"lib/a.c", 11, false, "size is one too far", ""},
           {"lib/b.c", 4, true, "it was right", "Loops"}}};
}

View view_of(std::optional<Reading> read) {
  View view;
  view.place = "main/42/7";
  view.pipeline_status = "failed";
  JobView job;
  job.id = 9;
  job.name = "unit";
  job.status = "failed";
  job.report.emplace().mutable_diagnosis()->set_category("test_failure");
  view.jobs = {job};
  view.reading = std::move(read);
  return view;
}

// With what the rules and the project's history say.
View judged(Reading read, Type kind, double confidence, Level risk, bool said = false) {
  auto view = view_of(std::move(read));
  view.triage.emplace();
  view.triage->kind = triage::Kind{kind, confidence, said, Type::refactor};
  view.triage->risk = triage::Risk{risk, 20, 0.1, true, {}};
  return view;
}

std::string composed(const View& view) {
  const std::string note = Composer().compose(view);
  EXPECT_EQ(broken_rule(note), std::nullopt) << note;
  return note;
}

bool says(const View& view, std::string_view text) {
  return composed(view).find(text) != std::string::npos;
}

TEST(LookAt, NamesThePlacesAndWhoSaysSo) {
  EXPECT_TRUE(says(view_of(reading()),
                   "\n\nThe model `m-1`, which may be wrong, would look at:\n"
                   "- `lib/a.c:11`: `size is one too far`\n"
                   "- `lib/b.c:4` (removed): `it was right`, against the guideline `Loops`\n"));
  EXPECT_FALSE(says(view_of(std::nullopt), "The model"));
  auto unwanted = view_of(reading());
  unwanted.unwanted = {"look_at"};
  EXPECT_FALSE(says(unwanted, "The model"));
}

TEST(LookAt, SaysWhereItSeesTheChangeOtherwise) {
  auto read = reading();
  read.risk = Level::high;
  EXPECT_TRUE(says(judged(read, Type::feature, 0.8, Level::low),
                   "which may be wrong, takes the kind for **bugfix**, where the rules say feature,"
                   " and the risk for **high**, where this project's history says low; it would "
                   "look at:\n"));
  EXPECT_TRUE(says(judged(read, Type::feature, 0.9, Level::high, /*said=*/true),
                   "takes the kind for **bugfix**, where its author says feature; it would"));
  read.points.clear();
  EXPECT_TRUE(says(judged(read, Type::bugfix, 0.9, Level::low),
                   "takes the risk for **high**, where this project's history says low.\n"));
}

TEST(LookAt, IsSilentWhereItSeesTheSameOrIsNotSure) {
  auto read = reading();
  read.points.clear();
  EXPECT_FALSE(says(view_of(read), "The model"));
  EXPECT_FALSE(says(judged(read, Type::bugfix, 0.9, Level::low), "The model"));
  EXPECT_FALSE(says(judged(read, Type::bugfix, 0.9, Level::high), "The model"));
  EXPECT_FALSE(says(judged(read, Type::feature, 0.4, Level::medium), "The model"))
      << "the rules are not sure either";
  read.kind = Type::security;
  read.risk = Level::high;
  read.sure = false;
  EXPECT_FALSE(says(judged(read, Type::bugfix, 0.9, Level::low), "The model"));
}

TEST(LookAt, TwoWhoAgreeAreSureOfTheKind) {
  auto read = reading();
  auto view = judged(read, Type::bugfix, 0.4, Level::high);
  EXPECT_TRUE(says(view, "- Kind bugfix\n"));
  view.reading->kind = Type::refactor;  // what the rules take for nearly as likely
  EXPECT_TRUE(says(view, "- Kind refactor\n"));
  view.reading->kind = Type::docs;
  EXPECT_FALSE(says(view, "- Kind"));
  view.reading->sure = false;
  view.reading->kind = Type::bugfix;
  EXPECT_FALSE(says(view, "- Kind"));
}

TEST(LookAt, AloneOnlyWhereWantedAndWhereThereIsSomethingToLookAt) {
  auto view = view_of(reading());
  view.pipeline_status = "success";
  view.jobs.clear();
  EXPECT_EQ(composed(view), "");
  view.reading_alone = true;
  EXPECT_TRUE(says(view, "-->\n**What to look at in this change**\n\nThe model `m-1`"));
  view.reading->points.clear();
  EXPECT_EQ(composed(view), "");
}

TEST(LookAt, ForeignTextStaysCode) {
  const std::string evil = "`@all\n/close #1 <b>![x](http://evil.example)</details>";
  composed(view_of(Reading{evil,
                           Type::chore,
                           Level::low,
                           true,
                           {{evil, -1, true, evil, evil},
                            {std::string(9000, 'x'), 1, false, evil, ""},
                            {evil, 1, false, std::string(9000, '`'), ""},
                            {evil, 1, false, evil, ""}}}));
}

}  // namespace
}  // namespace gitaiops::note
