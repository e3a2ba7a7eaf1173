#include "engines/scanner/provenance/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::scanner::provenance {
namespace {

using ::testing::HasSubstr;

// As GitLab Runner writes it (RUNNER_GENERATE_ARTIFACTS_METADATA).
constexpr std::string_view kRunner = R"({
  "_type": "https://in-toto.io/Statement/v0.1",
  "predicateType": "https://slsa.dev/provenance/v0.2",
  "subject": [{"name": "cart.tgz", "digest": {
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}],
  "predicate": {
    "buildType": "https://gitlab.example/runner/build",
    "builder": {"id": "https://gitlab.example/shop/cart/-/runners/7"},
    "invocation": {
      "configSource": {"uri": "https://gitlab.example/shop/cart",
                       "digest": {"sha256": "89abcdef89abcdef89abcdef89abcdef89abcdef"},
                       "entryPoint": "build"},
      "parameters": {"CI_JOB_NAME": ""}},
    "materials": [{"uri": "https://gitlab.example/shop/cart",
                   "digest": {"sha256": "89abcdef89abcdef89abcdef89abcdef89abcdef"}}]}})";

constexpr std::string_view kWorkflow = R"({
  "_type": "https://in-toto.io/Statement/v1",
  "predicateType": "https://slsa.dev/provenance/v1",
  "subject": [{"name": "pkg:npm/cart@1.0.0", "digest": {"sha512": "00"}}],
  "predicate": {
    "buildDefinition": {
      "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
      "externalParameters": {"workflow": {"ref": "refs/tags/v1.0.0",
        "repository": "https://github.com/shop/cart", "path": ".github/workflows/release.yml"}},
      "resolvedDependencies": [
        {"uri": "https://github.com/other/tool", "digest": {"gitCommit": "eeee"}},
        {"uri": "git+https://github.com/shop/cart@refs/tags/v1.0.0",
         "digest": {"gitCommit": "0123456789012345678901234567890123456789"}}]},
    "runDetails": {"builder": {"id": "https://github.com/actions/runner/github-hosted"}}}})";

TEST(Statement, ProvenanceOfARunner) {
  const auto p = parse_provenance(kRunner);
  ASSERT_TRUE(p.ok()) << p.error().to_string();
  EXPECT_EQ(p->builder, "https://gitlab.example/shop/cart/-/runners/7");
  EXPECT_EQ(p->build_type, "https://gitlab.example/runner/build");
  EXPECT_EQ(p->source_repository, "https://gitlab.example/shop/cart");
  EXPECT_EQ(p->source_commit, "89abcdef89abcdef89abcdef89abcdef89abcdef");
  EXPECT_EQ(p->entry_point, "build");
  ASSERT_EQ(p->materials.size(), 1u);
}

TEST(Statement, ProvenanceOfAWorkflow) {
  const auto p = parse_provenance(kWorkflow);
  ASSERT_TRUE(p.ok()) << p.error().to_string();
  EXPECT_EQ(p->builder, "https://github.com/actions/runner/github-hosted");
  EXPECT_EQ(p->source_repository, "https://github.com/shop/cart");
  EXPECT_EQ(p->source_ref, "refs/tags/v1.0.0");
  EXPECT_EQ(p->source_commit, "0123456789012345678901234567890123456789");
  EXPECT_EQ(p->entry_point, ".github/workflows/release.yml");
}

TEST(Statement, SubjectsAreTheArtifact) {
  const auto statement = parse_statement(kRunner);
  ASSERT_TRUE(statement.ok());
  EXPECT_TRUE(names_artifact(*statement, Artifact("abc")));
  EXPECT_FALSE(names_artifact(*statement, Artifact("abd")));
  EXPECT_FALSE(names_artifact(*parse_statement(kWorkflow), Artifact("abc")));
}

TEST(Statement, ASubjectThatContradictsItselfIsNobody) {
  const auto statement = parse_statement(R"({"_type": "https://in-toto.io/Statement/v1",
    "predicateType": "x", "subject": [{"digest": {
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha512": "00"}}]})");
  EXPECT_FALSE(names_artifact(*statement, Artifact("abc")));
}

TEST(Statement, WhatIsNotKnownIsAnError) {
  EXPECT_FALSE(parse_statement("[]").ok());
  EXPECT_THAT(parse_statement(R"({"_type":"https://in-toto.io/Statement/v9"})").error().to_string(),
              HasSubstr("Statement/v9\" is not known"));
  EXPECT_THAT(parse_statement(R"({"_type":"https://in-toto.io/Statement/v1"})").error().to_string(),
              HasSubstr("no predicateType"));
  EXPECT_THAT(parse_provenance(R"({"_type":"https://in-toto.io/Statement/v1",
                                   "predicateType":"https://cyclonedx.org/bom"})")
                  .error()
                  .to_string(),
              HasSubstr("no SLSA provenance"));
  EXPECT_FALSE(parse_provenance(R"({"_type":"https://in-toto.io/Statement/v1",
    "predicateType":"https://slsa.dev/provenance/v1","predicate":{"runDetails":{"builder":{"id":7}}}})")
                   .ok());
}

}  // namespace
}  // namespace gitaiops::scanner::provenance
