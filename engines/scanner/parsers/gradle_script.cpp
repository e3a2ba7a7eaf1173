#include "engines/scanner/parsers/gradle_script.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"

namespace gitaiops::scanner::parsers {
namespace {

constexpr std::size_t kMaxValue = 1000;      // bytes of a variable's value
constexpr std::size_t kMaxMapPieces = 4000;  // that one map is looked for in

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$';
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : rest_(text) {}

  std::vector<GradlePiece> all() {
    std::vector<GradlePiece> out;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '\n') {
        out.push_back({GradleToken::newline, rest_.substr(0, 1), line_});
        take(1);
      } else if (c == ' ' || c == '\t' || c == '\r' || c == ';') {
        take(1);
      } else if (rest_.starts_with("//")) {
        take(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_.starts_with("/*")) {
        const auto end = rest_.find("*/", 2);
        take(end == rest_.npos ? rest_.size() : end + 2);
      } else if (c == '"' || c == '\'') {
        out.push_back(literal(c));
      } else if (is_word_character(c)) {
        out.push_back(word());
      } else {
        out.push_back({GradleToken::mark, rest_.substr(0, 1), line_});
        take(1);
      }
    }
    out.push_back({GradleToken::end, {}, line_});
    return out;
  }

 private:
  void take(std::size_t count) {
    line_ += static_cast<uint32_t>(std::ranges::count(rest_.substr(0, count), '\n'));
    rest_.remove_prefix(count);
  }

  GradlePiece literal(char quote) {
    const std::string triple(3, quote);
    const bool long_one = rest_.starts_with(triple);
    const std::size_t start = long_one ? 3 : 1;
    std::size_t end = start;
    if (long_one) {
      end = std::min(rest_.find(triple, start), rest_.size());
    } else {
      while (end < rest_.size() && rest_[end] != quote && rest_[end] != '\n')
        end += rest_[end] == '\\' ? 2 : 1;
      end = std::min(end, rest_.size());
    }
    const auto text = rest_.substr(start, end - start);
    const bool formula = quote == '"' && text.find('$') != text.npos;
    const GradlePiece piece{formula ? GradleToken::formula : GradleToken::text, text, line_};
    take(std::min(end + start, rest_.size()));
    return piece;
  }

  // With its dots: "libs.junit.jupiter".
  GradlePiece word() {
    std::size_t end = 0;
    while (end < rest_.size() &&
           (is_word_character(rest_[end]) ||
            (rest_[end] == '.' && end + 1 < rest_.size() && is_word_character(rest_[end + 1]))))
      ++end;
    const GradlePiece piece{GradleToken::word, rest_.substr(0, end), line_};
    take(end);
    return piece;
  }

  std::string_view rest_;
  uint32_t line_ = 1;
};

// Where variables lie is not told apart: rootProject.ext.x, project.x and x are one.
std::string_view bare(std::string_view name) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view prefix :
         {"rootProject.", "project.", "ext.", "extra.", "this.", "gradle."}) {
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      again = true;
    }
  }
  return name;
}

}  // namespace

std::vector<GradlePiece> gradle_pieces(std::string_view text) {
  return Tokenizer(text.substr(0, kMaxScriptBytes)).all();
}

void GradleNames::add_properties(std::string_view text) {
  documents::Lines lines(text);
  while (lines.next()) {
    const auto line = trimmed(lines.text());
    const auto cut = line.find_first_of("=:");
    if (line.starts_with('#') || line.starts_with('!') || cut == line.npos) continue;
    values_.insert_or_assign(std::string(trimmed(line.substr(0, cut))),
                             std::string(trimmed(line.substr(cut + 1)).substr(0, kMaxValue)));
  }
}

void GradleNames::assign(std::string_view name, const GradlePiece& value) {
  if (const auto text = value_of(value))
    values_.insert_or_assign(std::string(bare(name)), text->substr(0, kMaxValue));
}

// name = [a: 'x', b: 'y'] and mapOf("a" to "x"): name.a, name.b.
void GradleNames::add_map(const std::vector<GradlePiece>& pieces, std::size_t at,
                          const std::string& prefix) {
  const std::size_t last = std::min(pieces.size(), at + kMaxMapPieces);
  for (std::size_t i = at; i + 2 < last && !pieces[i].is(']') && !pieces[i].is(')'); ++i) {
    const bool pair =
        (pieces[i].kind == GradleToken::word || pieces[i].kind == GradleToken::text) &&
        (pieces[i + 1].is(':') || pieces[i + 1].is_word("to")) && pieces[i + 2].is_text();
    if (pair) assign(prefix + "." + std::string(pieces[i].text), pieces[i + 2]);
  }
}

