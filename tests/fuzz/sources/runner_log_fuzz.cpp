// Whatever stands in the runner's log, in its syslog envelope or without: facts are well-formed and
// bounded.
#include <cstdlib>

#include "agent/sources/runner_log.h"
#include "base/bytes/bytes.h"

using namespace gitaiops;
using namespace gitaiops::agent;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const InstanceMap instances = InstanceMap::make({{"lab", "http://gitlab.test"}}).value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  RunnerLogReader reader(instances);
  std::vector<Fact> facts;
  for (const auto line : split(text, '\n')) {
    reader.feed(line, {1'700'000'000'000'000}, 0, facts);
    if (const auto unwrapped = parse_syslog(line))
      reader.feed(unwrapped->text, {1'700'000'000'000'000}, 0, facts, "syslog");
  }
  reader.feed(text, {1'700'000'000'000'000}, 0, facts, "whole");
  for (const auto& fact : facts)
    if (fact.job.instance != "lab" || fact.job.job_id <= 0 || fact.value.size() > 512 ||
        fact.value != to_utf8(fact.value))
      std::abort();
  return 0;
}
