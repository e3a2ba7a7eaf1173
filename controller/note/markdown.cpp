#include "controller/note/markdown.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/bytes/bytes.h"
#include "base/bytes/visible.h"

namespace gitaiops::note {
namespace {

std::size_t longest_backtick_run(std::string_view text) {
  std::size_t longest = 0, run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string number(const char* format, double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

}  // namespace

std::string cleaned(std::string_view text, std::size_t max_bytes) {
  return visible_line(text, max_bytes);
}

std::string code_span(std::string_view text, std::size_t max_bytes) {
  std::string inner(trimmed(cleaned(text, max_bytes)));
  if (inner.empty()) inner = "(unnamed)";
  for (std::size_t at = 0; (at = inner.find('|', at)) != inner.npos;) inner.replace(at, 1, "¦");
  const std::string ticks(longest_backtick_run(inner) + 1, '`');
  const std::string pad = inner.front() == '`' || inner.back() == '`' ? " " : "";
  return ticks + pad + inner + pad + ticks;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           c == ',';
  });
}

std::string word(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (text.empty() || text.size() > 64 || !std::ranges::all_of(text, plain))
    return code_span(text, 64);
  std::string out(text);
  std::ranges::replace(out, '_', ' ');
  return out;
}

std::string fenced(const std::vector<LogLine>& lines, std::size_t max_line_bytes) {
  std::string inner;
  std::size_t width = 1;
  for (const auto& line : lines) width = std::max(width, std::to_string(line.number).size());
  for (const auto& line : lines) {
    const std::string shown = line.number > 0 ? std::to_string(line.number) : "";
    inner += line.cause ? "> " : "  ";
    inner += std::string(width - shown.size(), ' ') + shown + " | " +
             cleaned(line.text, max_line_bytes) + "\n";
  }
  const std::string ticks(std::max<std::size_t>(3, longest_backtick_run(inner) + 1), '`');
  return ticks + "text\n" + inner + ticks + "\n";
}

std::string link(std::string_view words, std::string_view url) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("-._:/?#%=+").find(c) != std::string_view::npos;
  };
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  if (!web || url.size() > 2000 || !std::ranges::all_of(url, plain)) return std::string(words);
  return "[" + std::string(words) + "](" + std::string(url) + ")";
}

std::size_t line_count(std::string_view markdown) {
  return static_cast<std::size_t>(std::ranges::count(markdown, '\n')) +
         (markdown.empty() || markdown.ends_with('\n') ? 0 : 1);
}

std::string duration(int64_t micros) {
  const double seconds = static_cast<double>(std::max<int64_t>(micros, 0)) / 1e6;
  if (seconds < 9.95) return number("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::string bytes(int64_t count) {
  const double mib = static_cast<double>(std::max<int64_t>(count, 0)) / (1 << 20);
  if (mib < 9.95) return number("%.1f MiB", mib);
  return mib < 1023.5 ? number("%.0f MiB", mib) : number("%.1f GiB", mib / 1024);
}

}  // namespace gitaiops::note
