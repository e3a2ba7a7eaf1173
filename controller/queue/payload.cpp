// What the payload of work about a merge request says.
#include <nlohmann/json.hpp>

#include "controller/queue/queue.h"

namespace gitaiops::queue {

using nlohmann::json;

store::NewWork work_on(std::string_view kind, const store::MergeRequestKey& key,
                       UnixMicros not_before, int priority) {
  const json payload = {{"instance", key.instance}, {"project", key.project_id}, {"iid", key.iid}};
  return {std::string(kind),
          key.instance + "/" + std::to_string(key.project_id) + "/" + std::to_string(key.iid),
          payload.dump(), not_before, priority};
}

std::optional<store::MergeRequestKey> merge_request_in(std::string_view payload) {
  const json j = json::parse(payload, nullptr, /*allow_exceptions=*/false);
  const auto number = [&](const char* key) {
    return j.contains(key) && j[key].is_number_integer() ? j[key].get<int64_t>() : 0;
  };
  if (!j.is_object() || !j.contains("instance") || !j["instance"].is_string()) return std::nullopt;
  store::MergeRequestKey key{j["instance"].get<std::string>(), number("project"), number("iid")};
  if (key.project_id <= 0 || key.iid <= 0) return std::nullopt;
  return key;
}

}  // namespace gitaiops::queue
