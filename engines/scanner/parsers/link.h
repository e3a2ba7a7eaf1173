// From what files say to one set of packages: edges by key, who is asked for by the project, what
// is needed at run time and what for development only.
#pragma once

#include <vector>

#include "engines/scanner/parsers/extract.h"

namespace gitaiops::scanner::parsers {

// `base`: the lock file, or the only manifest. `manifests`: those that the lock file answers; what
// they ask for and the lock lacks is added with its range only. Identical packages become one.
std::vector<Package> link(Extract base, const std::vector<const Extract*>& manifests);

}  // namespace gitaiops::scanner::parsers
