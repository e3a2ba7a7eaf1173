#include "controller/models/schema.h"

#include <algorithm>
#include <string>

namespace gitaiops::models {
namespace {

using nlohmann::json;

Error wrong(const std::string& where, const std::string& what) {
  return {Code::invalid_argument, (where.empty() ? "the answer" : where) + " " + what};
}

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "boolean" && value.is_boolean();
}

Status check_at(const json& value, const json& schema, const std::string& where);

Status check_object(const json& value, const json& schema, const std::string& where) {
  const json empty = json::object();
  const json& properties = schema.contains("properties") ? schema["properties"] : empty;
  if (schema.contains("required"))
    for (const auto& name : schema["required"])
      if (!value.contains(name.get<std::string>()))
        return wrong(where, "lacks " + name.get<std::string>());
  for (const auto& [name, inner] : value.items()) {
    const auto known = properties.find(name);
    if (known != properties.end()) {
      RETURN_IF_ERROR(check_at(inner, *known, where.empty() ? name : where + "." + name));
    } else if (schema.value("additionalProperties", true) == false) {
      return wrong(where, "has something that was not asked for");
    }
  }
  return {};
}

Status check_array(const json& value, const json& schema, const std::string& where) {
  if (value.size() < schema.value("minItems", std::size_t{0})) return wrong(where, "has too few");
  if (value.size() > schema.value("maxItems", value.size())) return wrong(where, "has too many");
  if (schema.contains("items"))
    for (const auto& item : value) RETURN_IF_ERROR(check_at(item, schema["items"], where + "[]"));
  return {};
}

Status check_at(const json& value, const json& schema, const std::string& where) {
  const std::string type = schema.value("type", "");
  if (!type.empty() && !has_type(value, type)) return wrong(where, "is no " + type);
  if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end())
    return wrong(where, "is none of the words that were given");
  if (value.is_object()) return check_object(value, schema, where);
  if (value.is_array()) return check_array(value, schema, where);
  if (value.is_string()) {
    const std::size_t bytes = value.get_ref<const std::string&>().size();
    if (bytes < schema.value("minLength", std::size_t{0})) return wrong(where, "is too short");
    if (bytes > schema.value("maxLength", bytes)) return wrong(where, "is too long");
  }
  if (value.is_number()) {
    const double number = value.get<double>();
    if (number < schema.value("minimum", number)) return wrong(where, "is too small");
    if (number > schema.value("maximum", number)) return wrong(where, "is too large");
  }
  return {};
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return text;
}

}  // namespace

Status check_schema(const json& value, const json& schema) {
  return check_at(value, schema, "");
}

json vertex_schema(const json& schema) {
  json out = schema;
  out.erase("additionalProperties");
  if (out.contains("type")) out["type"] = upper(out["type"].get<std::string>());
  if (out.contains("enum")) out["format"] = "enum";
  if (out.contains("items")) out["items"] = vertex_schema(out["items"]);
  if (out.contains("properties")) {
    for (auto& [name, inner] : out["properties"].items()) inner = vertex_schema(inner);
    if (out.contains("required")) out["propertyOrdering"] = out["required"];
  }
  return out;
}

json strict_schema(const json& schema) {
  json out = schema;
  out.erase("minLength");
  out.erase("maxLength");
  if (out.contains("items")) out["items"] = strict_schema(out["items"]);
  if (out.contains("properties"))
    for (auto& [name, inner] : out["properties"].items()) inner = strict_schema(inner);
  return out;
}

}  // namespace gitaiops::models
