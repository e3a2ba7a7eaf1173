// What a path says of a file's part in a project. By the names that people use everywhere, so it
// can be wrong about a single file and is right about most.
#pragma once

#include <cstdint>
#include <string_view>

namespace gitaiops::triage {

enum class Role : uint8_t {
  code,        // nothing of the below
  test,        // tests and their data
  docs,        // prose
  ci,          // pipelines
  build,       // how it is built and packed
  dependency,  // manifests and lock files of package managers
  migration,   // of a database, and SQL
  generated,   // lock files, vendored, minified or generated code: nobody reads it line by line
  config,      // data that a program reads
};

Role role_of(std::string_view path);
// Lock files are both: a dependency changed, and nobody reads them.
bool is_lock_file(std::string_view path);
bool is_read_by_people(std::string_view path);

}  // namespace gitaiops::triage
