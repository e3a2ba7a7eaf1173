// `gitaiops-agent doctor`: what this agent can and cannot see on this host, in plain words, with
// the very lines to add.
#pragma once

#include <iosfwd>
#include <string>

#include "agent/config/config.h"
#include "base/clock/clock.h"
#include "base/io/io.h"

namespace gitaiops::agent {

// Prints a line a finding, each with its cure, and returns true when nothing keeps the agent from
// its work. `observer_socket`: the inherited socket when started by the observer, else -1 (then
// only what any user sees is checked).
Task<bool> examine(Config config, std::string config_path, int observer_socket, const Clock& clock,
                   std::ostream& out);

}  // namespace gitaiops::agent
