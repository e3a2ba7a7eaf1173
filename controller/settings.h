// What the configuration means for the parts that the service is made of.
#pragma once

#include <filesystem>

#include "controller/acting/acting.h"
#include "controller/config/config.h"
#include "controller/dependencies/dependencies.h"
#include "controller/models/models.h"
#include "engines/triage/rules/rules.h"

namespace gitaiops::controller {

acting::Options acting_options(const Config& config);
// As the note counts severities; above the highest: never.
int note_severity(const Config& config);
// invalid_argument: a model without a known price, whose budget could not be kept.
Result<models::Settings> model_settings(const Config& config, UnixMicros now);
// The same, and what is wrong with the credentials.
Status check_model_settings(const Config& config, UnixMicros now);
// Reads the VEX documents. invalid_argument names the file that is none.
Result<dependencies::Accepted> accepted_of(const Config& config);
// By which changes are triaged, and which labels may be set. invalid_argument: the file is wrong.
Result<triage::Rules> triage_rules_of(const Config& config);
// Of those: with another version all merge requests are looked at again.
Result<std::string> triage_version(const Config& config);
// Empty: nothing is matched.
std::filesystem::path index_of_advisories(const Config& config);

}  // namespace gitaiops::controller
