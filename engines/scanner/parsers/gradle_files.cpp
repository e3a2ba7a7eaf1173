// What Gradle writes or reads beside its scripts: lock files
// (docs.gradle.org/current/userguide/dependency_locking.html), verification-metadata.xml and
// version catalogues.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/parsers/java.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

bool names_tests(std::string_view configuration) {
  return configuration.find("test") != configuration.npos ||
         configuration.find("Test") != configuration.npos;
}

// From the configurations that a module was resolved for.
Scope scope_of(std::string_view configurations) {
  bool tests_only = true, runtime = false;
  for (const auto configuration : split(configurations, ',')) {
    if (names_tests(configuration)) continue;
    tests_only = false;
    const std::string_view kEnd = "untimeClasspath";
    runtime = runtime || configuration.ends_with(kEnd) || configuration == "runtime" ||
              configuration == "compile";
  }
  if (tests_only) return Scope::development;
  return runtime ? Scope::runtime : Scope::build;
}

// Gradle's accessors take '-', '_' and '.' for one separator.
std::string accessor(std::string_view alias) {
  std::string out(alias);
  for (char& c : out)
    if (c == '-' || c == '_') c = '.';
  return out;
}

// A text, or {strictly|require|prefer = "…"}, or {ref = "name"}.
std::string version_of(const Catalogue& catalogue, Value said) {
  if (!said.is_object()) return std::string(said.text());
  if (const auto reference = said["ref"]) {
    const auto found = catalogue.versions.find(accessor(reference.text()));
    return found == catalogue.versions.end() ? std::string() : found->second;
  }
  for (const auto kind : {"strictly", "require", "prefer"})
    if (const auto version = said[kind].text(); !version.empty()) return std::string(version);
  return {};
}

Catalogue::Library library(const Catalogue& catalogue, Value item) {
  Catalogue::Library out;
  out.line = item.line();
  if (item.is_string()) {  // "group:artifact:version"
    const auto first = item.text().find(':');
    const auto second = first == std::string_view::npos ? first : item.text().find(':', first + 1);
    out.module = item.text().substr(0, second);
    if (second != std::string_view::npos) out.version = item.text().substr(second + 1);
    return out;
  }
  out.module = item["module"].text();
  if (out.module.empty() && item["group"])
    out.module = std::string(item["group"].text()) + ":" + std::string(item["name"].text());
  out.version = version_of(catalogue, item["version"]);
  return out;
}

}  // namespace

Extract parse_gradle_lockfile(const File& file) {
  Extract out;
  out.scopes_known = true;
  const bool buildscript = file_name(file.path).starts_with("buildscript");
  documents::Lines lines(file.text);
  while (lines.next()) {
    const auto line = trimmed(lines.text());
    if (line.empty() || line.starts_with('#') || line.starts_with("empty=")) continue;
    const auto equals = line.find('=');
    const auto parts = split(line.substr(0, equals), ':');
    if (parts.size() != 3 || parts[0].empty() || parts[1].empty() || parts[2].empty()) {
      problem(out, file, lines.number(), "here should stand group:artifact:version=configurations");
      continue;
    }
    const std::string name = std::string(parts[0]) + ":" + std::string(parts[1]);
    Entry& entry = add(out, file, Ecosystem::maven, name, parts[2], lines.number());
    entry.keys = {name};
    entry.package.scope =
        buildscript ? Scope::build
                    : scope_of(equals == line.npos ? std::string_view() : line.substr(equals + 1));
  }
  return out;
}

Extract parse_verification_metadata(const File& file) {
  Extract out;
  const auto document = documents::read_xml(file.text);
  if (!usable(out, file, document)) return out;
  for (const auto component : document.root()["components"]) {
    if (component.key() != "component") continue;
    const auto group = component["@group"].text(), artifact = component["@name"].text(),
               version = component["@version"].text();
    if (group.empty() || artifact.empty() || version.empty())
      problem(out, file, component.line(), "a component lacks its group, name or version");
    auto& package = add(out, file, Ecosystem::maven,
                        std::string(group) + ":" + std::string(artifact), version, component.line())
                        .package;
    for (const auto item : component)
      for (const auto hash : item)
        if (hash.is_object() && hash["@value"] && hash.key() != "pgp")
          package.checksums.push_back(
              {std::string(hash.key()), std::string(hash["@value"].text())});
  }
  return out;
}

Catalogue catalogue_of(Value root) {
  Catalogue out;
  for (const auto item : root["versions"])
    out.versions[accessor(item.key())] = version_of(out, item);
  for (const auto item : root["libraries"])
    out.libraries[accessor(item.key())] = library(out, item);
  for (const auto item : root["bundles"])
    for (const auto member : item)
      out.bundles[accessor(item.key())].push_back(accessor(member.text()));
  return out;
}

Extract parse_version_catalogue(const File& file) {
  Extract out;
  const auto document = documents::read_toml(file.text);
  if (!usable(out, file, document)) return out;
  for (const auto& [alias, library] : catalogue_of(document.root()).libraries) {
    if (library.module.find(':') == std::string::npos) {
      problem(out, file, library.line, "\"" + alias + "\" lacks its group or artifact");
      continue;
    }
    ask_for(
        add_direct(out, file, Ecosystem::maven, library.module, {}, Scope::runtime, library.line)
            .package,
        library.version);
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
