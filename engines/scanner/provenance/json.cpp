#include "engines/scanner/provenance/json.h"

#include <set>

#include "base/bytes/digits.h"
#include "engines/scanner/provenance/keys.h"

namespace gitaiops::scanner::provenance {
namespace {

constexpr std::size_t kSizeMax = 16 << 20;
constexpr int kDepthMax = 64;
constexpr int kMicrosecondDigits = 6;

Error wrong(const char* key, const char* what) {
  return Error(Code::invalid_argument, std::string("\"") + key + "\" " + what);
}

bool too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

bool is(std::string_view text, std::size_t at, char c) {
  return at < text.size() && text[at] == c;
}

// "2021-01-12T11:53:27.123Z", or with an offset "+01:00". Beyond microseconds is cut off.
std::optional<Instant> rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2),
             h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
  if (!y || !mo || !d || !h || !mi || !s || !is(text, 4, '-') || !is(text, 7, '-') ||
      !(is(text, 10, 'T') || is(text, 10, 't')) || !is(text, 13, ':') || !is(text, 16, ':'))
    return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok() || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;
  std::size_t at = 19;
  int64_t fraction = 0;
  if (is(text, at, '.')) {
    int scale = 0;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      if (scale++ < kMicrosecondDigits) fraction = fraction * 10 + (text[at] - '0');
    }
    if (scale == 0) return std::nullopt;
    for (; scale < kMicrosecondDigits; ++scale) fraction *= 10;
  }
  minutes offset{0};
  if (is(text, at, '+') || is(text, at, '-')) {
    const auto oh = digits(text, at + 1, 2), om = digits(text, at + 4, 2);
    if (!oh || !om || *oh > 23 || *om > 59 || !is(text, at + 3, ':') || at + 6 != text.size())
      return std::nullopt;
    offset = hours{*oh} + minutes{*om};
    if (text[at] == '-') offset = -offset;
  } else if (!(is(text, at, 'Z') || is(text, at, 'z')) || at + 1 != text.size()) {
    return std::nullopt;
  }
  return sys_days{date} + hours{*h} + minutes{*mi} + seconds{*s} + microseconds{fraction} - offset;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (text.size() > kSizeMax)
    return Error(Code::resource_exhausted, "JSON of more than 16 MiB is not read");
  if (too_deep(text)) return Error(Code::invalid_argument, "JSON deeper than 64 levels");
  std::vector<std::set<std::string>> keys;
  std::string twice;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) twice = key;
    }
    return true;
  };
  Json document = Json::parse(text.begin(), text.end(), watch, false);
  if (document.is_discarded()) return Error(Code::invalid_argument, "no valid JSON");
  if (!twice.empty())
    return Error(Code::invalid_argument, "JSON with the key \"" + to_utf8(twice) + "\" twice");
  if (!document.is_object()) return Error(Code::invalid_argument, "JSON, but no object");
  return document;
}

const Json* member(const Json* object, const char* key) {
  if (!object || !object->is_object()) return nullptr;
  const auto found = object->find(key);
  return found == object->end() || found->is_null() ? nullptr : &*found;
}

const Json* member(const Json* object, std::initializer_list<const char*> path) {
  for (const char* key : path) object = member(object, key);
  return object;
}

Result<const Json*> list_member(const Json* object, const char* key) {
  static const Json none = Json::array();
  const Json* found = member(object, key);
  if (!found) return &none;
  if (!found->is_array()) return wrong(key, "is no list");
  return found;
}

Result<std::string> text_member(const Json* object, const char* key) {
  const Json* found = member(object, key);
  if (!found) return std::string();
  if (!found->is_string()) return wrong(key, "is no text");
  return found->get_ref<const std::string&>();
}

Result<std::string> base64_member(const Json* object, const char* key) {
  ASSIGN_OR_RETURN(const auto text, text_member(object, key));
  auto bytes = base64_decode(text);
  if (!bytes) return wrong(key, "is no valid base64");
  return std::move(*bytes);
}

Result<int64_t> integer_member(const Json* object, const char* key) {
  const Json* found = member(object, key);
  if (!found) return int64_t{0};
  if (found->is_string()) {
    const auto value = parse_int(found->get_ref<const std::string&>());
    if (value) return *value;
  } else if (found->is_number_unsigned()) {
    const auto value = found->get<uint64_t>();
    if (value <= static_cast<uint64_t>(INT64_MAX)) return static_cast<int64_t>(value);
  } else if (found->is_number_integer()) {
    return found->get<int64_t>();
  }
  return wrong(key, "is no 64-bit integer");
}

Result<std::optional<Instant>> time_member(const Json* object, const char* key) {
  ASSIGN_OR_RETURN(const auto text, text_member(object, key));
  if (text.empty()) return std::optional<Instant>();
  const auto time = rfc3339(text);
  if (!time) return wrong(key, "is no time (RFC 3339)");
  return time;
}

}  // namespace gitaiops::scanner::provenance
