// Any bytes, any split, any question: numbers add up, the excerpt is bounded, clean and redacted,
// and does not depend on the split.
#include <cstdint>
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "engines/diagnosis/lines_around.h"

using namespace gitaiops;
using namespace gitaiops::diagnosis;

namespace {

Result<Excerpt> ask(std::string_view log, uint64_t line, uint32_t around, std::size_t step) {
  LinesAround lines(line, around, around);
  CleanLines clean([&](uint64_t number, const std::string& text) { lines.take(number, text); });
  for (std::size_t at = 0; at < log.size(); at += step) clean.feed(log.substr(at, step));
  clean.finish();
  return lines.excerpt();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const std::string_view log(reinterpret_cast<const char*>(data) + 3, size - 3);
  const auto whole = ask(log, data[0], data[1], log.size() + 1);
  const auto parts = ask(log, data[0], data[1], data[2] + 1u);
  if (whole.ok() != parts.ok()) std::abort();
  if (!whole.ok()) return 0;
  if (whole->text != parts->text || whole->first_line != parts->first_line) std::abort();
  if (whole->text.size() > 2 * LinesAround::kMaxBytes || to_utf8(whole->text) != whole->text)
    std::abort();
  if (whole->first_line > whole->last_line) std::abort();
  return 0;
}
