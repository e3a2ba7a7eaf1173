// Package.resolved of the Swift package manager: pins, in three versions of one shape.
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

// "https://github.com/a/b.git" → "github.com/a/b", as advisories name it.
std::string_view place(std::string_view location) {
  if (const auto scheme = location.find("://"); scheme != location.npos)
    location.remove_prefix(scheme + 3);
  if (const auto user = location.find('@'); user < location.find('/'))
    location.remove_prefix(user + 1);
  if (location.ends_with(".git")) location.remove_suffix(4);
  return location;
}

}  // namespace

Extract parse_package_resolved(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  const auto pins = root["pins"] ? root["pins"] : root["object"]["pins"];
  for (const auto pin : pins) {
    const auto location = pin["location"] ? pin["location"].text() : pin["repositoryURL"].text();
    const auto name = location.empty() ? pin["identity"].text() : place(location);
    if (name.empty()) continue;
    const auto state = pin["state"];
    const uint32_t line = pin.begin() == pin.end() ? pin.line() : (*pin.begin()).line();
    auto& package = add(out, file, Ecosystem::swift, name, state["version"].text(), line).package;
    const auto revision = state["revision"].text();
    package.source = std::string(location) + (revision.empty() ? "" : "#" + std::string(revision));
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
