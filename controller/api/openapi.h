// docs/openapi.yaml as it was when the controller was built.
#pragma once

#include <string_view>

namespace gitaiops::api {

extern const std::string_view kOpenApi;

}  // namespace gitaiops::api
