// The request parser takes what any network peer sends. Shown here: no input breaks it; the verdict
// does not depend on how the bytes are cut; and whatever it accepts leaves no doubt about where a
// request ends.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/http/parse.h"

using gitaiops::http::ParseLimits;
using gitaiops::http::RequestParser;
using State = RequestParser::State;

namespace {

void require(bool truth) {
  if (!truth) std::abort();
}

// Everything the parser said, in order.
std::string outcome(std::string_view bytes, std::size_t piece) {
  RequestParser parser(ParseLimits{.head = 1024, .body = 256});
  std::string said;
  for (std::size_t at = 0; at < bytes.size() && parser.state() != State::failed; at += piece) {
    parser.feed(bytes.substr(at, piece));
    while (parser.state() == State::done) {
      const bool keep_alive = parser.keep_alive();
      const auto request = parser.take();
      require(request.headers.count("Host") <= 1);  // none: HTTP/1.0
      require(request.headers.count("Content-Length") +
                  request.headers.count("Transfer-Encoding") <=
              1);
      require(request.body.size() <= 256);
      require(request.target.size() <= 1024 && !request.segments.empty());
      said += request.method + " " + request.path + " " + request.body +
              (keep_alive ? " keep\n" : " close\n");
    }
  }
  return said + (parser.state() == State::failed ? std::to_string(parser.failure().status) : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = outcome(bytes, size + 1);
  require(outcome(bytes, 1) == whole);
  require(outcome(bytes, 7) == whole);
  return 0;
}
