// Servers that speak OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Ollama, LiteLLM and more.
//
// They differ in how an answer can be held to a schema: by the schema, to be any JSON object, or
// not at all. The strictest way that a model's server takes is found by its first question and
// remembered. What then is no answer is asked for once more, with what was wrong; both are paid
// for. Private to this folder. Test: tests/unit/models/openai_test.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "controller/models/model_list.h"

namespace gitaiops::models {

struct OpenaiOptions {
  std::string url;           // "https://llm.example.com/v1": without /chat/completions
  std::string api_key = {};  // empty: none is sent
  ListOptions list = {};
};

std::unique_ptr<Provider> open_openai(OpenaiOptions options, Outgoing& outgoing,
                                      const Clock& clock);

enum class Form { json_schema, json_object, prompt };

// What an earlier answer was and what was wrong with it; empty: the first question.
struct Repair {
  std::string said, wrong;
};
std::string openai_body(const Question& question, std::string_view model, Form form,
                        const Repair& repair);
// internal: no answer that can be understood.
Result<Answer> read_openai_answer(std::string_view body);

}  // namespace gitaiops::models
