// Any bytes as a project's file: few mistakes, each with words, and only sections that there are.
#include <algorithm>
#include <cstdlib>

#include "engines/project_file/project_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops::project_file;
  if (size > kMaxBytes) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = read(text);
  if (file.mistakes.size() > kMaxMistakes) std::abort();
  for (const auto& mistake : file.mistakes)
    if (!mistake.starts_with(kName) || mistake.size() > 1000) std::abort();
  for (const auto& [section, on] : file.sections)
    if (std::ranges::find(kSections, section) == kSections.end()) std::abort();
  for (const auto& one : file.guidelines) static_cast<void>(one.is_about("lib/a.rb"));
  if (read_review_instructions(text).size() > kMaxGuidelines) std::abort();
  if (!file.note && unwanted(file, {}).size() != kSections.size()) std::abort();
  return 0;
}
