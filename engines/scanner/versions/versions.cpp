#include "engines/scanner/versions/versions.h"

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/order.h"
#include "engines/scanner/versions/pep440.h"
#include "engines/scanner/versions/ranges.h"

namespace gitaiops::scanner {
namespace {

constexpr bool compares_as_text(Ecosystem e) {
  return e == Ecosystem::maven || e == Ecosystem::packagist;
}

bool has_word(std::string_view version) {
  for (const char c : version)
    if (order::is_letter(c)) return true;
  return false;
}

}  // namespace

std::string order_key(Ecosystem ecosystem, std::string_view version) {
  switch (ecosystem) {
    case Ecosystem::npm:
    case Ecosystem::go:
    case Ecosystem::crates_io:
    case Ecosystem::hex:
    case Ecosystem::swift:
    case Ecosystem::conan:
      return order::semver_key(version, order::Dialect::semver);
    case Ecosystem::nuget:
      return order::semver_key(version, order::Dialect::nuget);
    case Ecosystem::pub:
      return order::semver_key(version, order::Dialect::pub);
    case Ecosystem::pypi:
      return order::pypi_key(version);
    case Ecosystem::rubygems:
      return order::rubygems_key(version);
    case Ecosystem::cran:
    case Ecosystem::hackage:
      return order::numbers_key(version);
    case Ecosystem::debian:
      return order::debian_key(version);
    case Ecosystem::alpine:
      return order::alpine_key(version);
    case Ecosystem::red_hat:
      return order::rpm_key(version);
    case Ecosystem::maven:
    case Ecosystem::packagist:
      break;
  }
  return std::string(version);
}

std::string equality_key(Ecosystem ecosystem, std::string_view version) {
  if (ecosystem == Ecosystem::maven) return order::maven_canonical(version);
  if (ecosystem == Ecosystem::packagist)
    return order::composer_normalised(version).value_or(order::lower(version));
  return order_key(ecosystem, version);
}

std::weak_ordering compare_keys(Ecosystem ecosystem, std::string_view a, std::string_view b) {
  if (ecosystem == Ecosystem::maven)
    return order::compare_maven(a, b, order::MavenRules::specification);
  if (ecosystem == Ecosystem::packagist) return order::compare_php(a, b);
  return a.compare(b) <=> 0;
}

std::weak_ordering compare_versions(Ecosystem ecosystem, std::string_view a, std::string_view b) {
  if (compares_as_text(ecosystem)) return compare_keys(ecosystem, a, b);
  return compare_keys(ecosystem, order_key(ecosystem, a), order_key(ecosystem, b));
}

std::optional<std::weak_ordering> compare_strictly(Ecosystem ecosystem, std::string_view a,
                                                   std::string_view b) {
  if (ecosystem == Ecosystem::packagist) {
    const auto left = order::composer_normalised(a), right = order::composer_normalised(b);
    if (!left || !right) return std::nullopt;
    return order::compare_php(*left, *right);
  }
  if (!is_valid_version(ecosystem, a) || !is_valid_version(ecosystem, b)) return std::nullopt;
  if (ecosystem == Ecosystem::maven) return order::compare_maven(a, b, order::MavenRules::tool);
  return compare_versions(ecosystem, a, b);
}

bool is_valid_version(Ecosystem ecosystem, std::string_view version) {
  switch (ecosystem) {
    case Ecosystem::npm:
      return order::valid_npm(version);
    case Ecosystem::crates_io:
    case Ecosystem::hex:
    case Ecosystem::pub:
    case Ecosystem::swift:
      return order::valid_cargo(version);
    case Ecosystem::go:
      return order::valid_go(version);
    case Ecosystem::nuget:
      return order::valid_nuget(version);
    case Ecosystem::pypi:
      return order::valid_pypi(version);
    case Ecosystem::rubygems:
      return order::valid_rubygems(version);
    case Ecosystem::packagist:
      return order::composer_normalised(version).has_value();
    case Ecosystem::cran:
      return order::valid_numbers(version, ".-");
    case Ecosystem::hackage:
      return order::valid_numbers(version, ".");
    case Ecosystem::debian:
      return order::valid_debian(version);
    case Ecosystem::maven:
    case Ecosystem::conan:
    case Ecosystem::alpine:
    case Ecosystem::red_hat:
      return !trimmed(version).empty();
  }
  return false;
}

bool is_prerelease(Ecosystem ecosystem, std::string_view version) {
  switch (ecosystem) {
    case Ecosystem::pypi: {
      const auto read = order::read_pep440(version);
      return !read || read->is_prerelease();
    }
    case Ecosystem::rubygems:
      return has_word(version);
    case Ecosystem::maven:
      // Before the release of the same numbers: alpha, beta, milestone, rc, snapshot.
      return order::compare_maven(version,
                                  version.substr(0, version.find_first_not_of("0123456789.")),
                                  order::MavenRules::tool) < 0;
    case Ecosystem::packagist: {
      const auto normalised = order::composer_normalised(version);
      return !normalised || (normalised->find('-') != std::string::npos &&
                             normalised->find("-patch") == std::string::npos);
    }
    case Ecosystem::cran:
    case Ecosystem::hackage:
    case Ecosystem::debian:
    case Ecosystem::alpine:
    case Ecosystem::red_hat:
      return false;
    case Ecosystem::npm:
    case Ecosystem::go:
    case Ecosystem::crates_io:
    case Ecosystem::nuget:
    case Ecosystem::hex:
    case Ecosystem::pub:
    case Ecosystem::conan:
    case Ecosystem::swift:
      break;
  }
  return !order::read_semver(version, 4).prerelease.empty();
}

Match matches(Ecosystem ecosystem, std::string_view version, std::string_view range,
              Prereleases prereleases) {
  switch (ecosystem) {
    case Ecosystem::npm:
      return order::match_npm(version, range, prereleases);
    case Ecosystem::pypi:
      return order::match_pypi(version, range, prereleases);
    case Ecosystem::maven:
      return order::match_maven(version, range);
    case Ecosystem::rubygems:
      return order::match_rubygems(version, range);
    case Ecosystem::packagist:
      return order::match_packagist(version, range);
    case Ecosystem::crates_io:
      return order::match_cargo(version, range);
    case Ecosystem::nuget:
      return order::match_nuget(version, range);
    case Ecosystem::hex:
      return order::match_hex(version, range);
    case Ecosystem::pub:
      return order::match_pub(version, range);
    case Ecosystem::go:
    case Ecosystem::conan:
    case Ecosystem::cran:
    case Ecosystem::swift:
    case Ecosystem::debian:
    case Ecosystem::alpine:
    case Ecosystem::red_hat:
    case Ecosystem::hackage:
      break;
  }
  // No ranges of their own: one version is named.
  const auto order = compare_strictly(ecosystem, version, range);
  return !order ? Match::invalid : order::match_if(*order == 0);
}

}  // namespace gitaiops::scanner
