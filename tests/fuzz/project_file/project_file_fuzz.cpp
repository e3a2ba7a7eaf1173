// Any bytes as a project's file: few mistakes, each with words, and only sections that there are.
#include <algorithm>
#include <cstdlib>

#include "engines/project_file/project_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::project_file;
  if (size > kMaxBytes) return 0;
  const auto file = read({reinterpret_cast<const char*>(data), size});
  if (file.mistakes.size() > kMaxMistakes) std::abort();
  for (const auto& mistake : file.mistakes)
    if (!mistake.starts_with(kName) || mistake.size() > 1000) std::abort();
  for (const auto& [section, on] : file.sections)
    if (std::ranges::find(kSections, section) == kSections.end()) std::abort();
  if (!file.note && unwanted(file, {}).size() != kSections.size()) std::abort();
  return 0;
}
