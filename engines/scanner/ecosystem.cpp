#include "engines/scanner/ecosystem.h"

#include <algorithm>
#include <array>

namespace gitaiops::scanner {
namespace {

struct Names {
  Ecosystem ecosystem;
  std::string_view osv;
  std::string_view purl;
};

// In the order of the enumeration: a name is found by its position.
constexpr std::array kNames{
    Names{Ecosystem::npm, "npm", "npm"},
    Names{Ecosystem::pypi, "PyPI", "pypi"},
    Names{Ecosystem::maven, "Maven", "maven"},
    Names{Ecosystem::go, "Go", "golang"},
    Names{Ecosystem::crates_io, "crates.io", "cargo"},
    Names{Ecosystem::packagist, "Packagist", "composer"},
    Names{Ecosystem::rubygems, "RubyGems", "gem"},
    Names{Ecosystem::nuget, "NuGet", "nuget"},
    Names{Ecosystem::hex, "Hex", "hex"},
    Names{Ecosystem::pub, "Pub", "pub"},
    Names{Ecosystem::conan, "ConanCenter", "conan"},
    Names{Ecosystem::cran, "CRAN", "cran"},
    Names{Ecosystem::swift, "SwiftURL", "swift"},
    Names{Ecosystem::debian, "Debian", "deb"},
    Names{Ecosystem::alpine, "Alpine", "apk"},
    Names{Ecosystem::red_hat, "Red Hat", "rpm"},
    Names{Ecosystem::hackage, "Hackage", "hackage"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (static_cast<std::size_t>(kNames[i].ecosystem) != i) return false;
  return true;
}
static_assert(in_order());

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// PEP 503: runs of "-", "_" and "." are one "-".
std::string python_name(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (const char c : name) {
    if (c != '-' && c != '_' && c != '.') {
      out.push_back(lower(c));
    } else if (out.empty() || out.back() != '-') {
      out.push_back('-');
    }
  }
  return out;
}

// Swift packages are named by where they lie: "https://github.com/a/b.git" and
// "git@github.com:a/b" are github.com/a/b.
std::string swift_name(std::string_view name) {
  if (const auto scheme = name.find("://"); scheme != name.npos) name.remove_prefix(scheme + 3);
  if (const auto user = name.find('@'); user < name.find('/')) name.remove_prefix(user + 1);
  while (name.ends_with('/')) name.remove_suffix(1);
  if (name.ends_with(".git")) name.remove_suffix(4);
  std::string out = lowered(name);
  if (const auto colon = out.find(':'); colon < out.find('/')) out[colon] = '/';
  return out;
}

}  // namespace

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

std::string_view osv_name(Ecosystem ecosystem) {
  return kNames[static_cast<std::size_t>(ecosystem)].osv;
}

std::optional<Ecosystem> ecosystem_of(std::string_view osv_name) {
  const std::string wanted = lowered(osv_name.substr(0, osv_name.find(':')));
  for (const auto& names : kNames)
    if (lowered(names.osv) == wanted) return names.ecosystem;
  return std::nullopt;
}

std::string_view purl_type(Ecosystem ecosystem) {
  return kNames[static_cast<std::size_t>(ecosystem)].purl;
}

std::string normalised_name(Ecosystem ecosystem, std::string_view name) {
  switch (ecosystem) {
    case Ecosystem::pypi:
      return python_name(name);
    case Ecosystem::nuget:
    case Ecosystem::packagist:
      return lowered(name);
    case Ecosystem::crates_io: {
      // The registry lets no two crates differ in case or in "-" against "_" only.
      std::string out = lowered(name);
      std::ranges::replace(out, '_', '-');
      return out;
    }
    case Ecosystem::swift:
      return swift_name(name);
    default:
      return std::string(name);
  }
}

}  // namespace gitaiops::scanner
