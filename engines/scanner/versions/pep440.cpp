#include "engines/scanner/versions/pep440.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/order.h"

namespace gitaiops::scanner::order {
namespace {

// A cursor over lower-case text.
struct Reader {
  std::string_view text;

  bool take(char c) {
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  }
  std::string_view digits() {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    const auto out = text.substr(0, n);
    text.remove_prefix(n);
    return out;
  }
  bool separator() { return take('-') || take('_') || take('.'); }
};

std::string number(std::string_view digits) {
  return std::string(without_zeros(digits));
}

// "[-_.]? WORD [-_.]? [digits]": the number, when one of the words stands there.
template <class Words>
std::optional<std::pair<char, std::string>> take_phase(Reader& reader, const Words& words) {
  Reader ahead = reader;
  ahead.separator();
  for (const auto& [word, kind] : words) {
    if (!ahead.take(word)) continue;
    Reader after = ahead;
    after.separator();
    const auto digits = after.digits();
    reader = digits.empty() ? ahead : after;
    return std::pair(kind, number(digits));
  }
  return std::nullopt;
}

// Longer words first, where one begins with another.
constexpr std::array<std::pair<std::string_view, char>, 8> kPre = {{{"alpha", 'a'},
                                                                    {"beta", 'b'},
                                                                    {"preview", 'r'},
                                                                    {"pre", 'r'},
                                                                    {"rc", 'r'},
                                                                    {"a", 'a'},
                                                                    {"b", 'b'},
                                                                    {"c", 'r'}}};
constexpr std::array<std::pair<std::string_view, char>, 3> kPost = {
    {{"post", 'p'}, {"rev", 'p'}, {"r", 'p'}}};
constexpr std::array<std::pair<std::string_view, char>, 1> kDev = {{{"dev", 'd'}}};

void read_post(Reader& reader, Pep440& out) {
  Reader implicit = reader;
  if (implicit.take('-')) {
    const auto digits = implicit.digits();
    if (!digits.empty()) {
      out.post = number(digits);
      reader = implicit;
      return;
    }
  }
  if (auto post = take_phase(reader, kPost)) out.post = std::move(post->second);
}

bool read_local(Reader& reader, Pep440& out) {
  while (true) {
    std::size_t n = 0;
    while (n < reader.text.size() && (is_digit(reader.text[n]) || is_letter(reader.text[n]))) ++n;
    if (n == 0) return false;
    const auto part = reader.text.substr(0, n);
    out.local.push_back(all_digits(part) ? number(part) : std::string(part));
    if (out.local.back().empty()) out.local.back() = "0";
    reader.text.remove_prefix(n);
    if (reader.text.empty()) return true;
    if (!reader.separator()) return false;
  }
}

std::string_view stripped(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const auto first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

enum Tag : char { kLegacy = 0, kReadable = 1 };

// What stood on PyPI before PEP 440: words and numbers in turn, all below any readable version (the
// rule of setuptools' old pkg_resources.parse_version, which OSV keeps).
std::string legacy_key(std::string_view version) {
  const std::string text = lower(version);
  std::vector<std::string> parts;
  const auto add = [&](std::string part) {
    if (part == ".") return;
    if (part == "pre" || part == "preview" || part == "rc") part = "c";
    if (part == "-") part = "final-";
    if (part == "dev") part = "@";
    if (is_digit(part[0])) {
      if (part.size() < 8) part.insert(0, 8 - part.size(), '0');
    } else {
      part.insert(0, 1, '*');
      if (part < "*final")
        while (!parts.empty() && parts.back() == "*final-") parts.pop_back();
      while (!parts.empty() && parts.back() == "00000000") parts.pop_back();
    }
    parts.push_back(std::move(part));
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto kind = [&](char c) {
      return is_digit(c) ? 0 : is_letter(c) ? 1 : c == '.' ? 2 : c == '-' ? 3 : 4;
    };
    std::size_t end = i + 1;
    const int first = kind(text[i]);
    if (first != 2 && first != 3)
      while (end < text.size() && kind(text[end]) == first) ++end;
    add(text.substr(i, end - i));
    i = end;
  }
  add("final");
  std::string key(1, kLegacy);
  for (const auto& part : parts) {
    key += '\1';
    put_text(key, part);
  }
  return key;
}

}  // namespace

std::optional<Pep440> read_pep440(std::string_view written) {
  const std::string text = lower(stripped(written));
  Reader reader{text};
  Pep440 out;
  reader.take('v');
  auto digits = reader.digits();
  if (digits.empty()) return std::nullopt;
  if (reader.take('!')) {
    out.epoch = number(digits);
    digits = reader.digits();
    if (digits.empty()) return std::nullopt;
  }
  out.release.push_back(number(digits));
  while (reader.text.size() > 1 && reader.text[0] == '.' && is_digit(reader.text[1])) {
    reader.take('.');
    out.release.push_back(number(reader.digits()));
  }
  if (auto pre = take_phase(reader, kPre)) {
    out.pre_kind = pre->first;
    out.pre = std::move(pre->second);
  }
  read_post(reader, out);
  if (auto dev = take_phase(reader, kDev)) out.dev = std::move(dev->second);
  if (reader.take('+') && !read_local(reader, out)) return std::nullopt;
  if (!reader.text.empty()) return std::nullopt;
  return out;
}

std::string key_of(const Pep440& v) {
  std::string key(1, kReadable);
  put_number(key, v.epoch);
  auto count = v.release.size();
  while (count > 0 && v.release[count - 1].empty()) --count;
  for (std::size_t i = 0; i < count; ++i) {
    key += '\1';
    put_number(key, v.release[i]);
  }
  key += '\0';
  // A development release of nothing else comes before the first alpha, a release after the last
  // rc.
  if (v.pre_kind == 0) {
    key += !v.post && v.dev ? '\0' : '\4';
  } else {
    key += v.pre_kind == 'a' ? '\1' : v.pre_kind == 'b' ? '\2' : '\3';
    put_number(key, v.pre);
  }
  key += v.post ? '\1' : '\0';
  if (v.post) put_number(key, *v.post);
  key += v.dev ? '\0' : '\1';
  if (v.dev) put_number(key, *v.dev);
  if (v.local.empty()) return key += '\0';
  key += '\1';
  for (const auto& part : v.local) {
    key += all_digits(part) ? '\2' : '\1';
    if (all_digits(part))
      put_number(key, part);
    else
      put_text(key, part);
  }
  return key += '\0';
}

std::string to_string(const Pep440& v) {
  const auto shown = [](const std::string& digits) { return digits.empty() ? "0" : digits; };
  std::string out;
  if (!v.epoch.empty()) out += v.epoch + "!";
  for (std::size_t i = 0; i < v.release.size(); ++i) out += (i ? "." : "") + shown(v.release[i]);
  if (v.pre_kind) out += (v.pre_kind == 'r' ? "rc" : std::string(1, v.pre_kind)) + shown(v.pre);
  if (v.post) out += ".post" + shown(*v.post);
  if (v.dev) out += ".dev" + shown(*v.dev);
  for (std::size_t i = 0; i < v.local.size(); ++i) out += (i ? "." : "+") + v.local[i];
  return out;
}

std::string pypi_key(std::string_view version) {
  const auto read = read_pep440(version);
  return read ? key_of(*read) : legacy_key(version);
}

bool valid_pypi(std::string_view version) {
  return read_pep440(version).has_value();
}

}  // namespace gitaiops::scanner::order
