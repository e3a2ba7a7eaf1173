// From a source tree to the packages that it depends on.
//
//   Inventory inventory = take_inventory(tree);   // tree: what the shell lets the engine read
//
// Pure but for the Tree that is handed in: no network, no package manager, nothing is executed.
// Any bytes are accepted: what cannot be read becomes a Problem with its place, and the rest of the
// tree is still taken. A manifest and the lock file beside it become one set: versions, hashes and
// edges from the lock, direct, scope and ranges from the manifest.
//
// Thread safety: take_inventory uses the tree from the calling thread only; values are plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/scanner/ecosystem.h"

namespace gitaiops::scanner {

// ---- What comes in ----

// A source tree, as far as the engine may see it. Paths are relative to its root, '/' between
// parts, never with "..". The shell skips what is no regular file, follows no link out of the tree,
// and bounds size: read() of a file over the limit is an error.
class Tree {
 public:
  virtual ~Tree() = default;
  // All files, sorted by path.
  virtual const std::vector<std::string>& files() const = 0;
  virtual Result<std::string> read(std::string_view path) const = 0;
};

// Whether a file of that path is a manifest or a lock file that take_inventory would read.
bool is_manifest(std::string_view path);
// Whether the project's own files may lie in a folder: not so where package managers put what they
// installed (node_modules, .venv, …), nor in .git. For the shell's walk; by the folder's name.
bool holds_own_files(std::string_view folder);

// ---- What comes out ----

enum class Scope : uint8_t { runtime, development, optional, build };
std::string_view to_string(Scope scope);

// The hash that a lock file gives of a package's archive, as it is written there.
struct Checksum {
  std::string algorithm;  // "sha512", "sha256", "sha1", "h1", …
  std::string value;      // in the file's own encoding (hex or base64)
};

// One package of one set. The same name may stand in a set several times, with several versions.
struct Package {
  Ecosystem ecosystem = Ecosystem::npm;
  std::string name;     // as written; compare by normalised_name
  std::string version;  // resolved; empty when only a range is known
  std::string range;    // what the manifest asks for; empty when not direct, or unknown
  Scope scope = Scope::runtime;
  bool direct = false;
  std::string file;   // where it stands; several sets may name one file
  uint32_t line = 0;  // 1-based; 0 when the format has no place for it
  // Where a manifest beside the lock file asks for it; empty and 0 elsewhere.
  std::string asked_in;
  uint32_t asked_line = 0;
  // Where it comes from, when that is no registry or is written down: an archive's URL, a git
  // repository with '#' and the commit, or a path. Empty: the ecosystem's registry.
  std::string source;
  std::vector<Checksum> checksums;
  std::vector<uint32_t> depends_on;  // positions in the set's packages
  // The range in which it asks for each of depends_on, as the file writes it: as many, or none
  // where the file has none. An empty one is not known.
  std::vector<std::string> depends_ranges;
};

// What belongs together: one lock file, or one manifest without, or both.
struct PackageSet {
  Ecosystem ecosystem = Ecosystem::npm;
  std::string manager;   // "npm", "yarn", "pnpm", "pip", "poetry", "maven", "gradle", "go", …
  std::string manifest;  // path; empty without
  std::string lock;      // path; empty without
  std::string root;      // the project's own name; empty when unknown
  std::string root_version;
  std::vector<Package> packages;  // by name, then version, then file and line
};

// What could not be read, and where: "could not read X at line N because …".
struct Problem {
  std::string file;
  uint32_t line = 0;  // 1-based; 0 when unknown
  std::string reason;
};

struct Inventory {
  std::vector<PackageSet> sets;   // by the path of lock or manifest
  std::vector<Problem> problems;  // by path and line
};

Inventory take_inventory(const Tree& tree);

// For each package the one before it on the shortest way from what the project itself asks for:
// its own position when that is itself, kNoWay when nothing is known of how it came. One pass.
inline constexpr uint32_t kNoWay = 0xffffffff;
std::vector<uint32_t> ways_in(const PackageSet& set);

// The shortest way from a package that the project itself asks for to the one at `position`,
// both included, as positions; only `position` itself where nothing is known of how it came.
std::vector<uint32_t> path_to(const PackageSet& set, uint32_t position);

// The lowest version that a range names ("^1.2.3" and ">=1.2.3,<2" → "1.2.3"), for those who have
// to judge a package of which only the range is known; empty when it names none, or a wildcard.
std::string lowest_version(std::string_view range);

// The package URL (purl-spec) of a package, "pkg:npm/%40scope/name@1.2.3".
std::string purl_of(const Package& package);

}  // namespace gitaiops::scanner
