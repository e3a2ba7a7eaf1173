// The order of versions, and which versions a range takes in, as each ecosystem itself does it.
//
// Two orders stand here. The advisory order is total: what an ecosystem's own tools would refuse
// still has its place, so that no advisory is lost to an odd version. Ranges are strict: a version
// or a range that the ecosystem's tools refuse is refused here too.
//
// Sources: SemVer 2.0.0 and node-semver's range grammar, PEP 440, Maven's version order
// specification, Gem::Version and Gem::Requirement, PHP's version_compare and Composer's constraint
// grammar, NuGet's and Cargo's documentation, Go modules' reference, deb-version(7),
// rpm-version(7), apk's package policy, R's package_version, OSV's rules per ecosystem.
//
// Thread safety: pure functions. Linear in the input's length; any bytes are accepted.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/scanner/ecosystem.h"

namespace gitaiops::scanner {

// ---- Order ----

// The advisory order, total.
std::weak_ordering compare_versions(Ecosystem ecosystem, std::string_view a, std::string_view b);

// A version prepared for comparing many times. For most ecosystems the bytes compare as the
// versions do; Maven's and Packagist's orders are no such order (they are not transitive), so their
// key is the version itself.
std::string order_key(Ecosystem ecosystem, std::string_view version);
std::weak_ordering compare_keys(Ecosystem ecosystem, std::string_view a, std::string_view b);

// Equal for versions that are spellings of one ("1.0" and "1.0.0" for PyPI, not for npm).
std::string equality_key(Ecosystem ecosystem, std::string_view version);

// The order of the ecosystem's own tools; nullopt where they refuse one of the two. For Packagist
// this is Composer's, which knows branches and stabilities (OSV uses PHP's version_compare); for
// Maven that of version 3.8.7 on.
std::optional<std::weak_ordering> compare_strictly(Ecosystem ecosystem, std::string_view a,
                                                   std::string_view b);
bool is_valid_version(Ecosystem ecosystem, std::string_view version);

// Whether the version is one before a release (alpha, rc, dev, …) in its ecosystem's terms.
bool is_prerelease(Ecosystem ecosystem, std::string_view version);

// ---- Ranges ----

enum class Prereleases : uint8_t {
  as_the_tool_does,  // npm and pip take one only when the range itself names one
  included,
};

enum class Match : uint8_t {
  no,
  yes,
  recommended,  // Maven: a bare version is a wish, any other version is taken as well
  invalid,      // the version or the range cannot be read
};

Match matches(Ecosystem ecosystem, std::string_view version, std::string_view range,
              Prereleases prereleases = Prereleases::as_the_tool_does);

}  // namespace gitaiops::scanner
