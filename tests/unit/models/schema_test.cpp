#include "controller/models/schema.h"

#include <gtest/gtest.h>

namespace gitaiops::models {
namespace {

using nlohmann::json;

const json kSchema = json::parse(R"({
  "type": "object", "additionalProperties": false, "required": ["word", "lines"],
  "properties": {
    "word": {"type": "string", "enum": ["low", "high"]},
    "text": {"type": "string", "minLength": 2, "maxLength": 4},
    "lines": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 9},
              "minItems": 1, "maxItems": 2}
  }})");

std::string wrong_with(const char* value) {
  const Status status = check_schema(json::parse(value), kSchema);
  return status.ok() ? "" : status.error().message();
}

TEST(Schema, TakesWhatKeepsIt) {
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[1]})"), "");
  EXPECT_EQ(wrong_with(R"({"word":"high","lines":[9,1],"text":"abcd"})"), "");
}

TEST(Schema, NamesThePlaceAndNothingOfTheValue) {
  EXPECT_EQ(wrong_with("[]"), "the answer is no object");
  EXPECT_EQ(wrong_with(R"({"word":"low"})"), "the answer lacks lines");
  EXPECT_EQ(wrong_with(R"({"word":"/approve","lines":[1]})"),
            "word is none of the words that were given");
  EXPECT_EQ(wrong_with(R"({"word":7,"lines":[1]})"), "word is no string");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[1],"@all":1})"),
            "the answer has something that was not asked for");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[]})"), "lines has too few");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[1,2,3]})"), "lines has too many");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[1.5]})"), "lines[] is no integer");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[0]})"), "lines[] is too small");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[10]})"), "lines[] is too large");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[1],"text":"a"})"), "text is too short");
  EXPECT_EQ(wrong_with(R"({"word":"low","lines":[1],"text":"abcde"})"), "text is too long");
}

TEST(Schema, InTheDialectOfVertex) {
  const json out = vertex_schema(kSchema);
  EXPECT_EQ(out["type"], "OBJECT");
  EXPECT_EQ(out["propertyOrdering"], json::parse(R"(["word","lines"])"));
  EXPECT_FALSE(out.contains("additionalProperties"));
  EXPECT_EQ(out["properties"]["word"]["format"], "enum");
  EXPECT_EQ(out["properties"]["lines"]["items"]["type"], "INTEGER");
}

TEST(Schema, WithoutLengthsForStrictServers) {
  const json out = strict_schema(kSchema);
  EXPECT_FALSE(out["properties"]["text"].contains("maxLength"));
  EXPECT_EQ(out["additionalProperties"], false);
  EXPECT_EQ(out["properties"]["lines"]["maxItems"], 2);
}

}  // namespace
}  // namespace gitaiops::models
