// Advisories in, the bytes of an index out: the same bytes for the same records, whatever their
// order.
//
//   IndexBuilder builder;
//   for (…) if (auto added = builder.add_osv(json); !added) report(file, added.error());
//   builder.add_epss(csv); builder.add_kev(json);
//   std::string body = builder.finish();   // then seal.h
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/scanner/advisories/osv.h"

namespace gitaiops::scanner {

struct BuildCounts {
  uint64_t records = 0;          // OSV records that were read
  uint64_t withdrawn = 0;        // left out
  uint64_t repeated = 0;         // of an id that was there; the newest one stays
  uint64_t without_package = 0;  // none of its packages is of a known ecosystem
  uint64_t epss = 0, kev = 0;    // rows
};

class IndexBuilder {
 public:
  // One OSV record. A broken one is refused and changes nothing.
  Status add_osv(std::string_view json);
  // EPSS as FIRST publishes it, unpacked: "#model_version:…,score_date:…", "cve,epss,percentile".
  Status add_epss(std::string_view csv);
  // CISA's catalogue of known exploited vulnerabilities.
  Status add_kev(std::string_view json);

  const BuildCounts& counts() const { return counts_; }
  // resource_exhausted when the format's bounds do not hold so many.
  Result<std::string> finish();

 private:
  struct Epss {
    uint16_t score = 0, percentile = 0;  // times 65535
  };

  OsvReader reader_;
  std::map<std::string, OsvRecord> records_;  // by id
  std::map<std::string, Epss, std::less<>> epss_;
  std::map<std::string, bool, std::less<>> exploited_;  // by ransomware, too
  std::string epss_date_, kev_date_;
  BuildCounts counts_;
};

}  // namespace gitaiops::scanner
