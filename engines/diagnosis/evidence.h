// From a candidate to the lines that prove it, as the tool that wrote them lays them out.
#pragma once

#include <vector>

#include "engines/diagnosis/observed.h"

namespace gitaiops::diagnosis {

inline constexpr std::size_t kChunkLines = 40;
inline constexpr std::size_t kEvidenceBytes = 8 << 10;
inline constexpr std::size_t kPacketBytes = 16000;  // 4,000 tokens of 4 bytes

struct Extent {
  Seq first = 0;
  Seq last = 0;  // inclusive
};

Extent extent_of(const Observed& seen, const Zone& zone, const Found& found);
// For people: the root cause and what belongs to it, in the order of the log. `redacted` counts
// secrets replaced.
std::vector<Excerpt> evidence_for(const Observed& seen, const Zone& zone,
                                  const std::vector<Ranked>& ranked, uint64_t* redacted);
// For models: as much of the failing step as fits, best parts first.
std::vector<Excerpt> packet_for(const Observed& seen, const Zone& zone,
                                const std::vector<Ranked>& ranked, uint64_t* redacted);

}  // namespace gitaiops::diagnosis
