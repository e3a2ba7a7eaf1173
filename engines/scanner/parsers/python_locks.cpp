// Pipfile.lock, poetry.lock, uv.lock, pdm.lock and pylock.toml (PEP 751).
#include <algorithm>

#include "engines/scanner/parsers/python.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

// In [[package]] the line of its name, which comes first.
uint32_t line_of(Value package) {
  return package["name"] ? package["name"].line() : package.line();
}

Entry& add_package(Extract& out, const File& file, Value item) {
  const auto name = item["name"].text(), version = item["version"].text();
  Entry& entry = add(out, file, Ecosystem::pypi, name, version, line_of(item));
  entry.keys = {python_key(name), python_key(name) + " " + std::string(version)};
  return entry;
}

bool has_item(Value list, std::string_view wanted) {
  for (const auto item : list)
    if (item.text() == wanted) return true;
  return false;
}

void add_file_hashes(Package& package, Value files) {
  for (const auto item : files) add_hash(package, item["hash"].text());
}

std::string with_commit(std::string_view url, std::string_view commit) {
  return std::string(url) + (commit.empty() ? "" : "#" + std::string(commit));
}

// ---- poetry ----

Scope poetry_scope(Value item) {
  const bool development = item["groups"] ? !has_item(item["groups"], "main")
                                          : item["category"] && item["category"].text() != "main";
  if (development) return Scope::development;
  return item["optional"].is_true() ? Scope::optional : Scope::runtime;
}

// ---- uv ----

std::string_view uv_folder(Value source) {
  for (const auto kind : {"editable", "virtual"})
    if (source[kind]) return source[kind].text();
  return {};
}

std::string uv_source(Value source) {
  if (const auto git = source["git"].text(); !git.empty()) {
    // "https://…/a.git?rev=main#commit"
    const auto query = git.find('?'), hash = git.find('#');
    return with_commit(git.substr(0, std::min(query, hash)),
                       hash == git.npos ? std::string_view() : git.substr(hash + 1));
  }
  for (const auto kind : {"url", "path", "directory", "editable", "virtual"})
    if (source[kind]) return std::string(source[kind].text());
  const auto registry = source["registry"].text();
  return registry == "https://pypi.org/simple" ? std::string() : std::string(registry);
}

std::string uv_key(Value need) {
  const auto version = need["version"].text();
  return python_key(need["name"].text()) + (version.empty() ? "" : " " + std::string(version));
}

// A project of the tree: what it asks for is direct.
void uv_asks(Extract& out, Value item) {
  const auto ask = [&](Value list, Scope scope) {
    for (const auto need : list) out.asks.push_back({{uv_key(need)}, {}, scope});
  };
  ask(item["dependencies"], Scope::runtime);
  for (const auto extra : item["optional-dependencies"]) ask(extra, Scope::optional);
  for (const auto group : item["dev-dependencies"]) ask(group, Scope::development);
}

// ---- pylock ----

std::string pylock_source(Value item) {
  if (const auto vcs = item["vcs"])
    return with_commit(vcs["url"] ? vcs["url"].text() : vcs["path"].text(),
                       vcs["commit-id"].text());
  for (const auto kind : {"archive", "directory"})
    if (const auto place = item[kind])
      return std::string(place["url"] ? place["url"].text() : place["path"].text());
  const auto index = item["index"].text();
  return index == "https://pypi.org/simple" ? std::string() : std::string(index);
}

void pylock_hashes(Package& package, Value artifact) {
  for (const auto hash : artifact["hashes"])
    package.checksums.push_back({std::string(hash.key()), std::string(hash.text())});
}

}  // namespace

Extract parse_pipfile_lock(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  out.scopes_known = true;
  for (const auto section : root) {
    if (section.key() == "_meta") continue;
    for (const auto item : section) {
      auto version = item["version"].text();
      version.remove_prefix(std::min(version.find_first_not_of("= "), version.size()));
      Entry& entry = add(out, file, Ecosystem::pypi, item.key(), version, item.line());
      entry.keys = {python_key(item.key())};
      auto& package = entry.package;
      if (section.key() == "develop") package.scope = Scope::development;
      if (item["git"]) package.source = with_commit(item["git"].text(), item["ref"].text());
      for (const auto place : {"path", "file"})
        if (item[place]) package.source = item[place].text();
      for (const auto hash : item["hashes"]) add_hash(package, hash.text());
    }
  }
  return out;
}

Extract parse_poetry_lock(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  const auto root = document.root();
  const documents::Members hashes(root["metadata"]["files"]);  // lock version 1
  for (const auto item : root["package"]) {
    if (!item["name"]) continue;
    Entry& entry = add_package(out, file, item);
    auto& package = entry.package;
    out.scopes_known = out.scopes_known || item["groups"] || item["category"];
    package.scope = poetry_scope(item);
    const auto source = item["source"];
    if (source["type"].text() != "legacy")
      package.source = with_commit(source["url"].text(), source["resolved_reference"].text());
    add_file_hashes(package, item["files"] ? item["files"] : hashes[item["name"].text()]);
    for (const auto need : item["dependencies"])
      require(entry, python_key(need.key()),
              need.is_object() ? need["version"].text() : need.text());
  }
  return out;
}

Extract parse_uv_lock(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  for (const auto item : document.root()["package"]) {
    if (!item["name"]) continue;
    const auto source = item["source"];
    if (const auto folder = uv_folder(source); !folder.empty()) {
      uv_asks(out, item);
      if (folder == ".") {
        out.root = item["name"].text();
        out.root_version = item["version"].text();
        continue;
      }
      out.members.emplace_back(folder);
    }
    Entry& entry = add_package(out, file, item);
    entry.package.source = uv_source(source);
    add_hash(entry.package, item["sdist"]["hash"].text());
    add_file_hashes(entry.package, item["wheels"]);
    for (const auto need : item["dependencies"]) entry.needs.push_back(uv_key(need));
    for (const auto extra : item["optional-dependencies"])
      for (const auto need : extra) entry.needs.push_back(uv_key(need));
  }
  return out;
}

Extract parse_pdm_lock(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  for (const auto item : document.root()["package"]) {
    if (!item["name"]) continue;
    Entry& entry = add_package(out, file, item);
    auto& package = entry.package;
    if (const auto groups = item["groups"]; groups && !has_item(groups, "default")) {
      out.scopes_known = true;
      package.scope = has_item(groups, "dev") ? Scope::development : Scope::optional;
    }
    if (item["git"]) package.source = with_commit(item["git"].text(), item["revision"].text());
    for (const auto place : {"url", "path"})
      if (item[place]) package.source = item[place].text();
    add_file_hashes(package, item["files"]);
    for (const auto need : item["dependencies"])
      if (const auto asked = requirement(need.text()))
        require(entry, python_key(asked->name), asked->range);
  }
  return out;
}

Extract parse_pylock(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  for (const auto item : document.root()["packages"]) {
    if (!item["name"]) continue;
    if (item["directory"]["path"].text() == ".") {  // the project itself
      out.root = item["name"].text();
      out.root_version = item["version"].text();
      continue;
    }
    Entry& entry = add_package(out, file, item);
    entry.package.source = pylock_source(item);
    pylock_hashes(entry.package, item["archive"]);
    pylock_hashes(entry.package, item["sdist"]);
    for (const auto wheel : item["wheels"]) pylock_hashes(entry.package, wheel);
    for (const auto need : item["dependencies"]) entry.needs.push_back(uv_key(need));
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
