// pnpm-lock.yaml (pnpm/spec lockfile/{5.2,6.0,9.0}.md). A package's key is its path in the store:
// "/name/1.0.0_peers" (5), "/name@1.0.0(peers)" (6), "name@1.0.0" with the peers in "snapshots"
// (9); other registries and git hosts stand before it.
#include <unordered_map>

#include "base/bytes/bytes.h"
#include "engines/scanner/parsers/npm.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

bool starts_version(std::string_view text) {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

std::string_view without_peers(std::string_view key) {
  return key.substr(0, key.find('('));
}

struct Named {
  std::string name, version;
};

// Version 5: the last part is the version, the one or two before it the name.
Named from_parts(std::string_view key) {
  auto parts = split(key, '/');
  if (parts.size() < 2) return {};
  auto version = parts.back();
  if (!starts_version(version)) return {};
  version = version.substr(0, version.find('_'));
  std::string name(parts[parts.size() - 2]);
  if (parts.size() > 2 && parts[parts.size() - 3].starts_with('@'))
    name = std::string(parts[parts.size() - 3]) + "/" + name;
  return {std::move(name), std::string(version)};
}

// From version 6 on: "name@version", perhaps behind "/" or a registry's host.
Named from_descriptor(std::string_view key) {
  key = without_peers(key);
  if (key.starts_with('/')) key.remove_prefix(1);
  const auto at = key.find('@', 1);
  if (at == key.npos) return from_parts(key);
  auto name = key.substr(0, at);
  if (const auto host = name.find("/@"); host != name.npos) {
    name.remove_prefix(host + 1);
  } else if (!name.starts_with('@')) {
    name = file_name(name);
  }
  return {std::string(name), std::string(key.substr(at + 1))};
}

class Lock {
 public:
  Lock(Extract& out, const File& file, Value root)
      : out_(out),
        file_(file),
        root_(root),
        version_(parse_double(root["lockfileVersion"].text()).value_or(0)) {}

  void read() {
    out_.scopes_known = version_ < 9;
    for (const auto item : root_["packages"]) package(item);
    for (const auto item : root_["snapshots"]) {
      const auto found = by_key_.find(without_peers(item.key()));
      if (found == by_key_.end()) continue;
      auto& entry = out_.entries[found->second];
      if (item.key() != found->first) entry.keys.emplace_back(item.key());
      needs(item, entry.needs);
    }
    if (const auto importers = root_["importers"]) {
      for (const auto importer : importers) {
        if (importer.key() != ".") out_.members.emplace_back(importer.key());
        asks(importer);
      }
    } else {
      asks(root_);
    }
  }

 private:
  void package(Value item) {
    const auto key = item.key();
    Named named = version_ >= 6 ? from_descriptor(key) : from_parts(key);
    if (named.name.empty() && version_ < 6 && key.find('@', 1) != key.npos)
      named = from_descriptor(key);
    if (const auto name = item["name"]) named.name = name.text();
    if (const auto version = item["version"]) named.version = version.text();
    if (named.name.empty() || named.version.empty()) return;
    const bool place = named.version.find(':') != std::string::npos;  // "file:…", "https://…"
    const auto resolution = item["resolution"];
    Entry& entry = add(out_, file_, Ecosystem::npm, named.name,
                       place ? std::string() : named.version, item.line());
    auto& package = entry.package;
    if (const auto repository = resolution["repo"].text(); !repository.empty()) {
      package.source = std::string(repository) + "#" + std::string(resolution["commit"].text());
    } else if (const auto tarball = resolution["tarball"].text(); !tarball.empty()) {
      package.source = tarball;
    } else {
      package.source = resolution["directory"].text();
    }
    add_integrity(package, resolution["integrity"].text());
    if (item["dev"].is_true()) package.scope = Scope::development;
    if (item["optional"].is_true() && package.scope == Scope::runtime)
      package.scope = Scope::optional;
    entry.keys = {std::string(key)};
    needs(item, entry.needs);
    by_key_.emplace(key, static_cast<uint32_t>(out_.entries.size() - 1));
  }

  void needs(Value item, std::vector<std::string>& to) const {
    for (const auto section : {"dependencies", "optionalDependencies"})
      for (const auto need : item[section]) to.push_back(key_of(need.key(), need.text()));
  }

  // The key in "packages" of what a dependency says: a version, or the key itself of an alias or of
  // what comes from elsewhere.
  std::string key_of(std::string_view name, std::string_view reference) const {
    const auto core = without_peers(reference);
    if (version_ >= 9) {
      const auto at = core.find('@', 1);
      const bool whole = at != core.npos && core.find(':') > at;
      return whole ? std::string(reference) : std::string(name) + "@" + std::string(reference);
    }
    if (!starts_version(core)) return std::string(reference);
    return "/" + std::string(name) + (version_ >= 6 ? "@" : "/") + std::string(reference);
  }

  void asks(Value importer) {
    const documents::Members specifiers(importer["specifiers"]);  // version 5
    constexpr std::pair<std::string_view, Scope> kSections[] = {
        {"dependencies", Scope::runtime},
        {"optionalDependencies", Scope::optional},
        {"devDependencies", Scope::development}};
    for (const auto& [section, scope] : kSections) {
      for (const auto item : importer[section]) {
        const auto reference = item.is_object() ? item["version"].text() : item.text();
        const auto range =
            item.is_object() ? item["specifier"].text() : specifiers[item.key()].text();
        out_.asks.push_back({{key_of(item.key(), reference)}, std::string(range), scope});
      }
    }
  }

  Extract& out_;
  const File& file_;
  Value root_;
  double version_;
  std::unordered_map<std::string_view, uint32_t> by_key_;
};

}  // namespace

Extract parse_pnpm_lock(const File& file) {
  Extract out;
  const auto document = documents::read_yaml(file.text);
  if (!usable(out, file, document)) return out;
  // A first document of the package manager's own tools may stand before the project's.
  for (const auto root : document.roots()) {
    if (!root.is_object()) {
      if (root.kind() != documents::Kind::null)
        problem(out, file, root.line(), "it is not a mapping");
      continue;
    }
    Lock(out, file, root).read();
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
