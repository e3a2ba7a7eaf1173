// How each ecosystem's package names lie in a package URL.
#include "base/bytes/bytes.h"
#include "engines/scanner/inventory.h"
#include "engines/scanner/purl.h"

namespace gitaiops::scanner {

std::string purl_of(const Package& package) {
  Purl purl;
  purl.type = purl_type(package.ecosystem);
  purl.version = package.version;
  std::string_view name = package.name;
  // Maven joins group and artifact by ':', the others what stands before their name by '/'.
  const char joint = package.ecosystem == Ecosystem::maven ? ':' : '/';
  const auto cut = name.rfind(joint);
  const bool has_space = cut != name.npos && package.ecosystem != Ecosystem::cran &&
                         package.ecosystem != Ecosystem::pypi &&
                         package.ecosystem != Ecosystem::nuget;
  if (has_space) purl.name_space = name.substr(0, cut);
  purl.name = has_space ? name.substr(cut + 1) : name;
  if (package.ecosystem == Ecosystem::go && !has_space) {
    // "stdlib" and modules of one word have no namespace, which the type asks for.
    return "pkg:golang/" + purl.name + (purl.version.empty() ? "" : "@" + purl.version);
  }
  if (package.ecosystem == Ecosystem::go && !purl.version.empty() && purl.version.front() >= '0' &&
      purl.version.front() <= '9')
    purl.version.insert(0, "v");
  auto built = build_purl(purl);
  if (built.ok()) return std::move(*built);
  purl.type = "generic";  // a name that its own registry would not take
  built = build_purl(std::move(purl));
  return built.ok() ? std::move(*built) : std::string();
}

}  // namespace gitaiops::scanner
