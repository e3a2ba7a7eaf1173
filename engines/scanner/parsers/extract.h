// What one manifest or lock file says, before it is put together with its neighbours.
//
// A parser is a pure function: bytes → Extract. It takes any content; what it cannot read becomes a
// Problem and the rest is kept. Packages are linked by keys: an entry has the keys by which others
// refer to it, and the keys that it needs; link.h joins them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/scanner/documents/document.h"
#include "engines/scanner/inventory.h"

namespace gitaiops::scanner::parsers {

// More packages in one file than any real one has: the rest is left out, with a Problem.
inline constexpr std::size_t kMaxPackages = 200'000;

// The other files of the tree, for what a manifest refers to: parents, includes, variables.
class Files {
 public:
  virtual ~Files() = default;
  // The text as UTF-8; nothing when there is none or it cannot be read (a Problem of its own).
  // Valid as long as this is.
  virtual const std::string* text(const std::string& path) = 0;
  virtual const std::vector<std::string>& paths() const = 0;

  // group:artifact of the tree's Maven modules → their pom.xml; made when first asked for.
  std::optional<std::unordered_map<std::string, std::string>> maven_modules;
};

struct File {
  std::string path;
  std::string_view text;
  Files& others;
};

struct Entry {
  Package package;
  std::vector<std::string> keys;
  std::vector<std::string> needs;
  std::vector<std::string> need_ranges;  // of the needs at the same places; may be shorter
};

// What the project itself asks for, as a lock file (or the manifest beside it) says.
struct Ask {
  std::vector<std::string> keys;  // the first that an entry has is meant
  std::string range;
  Scope scope = Scope::runtime;
};

struct Extract {
  std::string root, root_version;
  std::vector<Entry> entries;
  std::vector<Ask> asks;
  // Folders of workspace members, relative to the lock's, whose manifests the lock covers.
  std::vector<std::string> members;
  // The same by name, where a lock file names its own projects and not their folders.
  std::vector<std::string> own;
  // Whether each entry's scope is what the file says; else it follows from who needs it.
  bool scopes_known = false;
  // Other files that this one took in: its lock, when it read that itself, and what it refers to
  // (parents, catalogues, included files).
  std::string lock;
  std::vector<std::string> used;
  std::vector<Problem> problems;
};

// Adds a package that stands in that line. The reference is good until the next call.
Entry& add(Extract& out, const File& file, Ecosystem ecosystem, std::string_view name,
           std::string_view version, uint32_t line);
// A direct dependency of a manifest, with what it asks for.
Entry& add_direct(Extract& out, const File& file, Ecosystem ecosystem, std::string_view name,
                  std::string_view range, Scope scope, uint32_t line);

// What an entry needs, by the key of what answers it, and in which range.
void require(Entry& entry, std::string key, std::string_view range);
// The same for what is known by its position already.
void depend(Package& package, uint32_t on, std::string_view range);

void problem(Extract& out, const File& file, uint32_t line, std::string reason);
// Whether the document can be used; its fault becomes a Problem.
bool usable(Extract& out, const File& file, const documents::Document& document);
// The file as a JSON object; nothing where it is none, which becomes a Problem.
std::optional<documents::Document> read_object(
    Extract& out, const File& file, documents::Comments comments = documents::Comments::refused);

// "sha512-AbC=" (several by blanks): npm's, yarn's and NuGet's way.
void add_integrity(Package& package, std::string_view integrity);
// "sha256:abc", as Python's, Hex' and Pub's lock files write it.
void add_hash(Package& package, std::string_view hash);

// Paths inside the tree: "a/b/c.txt" → "a/b"; "" at the root.
std::string folder_of(std::string_view path);
std::string_view file_name(std::string_view path);
// `relative` seen from `folder`, without "." and ".."; nothing when it leads out of the tree.
std::optional<std::string> inside(std::string_view folder, std::string_view relative);

}  // namespace gitaiops::scanner::parsers
