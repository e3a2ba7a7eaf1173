#include "base/log/log.h"

#include <cmath>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/bytes/bytes.h"

namespace gitaiops::log {
namespace {

std::atomic<Format> current_format = Format::text;

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("gitaiops",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_value(std::string& out, const Field& field, bool always_quote) {
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    const auto clean = to_utf8(*text);
    const bool bare =
        !always_quote && !clean.empty() && clean.find_first_of(" \"=\\\n\t") == std::string::npos;
    bare ? void(out += clean) : append_quoted(out, clean);
    return;
  }
  std::visit(
      [&](const auto& v) {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, bool>) {
          out += v ? "true" : "false";
        } else if constexpr (std::is_same_v<std::decay_t<decltype(v)>, double>) {
          out += std::isfinite(v) ? fmt::format("{}", v) : "null";
        } else if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::string>) {
          out += fmt::format("{}", v);
        }
      },
      field.value);
}

std::string text_line(Level level, std::string_view message, Fields fields) {
  std::string line(to_string(level));
  line.append(": ").append(to_utf8(message));
  for (const auto& field : fields) {
    line.append(" ").append(field.key).append("=");
    append_value(line, field, false);
  }
  return line;
}

std::string json_line(Level level, std::string_view message, Fields fields) {
  std::string line = "{\"level\":\"";
  line.append(to_string(level)).append("\",\"msg\":");
  append_quoted(line, to_utf8(message));
  for (const auto& field : fields) {
    line.append(",\"").append(field.key).append("\":");
    append_value(line, field, true);
  }
  return line + "}";
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
    case Level::off:
      return "off";
  }
  return "info";
}

void configure(Level level, Format format) {
  current_format = format;
  logger().set_level(native(level));
}

void write(Level level, std::string_view message, Fields fields) {
  if (!logger().should_log(native(level))) return;
  logger().log(native(level), "{}",
               current_format == Format::json ? json_line(level, message, fields)
                                              : text_line(level, message, fields));
}

}  // namespace gitaiops::log
