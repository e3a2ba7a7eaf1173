// Whatever the lines of docker's log of a container hold: whole lines within their bound, in a
// stream, and whatever was begun is bounded too.
#include <cstdlib>

#include "agent/sources/container_log.h"
#include "base/bytes/bytes.h"

using namespace gitaiops;
using namespace gitaiops::agent;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ContainerLogLines lines;
  uint64_t fed = 0;
  for (const auto line : split({reinterpret_cast<const char*>(data), size}, '\n')) {
    ++fed;
    const auto whole = lines.feed(line);
    if (whole && (whole->text.size() > 64 << 10 || whole->stream.empty())) std::abort();
  }
  if (lines.unreadable() > fed) std::abort();
  return 0;
}
