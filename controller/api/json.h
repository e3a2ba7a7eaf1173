// The small words of the API's JSON. Private to controller/api. Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock/clock.h"
#include "controller/api/api.h"

namespace gitaiops::api {

using Json = nlohmann::ordered_json;

inline std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
inline Json time_or_null(int64_t micros) {
  return micros > 0 ? Json(to_rfc3339({micros})) : Json(nullptr);
}
inline Json time_or_null(const std::optional<UnixMicros>& time) {
  return time ? time_or_null(time->value) : Json(nullptr);
}
inline Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}
inline Json people_json(const std::vector<Reviewer>& people) {
  Json list = Json::array();
  for (const auto& one : people)
    list.push_back({{"username", one.username}, {"name", one.name}, {"reason", one.reason}});
  return list;
}
inline Json id_or_null(int64_t id) {
  return id > 0 ? Json(id) : Json(nullptr);
}

}  // namespace gitaiops::api
