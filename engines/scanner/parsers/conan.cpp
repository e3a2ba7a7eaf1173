// conan.lock (docs.conan.io, "lockfiles"): version 0.5 lists references, the 0.4 of Conan 1 holds
// the graph. A reference is name/version[@user/channel][#revision][%time].
#include <unordered_map>

#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

bool add_reference(Extract& out, const File& file, std::string_view text, uint32_t line) {
  const auto slash = text.find('/');
  if (slash == text.npos || slash == 0) return false;
  const auto rest = text.substr(slash + 1);
  const auto version = rest.substr(0, rest.find_first_of("@#%:"));
  if (version.empty()) return false;
  auto& package = add(out, file, Ecosystem::conan, text.substr(0, slash), version, line).package;
  if (const auto revision = rest.find('#'); revision != rest.npos) {
    const auto hash = rest.substr(revision + 1);
    package.checksums.push_back({"conan", std::string(hash.substr(0, hash.find_first_of("%:#")))});
  }
  if (const auto user = rest.find('@'); user != rest.npos)
    package.source = rest.substr(user, rest.find_first_of("#%:", user) == rest.npos
                                           ? rest.npos
                                           : rest.find_first_of("#%:", user) - user);
  return true;
}

void graph(Extract& out, const File& file, Value nodes) {
  std::string root;
  for (const auto node : nodes) {
    const auto reference = node["ref"].text().empty() ? node["pref"].text() : node["ref"].text();
    const bool own = !node["path"].text().empty();
    const bool added = !own && add_reference(out, file, reference, node.line());
    std::vector<std::string> needs;
    for (const auto section : {"requires", "build_requires"})
      for (const auto need : node[section]) needs.emplace_back(need.text());
    if (!added) {
      // The project itself.
      for (auto& need : needs) out.asks.push_back({{std::move(need)}, {}, Scope::runtime});
      continue;
    }
    Entry& entry = out.entries.back();
    entry.keys = {std::string(node.key())};
    entry.needs = std::move(needs);
    if (node["context"].text() == "build") entry.package.scope = Scope::build;
  }
}

}  // namespace

Extract parse_conan_lock(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  if (const auto nodes = root["graph_lock"]["nodes"]) {
    graph(out, file, nodes);
    return out;
  }
  constexpr std::pair<std::string_view, Scope> kSections[] = {{"requires", Scope::runtime},
                                                              {"build_requires", Scope::build},
                                                              {"python_requires", Scope::build}};
  for (const auto& [section, scope] : kSections)
    for (const auto item : root[section])
      if (add_reference(out, file, item.text(), item.line()))
        out.entries.back().package.scope = scope;
  return out;
}

}  // namespace gitaiops::scanner::parsers
