// Which words the files of a tree name: enough to tell that none of them names a function.
#include <algorithm>

#include "engines/scanner/reachability/reachability.h"

namespace gitaiops::scanner {
namespace {

// Of all files together; a tree with more is not judged by its words.
constexpr std::size_t kMaxWords = 8'000'000;
constexpr std::size_t kMaxDistinct = 500'000;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

template <class Each>
void for_each_word(std::string_view source, const Each& each) {
  for (std::size_t at = 0; at < source.size();) {
    if (!is_word(source[at])) {
      ++at;
      continue;
    }
    auto end = at + 1;
    while (end < source.size() && is_word(source[end])) ++end;
    const bool number = source[at] >= '0' && source[at] <= '9';
    if (!number) each(source.substr(at, end - at));
    at = end;
  }
}

}  // namespace

std::string_view to_string(SymbolUse use) {
  switch (use) {
    case SymbolUse::named:
      return "named";
    case SymbolUse::not_named:
      return "not_named";
    case SymbolUse::unknown:
      break;
  }
  return "unknown";
}

void Imports::add_words(Language language, std::string_view source,
                        std::set<std::string, std::less<>> imports) {
  if (kept_ > kMaxWords || words_.size() > kMaxDistinct) return;
  File file{language, std::move(imports), {}};
  for_each_word(source, [&](std::string_view word) {
    // Go's words of one file begin in upper case where another package's are meant.
    if (language == Language::go && (word.front() < 'A' || word.front() > 'Z')) return;
    const auto next = static_cast<uint32_t>(words_.size());
    file.words.push_back(words_.try_emplace(std::string(word), next).first->second);
  });
  std::ranges::sort(file.words);
  file.words.erase(std::unique(file.words.begin(), file.words.end()), file.words.end());
  file.words.shrink_to_fit();
  kept_ += file.words.size();
  files_.push_back(std::move(file));
}

SymbolEvidence Imports::evidence_of(Ecosystem ecosystem,
                                    const std::vector<AffectedSymbols>& symbols) const {
  const bool go = ecosystem == Ecosystem::go;
  if (symbols.empty() || (!go && ecosystem != Ecosystem::crates_io)) return {};
  if (kept_ > kMaxWords || words_.size() > kMaxDistinct) return {};
  const auto language = go ? Language::go : Language::rust;
  bool any = false;
  for (const auto& [path, names] : symbols) {
    std::string root = path;
    if (!go) std::ranges::replace(root, '-', '_');
    for (const auto& file : files_) {
      if (file.language != language) continue;
      any = true;
      if (!file.imports.contains(root)) continue;
      if (names.empty()) return {SymbolUse::named, path};
      for (const auto& name : names) {
        const auto word = words_.find(name);
        if (word != words_.end() && std::ranges::binary_search(file.words, word->second))
          return {SymbolUse::named, path + (go ? "." : "::") + name};
      }
    }
  }
  return {any ? SymbolUse::not_named : SymbolUse::unknown, {}};
}

}  // namespace gitaiops::scanner
