#include "agent/containers/json.h"

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxMember = 256;

void append_utf8(std::string& to, uint32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xc0 | (code >> 6));
    to += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xe0 | (code >> 12));
    to += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    to += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    to += static_cast<char>(0xf0 | (code >> 18));
    to += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    to += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    to += static_cast<char>(0x80 | (code & 0x3f));
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

void JsonReader::space() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
    ++at_;
}

// The first byte of the value in front; 0 at the end and after a failure.
char JsonReader::front() {
  if (failed_) return 0;
  space();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonReader::take(char expected) {
  if (front() != expected || at_ >= text_.size()) return false;
  ++at_;
  return true;
}

bool JsonReader::word(std::string_view expected) {
  front();
  if (failed_ || text_.substr(at_, expected.size()) != expected) return false;
  at_ += expected.size();
  return true;
}

void JsonReader::object(const std::function<void(std::string_view)>& visit) {
  if (front() != '{') return skip();
  if (++depth_ > kMaxDepth) return fail();
  ++at_;
  for (bool first = true; !failed_ && !take('}'); first = false) {
    if ((!first && !take(',')) || front() != '"') return fail();
    std::string name;
    const bool fits = text(&name, kMaxMember);
    if (failed_ || !take(':')) return fail();
    const auto before = (front(), at_);
    if (fits) visit(name);
    if (at_ == before) skip();
  }
  --depth_;
}

void JsonReader::array(const std::function<void()>& visit) {
  if (front() != '[') return skip();
  if (++depth_ > kMaxDepth) return fail();
  ++at_;
  for (bool first = true; !failed_ && !take(']'); first = false) {
    if (!first && !take(',')) return fail();
    const auto before = (front(), at_);
    visit();
    if (at_ == before) skip();
  }
  --depth_;
}

std::optional<std::string> JsonReader::string(std::size_t max) {
  if (front() != '"') {
    skip();
    return std::nullopt;
  }
  std::string value;
  const bool fits = text(&value, max);
  if (failed_ || !fits) return std::nullopt;
  return to_utf8(value);
}

std::optional<int64_t> JsonReader::integer() {
  const char c = front();
  if (c != '-' && !is_digit(c)) {
    skip();
    return std::nullopt;
  }
  return parse_int(number());
}

std::optional<bool> JsonReader::boolean() {
  if (word("true")) return true;
  if (word("false")) return false;
  skip();
  return std::nullopt;
}

void JsonReader::skip() {
  switch (front()) {
    case '{':
      return object([](std::string_view) {});
    case '[':
      return array([] {});
    case '"':
      text(nullptr, 0);
      return;
    case 't':
      return word("true") ? void() : fail();
    case 'f':
      return word("false") ? void() : fail();
    case 'n':
      return word("null") ? void() : fail();
    default:
      number();
  }
}

bool JsonReader::complete() {
  front();
  return !failed_ && at_ == text_.size();
}

std::string_view JsonReader::number() {
  const auto begin = at_;
  const auto digits = [&] {
    const auto from = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > from;
  };
  const auto optional = [&](char c) { return at_ < text_.size() && text_[at_] == c && ++at_; };
  if (failed_) return {};
  optional('-');
  const bool zero = at_ < text_.size() && text_[at_] == '0';
  const auto whole = at_;
  if (!digits() || (zero && at_ - whole > 1)) return fail(), std::string_view();
  if (optional('.') && !digits()) return fail(), std::string_view();
  if (optional('e') || optional('E')) {
    if (!optional('+')) optional('-');
    if (!digits()) return fail(), std::string_view();
  }
  return text_.substr(begin, at_ - begin);
}

bool JsonReader::text(std::string* to, std::size_t max) {
  ++at_;  // the quote
  bool fits = true;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return fits;
    }
    if (static_cast<unsigned char>(c) < 0x20) break;
    if (c == '\\') {
      if (!escape(to)) break;
    } else {
      if (to != nullptr) *to += c;
      ++at_;
    }
    if (to != nullptr && to->size() > max) {
      fits = false;
      to->clear();
      to = nullptr;
    }
  }
  fail();
  return false;
}

bool JsonReader::escape(std::string* to) {
  if (at_ + 1 >= text_.size()) return false;
  const char c = text_[at_ + 1];
  at_ += 2;
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  if (const auto known = kNames.find(c); known != std::string_view::npos) {
    if (to != nullptr) *to += kValues[known];
    return true;
  }
  if (c != 'u') return false;
  auto code = hex4();
  if (!code) return false;
  if (*code >= 0xd800 && *code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
    const auto back = at_;
    at_ += 2;
    const auto low = hex4();
    if (!low) return false;
    if (*low >= 0xdc00 && *low < 0xe000) {
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    } else {
      at_ = back;
    }
  }
  if (*code >= 0xd800 && *code < 0xe000) code = 0xfffd;  // half of a pair
  if (to != nullptr) append_utf8(*to, *code);
  return true;
}

std::optional<uint32_t> JsonReader::hex4() {
  if (at_ + 4 > text_.size()) return std::nullopt;
  uint32_t code = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = text_[at_++];
    const int digit = is_digit(c)            ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    code = code * 16 + static_cast<uint32_t>(digit);
  }
  return code;
}

}  // namespace gitaiops::agent
