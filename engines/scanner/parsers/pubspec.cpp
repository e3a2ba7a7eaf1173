// pubspec.lock (dart.dev/tools/pub/glossary#lockfile): what is direct stands in it, edges do not.
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {

Extract parse_pubspec_lock(const File& file) {
  Extract out;
  const auto document = documents::read_yaml(file.text);
  if (!usable(out, file, document)) return out;
  const auto root = document.root();
  if (root && !root.is_object()) return problem(out, file, root.line(), "it is not a mapping"), out;
  out.scopes_known = true;
  for (const auto item : root["packages"]) {
    auto& package =
        add(out, file, Ecosystem::pub, item.key(), item["version"].text(), item.line()).package;
    const auto dependency = item["dependency"].text(), source = item["source"].text();
    const auto description = item["description"];
    package.direct = dependency.starts_with("direct");
    if (dependency == "direct dev") package.scope = Scope::development;
    if (source == "git") {
      package.source = std::string(description["url"].text()) + "#" +
                       std::string(description["resolved-ref"].text());
    } else if (source == "path") {
      package.source = description["path"].text();
    } else if (source == "sdk") {
      package.source = "sdk:" + std::string(description.text());
    } else if (const auto url = description["url"].text();
               url != "https://pub.dev" && url != "https://pub.dartlang.org") {
      package.source = url;
    }
    if (const auto hash = description["sha256"].text(); !hash.empty())
      package.checksums.push_back({"sha256", std::string(hash)});
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
