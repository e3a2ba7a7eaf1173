#include "controller/models/vertex.h"

#include <gtest/gtest.h>

#include "tests/unit/models/example.h"
#include "tests/unit/outgoing/http_double.h"

namespace gitaiops::models {
namespace {

using namespace std::chrono_literals;
using gitaiops::testing::HttpDouble;
using gitaiops::testing::Reply;
using gitaiops::testing::run;
using gitaiops::testing::SeenRequest;
using nlohmann::json;
using testing::good_answer;
using testing::question_of_a_failed_test;

class Passes final : public GoogleAuth {
 public:
  Task<Result<std::string>> token() override { co_return "token-" + std::to_string(number); }
  void forget() override { ++number; }
  int number = 1;
};

std::string said(const std::string& text, const std::string& reason = "STOP") {
  return json{
      {"candidates", json::array({{{"content", {{"parts", json::array({{{"text", text}}})}}},
                                   {"finishReason", reason}}})},
      {"usageMetadata",
       {{"promptTokenCount", 900},
        {"cachedContentTokenCount", 100},
        {"candidatesTokenCount", 70},
        {"thoughtsTokenCount", 30},
        {"trafficType", "ON_DEMAND"}}}}
      .dump();
}

class VertexTest : public ::testing::Test {
 protected:
  VertexTest()
      : server_(loop_, [this](const SeenRequest& request) { return answer(request); }),
        web_(loop_.get_executor()) {
    auto auth = std::make_unique<Passes>();
    passes_ = auth.get();
    VertexOptions options{.project = "p1", .location = "europe-west4", .url = server_.url()};
    options.list.models = {"gemini-3.8-flash", "gemini-2.5-flash"};
    options.list.request_timeout = 2s;
    options.list.first_retry = 1ms;
    vertex_ = open_vertex(std::move(options), std::move(auth), web_, clock_);
  }
  Result<Answer> ask() { return run(loop_, vertex_->complete(question_of_a_failed_test())); }
  // The models that were asked, in order.
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const auto& request : server_.seen()) {
      const auto from = request.target.rfind('/') + 1;
      out.push_back(request.target.substr(from, request.target.rfind(':') - from));
    }
    return out;
  }

  std::function<Reply(const SeenRequest&)> answer = [](const SeenRequest&) {
    return Reply{.body = said(good_answer())};
  };
  asio::io_context loop_;
  FakeClock clock_;
  HttpDouble server_;
  Outgoing web_;
  Passes* passes_;
  std::unique_ptr<Provider> vertex_;
};

TEST(Vertex, EachLocationHasItsHost) {
  EXPECT_EQ(vertex_host("global"), "https://aiplatform.googleapis.com");
  EXPECT_EQ(vertex_host("eu"), "https://aiplatform.eu.rep.googleapis.com");
  EXPECT_EQ(vertex_host("us"), "https://aiplatform.us.rep.googleapis.com");
  EXPECT_EQ(vertex_host("europe-west4"), "https://europe-west4-aiplatform.googleapis.com");
}

TEST(Vertex, EachFamilyIsAskedInItsDialect) {
  const auto config = [](std::string_view model) {
    return json::parse(vertex_body(question_of_a_failed_test(), model))["generationConfig"];
  };
  const json older = config("gemini-2.5-flash");
  EXPECT_EQ(older["responseSchema"]["type"], "OBJECT");
  EXPECT_EQ(older["thinkingConfig"]["thinkingBudget"], 0);
  EXPECT_FALSE(older.contains("responseJsonSchema"));
  EXPECT_EQ(config("gemini-2.5-pro")["thinkingConfig"]["thinkingBudget"], 128);
  EXPECT_FALSE(config("gemini-2.0-flash").contains("thinkingConfig"));
  const json newer = config("gemini-4-argon");
  EXPECT_EQ(newer["responseJsonSchema"]["type"], "object");
  EXPECT_EQ(newer["thinkingConfig"]["thinkingLevel"], "LOW");
  EXPECT_FALSE(newer.contains("temperature"));
}

TEST(Vertex, ForeignTextIsNeverInTheSystemInstruction) {
  const json body = json::parse(vertex_body(question_of_a_failed_test(), "gemini-3.8-flash"));
  EXPECT_EQ(body["systemInstruction"]["parts"][0]["text"], failure_prompt().system);
  EXPECT_EQ(body["contents"].size(), 1u);
  EXPECT_EQ(body["contents"][0]["role"], "user");
  EXPECT_FALSE(body.contains("tools"));
}

TEST_F(VertexTest, AsksAndCountsTokens) {
  const auto got = ask();
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->end, Answer::End::whole);
  EXPECT_EQ(got->text, good_answer());
  EXPECT_EQ(got->model, "gemini-3.8-flash");
  EXPECT_EQ(got->traffic, "ON_DEMAND");
  EXPECT_EQ(got->tokens.prompt, 900);
  EXPECT_EQ(got->tokens.cached, 100);
  EXPECT_EQ(got->tokens.output, 100);
  EXPECT_EQ(server_.seen()[0].target,
            "/v1/projects/p1/locations/europe-west4/publishers/google/models/"
            "gemini-3.8-flash:generateContent");
  EXPECT_NE(server_.seen()[0].head.find("Authorization: Bearer token-1\r\n"), std::string::npos);
}

