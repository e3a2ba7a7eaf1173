// Whatever a provider or a model answers, and whatever a log says: no crash, and what is made of it
// keeps the promises of controller/models/prompt.h.
#include <cstdint>
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "controller/models/change_prompt.h"
#include "controller/models/openai.h"
#include "controller/models/prompt.h"
#include "controller/models/vertex.h"
#include "tests/unit/models/example.h"

namespace {

using namespace gitaiops;          // NOLINT: a program of its own
using namespace gitaiops::models;  // NOLINT

void demand(bool holds) {
  if (!holds) std::abort();
}

void demand_clean(std::string_view text) {
  demand(to_utf8(text) == text);
  for (const char c : text) demand(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

void demand_good(std::string_view said, const fleet::v1::Diagnosis& diagnosis) {
  const auto read = read_failure_answer(failure_prompt(), said, diagnosis);
  if (!read.ok()) return;
  demand(!read->explanation.empty() && !read->lines.empty());
  demand_clean(read->explanation);
  demand_clean(read->fix);
  demand(read->explanation.find("://") == std::string::npos);
  const auto known = packet_lines(diagnosis, failure_prompt().max_data_bytes);
  for (const auto& line : read->lines) demand(known.at(line.number) == line.text);
}

// The same bytes as a diff, and as what is said of one.
void demand_good_reading(std::string_view text) {
  gitlab::MergeRequest request;
  request.title = request.description = text;
  const std::string hunks = text.starts_with("@@") ? std::string(text) : "@@ -1 +1 @@\n+x\n";
  const auto data =
      change_data(change_prompt(), request, {{"a.c", std::string(text), hunks}},
                  {project_file::Guideline(std::string(text), {}, std::string(text))});
  demand(data.text.size() < 64 << 10);
  for (const auto line : split(data.text, '\n')) demand_clean(line);
  for (const auto& [number, place] : data.places) {
    demand_clean(place.path);
    demand(number > 0 && place.line >= 0);
  }
  const auto read = read_change_answer(change_prompt(), text, data);
  if (!read.ok()) return;
  demand(read->points.size() <= 3);
  for (const auto& point : read->points) {
    demand(!point.why.empty() && point.why.find("://") == std::string::npos);
    demand_clean(point.why);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto report = models::testing::report_of_a_failed_test();
  demand_good(text, report.diagnosis());
  for (const auto& answer : {read_vertex_answer(text), read_openai_answer(text)})
    if (answer.ok()) {
      demand(answer->tokens.prompt >= 0 && answer->tokens.output >= 0);
      demand_good(answer->text, report.diagnosis());
    }
  demand_good_reading(text);
  demand_clean(cleaned_line(text, 512));
  demand(cleaned_line(text, 512).size() <= 512);
  // The same bytes as a log: what stands between the markers has no third one.
  auto& packet = *report.mutable_diagnosis()->mutable_packet(1);
  packet.set_last_line(10'000);
  packet.set_text(to_utf8(text));
  const std::string marker = "4f1c0a0de5a14b0f8c3a7f0a11d2e3c4";
  const auto question = failure_question(failure_prompt(), report, marker);
  std::size_t markers = 0;
  for (std::size_t at = 0; (at = question.user.find(marker, at)) != std::string::npos; ++at)
    ++markers;
  demand(markers == 2);
  demand(question.user.size() < 64 << 10);
  return 0;
}
