#include "engines/scanner/parsers/extract.h"

#include "base/bytes/bytes.h"

namespace gitaiops::scanner::parsers {

Entry& add(Extract& out, const File& file, Ecosystem ecosystem, std::string_view name,
           std::string_view version, uint32_t line) {
  if (out.entries.size() == kMaxPackages) {
    problem(
        out, file, line,
        "it names more than " + std::to_string(kMaxPackages) + " packages; the rest is left out");
  }
  if (out.entries.size() > kMaxPackages) out.entries.pop_back();
  Entry entry;
  entry.package.ecosystem = ecosystem;
  entry.package.name = name;
  entry.package.version = version;
  entry.package.file = file.path;
  entry.package.line = line;
  out.entries.push_back(std::move(entry));
  return out.entries.back();
}

Entry& add_direct(Extract& out, const File& file, Ecosystem ecosystem, std::string_view name,
                  std::string_view range, Scope scope, uint32_t line) {
  Entry& entry = add(out, file, ecosystem, name, {}, line);
  entry.package.direct = true;
  entry.package.range = range;
  entry.package.scope = scope;
  return entry;
}

void require(Entry& entry, std::string key, std::string_view range) {
  entry.need_ranges.resize(entry.needs.size());
  entry.needs.push_back(std::move(key));
  entry.need_ranges.emplace_back(range);
}

void depend(Package& package, uint32_t on, std::string_view range) {
  package.depends_ranges.resize(package.depends_on.size());
  package.depends_on.push_back(on);
  package.depends_ranges.emplace_back(range);
}

void problem(Extract& out, const File& file, uint32_t line, std::string reason) {
  constexpr std::size_t kEnough = 20;  // of one file: then it is no such file
  if (out.problems.size() < kEnough) out.problems.push_back({file.path, line, std::move(reason)});
}

bool usable(Extract& out, const File& file, const documents::Document& document) {
  if (!document.fault()) return true;
  problem(out, file, document.fault()->line, document.fault()->reason);
  return false;
}

std::optional<documents::Document> read_object(Extract& out, const File& file,
                                               documents::Comments comments) {
  auto document = documents::read_json(file.text, comments);
  if (!usable(out, file, document)) return std::nullopt;
  const auto root = document.root();
  if (root.is_object()) return document;
  problem(out, file, root.line(), "it is not an object");
  return std::nullopt;
}

void add_integrity(Package& package, std::string_view integrity) {
  for (const auto part : split(integrity, ' ')) {
    const auto dash = part.find('-');
    if (dash == part.npos || dash == 0) continue;
    package.checksums.push_back({std::string(part.substr(0, dash)),
                                 std::string(part.substr(dash + 1, part.find('?') - dash - 1))});
  }
}

void add_hash(Package& package, std::string_view hash) {
  const auto colon = hash.find(':');
  if (colon == hash.npos || colon == 0 || colon + 1 == hash.size()) return;
  package.checksums.push_back(
      {std::string(hash.substr(0, colon)), std::string(hash.substr(colon + 1))});
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == path.npos ? std::string_view() : path.substr(0, slash));
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::optional<std::string> inside(std::string_view folder, std::string_view relative) {
  if (relative.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> parts;
  for (const std::string_view text : {folder, relative}) {
    for (const auto part : split(text, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
      } else if (parts.empty()) {
        return std::nullopt;
      } else {
        parts.pop_back();
      }
    }
  }
  std::string out;
  for (const auto part : parts) {
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
