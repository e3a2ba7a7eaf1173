#include "agent/sources/record.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxFields = 64;
constexpr std::array<std::string_view, 6> kLevels = {
    "WARNING: ", "ERROR: ", "FATAL: ", "PANIC: ", "INFO: ", "DEBUG: "};

bool key_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool key_rest(char c) {
  return key_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}
bool blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

struct Pair {
  std::size_t begin, equals;  // of the key, and of its '='
};

// Every place where `key=` follows a blank or the beginning.
std::vector<Pair> candidates(std::string_view line) {
  std::vector<Pair> found;
  for (std::size_t i = 0; i < line.size();) {
    if (!key_start(line[i]) || (i > 0 && !blank(line[i - 1]))) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < line.size() && key_rest(line[end])) ++end;
    if (end < line.size() && line[end] == '=') found.push_back({i, end});
    i = end + 1;
  }
  return found;
}

std::string_view key_of(std::string_view line, const Pair& pair) {
  return line.substr(pair.begin, pair.equals - pair.begin);
}

Record parse_text(std::string_view line) {
  Record record;
  const auto pairs = candidates(line);
  std::size_t first = pairs.size();
  while (first > 0 && pairs.size() - first < kMaxFields &&
         (first == pairs.size() || key_of(line, pairs[first - 1]) < key_of(line, pairs[first])))
    --first;
  // The runner puts two spaces before its first pair (none when the line's beginning was trimmed
  // away).
  for (auto i = first; i < pairs.size(); ++i) {
    const auto at = pairs[i].begin;
    if (at == 0 || (at >= 2 && blank(line[at - 1]) && blank(line[at - 2]))) {
      first = i;
      break;
    }
  }
  for (auto i = first; i < pairs.size(); ++i) {
    const auto end = i + 1 < pairs.size() ? pairs[i + 1].begin : line.size();
    record.fields.emplace_back(
        key_of(line, pairs[i]),
        trimmed(line.substr(pairs[i].equals + 1, end - pairs[i].equals - 1)));
  }
  auto message = trimmed(first < pairs.size() ? line.substr(0, pairs[first].begin) : line);
  for (const auto level : kLevels)
    if (message.starts_with(level)) {
      message.remove_prefix(level.size());
      break;
    }
  record.message = trimmed(message);
  return record;
}

std::string scalar(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return {};
}

std::optional<Record> parse_json(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  Record record;
  for (const auto& [key, value] : json.items()) {
    if (record.fields.size() == kMaxFields) break;
    auto text = scalar(value);
    if (key == "msg") {
      record.message = trimmed(text);
    } else if (key == "time") {
      record.time = parse_rfc3339(text);
    } else if (!text.empty()) {
      record.fields.emplace_back(key, std::move(text));
    }
  }
  return record;
}

// "#033" → ESC: how rsyslog writes control characters.
std::string with_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && i + 3 < text.size() && text[i + 1] == '0' && octal(text[i + 2]) &&
        octal(text[i + 3])) {
      const int code = (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      if (code < 32) {
        out.push_back(static_cast<char>(code));
        i += 3;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

std::string_view take_token(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto token = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return token;
}

// "Nov 22 13:29:10 ": no year and no zone, so it says nothing that we can use.
bool skip_bsd_stamp(std::string_view& rest) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (rest.size() < 16 || rest[3] != ' ' || rest[6] != ' ' || rest[9] != ':' || rest[12] != ':' ||
      rest[15] != ' ')
    return false;
  const auto month = kMonths.find(rest.substr(0, 3));
  if (month == std::string_view::npos || month % 3 != 0) return false;
  rest.remove_prefix(16);
  return true;
}

}  // namespace

const std::string* Record::field(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (key == name) return &value;
  return nullptr;
}

std::string without_ansi(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\x1b') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 1 >= text.size() || text[i + 1] != '[') continue;
    i += 2;
    while (i < text.size() && (text[i] < 0x40 || text[i] > 0x7e)) ++i;
  }
  return out;
}

Record parse_record(std::string_view line) {
  const auto plain = without_ansi(line);
  const auto text = trimmed(plain);
  if (text.starts_with('{'))
    if (auto record = parse_json(text)) return std::move(*record);
  // Not trimmed in front: the blanks before a line of pairs alone tell it from a message.
  return parse_text(plain);
}

std::optional<SyslogLine> parse_syslog(std::string_view line) {
  SyslogLine found;
  auto rest = line;
  if (rest.starts_with('<')) {  // "<13>" priority
    const auto end = rest.find('>');
    if (end == std::string_view::npos || end > 4 || !parse_uint(rest.substr(1, end - 1)))
      return std::nullopt;
    rest.remove_prefix(end + 1);
  }
  if (!skip_bsd_stamp(rest)) {
    found.time = parse_rfc3339(take_token(rest));
    if (!found.time) return std::nullopt;
  }
  take_token(rest);  // host
  auto tag = take_token(rest);
  if (!tag.ends_with(':')) return std::nullopt;
  tag.remove_suffix(1);
  found.tag = tag.substr(0, tag.find('['));
  found.text = with_controls(rest);
  return found;
}

}  // namespace gitaiops::agent