TEST_F(VertexTest, AModelThatIsGoneIsNotAskedAgainForADay) {
  answer = [](const SeenRequest& request) {
    const bool gone = request.target.find("gemini-3.8") != std::string::npos;
    return gone ? Reply{.status = 404} : Reply{.body = said(good_answer())};
  };
  EXPECT_EQ(ask()->model, "gemini-2.5-flash");
  EXPECT_EQ(ask()->model, "gemini-2.5-flash");
  EXPECT_EQ(asked(),
            (std::vector<std::string>{"gemini-3.8-flash", "gemini-2.5-flash", "gemini-2.5-flash"}));
  clock_.advance(25ll * 3600 * kMicrosPerSecond);
  EXPECT_TRUE(ask().ok());
  EXPECT_EQ(asked()[3], "gemini-3.8-flash");
}

TEST_F(VertexTest, NoneOfTheModelsIsThere) {
  answer = [](const SeenRequest&) { return Reply{.status = 404}; };
  EXPECT_EQ(ask().error().code(), Code::not_found);
  EXPECT_EQ(ask().error().code(), Code::not_found);
  EXPECT_EQ(asked().size(), 2u);
}

TEST_F(VertexTest, WhatPassesIsTriedTwiceMoreThenTheNextModel) {
  answer = [](const SeenRequest& request) {
    const bool down = request.target.find("gemini-3.8") != std::string::npos;
    return down ? Reply{.status = 503} : Reply{.body = said(good_answer())};
  };
  EXPECT_EQ(ask()->model, "gemini-2.5-flash");
  EXPECT_EQ(asked().size(), 4u);
}

TEST_F(VertexTest, ARateLimitIsWaitedForOnlyIfItIsShort) {
  answer = [](const SeenRequest&) {
    return Reply{.status = 429, .headers = {{"Retry-After", "120"}}};
  };
  EXPECT_EQ(ask().error().code(), Code::resource_exhausted);
  EXPECT_EQ(asked(), (std::vector<std::string>{"gemini-3.8-flash", "gemini-2.5-flash"}));
  EXPECT_EQ(vertex_->wait_hint(), 120s);
  EXPECT_EQ(ask().error().code(), Code::resource_exhausted);
  EXPECT_EQ(asked().size(), 2u);
}

TEST_F(VertexTest, ARefusedTokenIsRenewedOnce) {
  answer = [](const SeenRequest& request) {
    const bool old = request.head.find("token-1") != std::string::npos;
    return old ? Reply{.status = 401} : Reply{.body = said(good_answer())};
  };
  EXPECT_TRUE(ask().ok());
  EXPECT_EQ(passes_->number, 2);
  answer = [](const SeenRequest&) { return Reply{.status = 401}; };
  EXPECT_EQ(ask().error().code(), Code::unauthenticated);
  EXPECT_EQ(server_.seen().size(), 4u);
}

TEST_F(VertexTest, WhatIsRefusedIsNotRepeated) {
  for (const auto& [status, code] :
       {std::pair{403, Code::permission_denied}, {400, Code::invalid_argument}}) {
    const auto before = server_.seen().size();
    answer = [status](const SeenRequest&) {
      return Reply{.status = status, .body = R"({"error":{"message":"no such budget"}})"};
    };
    EXPECT_EQ(ask().error().code(), code);
    EXPECT_EQ(server_.seen().size(), before + 1);
  }
  EXPECT_NE(ask().error().message().find("no such budget"), std::string::npos);
}

TEST(VertexAnswer, ThoughtsAreNotTheAnswer) {
  const auto read = read_vertex_answer(
      R"({"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"{\"a\""},{"text":":1}"}]},"finishReason":"STOP"}]})");
  EXPECT_EQ(read->text, "{\"a\":1}");
  EXPECT_EQ(read->tokens.output, 0);
}

TEST(VertexAnswer, BlockedCutOffAndEmptyAreToldApart) {
  const auto end_of = [](const std::string& body) {
    const auto read = read_vertex_answer(body);
    return std::pair(read->end, read->why);
  };
  using End = Answer::End;
  EXPECT_EQ(end_of(R"({"promptFeedback":{"blockReason":"JAILBREAK"},"usageMetadata":{}})"),
            std::pair(End::blocked, std::string("JAILBREAK")));
  EXPECT_EQ(end_of("{}"), std::pair(End::empty, std::string("no candidate")));
  EXPECT_EQ(end_of(said("{\"a\":", "MAX_TOKENS")),
            std::pair(End::cut_off, std::string("MAX_TOKENS")));
  EXPECT_EQ(end_of(said("{}", "MODEL_ARMOR")), std::pair(End::blocked, std::string("MODEL_ARMOR")));
  EXPECT_EQ(end_of(said("")), std::pair(End::empty, std::string("STOP")));
  EXPECT_EQ(end_of(R"({"candidates":[{"finishReason":"SAFETY"}]})"),
            std::pair(End::blocked, std::string("SAFETY")));
}

TEST(VertexAnswer, WrongTypesAreNoAnswer) {
  EXPECT_EQ(read_vertex_answer("<html>").error().code(), Code::internal);
  for (const char* body :
       {R"({"candidates":{}})", R"({"candidates":[7]})", R"({"candidates":[{"content":[]}]})",
        R"({"candidates":[{"content":{"parts":[{"text":7},null]},"finishReason":7}]})",
        R"({"usageMetadata":{"promptTokenCount":-5,"candidatesTokenCount":"x"}})"}) {
    const auto read = read_vertex_answer(body);
    ASSERT_TRUE(read.ok()) << body;
    EXPECT_NE(read->end, Answer::End::whole) << body;
    EXPECT_EQ(read->tokens.prompt, 0) << body;
  }
}

}  // namespace
}  // namespace gitaiops::models
