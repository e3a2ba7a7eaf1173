#include "agent/observer/say.h"

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

std::string said(bool json, std::string_view message, std::initializer_list<Said> fields) {
  say_in_json(json);
  testing::internal::CaptureStderr();
  say("warning", message, fields);
  say_in_json(false);
  return testing::internal::GetCapturedStderr();
}

TEST(Say, TheTwoForms) {
  EXPECT_EQ(said(false, "the agent ended", {{"status", int64_t{139}}, {"why", "a \"fault\""}}),
            "warning: the agent ended status=139 why=\"a \\\"fault\\\"\"\n");
  EXPECT_EQ(said(true, "the agent ended", {{"status", int64_t{139}}, {"why", "a \"fault\""}}),
            "{\"level\":\"warning\",\"msg\":\"the agent ended\",\"status\":139,"
            "\"why\":\"a \\\"fault\\\"\"}\n");
}

TEST(Say, OneLineWhateverIsSaid) {
  for (const bool json : {false, true}) {
    const auto line = said(json, "cannot start", {{"why", "a\nb\x1b[2J\xff"}});
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace gitaiops::agent
