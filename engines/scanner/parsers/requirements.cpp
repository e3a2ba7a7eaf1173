// PEP 508 specifiers, and pip's requirements files
// (pip.pypa.io/en/stable/reference/requirements-file-format): continuation lines, comments, options
// of a line, -r and -c.
#include <algorithm>
#include <map>
#include <set>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/parsers/formats.h"
#include "engines/scanner/parsers/python.h"

namespace gitaiops::scanner::parsers {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_range(std::string_view text) {
  for (auto part : split(text, ',')) {
    part = trimmed(part);
    const auto op = part.find_first_not_of("<>=!~");
    if (op == 0 || op == part.npos || op > 3) return false;
    const auto version = trimmed(part.substr(op));
    if (version.empty() || version.find_first_of(" \t") != version.npos) return false;
  }
  return true;
}

// The options that may stand behind a requirement; what follows them is pip's.
constexpr std::string_view kOptions[] = {"--hash", "--global-option", "--config-settings", "-C",
                                         "--config-setting"};

std::size_t options_at(std::string_view line) {
  std::size_t at = line.npos;
  for (const auto option : kOptions) {
    for (auto i = line.find(option); i != line.npos; i = line.find(option, i + 1)) {
      const auto after = i + option.size();
      const bool whole = after == line.size() || line[after] == ' ' || line[after] == '=';
      if (i && (line[i - 1] == ' ' || line[i - 1] == '\t') && whole) {
        at = std::min(at, i);
        break;
      }
    }
  }
  return at;
}

struct Line {
  std::string text;
  uint32_t number;
};

// A '#' begins a comment at the start of a line or behind a blank.
std::string without_comment(std::string text) {
  if (text.starts_with('#')) text.clear();
  for (auto i = text.find('#'); i != text.npos; i = text.find('#', i + 1))
    if (text[i - 1] == ' ' || text[i - 1] == '\t') text.resize(i);
  return text;
}

// Lines joined at backslashes, without comments: use(line) for each.
void each_logical_line(std::string_view text, const auto& use) {
  documents::Lines lines(text);
  Line joined{{}, 0};
  while (lines.next()) {
    auto line = lines.text();
    const bool comment = trimmed(line).starts_with('#');
    const bool goes_on = line.ends_with('\\') && !comment;
    if (goes_on) line.remove_suffix(1);
    if (!joined.number) joined.number = lines.number();
    if (!comment || joined.text.empty()) joined.text += line;
    if (goes_on) continue;
    use(Line{without_comment(std::move(joined.text)), joined.number});
    joined = {{}, 0};
  }
  if (joined.number) use(Line{without_comment(std::move(joined.text)), joined.number});
}

Scope scope_of(std::string_view path) {
  for (const auto word : {"dev", "test", "lint", "doc", "typing", "ci."})
    if (file_name(path).find(word) != std::string_view::npos) return Scope::development;
  return Scope::runtime;
}

class Reader {
 public:
  Reader(Extract& out, const File& file) : out_(out), files_(file.others) {}

  void read(const File& file, bool constraint) {
    each_logical_line(file.text, [&](const Line& line) { take(file, line, constraint); });
  }

  // A constraint gives the version that the requirement leaves open.
  void apply_constraints() {
    for (auto& entry : out_.entries) {
      const auto found = constraints_.find(entry.keys.front());
      if (found == constraints_.end()) continue;
      if (entry.package.range.empty()) entry.package.range = found->second;
      const auto version = pinned(found->second);
      if (version && entry.package.version.empty()) entry.package.version = *version;
    }
  }

 private:
  void take(const File& file, const Line& line, bool constraint) {
    const auto text = trimmed(line.text);
    if (text.empty()) return;
    if (const auto other = option(text, {"-r", "--requirement"}))
      return include(file, *other, constraint, line.number);
    if (const auto other = option(text, {"-c", "--constraint"}))
      return include(file, *other, true, line.number);
    if (const auto place = option(text, {"-e", "--editable"}))
      return at_place(file, *place, line.number);
    if (text.starts_with('-')) return;  // where to look, and the like
    const auto cut = options_at(line.text);
    const auto specifier = trimmed(std::string_view(line.text).substr(0, cut));
    if (constraint) {
      const auto asked = requirement(specifier);
      if (asked && !asked->range.empty())
        constraints_.emplace(python_key(asked->name), asked->range);
      return;
    }
    if (is_url(specifier)) return at_place(file, specifier, line.number);
    if (!add_requirement(out_, file, specifier, scope_of(file.path), line.number)) {
      problem(out_, file, line.number,
              "\"" + truncate_utf8(specifier, 80) + "\" is no requirement");
      return;
    }
    hashes(cut == line.text.npos ? std::string_view() : std::string_view(line.text).substr(cut));
  }

  static bool is_url(std::string_view text) {
    const auto colon = text.find("://");
    return text.starts_with('.') || text.starts_with('/') ||
           (colon != text.npos && text.substr(0, colon).find_first_of(" @;[") == text.npos);
  }

