// Any text as a history: no crash; whatever was read can be learnt from, and beliefs are shares.
#include <cmath>
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "engines/triage/reviewers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace gitaiops;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)triage::read_cases(text);
  triage::Reviewers reviewers;
  for (const auto line : split(text, '\n')) {
    const auto commit = triage::read_commit(line);
    if (!commit.ok()) continue;
    reviewers.add(*commit);
    for (const auto& one : reviewers.suggest({commit->author, commit->files, commit->time_s}, 3))
      if (one.person == commit->author || !(one.share >= 0 && one.share <= 1)) std::abort();
  }
  return 0;
}
