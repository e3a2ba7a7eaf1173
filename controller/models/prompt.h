// The prompts, and what is made of a model's answer: values in, values out. Private to this folder.
//
// Rules: what was read from a log stands between markers that nobody can foresee, each line of it
// numbered, cleaned of what people would not see, and capped; never in the system text. An answer
// counts only where it keeps the schema and cites lines that were in the question; then it is
// cleaned like any foreign text. Thread safety: pure.
// Tests: tests/unit/models/prompt_test.cpp, tests/fuzz/models.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "controller/models/provider.h"
#include "controller/store/store.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::models {

// A file of prompts/.
struct Prompt {
  std::string id;
  int64_t version = 0;
  std::string system;
  nlohmann::json schema;
  int64_t max_output_tokens = 0;
  std::size_t max_data_bytes = 0;  // of foreign lines together
  std::string name() const { return id + "/" + std::to_string(version); }
};

// invalid_argument names what is wrong with the file.
Result<Prompt> read_prompt(std::string_view toml);

// `data` between two markers, where it has none of them. `marker`: random, of 128 bits or more.
Question question_of(const Prompt& prompt, std::string data, std::string_view marker);
std::string fresh_marker();
// SHA-256 of the prompt's name and the data, hex.
std::string content_of(const Prompt& prompt, std::string_view data);
// The JSON object in an answer, as the schema has it. invalid_argument: it has none.
Result<nlohmann::json> object_of(const Prompt& prompt, std::string_view answer);
// What a model wrote as one line without addresses of the web.
std::string cleaned_sentence(std::string_view text);

// A line of foreign text as a model may read it: one line of valid UTF-8 without escape sequences
// of terminals, control, bidirectional and invisible characters.
std::string cleaned_line(std::string_view text, std::size_t max_bytes);

// ---- A failed job ----

std::string_view failure_prompt_text();  // prompts/failure.toml, as built
const Prompt& failure_prompt();

// The log's lines that a diagnosis gives for models, cleaned, by number, within `max_bytes`.
std::map<uint64_t, std::string> packet_lines(const fleet::v1::Diagnosis& diagnosis,
                                             std::size_t max_bytes);

Question failure_question(const Prompt& prompt, const fleet::v1::JobReport& report,
                          std::string_view marker);
// What is asked, without the marker: the same for the same failure. SHA-256, hex.
std::string content_of(const Prompt& prompt, const fleet::v1::JobReport& report);

using Explanation = store::Explanation;

// Cleaned, without addresses of the web, with the lines that it cites. invalid_argument: why
// nothing is made of the answer, in our words.
Result<Explanation> read_failure_answer(const Prompt& prompt, std::string_view answer,
                                        const fleet::v1::Diagnosis& diagnosis);

// An explanation of another job with the same failure: the lines it cites are looked for in this
// job's log, where only numbers may differ. not_found: one of them is not there.
Result<Explanation> moved_to(Explanation explanation, const fleet::v1::Diagnosis& diagnosis,
                             std::size_t max_bytes);

// The JSON object in what a model said: without the fence, the thoughts or the words around it.
std::string_view object_in(std::string_view said);

}  // namespace gitaiops::models
