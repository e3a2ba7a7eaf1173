#include "base/log/log.h"

#include <limits>

#include <gtest/gtest.h>

namespace gitaiops::log {
namespace {

class Log : public ::testing::Test {
 protected:
  ~Log() override { configure(Level::info, Format::text); }
  static std::string line(Format format, std::string_view message, Fields fields) {
    configure(Level::info, format);
    ::testing::internal::CaptureStderr();
    warning(message, fields);
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, JsonIsOneObjectALineWithItsFieldsAsTheyAre) {
  EXPECT_EQ(
      line(Format::json, "job finished",
           {{"job", int64_t{42}}, {"project", "group/ring"}, {"failed", true}, {"load", 0.5}}),
      "{\"level\":\"warning\",\"msg\":\"job finished\",\"job\":42,\"project\":\"group/ring\","
      "\"failed\":true,\"load\":0.5}\n");
}

TEST_F(Log, JsonIsValidWhateverTheTextHolds) {
  EXPECT_EQ(
      line(Format::json, "a\nb\"c\\", {{"tab", "\t"}, {"cr", "\r"}}),
      "{\"level\":\"warning\",\"msg\":\"a\\nb\\\"c\\\\\",\"tab\":\"\\t\",\"cr\":\"\uFFFD\"}\n");
  EXPECT_EQ(line(Format::json, "x", {{"ratio", std::numeric_limits<double>::quiet_NaN()}}),
            "{\"level\":\"warning\",\"msg\":\"x\",\"ratio\":null}\n");
}

TEST_F(Log, NothingInAFieldCanForgeALine) {
  for (const auto format : {Format::text, Format::json}) {
    const auto text = line(format, "from outside", {{"name", "x\nerror: forged\x1b[2J\xff"}});
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace gitaiops::log
