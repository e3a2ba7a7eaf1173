// Where advisories come from: folders and files of OSV records, all.zip as OSV publishes it for an
// ecosystem (also in the folders where osv-scanner keeps its copies), EPSS and CISA's catalogue.
#pragma once

#include <string>
#include <vector>

#include "engines/scanner/advisories/builder.h"

namespace gitaiops::cli {

struct Skipped {
  std::string place;  // the file, with '#' and the name inside of an archive
  std::string reason;
};

// Everything of the sources that can be read into the builder; what cannot is told and left out.
// not_found when a source itself is not there.
Status read_advisories(const std::vector<std::string>& sources, scanner::IndexBuilder& builder,
                       std::vector<Skipped>& skipped);

}  // namespace gitaiops::cli
