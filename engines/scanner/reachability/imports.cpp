// Import statements of eight languages, line by line.
#include <array>

#include "base/bytes/bytes.h"
#include "engines/scanner/reachability/reachability.h"

namespace gitaiops::scanner {
namespace {

using Names = std::set<std::string, std::less<>>;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Takes `word` off the front of `line` when blanks or the line's end follow it.
bool take_word(std::string_view& line, std::string_view word) {
  if (!line.starts_with(word)) return false;
  const auto rest = line.substr(word.size());
  if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t') return false;
  line = trimmed(rest);
  return true;
}

// The run of name characters at the front: letters, digits, '_' and what `more` lists.
std::string_view name_at_front(std::string_view line, std::string_view more) {
  std::size_t n = 0;
  while (n < line.size() && (is_word(line[n]) || more.find(line[n]) != more.npos)) ++n;
  return line.substr(0, n);
}

void keep(Names& names, std::string_view name) {
  if (!name.empty()) names.emplace(name);
}

// What stands in quotes at the front of `text`; empty without.
std::string_view quoted_at_front(std::string_view text) {
  if (text.empty() || (text[0] != '"' && text[0] != '\'' && text[0] != '`')) return {};
  const auto end = text.find(text[0], 1);
  return end == text.npos ? std::string_view() : text.substr(1, end - 1);
}

// Calls `act` with what follows each occurrence of `word` that is a word of its own.
template <class Act>
void after_each(std::string_view line, std::string_view word, Act act) {
  for (auto at = line.find(word); at != line.npos; at = line.find(word, at + word.size())) {
    const auto rest = line.substr(at + word.size());
    if ((at == 0 || !is_word(line[at - 1])) && (rest.empty() || !is_word(rest.front()))) act(rest);
  }
}

std::string_view past_blanks_and_bracket(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('(')) text = trimmed(text.substr(1));
  return text;
}

void python(std::string_view line, Names& names) {
  const auto module = [&](std::string_view text) {
    if (!text.starts_with('.')) keep(names, name_at_front(text, "."));
  };
  if (take_word(line, "from")) return module(line);
  if (take_word(line, "import")) {
    for (const auto part : split(line, ',')) module(trimmed(part));
    return;
  }
  for (const std::string_view call : {"import_module", "__import__"})
    after_each(line, call, [&](std::string_view rest) {
      module(quoted_at_front(past_blanks_and_bracket(rest)));
    });
}

void javascript(std::string_view line, Names& names) {
  if (line.starts_with("//")) return;
  for (const std::string_view word : {"from", "import", "require", "resolve"})
    after_each(line, word, [&](std::string_view rest) {
      const auto name = quoted_at_front(past_blanks_and_bracket(rest));
      if (!name.starts_with('.') && !name.starts_with('/')) keep(names, name);
    });
}

void go(std::string_view line, Names& names, bool& in_block) {
  if (take_word(line, "import") && line.starts_with('(')) {
    in_block = true;
    line = trimmed(line.substr(1));
  } else if (!in_block && line.find('"') == line.npos) {
    return;
  }
  // Outside of a block only `import "x"` is left with a quote soon after an alias at most.
  const auto quote = line.find('"');
  if (quote != line.npos && quote <= 64) keep(names, quoted_at_front(line.substr(quote)));
  if (line.find(')') != line.npos) in_block = false;
}

void jvm(std::string_view line, Names& names) {
  if (!take_word(line, "import")) return;
  take_word(line, "static");
  keep(names, name_at_front(line, "."));
}

void rust(std::string_view line, Names& names) {
  if (line.starts_with("//")) return;
  auto rest = line;
  take_word(rest, "pub");
  if (take_word(rest, "extern") && take_word(rest, "crate")) keep(names, name_at_front(rest, ""));
  rest = line;
  take_word(rest, "pub");
  if (take_word(rest, "use")) keep(names, name_at_front(rest, ""));
  // Paths in code: the first name before "::".
  for (auto at = line.find("::"); at != line.npos; at = line.find("::", at + 2)) {
    auto begin = at;
    while (begin > 0 && is_word(line[begin - 1])) --begin;
    if (begin < 2 || line.substr(begin - 2, 2) != "::") keep(names, line.substr(begin, at - begin));
  }
}

void ruby(std::string_view line, Names& names) {
  if (take_word(line, "require")) keep(names, quoted_at_front(line));
}

void php(std::string_view line, Names& names) {
  if (!take_word(line, "use")) return;
  for (const std::string_view kind : {"function", "const"}) take_word(line, kind);
  if (line.starts_with('\\')) line.remove_prefix(1);
  keep(names, name_at_front(line, "\\"));
}

void dotnet(std::string_view line, Names& names) {
  take_word(line, "global");
  if (!take_word(line, "using") && !take_word(line, "open") && !take_word(line, "Imports")) return;
  if (line.starts_with('(')) return;
  take_word(line, "static");
  // `using Name = A.B;` names an alias; `using var x` and `using (…)` are statements.
  if (const auto equals = line.find('='); equals != line.npos)
    line = trimmed(line.substr(equals + 1));
  const auto name = name_at_front(line, ".");
  if (name != "var" && name.find('.') != name.npos)
    keep(names, name);
  else if (line.substr(name.size()).starts_with(';'))
    keep(names, name);
}

constexpr std::array<std::pair<std::string_view, Language>, 26> kEndings = {{
    {".py", Language::python},         {".pyi", Language::python},
    {".pyx", Language::python},        {".js", Language::javascript},
    {".jsx", Language::javascript},    {".mjs", Language::javascript},
    {".cjs", Language::javascript},    {".ts", Language::javascript},
    {".tsx", Language::javascript},    {".mts", Language::javascript},
    {".cts", Language::javascript},    {".vue", Language::javascript},
    {".svelte", Language::javascript}, {".go", Language::go},
    {".java", Language::jvm},          {".kt", Language::jvm},
    {".kts", Language::jvm},           {".scala", Language::jvm},
    {".groovy", Language::jvm},        {".rs", Language::rust},
    {".rb", Language::ruby},           {".rake", Language::ruby},
    {".php", Language::php},           {".cs", Language::dotnet},
    {".fs", Language::dotnet},         {".vb", Language::dotnet},
}};

}  // namespace

std::optional<Language> language_of(std::string_view path) {
  for (const auto& [ending, language] : kEndings)
    if (path.ends_with(ending)) return language;
  return std::nullopt;
}

Names imports_of(Language language, std::string_view source) {
  Names names;
  bool in_go_block = false;
  for (const auto raw : split(source, '\n')) {
    const auto line = trimmed(raw);
    switch (language) {
      case Language::python:
        python(line, names);
        break;
      case Language::javascript:
        javascript(line, names);
        break;
      case Language::go:
        go(line, names, in_go_block);
        break;
      case Language::jvm:
        jvm(line, names);
        break;
      case Language::rust:
        rust(line, names);
        break;
      case Language::ruby:
        ruby(line, names);
        break;
      case Language::php:
        php(line, names);
        break;
      case Language::dotnet:
        dotnet(line, names);
        break;
    }
  }
  return names;
}

}  // namespace gitaiops::scanner
