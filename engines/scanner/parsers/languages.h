// The formats of ecosystems that have one package manager.
#pragma once

#include "engines/scanner/parsers/extract.h"

namespace gitaiops::scanner::parsers {

// Rust
Extract parse_cargo_toml(const File& file);
Extract parse_cargo_lock(const File& file);
// Go: go.mod reads the go.sum beside it.
Extract parse_go_mod(const File& file);
Extract parse_go_sum(const File& file);
// PHP
Extract parse_composer_json(const File& file);
Extract parse_composer_lock(const File& file);
// Ruby
Extract parse_gemfile(const File& file);
Extract parse_gemfile_lock(const File& file);
// .NET; a project file reads Directory.Packages.props above it.
Extract parse_nuget_project(const File& file);
Extract parse_nuget_central(const File& file);
Extract parse_nuget_config(const File& file);
Extract parse_nuget_lock(const File& file);
Extract parse_deps_json(const File& file);
// Elixir and Erlang, Dart, C and C++, R, Swift
Extract parse_mix_lock(const File& file);
Extract parse_pubspec_lock(const File& file);
Extract parse_conan_lock(const File& file);
Extract parse_renv_lock(const File& file);
Extract parse_package_resolved(const File& file);

}  // namespace gitaiops::scanner::parsers
