// package.json (docs.npmjs.com: configuring-npm/package-json) and package-lock.json, whose
// "packages" (2 and 3) are keyed by their folder and whose "dependencies" (1) nest as the folders
// do. Node looks for a module in node_modules of each folder on the way up; edges follow that.
#include "engines/scanner/parsers/npm.h"

#include <algorithm>
#include <unordered_map>

#include "base/bytes/bytes.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

struct Section {
  std::string_view name;
  Scope scope;
};
constexpr Section kSections[] = {{"dependencies", Scope::runtime},
                                 {"optionalDependencies", Scope::optional},
                                 {"devDependencies", Scope::development}};

std::string_view last_module(std::string_view path) {
  constexpr std::string_view kModules = "node_modules/";
  const auto at = path.rfind(kModules);
  return at == path.npos ? path : path.substr(at + kModules.size());
}

bool is_git(std::string_view text) {
  for (const auto start : {"git+", "git:", "github:", "gitlab:", "bitbucket:", "gist:", "git@"})
    if (text.starts_with(start)) return true;
  return false;
}

Scope flagged(Value from) {
  if (from["dev"].is_true() || from["devOptional"].is_true()) return Scope::development;
  return from["optional"].is_true() ? Scope::optional : Scope::runtime;
}

// Entries of a lock by the folder that they lie in.
class Folders {
 public:
  void remember(std::string folder, uint32_t entry) { at_.emplace(std::move(folder), entry); }

  bool tired() const { return searched_ > kMaxSearch; }

  std::optional<uint32_t> find(std::string_view from, std::string_view name) {
    if (tired()) return std::nullopt;
    std::string folder(from);
    while (!tired()) {
      searched_ += folder.size() + name.size();
      const std::string wanted =
          (folder.empty() ? "" : folder + "/") + "node_modules/" + std::string(name);
      if (const auto found = at_.find(wanted); found != at_.end()) return found->second;
      if (folder.empty()) return std::nullopt;
      const auto cut = folder.rfind("/node_modules/");
      if (cut != folder.npos) {
        folder.resize(cut);
      } else {
        folder = folder.starts_with("node_modules/") ? "" : folder_of(folder);
      }
    }
    return std::nullopt;
  }

 private:
  std::unordered_map<std::string, uint32_t> at_;
  std::size_t searched_ = 0;
};

class Lock {
 public:
  Lock(Extract& out, const File& file) : out_(out), file_(file) { out.scopes_known = true; }

  // Versions 2 and 3: {"": root, "node_modules/a": …, "packages/member": …}.
  void packages(Value packages) {
    for (const auto item : packages) {
      if (!item.is_object()) continue;
      const auto path = item.key();
      if (path.empty()) {
        root(item);
      } else if (item["link"].is_true()) {
        links_.emplace_back(path, item["resolved"].text());
      } else {
        placed(item, path);
      }
    }
    for (const auto& [path, target] : links_)
      if (const auto found = members_.find(std::string(target)); found != members_.end())
        folders_.remember(std::string(path), found->second);
    for (const auto item : packages) {
      const auto found = own_.find(item.key());
      if (found == own_.end()) continue;
      for (const auto name : {"dependencies", "optionalDependencies", "peerDependencies"})
        for (const auto need : item[name]) edge(found->second, item.key(), need);
    }
  }

  void root(Value item) {
    for (const auto& [name, scope] : kSections)
      for (const auto wanted : item[name]) direct_.push_back({wanted, scope});
  }

  void root_asks() {
    for (const auto& [wanted, scope] : direct_) {
      const auto found = folders_.find({}, wanted.key());
      if (!found) continue;
      auto& package = out_.entries[*found].package;
      package.direct = true;
      package.range = without_alias(wanted.text());
    }
    if (folders_.tired())
      problem(out_, file_, 0, "its folders nest so deep that dependencies were left out");
  }

  // Version 1.
  void dependencies(Value items, const std::string& folder) {
    for (const auto item : items) {
      const std::string path =
          (folder.empty() ? "" : folder + "/") + "node_modules/" + std::string(item.key());
      old_entry(item, path);
      dependencies(item["dependencies"], path);
    }
    for (const auto item : items) {
      const std::string path =
          (folder.empty() ? "" : folder + "/") + "node_modules/" + std::string(item.key());
      if (const auto found = folders_.find(folder, item.key()))
        for (const auto need : item["requires"]) edge(*found, path, need);
    }
  }

