// Files in which advisories are published, into an index builder: OSV records (*.json), archives of
// them (*.zip, as OSV publishes all of an ecosystem), EPSS scores (*.csv, *.csv.gz) and CISA's
// catalogue (*.json with a catalogVersion).
//
// Thread safety: as the builder's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes/bytes.h"
#include "engines/scanner/advisories/builder.h"

namespace gitaiops::scanner {

struct Skipped {
  std::string place;  // the file, with '#' and the name inside of an archive
  std::string reason;
};

// Whether a file of this name is one of those above.
bool is_source(std::string_view name);

// The file's bytes, by the end of its name. Records in an archive that cannot be read are skipped
// and the rest is taken. An error: nothing of the file could be taken (invalid_argument: no such
// name; data_loss: damaged; resource_exhausted: unpacks to more than is good).
Status add_source(const std::string& name, Bytes bytes, IndexBuilder& builder,
                  std::vector<Skipped>& skipped);

}  // namespace gitaiops::scanner
