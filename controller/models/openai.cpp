#include "controller/models/openai.h"

#include <map>

#include "base/bytes/bytes.h"
#include "base/bytes/visible.h"
#include "controller/models/schema.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRepeated = 8 << 10;  // of a wrong answer
constexpr double kTemperature = 0.1;

class Openai final : public ModelList {
 public:
  Openai(OpenaiOptions options, Outgoing& outgoing, const Clock& clock)
      : ModelList(options.list, outgoing, clock), options_(std::move(options)) {}

 private:
  Task<Result<Answer>> ask(std::string model, Question question, SteadyMicros until) override {
    const Repair none;
    auto answer = co_await ask_in_any_form(model, question, none, until);
    if (!answer.ok() || answer->end != Answer::End::whole || !question.check) co_return answer;
    const Status right = question.check(answer->text);
    if (right.ok()) co_return answer;
    const Repair repair{truncate_utf8(to_utf8(answer->text), kMaxRepeated),
                        right.error().message()};
    auto second = co_await ask_in_any_form(model, question, repair, until);
    if (!second.ok()) co_return answer;  // the first was paid for: its tokens are not to be lost
    second->tokens.prompt += answer->tokens.prompt;
    second->tokens.cached += answer->tokens.cached;
    second->tokens.output += answer->tokens.output;
    co_return second;
  }

  // By the form that is known to work, else by the strictest that does.
  Task<Result<Answer>> ask_in_any_form(std::string model, Question question, Repair repair,
                                       SteadyMicros until) {
    const auto known = forms_.find(model);
    Form form = known == forms_.end() ? Form::json_schema : known->second;
    for (;;) {
      OutgoingRequest request{.url = options_.url + "/chat/completions"};
      if (!options_.api_key.empty())
        request.headers.emplace_back("Authorization", "Bearer " + options_.api_key);
      request.body = openai_body(question, model, form, repair);
      const auto response = co_await send(model, std::move(request), until);
      if (response.ok()) {
        forms_[model] = form;
        CO_ASSIGN_OR_RETURN(auto answer, read_openai_answer(response->body));
        answer.model = model;
        co_return answer;
      }
      const bool refused = response.error().code() == Code::invalid_argument;
      if (!refused || form == Form::prompt || forms_.contains(model)) co_return response.error();
      form = form == Form::json_schema ? Form::json_object : Form::prompt;
    }
  }

  const OpenaiOptions options_;
  std::map<std::string, Form> forms_;  // by model: what its server took
};

}  // namespace

std::string openai_body(const Question& question, std::string_view model, Form form,
                        const Repair& repair) {
  std::string system = question.system;
  if (form != Form::json_schema)
    system += "\n\nThe JSON object keeps this JSON Schema:\n" + question.schema.dump();
  json messages = json::array(
      {{{"role", "system"}, {"content", system}}, {{"role", "user"}, {"content", question.user}}});
  if (!repair.wrong.empty()) {
    messages.push_back({{"role", "assistant"}, {"content", repair.said}});
    messages.push_back({{"role", "user"},
                        {"content", "That is not the answer that was asked for: " + repair.wrong +
                                        ". Answer again with the JSON object alone."}});
  }
  json body = {{"model", model},
               {"messages", messages},
               {"temperature", kTemperature},
               {"max_tokens", question.max_output_tokens}};
  if (form == Form::json_object) body["response_format"] = {{"type", "json_object"}};
  if (form == Form::json_schema)
    body["response_format"] = {
        {"type", "json_schema"},
        {"json_schema",
         {{"name", question.name}, {"strict", true}, {"schema", strict_schema(question.schema)}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Answer> read_openai_answer(std::string_view text) {
  const json body = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return Error(Code::internal, "the server's answer is no JSON object");
  Answer out;
  const auto usage = body.find("usage");
  if (usage != body.end()) {
    out.tokens.prompt = count_in(*usage, "prompt_tokens");
    out.tokens.output = count_in(*usage, "completion_tokens");
    if (usage->is_object() && usage->contains("prompt_tokens_details"))
      out.tokens.cached = count_in((*usage)["prompt_tokens_details"], "cached_tokens");
  }
  const auto choices = body.find("choices");
  if (choices == body.end() || !choices->is_array() || choices->empty() ||
      !(*choices)[0].is_object()) {
    out.why = "no choice";
    return out;
  }
  const json& choice = (*choices)[0];
  if (choice.contains("message")) {
    out.text = word_in(choice["message"], "content");
    if (!word_in(choice["message"], "refusal").empty()) out.end = Answer::End::blocked;
  }
  const std::string reason = word_in(choice, "finish_reason");
  if (reason == "length") out.end = Answer::End::cut_off;
  if (reason == "content_filter") out.end = Answer::End::blocked;
  if (out.end == Answer::End::empty && !out.text.empty()) out.end = Answer::End::whole;
  if (out.end != Answer::End::whole) out.why = visible_line(reason, 40);
  return out;
}

std::unique_ptr<Provider> open_openai(OpenaiOptions options, Outgoing& outgoing,
                                      const Clock& clock) {
  return std::make_unique<Openai>(std::move(options), outgoing, clock);
}

}  // namespace gitaiops::models
