// One OSV record (https://ossf.github.io/osv-schema/), as far as matching and reporting need it.
//
// Thread safety: a reader belongs to one thread; values are plain data.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/scanner/advisories/index.h"
#include "engines/scanner/cvss/cvss.h"
#include "engines/scanner/ecosystem.h"

namespace gitaiops::scanner {

enum class EventKind : uint8_t { introduced, fixed, last_affected, limit };
struct OsvEvent {
  EventKind kind = EventKind::introduced;
  std::string version;
};
// Of type SEMVER or ECOSYSTEM: ranges of commits say nothing about versions.
using OsvRange = std::vector<OsvEvent>;

struct OsvSeverity {
  std::string vector;  // the newest CVSS version that is given; empty without
  double score = -1;   // below 0: none given, or not readable
  Severity level = Severity::unknown;
};

struct OsvAffected {
  Ecosystem ecosystem = Ecosystem::npm;
  std::string name;  // as written
  std::vector<OsvRange> ranges;
  std::vector<OsvRange> custom_ranges;  // Go: where a fix is known that the public range leaves out
  std::vector<std::string> versions;
  OsvSeverity severity;  // overrides the record's, when it has any
  Informational informational = Informational::no;
  std::vector<AffectedSymbols> symbols;
};

struct OsvRecord {
  std::string id;
  std::string modified;  // RFC 3339, as written
  bool withdrawn = false;
  std::vector<std::string> aliases;
  std::string summary;
  OsvSeverity severity;
  std::vector<OsvAffected> affected;  // of known ecosystems only
  uint32_t unknown_ecosystems = 0;    // entries left out
};

class OsvReader {
 public:
  OsvReader();
  ~OsvReader();
  // Any bytes are accepted; an error says what is wrong with the record.
  Result<OsvRecord> read(std::string_view json);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;  // its buffers are used again for the next record
};

}  // namespace gitaiops::scanner
