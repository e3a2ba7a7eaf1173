// The part of the configuration that is about models. Private to this folder.
#pragma once

#include <string>

#include "controller/config/config.h"

namespace gitaiops::controller {

void model_keys(config::Schema<Config>& s);
void check_models(const Config& config, config::Problems& problems);

bool is_date(const std::string& text);  // "2026-12-31"

}  // namespace gitaiops::controller
