// What every note keeps, checked from the outside: a small reader of the Markdown we write that
// knows nothing of how it was written. Returns the first broken rule, or nothing.
#pragma once

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes/bytes.h"
#include "controller/note/note.h"

namespace gitaiops::note {

// The line without its code spans, by CommonMark's rule: a run of backticks is closed by the next
// run of equal length.
inline std::string without_code_spans(std::string_view line) {
  std::string out;
  const auto run_at = [&](std::size_t at) {
    std::size_t length = 0;
    while (at + length < line.size() && line[at + length] == '`') ++length;
    return length;
  };
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t open = run_at(at);
    if (open == 0) {
      out += line[at++];
      continue;
    }
    std::size_t scan = at + open;
    while (scan < line.size()) {
      const std::size_t close = run_at(scan);
      if (close == open) break;
      scan += close == 0 ? 1 : close;
    }
    if (scan >= line.size())
      return out + std::string(line.substr(at));  // never closed: the rest is text
    at = scan + open;
  }
  return out;
}

// The text without "](url)" of links, whose url must be harmless.
inline std::string without_links(std::string text) {
  for (std::size_t at = 0; (at = text.find("](http", at)) != std::string::npos;) {
    const auto end = text.find(')', at);
    if (end == std::string::npos ||
        text.substr(at, end - at).find_first_of(" <>\"'@`") != std::string::npos)
      return text;
    text.erase(at, end - at + 1);
    const auto open = text.rfind('[', at);
    if (open != std::string::npos) text.erase(open, 1);
  }
  return text;
}

inline std::optional<std::string> broken_rule(std::string_view note) {
  if (note.empty()) return std::nullopt;
  if (note.size() > kMaxBytes) return "longer than allowed";
  if (to_utf8(note, Controls::replace) != note) return "not clean UTF-8";
  for (const char* hidden : {"\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u2028", "\u00ad",
                             "\U000e0041", "\u0085"})
    if (note.find(hidden) != note.npos) return "an invisible or bidirectional character";
  std::size_t visible = 0;
  int folds = 0;
  std::string fence;  // the run that opened it
  bool first = true;
  for (const auto line :
       split(note.ends_with('\n') ? note.substr(0, note.size() - 1) : note, '\n')) {
    const std::string at = ": \"" + std::string(line.substr(0, 200)) + "\"";
    const auto start = line.find_first_not_of(' ');
    if (start != line.npos && line[start] == '/') return "a quick action" + at;
    visible += folds == 0;
    if (first) {
      if (!line.starts_with("<!-- gitaiops:note v1 ") || !line.ends_with(" -->") ||
          line.find("--", 4) != line.size() - 3)
        return "no marker" + at;
      first = false;
      continue;
    }
    if (!fence.empty()) {
      if (line == fence) {
        fence.clear();
      } else if (line.find(fence) != line.npos || (line[0] != ' ' && line[0] != '>') ||
                 line.find(" | ") == line.npos) {
        return "a fence that its content could end" + at;
      }
      continue;
    }
    if (line.starts_with("```") && line.ends_with("`text") &&
        line.find_first_not_of('`') == line.size() - 4) {
      fence = line.substr(0, line.size() - 4);
      continue;
    }
    if (line.starts_with("<details><summary>") && line.ends_with("</summary>")) {
      ++folds;
      const auto title = line.substr(18, line.size() - 28);
      for (const char c : title)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != ' ' && c != ',')
          return "foreign text in a fold's title" + at;
      continue;
    }
    if (line == "</details>") {
      --folds;
      continue;
    }
    const bool table = line.starts_with("| ");
    if (table && std::count(line.begin(), line.end(), '|') != 5)
      return "a table row with a cell too many" + at;
    const std::string text = without_links(without_code_spans(line));
    if (text.find_first_of("@#!~$&^<>[]`\\") != text.npos) return "live text" + at;
    for (std::size_t i = 0; (i = text.find('%', i)) != text.npos; ++i)
      if (i + 1 >= text.size() || text[i + 1] != ' ') return "a milestone" + at;
  }
  if (!fence.empty()) return "an open fence";
  if (folds != 0) return "an open fold";
  if (visible > kMaxVisibleLines)
    return "more visible lines than allowed: " + std::to_string(visible);
  return std::nullopt;
}

}  // namespace gitaiops::note
