#include <nlohmann/json.hpp>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json word_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json excerpts(const std::vector<Excerpt>& all) {
  Json out = Json::array();
  for (const auto& e : all)
    out.push_back({{"first_line", e.first_line}, {"last_line", e.last_line}, {"text", e.text}});
  return out;
}

}  // namespace

std::string to_json(const Diagnosis& d) {
  Json out;
  out["schema"] = "gitaiops.diagnosis/1";
  out["log"] = {{"bytes", d.bytes}, {"lines", d.lines}, {"truncated", d.truncated}};
  out["outcome"] = to_string(d.outcome);
  out["phase"] = word_or_null(d.phase);
  out["command"] = word_or_null(d.command);
  out["exit_code"] = or_null(d.exit_code);
  out["signal"] = or_null(d.signal);
  out["category"] = word_or_null(d.category);
  out["owner"] = word_or_null(d.owner);
  out["retry"] = d.retry ? Json(to_string(*d.retry)) : Json(nullptr);
  out["confidence"] = d.confidence;
  out["root_cause"] = nullptr;
  if (d.root_cause)
    out["root_cause"] = {{"line", d.root_cause->line},
                         {"offset", d.root_cause->offset},
                         {"text", d.root_cause->text}};
  out["candidates"] = Json::array();
  for (const auto& c : d.candidates) {
    out["candidates"].push_back({{"line", c.line.line},
                                 {"score", c.score},
                                 {"category", c.category},
                                 {"text", c.line.text}});
  }
  out["evidence"] = excerpts(d.evidence);
  out["packet"] = excerpts(d.packet);
  out["failing_tests"] = Json::array();
  for (const auto& t : d.failing_tests) {
    out["failing_tests"].push_back(
        {{"name", t.name}, {"file", word_or_null(t.file)}, {"line", or_null(t.line)}});
  }
  out["failing_tests_total"] = d.failing_tests_total;
  out["fingerprint"] = word_or_null(d.fingerprint);
  out["redacted"] = d.redacted;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gitaiops::diagnosis
