// Whatever answers at the runner's address: the same body twice changes nothing the second time.
#include <cstdlib>

#include "agent/sources/debug_jobs.h"

using namespace gitaiops;
using namespace gitaiops::agent;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const InstanceMap instances = InstanceMap::make({{"lab", "http://gitlab.test"}}).value();
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  DebugJobsReader reader(instances);
  std::vector<Fact> first, second;
  reader.feed(body, {1'700'000'000'000'000}, first);
  for (const auto& fact : first)
    if (fact.job.job_id <= 0 || fact.value.empty()) std::abort();
  reader.feed(body, {1'700'000'000'000'000}, second);
  if (second.size() > first.size()) std::abort();
  return 0;
}
