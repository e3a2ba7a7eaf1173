#include "engines/scanner/versions/order.h"

#include <algorithm>

namespace gitaiops::scanner::order {
namespace {
// Lengths below it fit one byte.
constexpr std::size_t kLongNumber = 0xff;
}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string_view without_zeros(std::string_view digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

void put_number(std::string& key, std::string_view digits) {
  digits = without_zeros(digits);
  if (digits.size() < kLongNumber) {
    key += static_cast<char>(digits.size());
  } else {
    key += static_cast<char>(kLongNumber);
    for (int shift = 24; shift >= 0; shift -= 8) key += static_cast<char>(digits.size() >> shift);
  }
  key += digits;
}

void put_text(std::string& key, std::string_view text) {
  for (const char c : text) key += c == '\0' ? '\1' : c;
  key += '\0';
}

std::weak_ordering compare_numbers(std::string_view a, std::string_view b) {
  a = without_zeros(a);
  b = without_zeros(b);
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace gitaiops::scanner::order
