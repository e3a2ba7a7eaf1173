#include "agent/sources/usage_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::IsEmpty;
using testing::IsSupersetOf;

const InstanceMap kInstances = InstanceMap::make({{"lab", "https://gitlab.test"}}).value();

std::vector<std::string> parse(const std::string& line, Code* code = nullptr) {
  std::vector<Fact> facts;
  const auto status = parse_usage_record(line, kInstances, {5}, 3, 1, facts);
  if (code) *code = status.ok() ? Code::internal : status.error().code();
  std::vector<std::string> found;
  for (const auto& fact : facts) {
    EXPECT_EQ(fact.job, (JobRef{"lab", 4242}));
    EXPECT_EQ(fact.source, Source::usage_log);
    EXPECT_EQ(fact.late_us, 3);
    found.push_back(std::string(to_string(fact.field)) + "=" + fact.value);
  }
  return found;
}

TEST(UsageLog, OneCompleteRecord) {
  const auto facts = parse(
      R"({"uuid":"u","timestamp":"2026-11-22T13:00:07Z","runner":{"id":"tok","name":"lab","system_id":"s_1","executor":"shell"},
      "job":{"id":4242,"pipeline_id":9,"url":"https://gitlab.test/grp/demo/-/jobs/4242","duration_seconds":7.1,"status":"failed",
      "failure_reason":"script_failure","started_at":"2026-11-22T13:00:00Z","finished_at":"2026-11-22T13:00:07.1Z",
      "project":{"id":77,"name":"demo","full_path":"grp/demo"}},"labels":{}})");
  EXPECT_THAT(facts,
              testing::UnorderedElementsAre(
                  "project_path=grp/demo", "project_id=77", "runner_short=tok", "runner_name=lab",
                  "runner_system_id=s_1", "executor=shell", "failure_reason=script_failure",
                  "duration_us=7100000", "received_at=1795352400000000",
                  "finished_at=1795352407100000", "outcome=failed"));
}

TEST(UsageLog, TheLeastThatSaysSomething) {
  EXPECT_THAT(
      parse(
          R"({"job":{"id":4242,"url":"https://gitlab.test/grp/demo/-/jobs/4242","status":"success"}})"),
      IsSupersetOf({"outcome=passed", "project_path=grp/demo", "finished_at=5"}));
}

TEST(UsageLog, OthersAreRefused) {
  Code code{};
  for (const auto* line : {"", "null", "[]", "{", R"({"job":5})", R"({"job":{"id":"4242"}})",
                           R"({"job":{"id":-1,"status":"failed"}})",
                           R"({"job":{"id":18446744073709551615,"status":"failed"}})",
                           R"({"job":{"id":4242,"status":"odd"}})"}) {
    EXPECT_THAT(parse(line, &code), IsEmpty()) << line;
    EXPECT_EQ(code, Code::invalid_argument) << line;
  }
  EXPECT_THAT(
      parse(R"({"job":{"id":4242,"url":"https://elsewhere.test/g/d/-/jobs/1","status":"failed"}})",
            &code),
      IsEmpty());
  EXPECT_EQ(code, Code::not_found);
}

}  // namespace
}  // namespace gitaiops::agent
