#include "agent/sources/cursor.h"

#include <nlohmann/json.hpp>

namespace gitaiops::agent {
namespace {

using nlohmann::json;

uint64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string encode(const Cursor& cursor) {
  json object = json::object();
  if (!cursor.file.empty()) object["file"] = cursor.file;
  if (const auto& at = cursor.position)
    object["at"] = {{"device", at->device},
                    {"inode", at->inode},
                    {"offset", at->offset},
                    {"before", at->before},
                    {"read_at_us", static_cast<uint64_t>(at->read_at_us)}};
  if (!cursor.journal.empty()) object["journal"] = cursor.journal;
  if (!cursor.runners.empty()) object["runners"] = cursor.runners;
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Cursor> decode(std::string_view saved) {
  const auto object = json::parse(saved, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  Cursor cursor;
  cursor.file = text(object, "file");
  cursor.journal = text(object, "journal");
  if (const auto at = object.find("at"); at != object.end() && at->is_object()) {
    const auto read_at = number(*at, "read_at_us");
    cursor.position =
        FilePosition{number(*at, "device"), number(*at, "inode"), number(*at, "offset"),
                     text(*at, "before"), read_at > INT64_MAX ? 0 : static_cast<int64_t>(read_at)};
  }
  if (const auto runners = object.find("runners"); runners != object.end() && runners->is_object())
    for (const auto& [runner, instance] : runners->items())
      if (instance.is_string()) cursor.runners[runner] = instance.get<std::string>();
  return cursor;
}

}  // namespace gitaiops::agent
