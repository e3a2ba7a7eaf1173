// composer.json and composer.lock (getcomposer.org/doc/04-schema.md). "php", "ext-…", "lib-…" and
// "composer…-api" are the platform's, not packages: no vendor stands before a slash.
#include "base/bytes/bytes.h"
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

bool is_package(std::string_view name) {
  return name.find('/') != name.npos;
}

std::string key_of(std::string_view name) {
  return normalised_name(Ecosystem::packagist, name);
}

bool is_version(std::string_view range) {
  if (range.starts_with('v')) range.remove_prefix(1);
  return !range.empty() && range.front() >= '0' && range.front() <= '9' &&
         range.find_first_of(" ,|*<>=^~@") == range.npos;
}

void lock_section(Extract& out, const File& file, Value packages, Scope scope) {
  for (const auto item : packages) {
    const auto name = item["name"].text();
    if (name.empty()) continue;
    auto version = item["version"].text();
    Entry& entry = add(out, file, Ecosystem::packagist, name, version, item["name"].line());
    auto& package = entry.package;
    package.scope = scope;
    const auto source = item["source"], dist = item["dist"];
    if (const auto url = source["url"].text(); !url.empty()) {
      package.source = std::string(url) + "#" + std::string(source["reference"].text());
    } else {
      package.source = dist["url"].text();
    }
    if (const auto sum = dist["shasum"].text(); !sum.empty())
      package.checksums.push_back({"sha1", std::string(sum)});
    entry.keys = {key_of(name)};
    for (const auto other : item["provide"]) entry.keys.push_back(key_of(other.key()));
    for (const auto other : item["replace"]) entry.keys.push_back(key_of(other.key()));
    for (const auto need : item["require"])
      if (is_package(need.key())) require(entry, key_of(need.key()), need.text());
  }
}

}  // namespace

Extract parse_composer_json(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  out.root = root["name"].text();
  out.root_version = root["version"].text();
  constexpr std::pair<std::string_view, Scope> kSections[] = {{"require", Scope::runtime},
                                                              {"require-dev", Scope::development}};
  for (const auto& [section, scope] : kSections) {
    for (const auto item : root[section]) {
      if (!is_package(item.key())) continue;
      const auto range = trimmed(item.text());
      Entry& entry =
          add_direct(out, file, Ecosystem::packagist, item.key(), range, scope, item.line());
      entry.keys = {key_of(item.key())};
      if (is_version(range)) entry.package.version = range;
    }
  }
  return out;
}

Extract parse_composer_lock(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  out.scopes_known = true;
  lock_section(out, file, root["packages"], Scope::runtime);
  lock_section(out, file, root["packages-dev"], Scope::development);
  return out;
}

}  // namespace gitaiops::scanner::parsers
