#include "agent/observer/say.h"

#include <unistd.h>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

bool in_json = false;

// Between quotes; to_utf8 leaves no control characters but these.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : to_utf8(text)) {
    if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string value_of(const Said& field) {
  if (const auto* number = std::get_if<int64_t>(&field.value)) return std::to_string(*number);
  return in_quotes(std::get<std::string>(field.value));
}

}  // namespace

void say_in_json(bool json) {
  in_json = json;
}

void say(std::string_view level, std::string_view message, std::initializer_list<Said> fields) {
  std::string line;
  if (in_json) {
    line.append("{\"level\":")
        .append(in_quotes(level))
        .append(",\"msg\":")
        .append(in_quotes(message));
    for (const auto& field : fields)
      line.append(",").append(in_quotes(field.key)).append(":").append(value_of(field));
    line += '}';
  } else {
    line.append(level).append(": ").append(to_utf8(message));
    for (const auto& field : fields)
      line.append(" ").append(field.key).append("=").append(value_of(field));
  }
  line += '\n';
  // A log that nobody reads must not stop us.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace gitaiops::agent
