// .NET: project files with PackageReference, central versions (Directory.Packages.props),
// packages.config, packages.lock.json and what a build writes (*.deps.json). MSBuild is not run:
// conditions are taken as true, properties are those that stand as literal text.
#include <unordered_map>

#include "base/bytes/bytes.h"
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;
using Properties = std::unordered_map<std::string, std::string>;

std::string key_of(std::string_view name) {
  return normalised_name(Ecosystem::nuget, name);
}

// An attribute, or a child element's text.
std::string_view said(Value element, std::string_view name) {
  const auto attribute = element["@" + std::string(name)];
  return trimmed(attribute ? attribute.text() : element[name].text());
}

// Every element of that name below, whatever groups and conditions stand around it.
void each(Value element, std::string_view name, const auto& use) {
  for (const auto child : element) {
    if (child.key() == name) {
      use(child);
    } else if (child.is_object()) {
      each(child, name, use);
    }
  }
}

void add_properties(Properties& to, Value project) {
  each(project, "PropertyGroup", [&](Value group) {
    for (const auto property : group)
      if (property.is_object()) to.emplace(property.key(), property.text());
  });
}

// "$(Name)" by its value; not again inside of that.
std::string resolved(std::string_view text, const Properties& properties) {
  std::string out;
  while (!text.empty()) {
    const auto open = text.find("$(");
    const auto close = open == text.npos ? open : text.find(')', open);
    if (close == text.npos) break;
    out += text.substr(0, open);
    const auto found = properties.find(std::string(text.substr(open + 2, close - open - 2)));
    out += found == properties.end() ? std::string(text.substr(open, close - open + 1))
                                     : found->second;
    text.remove_prefix(close + 1);
  }
  return out + std::string(text);
}

// "1.2.3" asks for at least that and gets it, as NuGet takes the lowest; "[1.2.3]" is exact.
std::string version_of(std::string_view range) {
  if (range.starts_with('[') && range.ends_with(']') && range.find(',') == range.npos)
    range = range.substr(1, range.size() - 2);
  const bool plain = !range.empty() && range.find_first_of("[](),*$ ") == range.npos;
  return plain ? std::string(range) : std::string();
}

// The nearest file of that name from the folder upwards.
const std::string* above(const File& file, std::string_view name, std::string& path) {
  std::string folder = folder_of(file.path);
  for (;;) {
    path = (folder.empty() ? "" : folder + "/") + std::string(name);
    if (const auto* text = file.others.text(path)) return text;
    if (folder.empty()) return nullptr;
    folder = folder_of(folder);
  }
}

class Project {
 public:
  Project(Extract& out, const File& file, Value root) : out_(out), file_(file), root_(root) {}

  void read() {
    add_properties(properties_, root_);
    read_above("Directory.Build.props");
    read_above("Directory.Packages.props");
    out_.root =
        properties_.contains("PackageId") ? properties_["PackageId"] : properties_["AssemblyName"];
    out_.root_version = properties_["Version"];
    each(root_, "PackageReference", [&](Value item) { reference(item); });
  }

 private:
  void read_above(std::string_view name) {
    std::string path;
    const auto* text = above(file_, name, path);
    if (!text) return;
    const auto document = documents::read_xml(*text);
    if (document.fault()) return;  // told where it is read for itself
    out_.used.push_back(path);
    add_properties(properties_, document.root());
    each(document.root(), "PackageVersion", [&](Value item) {
      central_.emplace(key_of(said(item, "Include")), said(item, "Version"));
    });
    for (const auto kind : {"PackageReference", "GlobalPackageReference"})
      each(document.root(), kind, [&](Value item) { reference(item); });
  }

  void reference(Value item) {
    const auto name = said(item, "Include");
    if (name.empty()) return;
    auto asked = said(item, "VersionOverride");
    if (asked.empty()) asked = said(item, "Version");
    const auto central = central_.find(key_of(name));
    if (asked.empty() && central != central_.end()) asked = central->second;
    const std::string range = resolved(asked, properties_);
    if (range.empty())
      return problem(out_, file_, item.line(),
                     "the version of " + std::string(name) + " stands nowhere");
    const bool private_asset = said(item, "PrivateAssets") == "all";
    Entry& entry = add_direct(out_, file_, Ecosystem::nuget, name, range,
                              private_asset ? Scope::development : Scope::runtime, item.line());
    entry.keys = {key_of(name)};
    entry.package.version = version_of(range);
  }

