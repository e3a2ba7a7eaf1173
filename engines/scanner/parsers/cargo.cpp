// Cargo.toml (doc.rust-lang.org/cargo/reference/specifying-dependencies.html) and Cargo.lock, all
// versions. A crate without source is the project's own or a path dependency.
#include <map>

#include "base/bytes/bytes.h"
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

std::string key_of(std::string_view name) {
  return normalised_name(Ecosystem::crates_io, name);
}

// The [workspace.dependencies] of the nearest Cargo.toml above that has a [workspace].
class Workspace {
 public:
  explicit Workspace(const File& file) {
    std::string folder = folder_of(file.path);
    for (bool top = false; !top && !found_; folder = folder_of(folder)) {
      top = folder.empty();
      const std::string* text =
          file.others.text((folder.empty() ? "" : folder + "/") + "Cargo.toml");
      if (!text || text->find("[workspace") == text->npos) continue;
      document_ = documents::read_toml(*text);
      found_ = !document_.fault() && document_.root()["workspace"];
    }
  }
  Value dependency(std::string_view name) {
    if (!dependencies_) dependencies_.emplace(document_.root()["workspace"]["dependencies"]);
    return (*dependencies_)[name];
  }
  std::string_view version() const {
    return document_.root()["workspace"]["package"]["version"].text();
  }

 private:
  documents::Document document_;
  std::optional<documents::Members> dependencies_;
  bool found_ = false;
};

class Manifest {
 public:
  Manifest(Extract& out, const File& file, Value root) : out_(out), file_(file), root_(root) {}

  void read() {
    const auto package = root_["package"];
    out_.root = package["name"].text();
    out_.root_version = package["version"]["workspace"].is_true() ? workspace().version()
                                                                  : package["version"].text();
    sections(root_);
    for (const auto target : root_["target"]) sections(target);
  }

 private:
  void sections(Value table) {
    section(table["dependencies"], Scope::runtime);
    section(table["dev-dependencies"], Scope::development);
    section(table["dev_dependencies"], Scope::development);
    section(table["build-dependencies"], Scope::build);
    section(table["build_dependencies"], Scope::build);
  }

  void section(Value table, Scope scope) {
    for (const auto item : table) {
      if (!item.is_string() && !item.is_object()) {
        problem(out_, file_, item.line(),
                "\"" + std::string(item.key()) + "\" is neither a version nor a table");
        continue;
      }
      const auto shared = item["workspace"].is_true() ? workspace().dependency(item.key()) : item;
      dependency(item, shared, item["optional"].is_true() ? Scope::optional : scope);
    }
  }

  void dependency(Value item, Value said, Scope scope) {
    const auto name = said["package"] ? said["package"].text() : item.key();
    const auto range = said.is_object() ? said["version"].text() : said.text();
    Entry& entry = add_direct(out_, file_, Ecosystem::crates_io, name, range, scope, item.line());
    entry.keys = {key_of(name)};
    auto& package = entry.package;
    if (range.starts_with('=') && range.find(',') == range.npos)
      package.version = trimmed(range.substr(1));
    if (said["path"]) package.source = said["path"].text();
    if (said["git"] && !said["git"].is_string())
      problem(out_, file_, item.line(),
              "\"git\" of \"" + std::string(item.key()) + "\" is no text");
    if (const auto git = said["git"].text(); !git.empty()) {
      const auto revision = said["rev"].text();
      package.source = std::string(git) + (revision.empty() ? "" : "#" + std::string(revision));
    }
  }

  // Read once, and only when something refers to it.
  Workspace& workspace() {
    if (!workspace_) workspace_ = std::make_unique<Workspace>(file_);
    return *workspace_;
  }

  Extract& out_;
  const File& file_;
  Value root_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace

Extract parse_cargo_toml(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  Manifest(out, file, document.root()).read();
  return out;
}

Extract parse_cargo_lock(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  const auto root = document.root();
  const documents::Members sums(root["metadata"]);  // lock version 1
  for (const auto item : root["package"]) {
    const auto name = item["name"].text(), version = item["version"].text();
    if (name.empty()) continue;
    Entry& entry = add(out, file, Ecosystem::crates_io, name, version, item["name"].line());
    const auto source = item["source"].text();
    auto& package = entry.package;
    package.source = source.starts_with("registry+https://github.com/rust-lang/crates.io-index") ||
                             source.starts_with("sparse+https://index.crates.io/")
                         ? std::string_view()
                         : source;
    auto sum = item["checksum"].text();
    const std::string full = std::string(name) + " " + std::string(version);
    if (sum.empty()) sum = sums["checksum " + full + " (" + std::string(source) + ")"].text();
    if (!sum.empty() && sum != "<none>") package.checksums.push_back({"sha256", std::string(sum)});
    entry.keys = {key_of(name), full, full + " (" + std::string(source) + ")"};
    // "name", "name version" or "name version (source)", as short as is clear.
    for (const auto need : item["dependencies"]) {
      const bool name_only = need.text().find(' ') == std::string_view::npos;
      entry.needs.push_back(name_only ? key_of(need.text()) : std::string(need.text()));
    }
    if (source.empty()) out.own.emplace_back(name);
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
