// Private keys in logs, whatever stands before each of their lines: the name of a container, a file
// as grep names it, a time, the sign of a diff, indentation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::diagnosis {

inline constexpr int kKeyLinesMax = 256;  // lines a private key can have

// Tells of one line after another which belong to a private key. Bounded: a key has at most
// kKeyLinesMax lines, and ends where a few lines together are not of it.
class KeyLines {
 public:
  // Where in `line` (without newline) the key's part begins; npos when none of it is.
  std::size_t follow(std::string_view line);
  // Whether the last line began a key.
  bool began() const { return began_; }

 private:
  std::size_t body(std::string_view line) const;

  int left_ = 0;        // lines that may still belong to the key
  int strangers_ = 0;   // lines in a row that did not
  std::string prefix_;  // of the line that began the key
  bool seen_body_ = false;
  bool began_ = false;
};

struct KeyPiece {
  std::size_t begin = 0, end = 0;
  bool first = false;  // of a key
};

// The pieces of all private keys in a text that may begin or end in the middle of one; a piece is
// within a line, and they are not sorted. Takes time linear in the text.
std::vector<KeyPiece> private_keys(std::string_view text);

}  // namespace gitaiops::diagnosis
