// JSON Schema, the part that prompts use: type, enum, properties, required, additionalProperties
// (false), items, minItems, maxItems, minLength, maxLength (in bytes), minimum, maximum. Private to
// this folder. Thread safety: pure.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result/result.h"

namespace gitaiops::models {

// invalid_argument: where `value` is not as the schema says, in words without any of the value.
Status check_schema(const nlohmann::json& value, const nlohmann::json& schema);

// The same schema as Vertex' `responseSchema`: upper-case types, the order of properties as they
// are required, without what that has not.
nlohmann::json vertex_schema(const nlohmann::json& schema);

// The same without lengths, which strict modes of other servers refuse.
nlohmann::json strict_schema(const nlohmann::json& schema);

}  // namespace gitaiops::models