  // "-r file", "--requirement=file", "-rfile".
  static std::optional<std::string_view> option(
      std::string_view text, std::pair<std::string_view, std::string_view> names) {
    for (const auto name : {names.second, names.first}) {
      if (!text.starts_with(name)) continue;
      auto rest = text.substr(name.size());
      if (name.size() > 2 && !rest.starts_with('=') && !rest.starts_with(' ')) continue;
      if (rest.starts_with('=')) rest.remove_prefix(1);
      return trimmed(rest);
    }
    return std::nullopt;
  }

  void include(const File& file, std::string_view name, bool constraint, uint32_t line) {
    if (name.find("://") != name.npos) {
      problem(out_, file, line, "it includes " + std::string(name) + ", which is not in the tree");
      return;
    }
    const auto path = inside(folder_of(file.path), name);
    if (!path)
      return problem(out_, file, line,
                     "it includes " + std::string(name) + ", which is not in the tree");
    // A requirements file of its own is a set of its own.
    if (!constraint && format_of(*path)) return;
    if (!visited_.insert(*path).second) return;
    if (visited_.size() > kMaxIncludes) return;
    const std::string* text = files_.text(*path);
    if (!text)
      return problem(
          out_, file, line,
          "it includes " + std::string(name) + ", which is not in the tree or cannot be read");
    out_.used.push_back(*path);
    read({*path, *text, files_}, constraint);
  }

  // A path, an archive or a repository: its name is known from "#egg=" only.
  void at_place(const File& file, std::string_view place, uint32_t line) {
    const auto egg = place.find("#egg=");
    if (egg == place.npos) return;
    const auto name = place.substr(egg + 5, place.substr(egg + 5).find_first_of("&[ ;"));
    auto& entry = add_direct(out_, file, Ecosystem::pypi, name, {}, scope_of(file.path), line);
    entry.keys = {python_key(name)};
    entry.package.source = place.substr(0, egg);
  }

  void hashes(std::string_view options) {
    constexpr std::string_view kHash = "--hash";
    for (auto i = options.find(kHash); i != options.npos; i = options.find(kHash, i + 1)) {
      auto value = trimmed(options.substr(i + kHash.size()));
      if (value.starts_with('=')) value.remove_prefix(1);
      add_hash(out_.entries.back().package, value.substr(0, value.find_first_of(" \t")));
    }
  }

  static constexpr std::size_t kMaxIncludes = 100;
  Extract& out_;
  Files& files_;
  std::set<std::string> visited_;
  std::map<std::string, std::string> constraints_;
};

}  // namespace

std::optional<Requirement> requirement(std::string_view text) {
  Requirement out;
  std::size_t end = 0;
  while (end < text.size() && is_name_character(text[end])) ++end;
  out.name = text.substr(0, end);
  const auto edge = [](char c) { return c == '-' || c == '_' || c == '.'; };
  if (out.name.empty() || edge(out.name.front()) || edge(out.name.back())) return std::nullopt;
  auto rest = trimmed(text.substr(end));
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == rest.npos) return std::nullopt;
    rest = trimmed(rest.substr(close + 1));
  }
  if (rest.starts_with('@')) {
    const auto semicolon = rest.find(" ;");
    out.url = trimmed(rest.substr(1, semicolon == rest.npos ? rest.npos : semicolon - 1));
    if (out.url.find(' ') != out.url.npos || out.url.find("==") != out.url.npos)
      return std::nullopt;
    return out.url.empty() ? std::nullopt : std::optional(out);
  }
  const auto semicolon = rest.find(';');
  if (semicolon != rest.npos) out.marker = trimmed(rest.substr(semicolon + 1));
  out.range = trimmed(rest.substr(0, semicolon));
  if (out.range.starts_with('(') && out.range.ends_with(')'))
    out.range = trimmed(out.range.substr(1, out.range.size() - 2));
  if (out.range.ends_with(',')) out.range.remove_suffix(1);
  if (!out.range.empty() && !is_range(out.range)) return std::nullopt;
  return out;
}

std::optional<std::string_view> pinned(std::string_view range) {
  if (!range.starts_with("==") || range.find(',') != range.npos) return std::nullopt;
  const auto version = trimmed(range.substr(range.find_first_not_of('=')));
  if (version.ends_with(".*")) return std::nullopt;
  return version;
}

std::string python_key(std::string_view name) {
  return normalised_name(Ecosystem::pypi, name);
}

bool add_requirement(Extract& out, const File& file, std::string_view text, Scope scope,
                     uint32_t line) {
  const auto asked = requirement(trimmed(text));
  if (!asked) return false;
  auto& entry = add_direct(out, file, Ecosystem::pypi, asked->name, asked->range, scope, line);
  entry.keys = {python_key(asked->name)};
  entry.package.source = asked->url;
  if (const auto version = pinned(asked->range)) entry.package.version = *version;
  return true;
}

Extract parse_requirements(const File& file) {
  Extract out;
  Reader reader(out, file);
  reader.read(file, false);
  reader.apply_constraints();
  return out;
}

}  // namespace gitaiops::scanner::parsers
