// Where packages come from: the ecosystems that the scanner knows, and how each writes names.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gitaiops::scanner {

enum class Ecosystem : uint8_t {
  npm,
  pypi,
  maven,
  go,
  crates_io,
  packagist,
  rubygems,
  nuget,
  hex,
  pub,
  conan,
  cran,
  swift,
  // Known to version order and advisories only; no parser yields them.
  debian,
  alpine,
  red_hat,
  hackage,
};

// The name that OSV gives it ("crates.io", "PyPI", "SwiftURL", "ConanCenter"), and back;
// a suffix after ':' ("Debian:12") is left out of account, letter case is not significant.
std::string_view osv_name(Ecosystem ecosystem);
std::optional<Ecosystem> ecosystem_of(std::string_view osv_name);

// The type that a package URL of it carries ("npm", "pypi", "golang", "cargo", "gem", …).
std::string_view purl_type(Ecosystem ecosystem);

// ASCII letters in lower case, as registries fold names.
std::string lowered(std::string_view text);

// A package's name as its registry compares it: PyPI by PEP 503, NuGet and Packagist in lower case,
// Maven as group:artifact, Go modules as they are, …
std::string normalised_name(Ecosystem ecosystem, std::string_view name);

}  // namespace gitaiops::scanner
