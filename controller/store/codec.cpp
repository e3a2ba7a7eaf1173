#include <nlohmann/json.hpp>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

using nlohmann::json;

// Text that is not UTF-8 must not throw: it is replaced.
std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json parse(const std::string& text) {
  return json::parse(text, nullptr, false);
}

template <class T>
T field(const json& object, const char* name, T otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? found->get<bool>() : otherwise;
  } else if constexpr (std::is_integral_v<T>) {
    return found->is_number_integer() ? found->get<T>() : otherwise;
  } else {
    return found->is_string() ? found->get<std::string>() : otherwise;
  }
}

}  // namespace

std::string strings_to_json(const std::vector<std::string>& strings) {
  return text_of(json(strings));
}

std::vector<std::string> strings_from_json(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& item : parse(text))
    if (item.is_string()) out.push_back(item.get<std::string>());
  return out;
}

std::string scope_to_json(const Scope& scope) {
  json out = json::array();
  for (const auto& glob : scope) out.push_back(json::array({glob.instance, glob.path}));
  return text_of(out);
}

Scope scope_from_json(const std::string& text) {
  Scope out;
  for (const auto& pair : parse(text))
    if (pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string())
      out.push_back({pair[0].get<std::string>(), pair[1].get<std::string>()});
  return out;
}

std::string facts_to_json(const GitlabFacts& f) {
  json out = {{"status", f.status},
              {"failure_reason", f.failure_reason},
              {"name", f.name},
              {"stage", f.stage},
              {"ref", f.ref},
              {"sha", f.sha},
              {"web_url", f.web_url},
              {"pipeline_id", f.pipeline_id},
              {"allow_failure", f.allow_failure},
              {"retried", f.retried},
              {"runner_id", f.runner_id},
              {"finished_at", f.finished_at.value},
              {"read_at", f.read_at.value}};
  if (f.merge_request)
    out["merge_request"] = {{"instance", f.merge_request->instance},
                            {"project_id", f.merge_request->project_id},
                            {"iid", f.merge_request->iid}};
  return text_of(out);
}

std::optional<GitlabFacts> facts_from_json(const std::string& text) {
  const json in = parse(text);
  if (!in.is_object()) return std::nullopt;
  GitlabFacts f;
  const auto word = [&in](const char* name) { return field(in, name, std::string()); };
  const auto number = [&in](const char* name) { return field(in, name, int64_t{0}); };
  f.status = word("status");
  f.failure_reason = word("failure_reason");
  f.name = word("name");
  f.stage = word("stage");
  f.ref = word("ref");
  f.sha = word("sha");
  f.web_url = word("web_url");
  f.pipeline_id = number("pipeline_id");
  f.allow_failure = field(in, "allow_failure", false);
  f.retried = field(in, "retried", false);
  f.runner_id = number("runner_id");
  f.finished_at = {number("finished_at")};
  f.read_at = {number("read_at")};
  if (const auto mr = in.find("merge_request"); mr != in.end() && mr->is_object())
    f.merge_request =
        MergeRequestKey{field(*mr, "instance", std::string()), field(*mr, "project_id", int64_t{0}),
                        field(*mr, "iid", int64_t{0})};
  return f;
}

}  // namespace gitaiops::store