  Extract& out_;
  const File& file_;
  Value root_;
  Properties properties_;
  std::unordered_map<std::string, std::string> central_;
};

// "name/1.2.3"
std::pair<std::string_view, std::string_view> name_and_version(std::string_view key) {
  const auto slash = key.find('/');
  return {key.substr(0, slash), slash == key.npos ? std::string_view() : key.substr(slash + 1)};
}

}  // namespace

Extract parse_nuget_project(const File& file) {
  Extract out;
  const auto document = documents::read_xml(file.text);
  if (!usable(out, file, document)) return out;
  Project(out, file, document.root()).read();
  return out;
}

Extract parse_nuget_central(const File& file) {
  Extract out;
  const auto document = documents::read_xml(file.text);
  if (!usable(out, file, document)) return out;
  Properties properties;
  add_properties(properties, document.root());
  for (const auto kind : {"PackageVersion", "PackageReference", "GlobalPackageReference"}) {
    each(document.root(), kind, [&](Value item) {
      const auto name = said(item, "Include");
      const std::string range = resolved(said(item, "Version"), properties);
      if (name.empty() || range.empty()) return;
      add_direct(out, file, Ecosystem::nuget, name, range, Scope::runtime, item.line())
          .package.version = version_of(range);
    });
  }
  return out;
}

Extract parse_nuget_config(const File& file) {
  Extract out;
  const auto document = documents::read_xml(file.text);
  if (!usable(out, file, document)) return out;
  for (const auto item : document.root()) {
    const auto name = item["@id"].text();
    if (item.key() != "package" || name.empty()) continue;
    if (item["@version"].text().empty()) {
      problem(out, file, item.line(), "the version of " + std::string(name) + " stands nowhere");
      continue;
    }
    auto& package =
        add(out, file, Ecosystem::nuget, name, item["@version"].text(), item.line()).package;
    if (item["@developmentDependency"].text() == "true") package.scope = Scope::development;
  }
  return out;
}

Extract parse_nuget_lock(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  for (const auto framework : root["dependencies"]) {
    const std::string prefix = std::string(framework.key()) + "/";
    for (const auto item : framework) {
      if (item["type"].text() == "Project") continue;
      Entry& entry =
          add(out, file, Ecosystem::nuget, item.key(), item["resolved"].text(), item.line());
      auto& package = entry.package;
      package.direct = item["type"].text() == "Direct";
      package.range = item["requested"].text();
      if (const auto hash = item["contentHash"].text(); !hash.empty())
        package.checksums.push_back({"sha512", std::string(hash)});
      entry.keys = {prefix + key_of(item.key()), key_of(item.key())};
      for (const auto need : item["dependencies"])
        require(entry, prefix + key_of(need.key()), need.text());
    }
  }
  return out;
}

Extract parse_deps_json(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  std::unordered_map<std::string_view, std::size_t> at;
  std::vector<std::string_view> projects;
  for (const auto item : root["libraries"]) {
    const auto [name, version] = name_and_version(item.key());
    if (name.empty() || version.empty()) continue;
    Entry& entry = add(out, file, Ecosystem::nuget, name, version, item.line());
    entry.keys = {key_of(name)};
    add_integrity(entry.package, item["sha512"].text());
    if (item["type"].text() == "project") {
      entry.package.source = ".";
      projects.push_back(item.key());
    }
    at.emplace(item.key(), out.entries.size() - 1);
  }
  for (const auto target : root["targets"]) {
    for (const auto item : target) {
      const auto found = at.find(item.key());
      if (found == at.end()) continue;
      auto& entry = out.entries[found->second];
      const bool project = entry.package.source == ".";
      for (const auto need : item["dependencies"]) {
        entry.needs.push_back(key_of(need.key()));
        if (project)
          out.asks.push_back({{key_of(need.key())}, std::string(need.text()), Scope::runtime});
      }
    }
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
