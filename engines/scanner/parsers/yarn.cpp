// yarn.lock. Version 1: blocks under "name@range, name@range:" with indented fields, an own format
// (yarnpkg/yarn src/lockfile/parse.js). Berry: YAML of the same keys, with a resolution each.
#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/parsers/npm.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return text.substr(1, text.size() - 2);
  return text;
}

// "name@npm:^1" and "name@^1" are one thing: old berry locks leave the protocol out on one side.
std::string key_of(std::string_view name, std::string_view range) {
  if (range.starts_with("npm:")) range.remove_prefix(4);
  return std::string(name) + "@" + std::string(range);
}

// Bytes of one block's keys: real ones have a few hundred.
constexpr std::size_t kMaxKeys = 100'000;

// "a@^1, a@~1" → two keys.
std::vector<std::string> keys_of(std::string_view text) {
  std::vector<std::string> keys;
  if (text.size() > kMaxKeys) text = text.substr(0, kMaxKeys);
  for (const auto part : split(text, ',')) {
    const auto one = descriptor(unquoted(trimmed(part)));
    if (!one.name.empty()) keys.push_back(key_of(one.name, one.range));
  }
  return keys;
}

// What a descriptor calls its package: an alias' target rather than the alias.
std::string_view real_name(std::string_view text) {
  const auto one = descriptor(text);
  if (!one.range.starts_with("npm:")) return one.name;
  const auto target = descriptor(one.range.substr(4));
  const bool alias = !target.name.empty() && (target.name.front() == '@' || !target.range.empty());
  return alias ? target.name : one.name;
}

bool from_registry(std::string_view url) {
  return url.empty() || url.find("/-/") != url.npos;
}

class Version1 {
 public:
  Version1(Extract& out, const File& file) : out_(out), file_(file) {}

  void read() {
    documents::Lines lines(file_.text);
    while (lines.next()) {
      const auto text = lines.text();
      const auto content = trimmed(text);
      if (content.empty() || content.front() == '#') continue;
      const auto indent = text.find_first_not_of(' ');
      if (indent == 0) {
        block(content, lines.number());
      } else if (indent == 2) {
        field(content);
      } else if (in_dependencies_ && current_) {
        const auto blank = content.starts_with('"') ? content.find('"', 1) + 1 : content.find(' ');
        if (blank == 0 || blank >= content.size()) continue;
        const auto range = unquoted(trimmed(content.substr(blank)));
        require(out_.entries.back(), key_of(unquoted(content.substr(0, blank)), range),
                without_alias(range));
      }
    }
  }

 private:
  void block(std::string_view content, uint32_t line) {
    in_dependencies_ = current_ = false;
    if (!content.ends_with(':')) {
      problem(out_, file_, line, "here should stand \"name@range:\"");
      return;
    }
    content.remove_suffix(1);
    const auto keys = keys_of(content);
    if (keys.empty()) return;
    const auto first = unquoted(trimmed(split(content, ',').front()));
    add(out_, file_, Ecosystem::npm, real_name(first), {}, line).keys = keys;
    current_ = true;
  }

  void field(std::string_view content) {
    if (!current_) return;
    in_dependencies_ = content == "dependencies:" || content == "optionalDependencies:";
    const auto blank = content.find(' ');
    if (blank == content.npos) return;
    auto& package = out_.entries.back().package;
    const auto name = unquoted(content.substr(0, blank));
    const auto value = unquoted(trimmed(content.substr(blank)));
    if (name == "version") {
      package.version = value;
    } else if (name == "resolved") {
      package.source = value;
      const auto hash = value.find('#');
      if (hash != value.npos && from_registry(value))
        package.checksums.push_back({"sha1", std::string(value.substr(hash + 1))});
    } else if (name == "integrity") {
      package.checksums.clear();  // better than the URL's SHA-1
      add_integrity(package, value);
    }
  }

  Extract& out_;
  const File& file_;
  bool current_ = false, in_dependencies_ = false;
};

void needs_of(Value item, Entry& entry) {
  for (const auto name : {"dependencies", "optionalDependencies"})
    for (const auto need : item[name])
      require(entry, key_of(need.key(), need.text()), without_alias(need.text()));
}

void workspace(Extract& out, Value item, std::string_view name, std::string_view folder) {
  if (folder == ".") {
    out.root = name;
  } else {
    out.members.emplace_back(folder);
  }
  for (const auto need : item["dependencies"])
    out.asks.push_back(
        {{key_of(need.key(), need.text())}, std::string(need.text()), Scope::runtime});
}

void berry(Extract& out, const File& file, Value root) {
  for (const auto item : root) {
    if (item.key() == "__metadata" || !item.is_object()) continue;
    const auto resolution = descriptor(item["resolution"].text());
    const auto name = resolution.name.empty() ? real_name(unquoted(item.key())) : resolution.name;
    constexpr std::string_view kWorkspace = "workspace:";
    const bool local = resolution.range.starts_with(kWorkspace);
    if (local) workspace(out, item, name, resolution.range.substr(kWorkspace.size()));
    if (local && resolution.range == "workspace:.") continue;
    Entry& entry = add(out, file, Ecosystem::npm, name, item["version"].text(), item.line());
    if (!resolution.range.starts_with("npm:")) entry.package.source = resolution.range;
    if (const auto sum = item["checksum"].text(); !sum.empty())
      entry.package.checksums.push_back({"yarn", std::string(sum)});
    entry.keys = keys_of(item.key());
    needs_of(item, entry);
  }
}

}  // namespace

Extract parse_yarn_lock(const File& file) {
  Extract out;
  if (file.text.find("__metadata:") == file.text.npos) {
    Version1(out, file).read();
    std::erase_if(out.entries, [](const Entry& e) { return e.package.name.empty(); });
    return out;
  }
  const auto document = documents::read_yaml(file.text);
  if (usable(out, file, document)) berry(out, file, document.root());
  return out;
}

}  // namespace gitaiops::scanner::parsers
