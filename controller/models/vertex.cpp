#include "controller/models/vertex.h"

#include <algorithm>

#include "base/bytes/visible.h"
#include "controller/models/schema.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;

// What a family of models takes: thinking by a budget or by a level, and the schema's dialect.
struct Family {
  std::string_view prefix;
  int thinking_budget;  // -1: it takes none
  bool thinking_level, json_schema, temperature;
};
constexpr Family kFamilies[] = {
    {"gemini-2.5-pro", 128, false, false, true},  // cannot be told not to think
    {"gemini-2.5", 0, false, false, true},
    {"gemini-2", -1, false, false, true},
    {"gemini-1", -1, false, false, true},
    {"gemini-", -1, true, true, false},
    {"", -1, false, false, true},
};

const Family& family_of(std::string_view model) {
  return *std::ranges::find_if(
      kFamilies, [&](const Family& family) { return model.starts_with(family.prefix); });
}

json parts_of(const std::string& text) {
  return json::array({{{"text", text}}});
}

class Vertex final : public ModelList {
 public:
  Vertex(VertexOptions options, std::unique_ptr<GoogleAuth> auth, Outgoing& outgoing,
         const Clock& clock)
      : ModelList(options.list, outgoing, clock),
        options_(std::move(options)),
        auth_(std::move(auth)) {}

 private:
  Task<Result<Answer>> ask(std::string model, Question question, SteadyMicros until) override {
    for (bool again = false;; again = true) {
      CO_ASSIGN_OR_RETURN(const auto token, co_await auth_->token(), "an access token for Vertex");
      const std::string host = options_.url.empty() ? vertex_host(options_.location) : options_.url;
      OutgoingRequest request{.url = host + vertex_path(options_, model)};
      request.headers.emplace_back("Authorization", "Bearer " + token);
      request.body = vertex_body(question, model);
      const auto response = co_await send(model, std::move(request), until);
      if (!response.ok() && response.error().code() == Code::unauthenticated && !again) {
        auth_->forget();
        continue;
      }
      if (!response.ok()) co_return response.error();
      CO_ASSIGN_OR_RETURN(auto answer, read_vertex_answer(response->body));
      answer.model = model;
      co_return answer;
    }
  }

  const VertexOptions options_;
  const std::unique_ptr<GoogleAuth> auth_;
};

}  // namespace

std::string vertex_host(std::string_view location) {
  if (location == "global") return "https://aiplatform.googleapis.com";
  const std::string place(location);
  if (place == "us" || place == "eu") return "https://aiplatform." + place + ".rep.googleapis.com";
  return "https://" + place + "-aiplatform.googleapis.com";
}

std::string vertex_path(const VertexOptions& options, std::string_view model) {
  return "/v1/projects/" + options.project + "/locations/" + options.location +
         "/publishers/google/models/" + std::string(model) + ":generateContent";
}

std::string vertex_body(const Question& question, std::string_view model) {
  const Family& family = family_of(model);
  json config = {{"candidateCount", 1},
                 {"maxOutputTokens", question.max_output_tokens},
                 {"responseMimeType", "application/json"}};
  if (family.json_schema) {
    config["responseJsonSchema"] = question.schema;
  } else {
    config["responseSchema"] = vertex_schema(question.schema);
  }
  if (family.temperature) config["temperature"] = 0.1;
  if (family.thinking_level) config["thinkingConfig"] = {{"thinkingLevel", "LOW"}};
  if (family.thinking_budget >= 0)
    config["thinkingConfig"] = {{"thinkingBudget", family.thinking_budget}};
  const json body = {
      {"systemInstruction", {{"parts", parts_of(question.system)}}},
      {"contents", json::array({{{"role", "user"}, {"parts", parts_of(question.user)}}})},
      {"generationConfig", config},
      {"labels", {{"application", "gitaiops"}, {"feature", question.name}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Answer> read_vertex_answer(std::string_view text) {
  const json body = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return Error(Code::internal, "Vertex' answer is no JSON object");
  Answer out;
  const json none = json::object();
  const auto member = [&](const json& object, const char* key) -> const json& {
    const auto found = object.is_object() ? object.find(key) : none.end();
    return object.is_object() && found != object.end() ? *found : none;
  };
  const json& usage = member(body, "usageMetadata");
  out.tokens = {count_in(usage, "promptTokenCount"), count_in(usage, "cachedContentTokenCount"),
                count_in(usage, "candidatesTokenCount") + count_in(usage, "thoughtsTokenCount")};
  out.traffic = visible_line(word_in(usage, "trafficType"), 40);
  const json& candidates = member(body, "candidates");
  if (!candidates.is_array() || candidates.empty()) {
    const std::string blocked = word_in(member(body, "promptFeedback"), "blockReason");
    out.end = blocked.empty() ? Answer::End::empty : Answer::End::blocked;
    out.why = blocked.empty() ? "no candidate" : visible_line(blocked, 40);
    return out;
  }
  const json& parts = member(member(candidates[0], "content"), "parts");
  if (parts.is_array())
    for (const auto& part : parts)
      if (member(part, "thought") != json(true)) out.text += word_in(part, "text");
  const std::string reason = word_in(candidates[0], "finishReason");
  if (reason == "STOP") {
    out.end = out.text.empty() ? Answer::End::empty : Answer::End::whole;
  } else {
    out.end = reason == "MAX_TOKENS" ? Answer::End::cut_off : Answer::End::blocked;
  }
  if (out.end != Answer::End::whole)
    out.why = reason.empty() ? "no finishReason" : visible_line(reason, 40);
  return out;
}

std::unique_ptr<Provider> open_vertex(VertexOptions options, std::unique_ptr<GoogleAuth> auth,
                                      Outgoing& outgoing, const Clock& clock) {
  return std::make_unique<Vertex>(std::move(options), std::move(auth), outgoing, clock);
}

}  // namespace gitaiops::models
