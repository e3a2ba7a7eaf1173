#include "base/http/message.h"

#include <algorithm>

#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"

namespace gitaiops::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

Response make(int status, std::string type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", std::move(type));
  response.body = std::move(body);
  return response;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (same_name(field, name)) return value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return std::count_if(fields_.begin(), fields_.end(),
                       [&](const Field& field) { return same_name(field.first, name); });
}

Response text(int status, std::string body) {
  return make(status, "text/plain; charset=utf-8", std::move(body));
}
Response json(int status, std::string body) {
  return make(status, "application/json", std::move(body));
}

Response problem(int status, std::string_view detail) {
  const nlohmann::ordered_json body = {{"type", "about:blank"},
                                       {"title", reason(status)},
                                       {"status", status},
                                       {"detail", to_utf8(detail)}};
  return make(status, "application/problem+json", body.dump());
}

std::string_view reason(int status) {
  using boost::beast::http::int_to_status;
  const auto known = int_to_status(static_cast<unsigned>(status));
  if (known == boost::beast::http::status::unknown) return "";
  const auto words = boost::beast::http::obsolete_reason(known);
  return {words.data(), words.size()};
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto byte = hex_decode(text.substr(i + 1, 2));
      if (!byte || byte->size() != 1 || byte->front() == '\0') return std::nullopt;
      decoded += *byte;
      i += 2;
    } else {
      decoded += text[i] == '+' && plus == Plus::space ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool unreserved = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                            c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      encoded += c;
    } else {
      encoded += "%" + hex_encode(as_bytes(std::string_view(&c, 1)));
    }
  }
  return encoded;
}

}  // namespace gitaiops::http
