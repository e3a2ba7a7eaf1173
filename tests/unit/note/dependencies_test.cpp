// What the note says of vulnerabilities that a merge request brings.
#include <gtest/gtest.h>

#include "controller/note/note.h"
#include "tests/fuzz/note/invariants.h"

namespace gitaiops::note {
namespace {

Vulnerable lodash() {
  return {.package = "lodash",
          .version = "4.17.20",
          .fixed = "4.17.21",
          .name = "CVE-2021-23337",
          .summary = "Command injection",
          .severity = 4,
          .known_exploited = false,
          .path = {"grunt@1.0.0", "lodash@4.17.20"}};
}

Vulnerable of(std::string package, int severity) {
  Vulnerable v = lodash();
  v.package = std::move(package);
  v.severity = severity;
  return v;
}

View view_of(Dependencies dependencies) {
  View view;
  view.place = "main/42/7";
  view.pipeline_status = "success";
  dependencies.target_branch = "main";
  view.dependencies = std::move(dependencies);
  return view;
}

std::string composed(const View& view) {
  const std::string note = Composer().compose(view);
  EXPECT_EQ(broken_rule(note), std::nullopt) << note;
  return note;
}

TEST(DependenciesInTheNote, ANewHighOneIsWorthANote) {
  Dependencies d;
  d.added = {lodash()};
  d.packages_added = 3;
  d.packages_changed = 1;
  EXPECT_EQ(composed(view_of(d)),
            "<!-- gitaiops:note v1 main/42/7 -->\n"
            "**1 new vulnerability** in what this merge request depends on; its newest pipeline "
            "passed\n"
            "\n"
            "**Dependencies:** 1 new vulnerability against `main` (1 high); packages: 3 added, 1 "
            "changed.\n"
            "\n"
            "- **high** `lodash 4.17.20` → fixed in `4.17.21` · `CVE-2021-23337` · by way of "
            "`grunt@1.0.0`\n");
}

TEST(DependenciesInTheNote, WhatIsBelowTheBarIsOnlyFoldedWhereANoteStands) {
  Dependencies d;
  d.added = {of("qs", 3)};
  auto view = view_of(d);
  EXPECT_EQ(composed(view), "");
  view.has_note = true;
  const auto note = composed(view);
  const auto fold = note.find("<details><summary>1 vulnerability</summary>");
  ASSERT_NE(fold, note.npos) << note;
  EXPECT_GT(note.find("`qs 4.17.20`"), fold) << note;
  EXPECT_LT(note.find("1 new vulnerability against `main` (1 medium)"), fold);
}

TEST(DependenciesInTheNote, KnownToBeExploitedIsWorthOneWhateverItsSeverity) {
  Dependencies d;
  d.added = {of("qs", 2)};
  d.added[0].known_exploited = true;
  EXPECT_NE(composed(view_of(d))
                .find("- **low** `qs 4.17.20` → fixed in `4.17.21` · "
                      "`CVE-2021-23337` · known to be exploited · "),
            std::string::npos);
}

TEST(DependenciesInTheNote, TheBarIsConfigured) {
  Dependencies d;
  d.added = {of("qs", 4)};
  d.least_severity = 5;
  EXPECT_EQ(composed(view_of(d)), "");
  d.added[0].severity = 5;
  EXPECT_NE(composed(view_of(d)), "");
  d.least_severity = 6;
  d.added[0].known_exploited = true;
  EXPECT_EQ(composed(view_of(d)), "");
}

TEST(DependenciesInTheNote, WithoutATargetNothingIsCalledNew) {
  Dependencies d;
  d.added = {of("qs", 5), of("ws", 4)};
  d.target_known = false;
  auto view = view_of(d);
  EXPECT_EQ(composed(view), "") << "the merge request is not blamed";
  view.has_note = true;
  const auto note = composed(view);
  EXPECT_NE(note.find("**Dependencies:** 2 vulnerabilities (1 critical, 1 high). `main` has no "
                      "inventory yet, so which of them are new cannot be told.\n"),
            note.npos)
      << note;
  EXPECT_EQ(note.find("new vulnerabilit"), note.npos);
}

TEST(DependenciesInTheNote, SaysWhenTheyAreGoneAndThenNothing) {
  Dependencies none;
  auto view = view_of(none);
  view.has_note = true;
  EXPECT_EQ(composed(view).find("Dependencies"), std::string::npos);
  view.dependencies->told_before = true;
  const auto note = composed(view);
  EXPECT_NE(note.find("\n**Dependencies:** no new vulnerability against `main`.\n"), note.npos);
  EXPECT_TRUE(tells_of_dependencies(note));
  EXPECT_FALSE(tells_of_dependencies("**All green now.**"));
}

TEST(DependenciesInTheNote, WhatEndsIsNamed) {
  Dependencies d;
  d.removed = {lodash()};
  d.packages_removed = 1;
  auto view = view_of(d);
  EXPECT_EQ(composed(view), "") << "good news alone is no note";
  view.has_note = true;
  const auto note = composed(view);
  EXPECT_NE(
      note.find("no new vulnerability against `main`, 1 no longer there; packages: 1 removed."),
      note.npos)
      << note;
  EXPECT_NE(note.find("- `lodash 4.17.20` · `CVE-2021-23337`\n"), note.npos);
}

TEST(DependenciesInTheNote, ManyAreCountedAndFoldedBesideAFailure) {
  Dependencies d;
  for (int i = 0; i < 80; ++i) d.added.push_back(of("p" + std::to_string(i), i < 7 ? 5 : 3));
  auto view = view_of(d);
  JobView job;
  job.id = 9;
  job.name = "unit";
  job.status = "failed";
  job.report.emplace().set_outcome(fleet::v1::OUTCOME_FAILED);
  view.jobs.push_back(job);
  const auto note = composed(view);
  EXPECT_NE(note.find("\n**1 job failed:** `unit`"), note.npos) << "what failed comes first";
  EXPECT_NE(note.find("80 new vulnerabilities against `main` (7 critical, 73 medium)"), note.npos);
  EXPECT_NE(note.find("30 more are not listed."), note.npos) << note;
  EXPECT_LT(note.find("- **critical** `p3 4.17.20`"), note.find("<details>"));
  EXPECT_EQ(note.find("- **critical** `p4 4.17.20`"), note.npos);
}

TEST(DependenciesInTheNote, WhatIsAcceptedIsCountedAndNamedWithItsReason) {
  Dependencies d;
  d.accepted = {lodash()};
  d.accepted[0].reason = "only in tests | until spring";
  auto view = view_of(d);
  EXPECT_EQ(composed(view), "") << "no note for it";
  view.has_note = true;
  const auto note = composed(view);
  EXPECT_NE(note.find("no new vulnerability against `main`; 1 accepted."), note.npos) << note;
  EXPECT_NE(note.find("<details><summary>1 accepted</summary>"), note.npos) << note;
  EXPECT_NE(note.find("- high `lodash 4.17.20` · `CVE-2021-23337`: `only in tests ¦ until spring`"),
            note.npos)
      << note;
}

TEST(DependenciesInTheNote, ReadersWhoMayNotSeeTheJobsGetNumbers) {
  Dependencies d;
  d.added = {lodash()};
  d.removed = {of("secret", 4)};
  d.commit = "0123456789abcdef";
  auto view = view_of(d);
  view.quote_logs = false;
  const auto note = composed(view);
  EXPECT_NE(note.find("1 new vulnerability against `main` (1 high), 1 no longer there."), note.npos)
      << note;
  for (const char* word : {"lodash", "secret", "CVE", "grunt", "01234567", "Command"})
    EXPECT_EQ(note.find(word), note.npos) << word;
}

TEST(DependenciesInTheNote, ALongWayIsShortened) {
  Dependencies d;
  d.added = {lodash()};
  d.added[0].path = {"a", "b", "c", "d", "e", "f", "lodash@4.17.20"};
  d.commit = "0123456789abcdef";
  const auto note = composed(view_of(d));
  EXPECT_NE(note.find("by way of `a` → `b` → … → `e` → `f`\n"), note.npos) << note;
  EXPECT_NE(note.find("(1 high), as of commit `01234567`."), note.npos) << note;
}

TEST(DependenciesInTheNote, ForeignWordsStayWords) {
  Dependencies d;
  Vulnerable v = lodash();
  v.package = "a`b|c\n/close @all";
  v.version = "<b>";
  v.summary = "![x](http://evil) | ~bug";
  v.name = "`@root`";
  v.fixed = "$1";
  v.path = {"|x|", "y"};
  d.added = {v, of("qs", 3)};
  auto view = view_of(d);
  view.dependencies->target_branch = "`x` @all";
  composed(view);
}

}  // namespace
}  // namespace gitaiops::note
