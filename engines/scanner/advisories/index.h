// All advisories in one file, made to be mapped and asked at once: no parsing, no allocation but
// for the answers. docs/scanner.md says what it is for; format.h writes its bytes down.
//
//   ASSIGN_OR_RETURN(auto index, Index::open(mapped_file));
//   for (const Hit& hit : index.match(Ecosystem::npm, "left-pad", "1.0.0"))
//   index.advisory(hit.advisory);
//
// Nothing in the file is trusted: every offset is checked where it is used, and a damaged file
// gives fewer answers, never a wrong access. Whether the bytes are those that were written is for
// seal.h.
//
// Thread safety: an open index is constant; any number of threads may ask it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes/bytes.h"
#include "base/result/result.h"
#include "engines/scanner/cvss/cvss.h"
#include "engines/scanner/ecosystem.h"

namespace gitaiops::scanner {

// What an advisory says that is no vulnerability (RustSec's classes).
enum class Informational : uint8_t { no, unmaintained, unsound, notice };
std::string_view to_string(Informational kind);

enum class Confidence : uint8_t {
  // The public range takes the version in, but a narrower one that its authors keep beside it, with
  // versions the ecosystem's order does not know, leaves it out.
  low,
  high,
};

struct Hit {
  uint32_t advisory = 0;  // for Index::advisory
  uint32_t group = 0;     // advisories with one group are names of one thing
  Confidence confidence = Confidence::high;
  Informational informational = Informational::no;
  double score = -1;  // CVSS base; below 0: none known
  Severity level = Severity::unknown;
  // Which of the advisory's affected packages: its fixed versions are at that place.
  uint32_t place = 0;
};

// Which parts of a package an advisory means, where it says so (Go's and RustSec's do).
struct AffectedSymbols {
  std::string path;                // of the import: "golang.org/x/net/html", or the crate
  std::vector<std::string> names;  // functions, methods and types, without what stands before the
                                   // last dot or "::"; none: all of it
};

struct Advisory {
  std::string id;
  std::string modified;
  std::string summary;
  std::string cvss;  // vector; empty without
  std::vector<std::string> aliases;
  std::vector<std::vector<std::string>>
      fixed;  // versions, by Hit::place, in the order of the record
  std::vector<std::vector<AffectedSymbols>> symbols;  // by Hit::place; empty where it names none
  uint32_t group = 0;
  double score = -1;
  Severity level = Severity::unknown;
  std::optional<double> epss, epss_percentile;  // 0 to 1
  bool known_exploited = false;                 // in CISA's catalogue
  bool ransomware = false;                      // known to be used by it
};

struct IndexInfo {
  uint64_t advisories = 0, packages = 0, affected = 0, listed_versions = 0;
  uint64_t scored_by_epss = 0, known_exploited = 0;
  uint64_t match_bytes = 0;  // what matching reads, listed versions left out
  uint64_t text_bytes = 0;
  std::string newest;     // the newest advisory's date
  std::string epss_date;  // "" without EPSS
  std::string kev_date;   // "" without KEV
  struct Part {
    Ecosystem ecosystem;
    uint64_t advisories;
  };
  std::vector<Part> parts;
};

class Index {
 public:
  // The bytes must outlive the index. data_loss when they are no index or cut off, unimplemented
  // when a newer format was written.
  static Result<Index> open(Bytes file);

  // By advisory. An empty version matches nothing: it is not known.
  std::vector<Hit> match(Ecosystem ecosystem, std::string_view name,
                         std::string_view version) const;
  // not_found beyond the last one, data_loss when its text is damaged. Text is packed in blocks:
  // who asks for many, in ascending order, keeps `last` between the calls.
  struct Block {
    uint64_t number = UINT64_MAX;
    std::string text;
  };
  Result<Advisory> advisory(uint32_t number) const;
  Result<Advisory> advisory(uint32_t number, Block& last) const;
  uint32_t size() const;
  const IndexInfo& info() const { return info_; }

 private:
  Index() = default;
  Status unpack(uint64_t number, Block& into) const;
  Bytes names_, affected_, stream_, advisories_, blocks_, text_;
  IndexInfo info_;
};

}  // namespace gitaiops::scanner
