// pyproject.toml: PEP 621 ([project]), PEP 735 ([dependency-groups]) and the tables that poetry,
// pdm and uv had before; Pipfile.
#include "base/bytes/bytes.h"
#include "engines/scanner/parsers/python.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

void specifiers(Extract& out, const File& file, Value list, Scope scope) {
  for (const auto item : list) {
    if (!item.is_string()) continue;  // {include-group = "…"}
    if (!add_requirement(out, file, item.text(), scope, item.line()))
      problem(out, file, item.line(),
              "\"" + truncate_utf8(item.text(), 80) + "\" is no requirement");
  }
}

void specifier_groups(Extract& out, const File& file, Value groups, Scope scope) {
  for (const auto group : groups) specifiers(out, file, group, scope);
}

// "1.2.3" alone is one version to poetry; "==1.2.3" to both.
std::string_view exact(std::string_view range, bool bare_is_exact) {
  if (const auto version = pinned(range)) return *version;
  const bool bare = !range.empty() && range.front() >= '0' && range.front() <= '9' &&
                    range.find_first_of(" ,|*<>=") == range.npos;
  return bare && bare_is_exact ? range : std::string_view();
}

// name = "range" or {version = "range", git = "…", …}, as poetry's and pipenv's tables have it.
void table(Extract& out, const File& file, Value members, Scope scope, bool bare_is_exact) {
  for (const auto item : members) {
    if (bare_is_exact && item.key() == "python") continue;
    const auto said = item.is_array() ? *item.begin() : item;  // one for each marker
    auto range = said.is_object() ? said["version"].text() : said.text();
    if (range == "*") range = {};
    const Scope own = said["optional"].is_true() ? Scope::optional : scope;
    Entry& entry = add_direct(out, file, Ecosystem::pypi, item.key(), range, own, item.line());
    entry.keys = {python_key(item.key())};
    entry.package.version = exact(range, bare_is_exact);
    for (const auto place : {"git", "url", "path", "file"})
      if (said[place]) entry.package.source = said[place].text();
  }
}

void poetry(Extract& out, const File& file, Value poetry) {
  if (out.root.empty()) out.root = poetry["name"].text();
  if (out.root_version.empty()) out.root_version = poetry["version"].text();
  table(out, file, poetry["dependencies"], Scope::runtime, true);
  table(out, file, poetry["dev-dependencies"], Scope::development, true);
  for (const auto group : poetry["group"])
    table(out, file, group["dependencies"], Scope::development, true);
}

}  // namespace

Extract parse_pyproject(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  const auto root = document.root();
  const auto project = root["project"], tool = root["tool"];
  out.root = project["name"].text();
  out.root_version = project["version"].text();
  specifiers(out, file, project["dependencies"], Scope::runtime);
  specifier_groups(out, file, project["optional-dependencies"], Scope::optional);
  specifier_groups(out, file, root["dependency-groups"], Scope::development);
  specifiers(out, file, tool["uv"]["dev-dependencies"], Scope::development);
  specifier_groups(out, file, tool["pdm"]["dev-dependencies"], Scope::development);
  poetry(out, file, tool["poetry"]);
  return out;
}

Extract parse_pipfile(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  table(out, file, document.root()["packages"], Scope::runtime, false);
  table(out, file, document.root()["dev-packages"], Scope::development, false);
  return out;
}

}  // namespace gitaiops::scanner::parsers
