// JSON by simdjson's On-Demand reader, which tells where in the text each token stands; the tree is
// walked once, whole, so that a fault at the end is found too.
#include <algorithm>
#include <cstring>

#include <simdjson.h>

#include "engines/scanner/documents/document.h"

namespace gitaiops::scanner::documents {
namespace {

using namespace simdjson;

// What JSONC has over JSON becomes blanks, so that places stay the same.
void blank_comments(std::string& text) {
  std::size_t comma = std::string::npos;  // the last one, while only blanks follow it
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\') ++i;
      comma = std::string::npos;
    } else if (c == '/' && i + 1 < text.size() && (text[i + 1] == '/' || text[i + 1] == '*')) {
      const bool line = text[i + 1] == '/';
      auto end = text.find(line ? "\n" : "*/", i + 2);
      end = end == std::string::npos ? text.size() : end + (line ? 0 : 2);
      for (; i < end; ++i)
        if (text[i] != '\n') text[i] = ' ';
      --i;
    } else if (c == ',') {
      comma = i;
    } else if (c == ']' || c == '}') {
      if (comma != std::string::npos) text[comma] = ' ';
      comma = std::string::npos;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      comma = std::string::npos;
    }
  }
}

std::string_view in_words(error_code code) {
  switch (code) {
    case EMPTY:
      return "it is empty";
    case UNCLOSED_STRING:
      return "a string is not closed";
    case INCOMPLETE_ARRAY_OR_OBJECT:
      return "it ends in the middle";
    case STRING_ERROR:
      return "a string has a wrong escape";
    default:
      return "it is not JSON";
  }
}

class Reader {
 public:
  Reader(Document& document, const char* text, std::size_t size)
      : document_(document), begin_(text), end_(text + size), counted_to_(text) {}

  void read(std::size_t capacity) {
    ondemand::document stream;
    const padded_string_view padded(begin_, static_cast<std::size_t>(end_ - begin_), capacity);
    if (const auto error = parser_.iterate(padded).get(stream)) {
      return document_.fail(0, std::string(in_words(error)));
    }
    ondemand::value root;
    if (stream.get_value().get(root) == SUCCESS) {
      node(root, 0, 0, {}, 0);
    } else {
      document_.fail(1, "it is a single value, not an object");
    }
    const char* behind = nullptr;
    if (!document_.failed() && stream.current_location().get(behind) == SUCCESS)
      document_.fail(line_of(behind), "something follows after its end");
  }

 private:
  uint32_t line_of(const char* place) {
    if (place > counted_to_ && place <= end_) {
      line_ += static_cast<uint32_t>(std::count(counted_to_, place, '\n'));
      counted_to_ = place;
    }
    return line_;
  }

  void fail(error_code code, const char* place) {
    document_.fail(place ? line_of(place) : line_, std::string(in_words(code)));
  }

  // From behind the opening quote: a view into the text, or a copy without its escapes.
  std::optional<std::string_view> string_at(ondemand::raw_json_string raw) {
    const char* start = reinterpret_cast<const char*>(raw.raw());
    const char* at = start;
    while (at < end_ && *at != '"' && *at != '\\') ++at;
    if (at < end_ && *at == '"')
      return std::string_view(start, static_cast<std::size_t>(at - start));
    while (at < end_ && *at != '"') at += *at == '\\' ? 2 : 1;
    const auto bytes = static_cast<std::size_t>(at - start);
    auto* to = reinterpret_cast<uint8_t*>(document_.room(bytes + SIMDJSON_PADDING));
    std::string_view text;
    if (const auto error = parser_.unescape(raw, to).get(text)) {
      fail(error, start);
      return std::nullopt;
    }
    return text;
  }

