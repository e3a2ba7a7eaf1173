// What is sent to Vertex, against Google's own descriptors: protobuf's JSON parser refuses a member
// that no message has and a word that no enum has.
#include <fstream>
#include <sstream>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "controller/models/change_prompt.h"
#include "controller/models/vertex.h"
#include "tests/corpus.h"
#include "tests/unit/models/example.h"

namespace gitaiops::models {
namespace {

namespace pb = google::protobuf;

Question question_of_a_change() {
  const auto data =
      change_data(change_prompt(), {}, {{"a.c", "a.c", "@@ -1 +1 @@\n+int n;\n"}}, {});
  return question_of(change_prompt(), data.text, "4f1c0a0de5a14b0f8c3a7f0a11d2e3c4");
}

class VertexRequests : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folder = corpus("integrations");
    if (!folder) GTEST_SKIP() << "Google's descriptors are not here (GITAIOPS_CORPUS)";
    std::ifstream file(*folder / "vertex/prediction_service.desc", std::ios::binary);
    pb::FileDescriptorSet set;
    ASSERT_TRUE(set.ParseFromIstream(&file));
    for (const auto& one : set.file()) ASSERT_NE(pool_.BuildFile(one), nullptr) << one.name();
    request_ = pool_.FindMessageTypeByName("google.cloud.aiplatform.v1.GenerateContentRequest");
    response_ = pool_.FindMessageTypeByName("google.cloud.aiplatform.v1.GenerateContentResponse");
    ASSERT_NE(request_, nullptr);
    ASSERT_NE(response_, nullptr);
  }

  // What Google's parser says; empty: it takes it.
  std::string refusal(const std::string& json, const pb::Descriptor* type) {
    const std::unique_ptr<pb::Message> message(factory_.GetPrototype(type)->New());
    const auto status = pb::util::JsonStringToMessage(json, message.get());
    return status.ok() ? "" : std::string(status.message());
  }

  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_{&pool_};
  const pb::Descriptor* request_ = nullptr;
  const pb::Descriptor* response_ = nullptr;
};

TEST_F(VertexRequests, EachFamilysRequestIsOne) {
  for (const auto& question : {testing::question_of_a_failed_test(), question_of_a_change()})
    for (const char* model : {"gemini-2.0-flash", "gemini-2.5-pro", "gemini-2.5-flash",
                              "gemini-3.8-flash", "gemini-4-argon", "other"})
      EXPECT_EQ(refusal(vertex_body(question, model), request_), "") << question.name << model;
}

TEST_F(VertexRequests, TheParserIsStrict) {
  std::string body = vertex_body(testing::question_of_a_failed_test(), "gemini-3.8-flash");
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = body;
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  EXPECT_NE(refusal(with("\"text\"", "\"txt\""), request_), "");
  EXPECT_NE(refusal(with("\"LOW\"", "\"ULTRA\""), request_), "");
  EXPECT_NE(refusal(with("responseJsonSchema", "responseJSONSchema"), request_), "");
}

TEST_F(VertexRequests, AnswersOfTheTestsAreOnesThatItCouldGive) {
  const std::string answer =
      R"({"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},)"
      R"({"text":"{}"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,)"
      R"("cachedContentTokenCount":1,"candidatesTokenCount":2,"thoughtsTokenCount":3,)"
      R"("trafficType":"ON_DEMAND"}})";
  EXPECT_EQ(refusal(answer, response_), "");
  EXPECT_EQ(read_vertex_answer(answer)->text, "{}");
  const std::string blocked = R"({"promptFeedback":{"blockReason":"JAILBREAK"}})";
  EXPECT_EQ(refusal(blocked, response_), "");
  EXPECT_EQ(read_vertex_answer(blocked)->end, Answer::End::blocked);
}

}  // namespace
}  // namespace gitaiops::models
