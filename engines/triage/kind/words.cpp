#include "engines/triage/kind/words.h"

#include <algorithm>

namespace gitaiops::triage {
namespace {

constexpr std::size_t kLongestTitle = 1024;
constexpr std::size_t kMostWords = 33, kLongestWord = 30;

bool lower_case(char c) {
  return c >= 'a' && c <= 'z';
}
bool upper_case(char c) {
  return c >= 'A' && c <= 'Z';
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

std::vector<std::string> plain_words(std::string_view title) {
  std::vector<std::string> out;
  std::string word;
  const auto end = [&] {
    if (!word.empty() && out.size() < kMostWords) out.push_back(word.substr(0, kLongestWord));
    word.clear();
  };
  char before = ' ';
  for (const char c : title.substr(0, kLongestTitle)) {
    if (upper_case(c)) {
      if (lower_case(before)) end();
      word += static_cast<char>(c - 'A' + 'a');
    } else if (lower_case(c)) {
      word += c;
    } else if (digit(c)) {
      if (word != "#") word += word.empty() || word.back() != '#' ? "#" : "";
    } else if (c != '\'') {
      end();
    }
    before = c;
  }
  end();
  return out;
}

}  // namespace

std::vector<std::string> title_words(std::string_view title) {
  const auto words = plain_words(title);
  std::vector<std::string> out;
  const auto add = [&](std::string word) {
    if (std::ranges::find(out, word) == out.end()) out.push_back(std::move(word));
  };
  if (!words.empty()) add("^" + words.front());
  for (const auto& word : words) add(word);
  for (std::size_t i = 1; i < words.size(); ++i) add(words[i - 1] + " " + words[i]);
  return out;
}

}  // namespace gitaiops::triage
