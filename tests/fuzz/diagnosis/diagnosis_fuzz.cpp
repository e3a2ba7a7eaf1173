// Any bytes, split anywhere, give the same diagnosis as the whole, and only clean text within its
// bounds.
#include <cstdint>
#include <cstdlib>

#include "engines/diagnosis/diagnosis.h"

using namespace gitaiops;
using namespace gitaiops::diagnosis;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::size_t checked(const std::vector<Excerpt>& excerpts) {
  std::size_t bytes = 0;
  for (const auto& e : excerpts) {
    require(to_utf8(e.text) == e.text && e.first_line <= e.last_line);
    bytes += e.text.size();
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view log(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ExitFacts facts{.failed = true};
  Analyzer whole(builtin_rules());
  whole.feed(log);
  const Diagnosis d = whole.finish(facts);
  const std::size_t at = log.size() * data[0] / 256;
  Analyzer split(builtin_rules());
  split.feed(log.substr(0, at));
  split.feed(log.substr(at));
  require(to_json(split.finish(facts)) == to_json(d));
  require(checked(d.evidence) <= 8u << 10 && checked(d.packet) <= 16u << 10);
  require(d.candidates.size() <= 10 && d.failing_tests.size() <= 500);
  if (d.root_cause)
    require(d.root_cause->line >= 1 && d.root_cause->line <= d.lines &&
            d.root_cause->offset <= log.size());
  require(to_utf8(to_text(d, false)) == to_text(d, false));
  to_markdown(d);
  return 0;
}
