// Whatever a line of the usage log holds: a refusal, or facts that are well-formed and bounded.
#include <cstdlib>

#include "agent/sources/usage_log.h"
#include "base/bytes/bytes.h"

using namespace gitaiops;
using namespace gitaiops::agent;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const InstanceMap instances = InstanceMap::make({{"lab", "http://gitlab.test"}}).value();
  std::vector<Fact> facts;
  const auto parsed = parse_usage_record({reinterpret_cast<const char*>(data), size}, instances,
                                         {1'700'000'000'000'000}, 0, 1, facts);
  if (parsed.ok() == facts.empty()) std::abort();
  for (const auto& fact : facts)
    if (fact.job.job_id <= 0 || fact.value.size() > 512 || fact.value != to_utf8(fact.value))
      std::abort();
  return 0;
}
