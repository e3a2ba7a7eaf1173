// Structured logging of the two daemons: one line an event, `level message key=value …`, to
// standard error (systemd stamps it), or JSON. Never pass a secret: there is no redaction here.
//   log::info("report stored", {{"job", key.job_id}, {"agent", agent}});
// Thread safety: any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace gitaiops::log {

enum class Level { debug, info, warning, error, off };
enum class Format { text, json };

struct Field {
  std::string_view key;
  std::variant<int64_t, uint64_t, double, bool, std::string> value;
  Field(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::integral I>
    requires(!std::same_as<I, bool>)
  Field(std::string_view k, I v) : key(k) {
    if constexpr (std::is_signed_v<I>) {
      value = static_cast<int64_t>(v);
    } else {
      value = static_cast<uint64_t>(v);
    }
  }
};
using Fields = std::initializer_list<Field>;

// Before the first line; the default is text at info.
void configure(Level level, Format format);
std::string_view to_string(Level level);

void write(Level level, std::string_view message, Fields fields);
inline void debug(std::string_view message, Fields fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::info, message, fields);
}
inline void warning(std::string_view message, Fields fields = {}) {
  write(Level::warning, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  write(Level::error, message, fields);
}

}  // namespace gitaiops::log
