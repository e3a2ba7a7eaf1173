#include "engines/scanner/parsers/formats.h"

#include <algorithm>

#include "engines/scanner/parsers/java.h"
#include "engines/scanner/parsers/languages.h"
#include "engines/scanner/parsers/npm.h"
#include "engines/scanner/parsers/python.h"

namespace gitaiops::scanner::parsers {
namespace {

using enum Ecosystem;

// The first that fits is taken.
constexpr Format kFormats[] = {
    {"package.json", npm, "npm", "javascript", Role::manifest, parse_package_json},
    {"npm-shrinkwrap.json", npm, "npm", "javascript", Role::lock, parse_package_lock},
    {"package-lock.json", npm, "npm", "javascript", Role::lock, parse_package_lock,
     "npm-shrinkwrap.json"},
    {"yarn.lock", npm, "yarn", "javascript", Role::lock, parse_yarn_lock},
    {"pnpm-lock.yaml", npm, "pnpm", "javascript", Role::lock, parse_pnpm_lock},
    {"bun.lock", npm, "bun", "javascript", Role::lock, parse_bun_lock},

    {"pyproject.toml", pypi, "python", "pyproject", Role::manifest, parse_pyproject},
    {"poetry.lock", pypi, "poetry", "pyproject", Role::lock, parse_poetry_lock},
    {"uv.lock", pypi, "uv", "pyproject", Role::lock, parse_uv_lock},
    {"pdm.lock", pypi, "pdm", "pyproject", Role::lock, parse_pdm_lock},
    {"pylock.toml", pypi, "python", "pyproject", Role::lock, parse_pylock},
    {"pylock.*.toml", pypi, "python", "pyproject", Role::lock, parse_pylock},
    {"Pipfile", pypi, "pipenv", "pipfile", Role::manifest, parse_pipfile},
    {"Pipfile.lock", pypi, "pipenv", "pipfile", Role::lock, parse_pipfile_lock},
    {"*requirements*.txt", pypi, "pip", "requirements", Role::manifest, parse_requirements},

    {"pom.xml", maven, "maven", "maven", Role::manifest, parse_pom},
    {"build.gradle", maven, "gradle", "gradle", Role::manifest, parse_gradle_build},
    {"build.gradle.kts", maven, "gradle", "gradle", Role::manifest, parse_gradle_build},
    {"buildscript-gradle.lockfile", maven, "gradle", "gradle", Role::lock, parse_gradle_lockfile},
    {"*gradle.lockfile", maven, "gradle", "gradle", Role::lock, parse_gradle_lockfile},
    {"verification-metadata.xml", maven, "gradle", "gradle-verification", Role::lock,
     parse_verification_metadata},
    {"*.versions.toml", maven, "gradle", "gradle", Role::shared, parse_version_catalogue},

    {"go.mod", go, "go", "go", Role::manifest, parse_go_mod},
    {"go.sum", go, "go", "go", Role::lock, parse_go_sum, "go.mod"},

    {"Cargo.toml", crates_io, "cargo", "cargo", Role::manifest, parse_cargo_toml},
    {"Cargo.lock", crates_io, "cargo", "cargo", Role::lock, parse_cargo_lock},

    {"composer.json", packagist, "composer", "composer", Role::manifest, parse_composer_json},
    {"composer.lock", packagist, "composer", "composer", Role::lock, parse_composer_lock},

    {"Gemfile", rubygems, "bundler", "gemfile", Role::manifest, parse_gemfile},
    {"Gemfile.lock", rubygems, "bundler", "gemfile", Role::lock, parse_gemfile_lock},
    {"gems.rb", rubygems, "bundler", "gems", Role::manifest, parse_gemfile},
    {"gems.locked", rubygems, "bundler", "gems", Role::lock, parse_gemfile_lock},

    {"*.csproj", nuget, "nuget", "nuget", Role::manifest, parse_nuget_project},
    {"*.fsproj", nuget, "nuget", "nuget", Role::manifest, parse_nuget_project},
    {"*.vbproj", nuget, "nuget", "nuget", Role::manifest, parse_nuget_project},
    {"packages.lock.json", nuget, "nuget", "nuget", Role::lock, parse_nuget_lock},
    {"Directory.Packages.props", nuget, "nuget", "nuget", Role::shared, parse_nuget_central},
    {"packages.config", nuget, "nuget", "nuget-config", Role::lock, parse_nuget_config},
    {"*.deps.json", nuget, "nuget", "nuget-deps", Role::lock, parse_deps_json},

    {"mix.lock", hex, "mix", "mix", Role::lock, parse_mix_lock},
    {"pubspec.lock", pub, "pub", "pub", Role::lock, parse_pubspec_lock},
    {"conan.lock", conan, "conan", "conan", Role::lock, parse_conan_lock},
    {"renv.lock", cran, "renv", "renv", Role::lock, parse_renv_lock},
    {"Package.resolved", swift, "swift", "swift", Role::lock, parse_package_resolved},
};

// '*' any number of times; linear, as each star takes the first fit and the end is checked last.
bool fits(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  for (;;) {
    const auto next = pattern.find('*');
    if (next == pattern.npos) return name.ends_with(pattern);
    const auto at = name.find(pattern.substr(0, next));
    if (at == name.npos) return false;
    name.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
}

}  // namespace

const Format* format_of(std::string_view path) {
  const auto name = file_name(path);
  const auto found =
      std::ranges::find_if(kFormats, [&](const Format& f) { return fits(f.pattern, name); });
  return found == std::end(kFormats) ? nullptr : &*found;
}

}  // namespace gitaiops::scanner::parsers
