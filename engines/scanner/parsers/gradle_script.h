// The part of a Gradle script (Groovy or Kotlin) that can be read without running it: tokens,
// literal texts, and the variables that are assigned once from literals.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/scanner/parsers/java.h"

namespace gitaiops::scanner::parsers {

enum class GradleToken : uint8_t {
  word,     // implementation, libs.junit.api (dots joined)
  text,     // a literal, without its quotes
  formula,  // a literal with "$name" or "${…}" in it
  mark,     // one character
  newline,
  end,
};

struct GradlePiece {
  GradleToken kind = GradleToken::end;
  std::string_view text;
  uint32_t line = 0;
  bool is(char c) const { return kind == GradleToken::mark && text.front() == c; }
  bool is_word(std::string_view word) const { return kind == GradleToken::word && text == word; }
  bool is_text() const { return kind == GradleToken::text || kind == GradleToken::formula; }
};

// A script is read to here; real ones are a hundredth of it.
inline constexpr std::size_t kMaxScriptBytes = 2u << 20;

// Comments are left out; the last piece is the end.
std::vector<GradlePiece> gradle_pieces(std::string_view text);

// What names stand for: gradle.properties, variables, version catalogues.
class GradleNames {
 public:
  // gradle.properties: name=value lines.
  void add_properties(std::string_view text);
  // Every "name = literal" of a script, in whatever block: def, val, ext, extra, const.
  void add_assignments(const std::vector<GradlePiece>& pieces);
  void add_catalogue(const std::string& accessor, Catalogue catalogue);

  // The text that a piece means; nothing when a name in it is unknown.
  std::optional<std::string> value_of(const GradlePiece& piece) const;
  // "libs.commons.lang3", perhaps with ".get()" or ".asProvider()" behind.
  std::vector<const Catalogue::Library*> libraries(std::string_view accessor) const;

 private:
  std::optional<std::string> variable(std::string_view name) const;
  void assign(std::string_view name, const GradlePiece& value);
  void add_map(const std::vector<GradlePiece>& pieces, std::size_t at, const std::string& prefix);

  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, Catalogue, std::less<>> catalogues_;
};

}  // namespace gitaiops::scanner::parsers
