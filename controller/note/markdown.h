// Foreign text made harmless for GitLab's Markdown. The one way: code. GitLab looks for mentions,
// references, labels, milestones, emoji and HTML in text, never in code; what is left is not to end
// the code, which lengths of backtick runs decide, and not to begin a line with "/", which our own
// line prefix prevents.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::note {

// Valid UTF-8 on one line: line breaks and tabs become spaces; control, bidirectional and invisible
// characters go.
std::string cleaned(std::string_view text, std::size_t max_bytes);

// Foreign text within a line or a table cell (where a "|" would end the cell: it becomes "¦").
// Never empty.
std::string code_span(std::string_view text, std::size_t max_bytes = 200);

// Only letters, digits, blanks and commas: nothing that Markdown or GitLab reads as theirs.
bool is_plain(std::string_view text);

// A word of a closed vocabulary that came from outside: "test_failure" → "test failure"; anything
// else as code.
std::string word(std::string_view text);

struct LogLine {
  uint64_t number = 0;  // 0: not known
  bool cause = false;   // marked with ">"
  std::string text;     // foreign
};
// A fence with one line each: "  118 | text".
std::string fenced(const std::vector<LogLine>& lines, std::size_t max_line_bytes = 240);

// "[words](url)" with our own words; only the words when the url is not plain http(s).
std::string link(std::string_view words, std::string_view url);

std::size_t line_count(std::string_view markdown);

// "4.2 s", "41 s", "1 min 3 s", "2 h 5 min"; "512 MiB", "1.5 GiB".
std::string duration(int64_t micros);
std::string bytes(int64_t count);

}  // namespace gitaiops::note
