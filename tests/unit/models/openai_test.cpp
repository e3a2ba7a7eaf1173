#include "controller/models/openai.h"

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

std::string said(const std::string& text, const std::string& reason = "stop") {
  return json{{"choices", json::array({{{"message", {{"role", "assistant"}, {"content", text}}},
                                        {"finish_reason", reason}}})},
              {"usage",
               {{"prompt_tokens", 900},
                {"completion_tokens", 70},
                {"prompt_tokens_details", {{"cached_tokens", 100}}}}}}
      .dump();
}

class OpenaiTest : public ::testing::Test {
 protected:
  OpenaiTest()
      : server_(loop_, [this](const SeenRequest& request) { return answer(request); }),
        web_(loop_.get_executor()) {
    OpenaiOptions options{.url = server_.url() + "/v1", .api_key = "sk-1"};
    options.list.models = {"local"};
    options.list.request_timeout = 2s;
    options.list.first_retry = 1ms;
    openai_ = open_openai(std::move(options), web_, clock_);
  }
  Result<Answer> ask() {
    Question question = question_of_a_failed_test();
    question.check = [](std::string_view text) -> Status {
      if (json::accept(object_in(text))) return {};
      return Error(Code::invalid_argument, "the answer is no JSON object");
    };
    return run(loop_, openai_->complete(std::move(question)));
  }
  // How each request wanted the answer held to the schema.
  std::vector<std::string> forms() const {
    std::vector<std::string> out;
    for (const auto& request : server_.seen()) {
      const json body = json::parse(request.body);
      out.push_back(body.contains("response_format")
                        ? body["response_format"]["type"].get<std::string>()
                        : "prompt");
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
  std::unique_ptr<Provider> openai_;
};

TEST_F(OpenaiTest, AsksBySchemaAndCountsTokens) {
  const auto got = ask();
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  EXPECT_EQ(got->text, good_answer());
  EXPECT_EQ(got->model, "local");
  EXPECT_EQ(got->tokens.prompt, 900);
  EXPECT_EQ(got->tokens.cached, 100);
  EXPECT_EQ(got->tokens.output, 70);
  const auto& request = server_.seen().at(0);
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_NE(request.head.find("Authorization: Bearer sk-1\r\n"), std::string::npos);
  const json body = json::parse(request.body);
  EXPECT_EQ(body["response_format"]["json_schema"]["strict"], true);
  EXPECT_EQ(body["messages"][0]["content"], failure_prompt().system);
}

TEST_F(OpenaiTest, FindsOnceWhatTheServerTakes) {
  answer = [](const SeenRequest& request) {
    const bool prompt = request.body.find("response_format") == std::string::npos;
    return prompt ? Reply{.body = said(good_answer())} : Reply{.status = 400};
  };
  EXPECT_TRUE(ask().ok());
  EXPECT_TRUE(ask().ok());
  EXPECT_EQ(forms(), (std::vector<std::string>{"json_schema", "json_object", "prompt", "prompt"}));
  const json body = json::parse(server_.seen().back().body);
  EXPECT_NE(body["messages"][0]["content"].get<std::string>().find("JSON Schema"),
            std::string::npos);
}

TEST_F(OpenaiTest, ARefusalThatIsNotForTheFormIsNotRemembered) {
  answer = [](const SeenRequest&) { return Reply{.status = 400}; };
  EXPECT_EQ(ask().error().code(), Code::invalid_argument);
  answer = [](const SeenRequest&) { return Reply{.body = said(good_answer())}; };
  EXPECT_TRUE(ask().ok());
  EXPECT_EQ(forms().back(), "json_schema");
}

TEST_F(OpenaiTest, WhatIsNoAnswerIsAskedForOnceMoreAndPaidFor) {
  answer = [](const SeenRequest& request) {
    const bool second = request.body.find("not the answer") != std::string::npos;
    return Reply{.body = said(second ? good_answer() : "It failed because of a test.")};
  };
  const auto got = ask();
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->text, good_answer());
  EXPECT_EQ(got->tokens.prompt, 1800);
  EXPECT_EQ(got->tokens.output, 140);
  EXPECT_EQ(server_.seen().size(), 2u);
  answer = [](const SeenRequest&) { return Reply{.body = said("still not")}; };
  EXPECT_EQ(ask()->text, "still not");
  EXPECT_EQ(server_.seen().size(), 4u);
}

TEST_F(OpenaiTest, AFailedRepairKeepsWhatTheFirstCost) {
  answer = [](const SeenRequest& request) {
    const bool second = request.body.find("not the answer") != std::string::npos;
    return second ? Reply{.status = 400} : Reply{.body = said("no json")};
  };
  const auto got = ask();
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->tokens.prompt, 900);
}

TEST_F(OpenaiTest, BlockedCutOffAndEmptyAreToldApart) {
  using End = Answer::End;
  EXPECT_EQ(read_openai_answer(said("{\"a", "length"))->end, End::cut_off);
  EXPECT_EQ(read_openai_answer(said("", "content_filter"))->end, End::blocked);
  EXPECT_EQ(read_openai_answer(said(""))->end, End::empty);
  EXPECT_EQ(read_openai_answer("{}")->end, End::empty);
  EXPECT_EQ(
      read_openai_answer(
          R"({"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]})")
          ->end,
      End::blocked);
  EXPECT_EQ(read_openai_answer("[]").error().code(), Code::internal);
  EXPECT_EQ(read_openai_answer(R"({"choices":[7],"usage":[]})")->end, End::empty);
}

TEST_F(OpenaiTest, ADeadServerOpensTheBreaker) {
  answer = [](const SeenRequest&) { return Reply{.drop = true}; };
  EXPECT_EQ(ask().error().code(), Code::unavailable);
  EXPECT_EQ(server_.seen().size(), 3u);
  EXPECT_EQ(ask().error().code(), Code::unavailable);
  EXPECT_GT(openai_->wait_hint().count(), 0);
  const auto before = server_.seen().size();
  EXPECT_EQ(ask().error().code(), Code::unavailable);
  EXPECT_EQ(server_.seen().size(), before);
}

}  // namespace
}  // namespace gitaiops::models
