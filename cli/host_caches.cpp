#include "cli/host_caches.h"

#include <cctype>
#include <cstdlib>
#include <map>

#include <nlohmann/json.hpp>

#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "engines/scanner/provenance/sigstore.h"

namespace gitaiops::cli {
namespace {

namespace fs = std::filesystem;
using scanner::Checksum;
using scanner::Ecosystem;
using scanner::Package;
using scanner::PackageSet;
using scanner::provenance::CachedArchive;

constexpr std::size_t kArchiveMax = 512 << 20;  // bytes of one archive
constexpr std::size_t kIndexMax = 4 << 20;      // bytes of one entry of an index
constexpr std::size_t kFilesMax = 200'000;      // looked at in one folder

fs::path from_variable(const char* name, const fs::path& otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? fs::path(value) : otherwise;
}

std::string hex_digest(scanner::provenance::Hash hash, std::string_view bytes) {
  return hex_encode(as_bytes(*scanner::provenance::Artifact(bytes).digest(hash)));
}

// ---- npm: cacache finds an entry by the SHA-256 of its key, and content by its own hash ----

std::string npm_url(const Package& package) {
  if (package.source.starts_with("https://") || package.source.starts_with("http://"))
    return package.source;
  const auto slash = package.name.rfind('/');
  const auto base = slash == std::string::npos ? package.name : package.name.substr(slash + 1);
  return "https://registry.npmjs.org/" + package.name + "/-/" + base + "-" + package.version +
         ".tgz";
}

// The SHA-512 that an entry of the index points at, in hexadecimal; empty when there is none.
std::string npm_content(const fs::path& cache, const std::string& key) {
  const auto bucket = crypto::sha256_hex(key);
  const auto entry = read_file(
      cache / "index-v5" / bucket.substr(0, 2) / bucket.substr(2, 2) / bucket.substr(4), kIndexMax);
  if (!entry) return {};
  std::string found;
  for (const auto line : split(*entry, '\n')) {  // the last line that is whole counts
    const auto tab = line.find('\t');
    if (tab == line.npos) continue;
    const auto json = nlohmann::json::parse(line.substr(tab + 1), nullptr, false);
    if (!json.is_object() || json.value("key", nlohmann::json()) != key) continue;
    const auto integrity = json.find("integrity");
    found.clear();
    if (integrity == json.end() || !integrity->is_string()) continue;
    const auto& text = integrity->get_ref<const std::string&>();
    if (text.starts_with("sha512-"))
      found = scanner::provenance::raw_digest({"sha512", text.substr(7)});
  }
  return hex_encode(as_bytes(found));
}

void add_npm(const Package& package, const CacheFolders& folders, std::vector<CachedArchive>& out) {
  const auto hash = npm_content(folders.npm, "make-fetch-happen:request-cache:" + npm_url(package));
  if (hash.empty()) return;
  const auto place =
      folders.npm / "content-v2/sha512" / hash.substr(0, 2) / hash.substr(2, 2) / hash.substr(4);
  const auto bytes = read_file(place, kArchiveMax);
  if (!bytes) return;
  const std::pair<scanner::provenance::Hash, const char*> kinds[] = {
      {scanner::provenance::Hash::sha512, "sha512"}, {scanner::provenance::Hash::sha256, "sha256"}};
  for (const auto& [kind, name] : kinds)
    out.push_back({package.name, package.version, {name, hex_digest(kind, *bytes)}, place});
}

// ---- Go: upper case is written as "!" and lower case ----

std::string go_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') out.push_back('!');
    out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return out;
}

void add_go(const Package& package, const CacheFolders& folders, std::vector<CachedArchive>& out) {
  const std::string version =
      package.version.starts_with('v') ? package.version : "v" + package.version;
  const auto place =
      folders.go / go_escaped(package.name) / "@v" / (go_escaped(version) + ".ziphash");
  const auto hash = read_file(place, 4096);
  if (hash)
    out.push_back({package.name, package.version, {"h1", std::string(trimmed(*hash))}, place});
}

// ---- Cargo and Python: archives as files ----

void add_file(const std::string& name, const std::string& version, const fs::path& place,
              std::vector<CachedArchive>& out) {
  const auto bytes = read_file(place, kArchiveMax);
  if (bytes) out.push_back({name, version, {"sha256", crypto::sha256_hex(*bytes)}, place});
}

void add_cargo(const Package& package, const CacheFolders& folders,
               std::vector<CachedArchive>& out) {
  std::error_code error;
  for (const auto& index : fs::directory_iterator(folders.cargo, error)) {
    const auto place = index.path() / (package.name + "-" + package.version + ".crate");
    if (fs::is_regular_file(place, error)) add_file(package.name, package.version, place, out);
  }
}

// "name-1.0-py3-none-any.whl" or "name-1.0.tar.gz" → (normalised name, version).
std::optional<std::pair<std::string, std::string>> python_release(std::string_view file) {
  const bool wheel = file.ends_with(".whl");
  if (!wheel && !file.ends_with(".tar.gz")) return std::nullopt;
  file.remove_suffix(wheel ? 4 : 7);
  const auto dash = wheel ? file.find('-') : file.rfind('-');
  if (dash == file.npos) return std::nullopt;
  const auto version = file.substr(dash + 1);
  return std::pair(scanner::normalised_name(Ecosystem::pypi, file.substr(0, dash)),
                   std::string(version.substr(0, wheel ? version.find('-') : version.npos)));
}

void add_python(const PackageSet& set, const CacheFolders& folders,
                std::vector<CachedArchive>& out) {
  std::map<std::pair<std::string, std::string>, const Package*> wanted;
  for (const auto& package : set.packages)
    wanted[{scanner::normalised_name(Ecosystem::pypi, package.name), package.version}] = &package;
  std::size_t files = 0;
  for (const auto& folder : folders.archives) {
    std::error_code error;
    auto at = fs::recursive_directory_iterator(
        folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && at != fs::recursive_directory_iterator() && files < kFilesMax;
         at.increment(error), ++files) {
      const auto release = python_release(at->path().filename().string());
      if (!release || !at->is_regular_file(error)) continue;
      const auto found = wanted.find(*release);
      if (found != wanted.end())
        add_file(found->second->name, found->second->version, at->path(), out);
    }
  }
}

}  // namespace

CacheFolders caches_of_user() {
  const fs::path home = from_variable("HOME", "/nonexistent");
  CacheFolders folders;
  folders.npm = from_variable("npm_config_cache", home / ".npm") / "_cacache";
  folders.go = from_variable("GOMODCACHE", from_variable("GOPATH", home / "go") / "pkg/mod") /
               "cache/download";
  folders.cargo = from_variable("CARGO_HOME", home / ".cargo") / "registry/cache";
  folders.archives = {from_variable("POETRY_CACHE_DIR", home / ".cache/pypoetry") / "artifacts"};
  return folders;
}

std::vector<CachedArchive> cached_archives(const PackageSet& set, const CacheFolders& folders) {
  std::vector<CachedArchive> out;
  if (set.ecosystem == Ecosystem::pypi) add_python(set, folders, out);
  for (const auto& package : set.packages) {
    if (package.checksums.empty() || package.version.empty()) continue;
    if (set.ecosystem == Ecosystem::npm) add_npm(package, folders, out);
    if (set.ecosystem == Ecosystem::go) add_go(package, folders, out);
    if (set.ecosystem == Ecosystem::crates_io) add_cargo(package, folders, out);
  }
  return out;
}

}  // namespace gitaiops::cli
