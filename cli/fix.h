// Brings what scanner::rewrite made of the manifests to disk.
#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/tree.h"
#include "engines/scanner/remediation/remediation.h"

namespace gitaiops::cli {

// Each file is replaced whole or not at all (a temporary file beside it, renamed), with the mode it
// had. Symbolic links and files that changed since they were read are left alone; what could not be
// written is told on `err` and in the outcomes of the upgrades that wanted it. `root`: what the
// tree was opened with.
void write_manifests(const std::string& root, const FolderTree& tree, scanner::Rewriting& rewriting,
                     const Terminal& terminal);

}  // namespace gitaiops::cli
