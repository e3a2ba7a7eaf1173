// Redaction keeps everything but secrets: without one the text is untouched, and redacting twice
// changes nothing more.
#include <cstdint>
#include <cstdlib>

#include "engines/diagnosis/diagnosis.h"

using namespace gitaiops::diagnosis;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Redacted once = redact(text);
  if (once.count == 0 && once.text != text) std::abort();
  if (once.count > 0 && once.text.find("[REDACTED]") == std::string::npos) std::abort();
  return 0;
}
