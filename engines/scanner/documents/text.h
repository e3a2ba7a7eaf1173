// Text files as they come from other people's machines: in any encoding, with any line ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/scanner/documents/document.h"

namespace gitaiops::scanner::documents {

// UTF-8 without a byte order mark: UTF-16 with its mark is converted (PowerShell's `>` writes it),
// bytes that are no character become U+FFFD.
std::string decoded(std::string bytes);

// Why no reader has to look at it: a web page saved under a manifest's name, merge-conflict
// markers, binary data. Nothing when it may be what its name says.
std::optional<Fault> not_a_manifest(std::string_view text);

// The lines of a text, one after the other: while (lines.next()) use(lines.text(), lines.number()).
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool next();
  std::string_view text() const { return line_; }  // without "\n" and "\r\n"
  uint32_t number() const { return number_; }      // 1-based

 private:
  std::string_view rest_, line_;
  uint32_t number_ = 0;
};

}  // namespace gitaiops::scanner::documents
