// What an HTTP exchange is here: values. Text is as it came over the wire unless a member says
// otherwise: not trusted, not necessarily UTF-8.
//
// Thread safety: values and pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gitaiops::http {

// Fields in their order; names compare without regard to ASCII case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  std::optional<std::string_view> get(std::string_view name) const;  // the first of that name
  std::size_t count(std::string_view name) const;
  std::vector<Field>::const_iterator begin() const { return fields_.begin(); }
  std::vector<Field>::const_iterator end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

bool same_name(std::string_view a, std::string_view b);  // without regard to ASCII case

struct Request {
  std::string method;
  std::string target;                 // as sent: "/a%20b?c=d"
  std::string path;                   // decoded: "/a b"
  std::vector<std::string> segments;  // between the slashes, each decoded: a %2F does not split
  std::multimap<std::string, std::string> query;  // decoded, "+" is a space
  Headers headers;  // of the head only: trailers of a chunked body are dropped
  std::string body;
  std::string peer;  // "127.0.0.1:4711"
};

// Date, Content-Length and Connection are the server's to add.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

Response text(int status, std::string body);  // text/plain; charset=utf-8
Response json(int status, std::string body);  // the body is JSON already
// RFC 9457 application/problem+json: type about:blank, title by the status, `detail` for the person
// who called.
Response problem(int status, std::string_view detail);

std::string_view reason(int status);  // "Not Found"; "" when unknown

// nullopt when a % is not followed by two hexadecimal digits, or for %00.
enum class Plus { literal, space };
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::literal);
// Everything but RFC 3986's unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);

}  // namespace gitaiops::http
