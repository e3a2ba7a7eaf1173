// What package managers keep on this machine of the archives that they fetched, as names and
// digests. Only looked at, for the packages of a set; nothing is fetched.
//
//   npm     _cacache: the content behind a package's URL, hashed here
//   Go      the module cache's .ziphash, as Go computed it when it fetched
//   Cargo   registry/cache/*/NAME-VERSION.crate, hashed here
//   Python  Poetry's artifacts, and wheels and source archives in the given folders, hashed here
//           (pip's wheel cache holds what was built on this machine: no lock file knows its hashes)
//
// Thread safety: pure but for the file system.
#pragma once

#include <filesystem>
#include <vector>

#include "engines/scanner/provenance/lock_checks.h"

namespace gitaiops::cli {

struct CacheFolders {
  std::filesystem::path npm;                    // …/_cacache
  std::filesystem::path go;                     // …/cache/download
  std::filesystem::path cargo;                  // …/registry/cache
  std::vector<std::filesystem::path> archives;  // searched for *.whl and *.tar.gz
};
// Where they are for whoever runs this, by the variables that the package managers go by.
CacheFolders caches_of_user();

std::vector<scanner::provenance::CachedArchive> cached_archives(const scanner::PackageSet& set,
                                                                const CacheFolders& folders);

}  // namespace gitaiops::cli
