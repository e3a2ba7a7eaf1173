// An index out of records that stand in a test.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engines/scanner/advisories/builder.h"

namespace gitaiops::scanner {

class Built {
 public:
  explicit Built(const std::vector<std::string>& records, const std::string& epss = {},
                 const std::string& kev = {}) {
    IndexBuilder builder;
    for (const auto& record : records) {
      const auto added = builder.add_osv(record);
      EXPECT_TRUE(added) << (added ? "" : added.error().to_string());
    }
    EXPECT_TRUE(epss.empty() || builder.add_epss(epss));
    EXPECT_TRUE(kev.empty() || builder.add_kev(kev));
    auto bytes = builder.finish();
    EXPECT_TRUE(bytes.ok());
    this->bytes = std::move(*bytes);
    counts = builder.counts();
    auto opened = Index::open(as_bytes(this->bytes));
    EXPECT_TRUE(opened.ok());
    index.emplace(std::move(*opened));
  }

  std::vector<std::string> ids(Ecosystem e, std::string_view name, std::string_view version) const {
    std::vector<std::string> out;
    for (const auto& hit : index->match(e, name, version))
      out.push_back(index->advisory(hit.advisory)->id);
    return out;
  }
  bool hits(Ecosystem e, std::string_view name, std::string_view version) const {
    return !ids(e, name, version).empty();
  }

  std::string bytes;
  BuildCounts counts;
  std::optional<Index> index;
};

// A record of one package, with what stands beside "package" in its only affected entry.
inline std::string record(const std::string& id, const std::string& ecosystem,
                          const std::string& name, const std::string& affected,
                          const std::string& more = {}) {
  return R"({"id":")" + id + R"(","modified":"2026-01-02T03:04:05Z",)" + more +
         R"("affected":[{"package":{"ecosystem":")" + ecosystem + R"(","name":")" + name +
         R"("},)" + affected + "}]}";
}
inline std::string ranges(const std::string& events, const std::string& type = "ECOSYSTEM") {
  return R"("ranges":[{"type":")" + type + R"(","events":[)" + events + "]}]";
}

}  // namespace gitaiops::scanner
