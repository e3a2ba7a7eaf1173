#include "base/http/message.h"

#include <gtest/gtest.h>

namespace gitaiops::http {
namespace {

TEST(Message, HeaderNamesIgnoreCase) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  headers.add("X-A", "1");
  headers.add("x-a", "2");
  EXPECT_EQ(headers.get("CONTENT-TYPE"), "text/plain");
  EXPECT_EQ(headers.get("X-a"), "1");
  EXPECT_EQ(headers.count("X-A"), 2u);
  EXPECT_EQ(headers.get("X-B"), std::nullopt);
}

TEST(Message, PercentDecoding) {
  EXPECT_EQ(percent_decode("a%20b%2Fc+d"), "a b/c+d");
  EXPECT_EQ(percent_decode("a+b", Plus::space), "a b");
  for (const char* bad : {"%", "%2", "%zz", "a%00b", "%%41"})
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(Message, PercentEncodingComesBack) {
  const std::string text = "grp/sub project?&=+%ä\r\n";
  EXPECT_EQ(percent_encode("a/b c"), "a%2fb%20c");
  EXPECT_EQ(percent_decode(percent_encode(text), Plus::space), text);
}

TEST(Message, ProblemIsRfc9457) {
  const auto response = problem(404, "no job \"x\"\xff here");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.headers.get("content-type"), "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
            "\"detail\":\"no job \\\"x\\\"\xEF\xBF\xBD here\"}");
}

}  // namespace
}  // namespace gitaiops::http