 private:
  void placed(Value item, std::string_view path) {
    auto name = item["name"].text();
    const bool module = path.find("node_modules/") != path.npos;
    if (name.empty()) name = module ? last_module(path) : file_name(path);
    Entry& entry = add(out_, file_, Ecosystem::npm, name, item["version"].text(), item.line());
    auto& package = entry.package;
    package.scope = flagged(item);
    const auto resolved = item["resolved"].text();
    package.source = module ? resolved : path;
    if (is_git(resolved) || resolved.starts_with("file:")) package.source = resolved;
    add_integrity(package, item["integrity"].text());
    entry.keys = {std::string(last_module(path))};
    const auto at = static_cast<uint32_t>(out_.entries.size() - 1);
    own_.emplace(item.key(), at);
    if (module) {
      folders_.remember(std::string(path), at);
    } else {
      members_.emplace(path, at);
      out_.members.emplace_back(path);
    }
  }

  void old_entry(Value item, const std::string& path) {
    auto name = item.key();
    auto version = item["version"].text();
    std::string_view source = item["resolved"].text();
    if (version.starts_with("npm:")) {
      const auto alias = descriptor(version.substr(4));
      name = alias.name;
      version = alias.range;
    } else if (is_place(version)) {
      source = version;
      version = {};
    }
    Entry& entry = add(out_, file_, Ecosystem::npm, name, version, item.line());
    entry.package.scope = flagged(item);
    entry.package.source = source;
    add_integrity(entry.package, item["integrity"].text());
    entry.keys = {std::string(item.key())};
    folders_.remember(path, static_cast<uint32_t>(out_.entries.size() - 1));
  }

  void edge(uint32_t from, std::string_view folder, Value need) {
    const auto to = folders_.find(folder, need.key());
    if (to) depend(out_.entries[from].package, *to, without_alias(need.text()));
  }

  struct Wanted {
    Value value;
    Scope scope;
  };
  Extract& out_;
  const File& file_;
  Folders folders_;
  std::unordered_map<std::string_view, uint32_t> own_;
  std::unordered_map<std::string, uint32_t> members_;
  std::vector<std::pair<std::string_view, std::string_view>> links_;
  std::vector<Wanted> direct_;
};

}  // namespace

Descriptor descriptor(std::string_view text) {
  const auto at = text.find('@', 1);
  if (at == text.npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool is_place(std::string_view range) {
  for (const auto start : {"file:", "link:", "portal:", "workspace:", "patch:", "http:", "https:",
                           "ssh:", "./", "../", "/", "~/"})
    if (range.starts_with(start)) return true;
  // "user/repository" is short for GitHub.
  return is_git(range) || (range.find('/') != range.npos && !range.starts_with("npm:"));
}

std::string_view without_alias(std::string_view range) {
  if (!range.starts_with("npm:")) return range;
  range.remove_prefix(4);
  const auto at = range.find('@', 1);
  return at == range.npos ? range : range.substr(at + 1);
}

bool is_exact_version(std::string_view range) {
  while (range.starts_with('=') || range.starts_with('v') || range.starts_with(' '))
    range.remove_prefix(1);
  int dots = 0;
  std::size_t i = 0;
  for (; i < range.size() && (range[i] == '.' || (range[i] >= '0' && range[i] <= '9')); ++i)
    dots += range[i] == '.';
  if (dots != 2 || range.front() == '.' || range[i - 1] == '.') return false;
  return i == range.size() ||
         ((range[i] == '-' || range[i] == '+') && range.find_first_of(" |,<>") == range.npos);
}

Extract parse_package_json(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  out.root = root["name"].text();
  out.root_version = root["version"].text();
  for (const auto& [section, scope] : kSections) {
    for (const auto item : root[section]) {
      if (!item.is_string()) {
        problem(out, file, item.line(),
                "the range of \"" + std::string(item.key()) + "\" is no text");
        continue;
      }
      auto name = item.key();
      auto range = trimmed(item.text());
      if (range.starts_with("npm:")) {
        const auto alias = descriptor(range.substr(4));
        name = alias.name;
        range = alias.range;
      }
      Entry& entry = add_direct(out, file, Ecosystem::npm, name, range, scope, item.line());
      // yarn knows it by name and range, the others by name.
      auto asked = trimmed(item.text());
      if (asked.starts_with("npm:")) asked.remove_prefix(4);
      entry.keys = {std::string(item.key()) + "@" + std::string(asked), std::string(item.key())};
      if (is_place(range)) {
        entry.package.source = range;
      } else if (!range.empty() && is_exact_version(range)) {
        entry.package.version = range.substr(range.find_first_not_of("=v "));
      }
    }
  }
  return out;
}

Extract parse_package_lock(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  const auto packages = root["packages"];
  const auto own = packages[""];
  out.root = root["name"] ? root["name"].text() : own["name"].text();
  out.root_version = root["version"] ? root["version"].text() : own["version"].text();
  Lock lock(out, file);
  if (packages.is_object()) {
    lock.packages(packages);
  } else {
    lock.dependencies(root["dependencies"], {});
  }
  lock.root_asks();
  return out;
}

}  // namespace gitaiops::scanner::parsers
