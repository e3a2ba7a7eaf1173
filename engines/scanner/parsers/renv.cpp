// renv.lock (rstudio.github.io/renv/articles/lockfile.html).
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {

Extract parse_renv_lock(const File& file) {
  Extract out;
  const auto document = read_object(out, file);
  if (!document) return out;
  const auto root = document->root();
  for (const auto item : root["Packages"]) {
    const auto remote = item["RemoteType"].text();
    // Without either nobody knows what it is.
    if (!item["Repository"] && remote.empty()) continue;
    Entry& entry = add(out, file, Ecosystem::cran, item["Package"].text(), item["Version"].text(),
                       item.line());
    entry.keys = {std::string(item["Package"].text())};
    for (const auto need : item["Requirements"]) entry.needs.emplace_back(need.text());
    if (!remote.empty() && remote != "standard")
      entry.package.source =
          std::string(remote) + ":" + std::string(item["RemoteUsername"].text()) + "/" +
          std::string(item["RemoteRepo"].text()) + "#" + std::string(item["RemoteSha"].text());
    if (const auto hash = item["Hash"].text(); !hash.empty())
      entry.package.checksums.push_back({"renv", std::string(hash)});
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