void GradleNames::add_assignments(const std::vector<GradlePiece>& pieces) {
  for (std::size_t i = 0; i + 2 < pieces.size(); ++i) {
    const auto &name = pieces[i], &next = pieces[i + 1], &value = pieces[i + 2];
    if (name.kind == GradleToken::word && next.is('=')) {
      if (value.is_text()) assign(name.text, value);
      if (value.is('[') || value.is_word("mapOf"))
        add_map(pieces, i + 3, std::string(bare(name.text)));
    }
    if (i + 4 >= pieces.size()) continue;
    const auto &third = pieces[i + 2], &fourth = pieces[i + 3], &fifth = pieces[i + 4];
    // ext["x"] = "1", ext.set("x", "1"), set("x", "1")
    if (next.is('[') && third.is_text() && fourth.is(']') && fifth.is('=') &&
        i + 5 < pieces.size() && pieces[i + 5].is_text())
      assign(third.text, pieces[i + 5]);
    const bool set =
        name.kind == GradleToken::word && (name.text == "set" || name.text.ends_with(".set"));
    if (set && next.is('(') && third.is_text() && fourth.is(',') && fifth.is_text())
      assign(third.text, fifth);
    // val x by extra("1"), val x: String = "1"
    if (name.kind == GradleToken::word && next.is_word("by") && third.is_word("extra") &&
        fourth.is('(') && fifth.is_text())
      assign(name.text, fifth);
    if (name.kind == GradleToken::word && next.is(':') && third.kind == GradleToken::word &&
        fourth.is('=') && fifth.is_text())
      assign(name.text, fifth);
  }
}

void GradleNames::add_catalogue(const std::string& accessor, Catalogue catalogue) {
  catalogues_.insert_or_assign(accessor, std::move(catalogue));
}

std::optional<std::string> GradleNames::variable(std::string_view name) const {
  const auto known = values_.find(bare(name));
  if (known != values_.end()) return known->second;
  // libs.versions.kotlin.get()
  const auto dot = name.find('.');
  const auto catalogue = catalogues_.find(name.substr(0, dot));
  if (dot == name.npos || catalogue == catalogues_.end()) return std::nullopt;
  auto rest = name.substr(dot + 1);
  if (!rest.starts_with("versions.")) return std::nullopt;
  rest.remove_prefix(9);
  if (rest.ends_with(".get")) rest.remove_suffix(4);
  const auto version = catalogue->second.versions.find(rest);
  return version == catalogue->second.versions.end() ? std::nullopt
                                                     : std::optional(version->second);
}

std::optional<std::string> GradleNames::value_of(const GradlePiece& piece) const {
  if (piece.kind == GradleToken::text) return std::string(piece.text);
  if (piece.kind == GradleToken::word) return variable(piece.text);
  if (piece.kind != GradleToken::formula) return std::nullopt;
  std::string out;
  auto rest = piece.text;
  while (!rest.empty() && out.size() < kMaxValue) {
    const auto dollar = rest.find('$');
    out += rest.substr(0, dollar);
    if (dollar == rest.npos) break;
    rest.remove_prefix(dollar + 1);
    const bool braces = rest.starts_with('{');
    std::size_t end = braces ? rest.find('}') : 0;
    if (end == rest.npos) return std::nullopt;
    while (!braces && end < rest.size() &&
           (is_word_character(rest[end]) ||
            (rest[end] == '.' && end + 1 < rest.size() && is_word_character(rest[end + 1]))))
      ++end;
    auto name = trimmed(braces ? rest.substr(1, end - 1) : rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + (braces ? 1 : 0)));
    if (name.ends_with("()")) name.remove_suffix(2);
    for (const std::string_view call : {"property(\"", "properties[\"", "[\"", "['"}) {
      // project.property("x") and ext["x"] name x.
      const auto at = name.find(call);
      if (at == name.npos) continue;
      name.remove_prefix(at + call.size());
      name = name.substr(0, name.find_first_of("\"'"));
      break;
    }
    const auto value = variable(name);
    if (!value) return std::nullopt;
    out += *value;
  }
  return out;
}

std::vector<const Catalogue::Library*> GradleNames::libraries(std::string_view accessor) const {
  const auto dot = accessor.find('.');
  const auto catalogue = catalogues_.find(accessor.substr(0, dot));
  if (dot == accessor.npos || catalogue == catalogues_.end()) return {};
  auto name = accessor.substr(dot + 1);
  for (const std::string_view end : {".get", ".asProvider"})
    if (name.ends_with(end)) name.remove_suffix(end.size());
  std::vector<const Catalogue::Library*> out;
  const auto take = [&](std::string_view library) {
    const auto found = catalogue->second.libraries.find(library);
    if (found != catalogue->second.libraries.end()) out.push_back(&found->second);
  };
  if (name.starts_with("bundles.")) {
    const auto bundle = catalogue->second.bundles.find(name.substr(8));
    if (bundle != catalogue->second.bundles.end())
      for (const auto& library : bundle->second) take(library);
  } else {
    take(name);
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
