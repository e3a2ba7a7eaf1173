// Maven and Gradle. A package's name is group:artifact.
#pragma once

#include <map>

#include "engines/scanner/parsers/extract.h"

namespace gitaiops::scanner::parsers {

// The effective model as far as the tree holds it: parents, properties, dependencyManagement with
// imported BOMs; profiles are off.
Extract parse_pom(const File& file);

// gradle.lockfile and buildscript-gradle.lockfile.
Extract parse_gradle_lockfile(const File& file);
// gradle/verification-metadata.xml: every artifact that a build may fetch.
Extract parse_verification_metadata(const File& file);
// gradle/libs.versions.toml
Extract parse_version_catalogue(const File& file);
// build.gradle and build.gradle.kts, read and not run: gradle_build.cpp says what is understood.
Extract parse_gradle_build(const File& file);

// A version catalogue (docs.gradle.org/current/userguide/version_catalogs.html) by the names that
// scripts use: alias "commons-lang3" is libs.commons.lang3.
struct Catalogue {
  struct Library {
    std::string module, version;  // group:artifact
    uint32_t line = 0;
  };
  std::map<std::string, Library, std::less<>> libraries;
  std::map<std::string, std::string, std::less<>> versions;
  std::map<std::string, std::vector<std::string>, std::less<>> bundles;  // → libraries
};
Catalogue catalogue_of(documents::Value root);

// "1.2" is a version; "[1,2)", "1.+" and "latest.release" are ranges; "[1.2]" is one version.
std::string java_version(std::string_view range);
// Sets version and range of a direct dependency from what is asked for.
void ask_for(Package& package, std::string_view range);

}  // namespace gitaiops::scanner::parsers
