// Gem::Version: numbers and words between dots or where digits and letters meet; a word is before
// any number, and a missing segment is zero.
#include <algorithm>

#include "engines/scanner/versions/order.h"
#include "engines/scanner/versions/ranges.h"

namespace gitaiops::scanner::order {
namespace {

// What may follow an equal beginning, in order. Zeros count only by what comes after them.
enum Segment : char {
  kWord = 1,
  kZerosThenWord = 2,
  kEnd = 3,
  kZerosThenNumber = 4,
  kNumber = 5,
};

bool is_zero(const std::string& segment) {
  return segment.empty();
}
bool is_word(const std::string& segment) {
  return !segment.empty() && !is_digit(segment[0]);
}

void drop_zeros(std::vector<std::string>& segments) {
  while (!segments.empty() && is_zero(segments.back())) segments.pop_back();
}

}  // namespace

// Words as written, numbers without leading zeros.
std::vector<std::string> rubygems_segments(std::string_view version) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < version.size();) {
    const char c = version[i];
    std::size_t end = i + 1;
    if (is_digit(c)) {
      while (end < version.size() && is_digit(version[end])) ++end;
      out.emplace_back(without_zeros(version.substr(i, end - i)));
    } else if (is_letter(c)) {
      while (end < version.size() && is_letter(version[end])) ++end;
      out.emplace_back(version.substr(i, end - i));
    } else if (c == '-') {
      out.emplace_back("pre");
    }
    i = end;
  }
  return out;
}

std::string rubygems_segments_key(std::vector<std::string> segments) {
  // Trailing zeros of the release and of the whole do not count.
  const auto first_word = std::find_if(segments.begin(), segments.end(), is_word);
  std::vector<std::string> release(segments.begin(), first_word), rest(first_word, segments.end());
  drop_zeros(release);
  drop_zeros(rest);
  release.insert(release.end(), rest.begin(), rest.end());

  std::string key;
  for (auto at = release.begin(); at != release.end(); ++at) {
    if (is_zero(*at)) {
      const auto next = std::find_if_not(at, release.end(), is_zero);
      key += is_word(*next) ? kZerosThenWord : kZerosThenNumber;
    } else if (is_word(*at)) {
      key += kWord;
      put_text(key, *at);
    } else {
      key += kNumber;
      put_number(key, *at);
    }
  }
  return key += kEnd;
}

std::string rubygems_key(std::string_view version) {
  return rubygems_segments_key(rubygems_segments(version));
}

// Digits, then more segments of letters and digits; after a hyphen words with hyphens, too.
bool valid_rubygems(std::string_view version) {
  while (!version.empty() && version.front() == ' ') version.remove_prefix(1);
  while (!version.empty() && version.back() == ' ') version.remove_suffix(1);
  if (version.empty()) return true;  // Gem reads it as 0
  const auto hyphen = std::min(version.find('-'), version.size());
  const auto segments = [](std::string_view text, bool hyphens, bool number_first) {
    while (true) {
      const auto dot = std::min(text.find('.'), text.size());
      const auto part = text.substr(0, dot);
      const bool fits =
          number_first ? all_digits(part) : std::all_of(part.begin(), part.end(), [&](char c) {
            return is_digit(c) || is_letter(c) || (hyphens && c == '-');
          });
      if (part.empty() || !fits) return false;
      number_first = false;
      if (dot == text.size()) return true;
      text.remove_prefix(dot + 1);
    }
  };
  return segments(version.substr(0, hyphen), false, true) &&
         (hyphen == version.size() || segments(version.substr(hyphen + 1), true, false));
}

}  // namespace gitaiops::scanner::order
