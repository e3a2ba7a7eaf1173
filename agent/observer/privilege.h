// What the observer may do, and that nobody else gets it.
#pragma once

#include <string>
#include <vector>

#include "base/result/result.h"

namespace gitaiops::agent {

// Keeps CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH as far as this process has them; gives up every
// other capability, the ambient, inheritable and (where it may) bounding sets, core dumps and the
// gaining of privileges by exec. What is started from here on cannot get any capability back, not
// even as root. Call it first.
Status keep_only_needed_capabilities();

// In the child, before exec: none at all.
Status give_up_all_capabilities();

// Both are effective: what cannot be done is forbidden by something else.
bool has_needed_capabilities();

// One line a capability: effective, or what does not work without it and how to grant it.
std::vector<std::string> describe_capabilities();

}  // namespace gitaiops::agent