  // A number, true, false or null: simdjson looks no further than asked, so they are checked here.
  void scalar(std::string_view token, uint32_t parent, uint32_t& previous, std::string_view key) {
    while (!token.empty() && std::strchr(" \t\r\n", token.back())) token.remove_suffix(1);
    Kind kind = Kind::number;
    if (token == "true" || token == "false") {
      kind = Kind::boolean;
    } else if (token == "null") {
      kind = Kind::null;
    } else if (token.empty() || token.find_first_not_of("0123456789+-.eE") != token.npos) {
      return fail(TAPE_ERROR, token.data());
    }
    previous = document_.add(parent, previous, {key, token, line_of(token.data()), 0, 0, kind});
  }

  // Returns the node's place; key_line: where its key stands, 0 without one.
  uint32_t node(ondemand::value value, uint32_t parent, uint32_t previous, std::string_view key,
                uint32_t key_line) {
    if (++depth_ > kMaxDepth) {
      document_.fail(line_, "it nests deeper than " + std::to_string(kMaxDepth) + " levels");
      return 0;
    }
    ondemand::json_type type;
    if (const auto error = value.type().get(type)) return fail(error, nullptr), 0;
    uint32_t place = 0;
    if (type == ondemand::json_type::object) {
      place = document_.add(parent, previous,
                            {key, {}, key_line ? key_line : here(value), 0, 0, Kind::object});
      if (place) object(value, place);
    } else if (type == ondemand::json_type::array) {
      place = document_.add(parent, previous,
                            {key, {}, key_line ? key_line : here(value), 0, 0, Kind::array});
      if (place) array(value, place);
    } else if (type == ondemand::json_type::string) {
      ondemand::raw_json_string raw;
      if (const auto error = value.get_raw_json_string().get(raw)) return fail(error, nullptr), 0;
      const uint32_t line = key_line ? key_line : line_of(reinterpret_cast<const char*>(raw.raw()));
      if (const auto text = string_at(raw))
        place = document_.add(parent, previous, {key, *text, line, 0, 0, Kind::string});
    } else {
      const std::string_view token = value.raw_json_token();
      place = previous;
      scalar(token, parent, place, key);
    }
    --depth_;
    return place;
  }

  uint32_t here(ondemand::value& value) {
    const char* at = nullptr;
    return value.current_location().get(at) == SUCCESS ? line_of(at) : line_;
  }

  void object(ondemand::value& value, uint32_t place) {
    ondemand::object members;
    if (const auto error = value.get_object().get(members)) return fail(error, nullptr);
    uint32_t previous = 0;
    for (auto member : members) {
      ondemand::field field;
      if (const auto error = std::move(member).get(field)) return fail(error, nullptr);
      const auto raw = field.key();
      const uint32_t line = line_of(reinterpret_cast<const char*>(raw.raw()));
      const auto key = string_at(raw);
      if (!key) return;
      previous = node(field.value(), place, previous, *key, line);
      if (document_.failed()) return;
    }
  }

  void array(ondemand::value& value, uint32_t place) {
    ondemand::array items;
    if (const auto error = value.get_array().get(items)) return fail(error, nullptr);
    uint32_t previous = 0;
    for (auto item : items) {
      ondemand::value child;
      if (const auto error = item.get(child)) return fail(error, nullptr);
      previous = node(child, place, previous, {}, 0);
      if (document_.failed()) return;
    }
  }

  Document& document_;
  ondemand::parser parser_;
  const char *begin_, *end_, *counted_to_;
  uint32_t line_ = 1, depth_ = 0;
};

}  // namespace

Document read_json(std::string_view text, Comments comments) {
  Document document;
  std::string copy;
  copy.reserve(text.size() + SIMDJSON_PADDING);
  copy = text;
  if (comments == Comments::allowed) blank_comments(copy);
  char* held = document.room(copy.size() + SIMDJSON_PADDING);
  std::memcpy(held, copy.data(), copy.size());
  std::memset(held + copy.size(), ' ', SIMDJSON_PADDING);
  Reader(document, held, copy.size()).read(copy.size() + SIMDJSON_PADDING);
  return document;
}

}  // namespace gitaiops::scanner::documents
