// Folders of user rules, as the commands take them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::cli {

// At most 4 MiB.
Result<diagnosis::RuleText> read_rule_file(const std::string& file);

// The built-in rules and those of every *.toml in the folders, in order of name. A refused rule is
// told on terminal.err and left out; a folder or file that cannot be read is an error.
Result<std::shared_ptr<const diagnosis::Rules>> read_rules(const std::vector<std::string>& folders,
                                                           const Terminal& terminal);

}  // namespace gitaiops::cli
