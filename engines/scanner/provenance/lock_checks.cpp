#include "engines/scanner/provenance/lock_checks.h"

#include <algorithm>
#include <array>
#include <map>

#include "engines/scanner/provenance/keys.h"
#include "engines/scanner/provenance/lookalike.h"

namespace gitaiops::scanner::provenance {
namespace {

struct KnownHost {
  Ecosystem ecosystem;
  std::string_view host;
};
constexpr std::array<KnownHost, 22> kRegistryHosts{{
    {Ecosystem::npm, "registry.npmjs.org"},
    {Ecosystem::npm, "registry.yarnpkg.com"},
    {Ecosystem::pypi, "pypi.org"},
    {Ecosystem::pypi, "files.pythonhosted.org"},
    {Ecosystem::maven, "repo.maven.apache.org"},
    {Ecosystem::maven, "repo1.maven.org"},
    {Ecosystem::maven, "plugins.gradle.org"},
    {Ecosystem::go, "proxy.golang.org"},
    {Ecosystem::crates_io, "crates.io"},
    {Ecosystem::crates_io, "index.crates.io"},
    {Ecosystem::crates_io, "static.crates.io"},
    {Ecosystem::packagist, "repo.packagist.org"},
    {Ecosystem::packagist, "api.github.com"},
    {Ecosystem::packagist, "codeload.github.com"},
    {Ecosystem::rubygems, "rubygems.org"},
    {Ecosystem::rubygems, "index.rubygems.org"},
    {Ecosystem::nuget, "api.nuget.org"},
    {Ecosystem::hex, "repo.hex.pm"},
    {Ecosystem::pub, "pub.dev"},
    {Ecosystem::pub, "pub.dartlang.org"},
    {Ecosystem::conan, "center2.conan.io"},
    {Ecosystem::cran, "cran.r-project.org"},
}};

// Where a package comes from, as far as its source says.
enum class Origin : uint8_t { registry, archive, git, own_tree };

struct Source {
  Origin origin = Origin::registry;
  std::string_view host;     // with the port, without a user
  bool unprotected = false;  // plain HTTP or git's own protocol
  bool pinned = false;       // git: to a commit
};

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

bool is_commit(std::string_view text) {
  return text.size() >= 7 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
}

// "git+ssh://git@host/p.git#commit", "git@host:p.git", "github:owner/p", "owner/p#commit".
bool looks_like_git(std::string_view source) {
  const auto place = source.substr(0, source.find('#'));
  return starts_with_any(source, {"git+", "git:", "git@", "ssh:", "github:", "gitlab:",
                                  "bitbucket:", "hg+", "svn+", "bzr+"}) ||
         place.ends_with(".git") ||
         (source.find('#') != source.npos && is_commit(source.substr(source.find('#') + 1)));
}

std::string_view host_of(std::string_view source) {
  const auto scheme = source.find("://");
  auto rest = scheme == source.npos ? source : source.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of(scheme == source.npos ? "/:" : "/?#"));
  if (const auto user = rest.rfind('@'); user != rest.npos) rest.remove_prefix(user + 1);
  return rest;
}

bool is_this_host(std::string_view host) {
  const auto name = host.substr(0, host.rfind(':'));
  return name == "localhost" || name == "127.0.0.1";
}

Source source_of(const Package& package) {
  const std::string_view text = package.source;
  Source source;
  if (text.empty()) return source;
  const bool remote = text.find("://") != text.npos || looks_like_git(text);
  if (!remote || starts_with_any(text, {"file:", "link:", "workspace:", "portal:", "sdk:"})) {
    source.origin = Origin::own_tree;
    return source;
  }
  source.host = host_of(text);
  source.unprotected =
      starts_with_any(text, {"http://", "git+http://", "git://", "git+git://", "hg+http://",
                             "svn+http://", "svn://", "registry+http://", "sparse+http://"}) &&
      !is_this_host(source.host);
  source.origin = looks_like_git(text) ? Origin::git : Origin::archive;
  const auto fragment = text.rfind('#');
  const auto at = text.rfind('@');
  source.pinned = (fragment != text.npos && is_commit(text.substr(fragment + 1))) ||
                  (at != text.npos && is_commit(text.substr(at + 1)));
  return source;
}

bool is_weak(const Checksum& checksum) {
  return checksum.algorithm == "md5" || checksum.algorithm == "sha1" || checksum.algorithm == "sha";
}

// Whose packages are git commits by nature: the commit is their hash.
bool pins_by_commit(Ecosystem ecosystem) {
  return ecosystem == Ecosystem::swift || ecosystem == Ecosystem::packagist;
}

std::string cure_for_hashes(const std::string& manager) {
  if (manager == "pip") return "; pip-compile --generate-hashes writes them";
  if (manager == "bundler") return "; bundle lock --add-checksums writes them";
  if (manager == "gradle") return "; gradle --write-verification-metadata sha256 writes them";
  return "";
}

class Checks {
 public:
  Checks(const PackageSet& set, const LockPolicy& policy) : set_(set), policy_(policy) {}

  std::vector<LockFinding> run() {
    check_set();
    for (uint32_t i = 0; i < set_.packages.size(); ++i) {
      const Package& package = set_.packages[i];
      const Source source = source_of(package);
      check_source(i, package, source);
      check_drift(i, package, source);
      check_hash(i, package, source);
      check_name(i, package, source);
    }
    return std::move(findings_);
  }

 private:
  void add(Flaw flaw, std::optional<uint32_t> package, std::string reason) {
    findings_.push_back({flaw, package, std::move(reason)});
  }

  void check_set() {
    any_hash_ = std::any_of(set_.packages.begin(), set_.packages.end(),
                            [](const Package& p) { return !p.checksums.empty(); });
    const auto open = std::count_if(set_.packages.begin(), set_.packages.end(),
                                    [](const Package& p) { return p.version.empty(); });
    if (set_.lock.empty() && open > 0)
      add(Flaw::unlocked, std::nullopt,
          set_.manifest +
              " has no lock file beside it: each installation may take other versions "
              "of " +
              std::to_string(open) + (open == 1 ? " package" : " packages"));
    if (!set_.lock.empty() && !any_hash_ && !set_.packages.empty() &&
        !pins_by_commit(set_.ecosystem))
      add(Flaw::no_hash, std::nullopt,
          set_.lock + " holds no hashes: nobody would notice other bytes under the same version" +
              cure_for_hashes(set_.manager));
  }

  bool is_registry(Ecosystem ecosystem, std::string_view host) const {
    return std::any_of(kRegistryHosts.begin(), kRegistryHosts.end(),
                       [&](const KnownHost& known) {
                         return known.ecosystem == ecosystem && known.host == host;
                       }) ||
           std::find(policy_.registries.begin(), policy_.registries.end(), host) !=
               policy_.registries.end();
  }

  void check_source(uint32_t at, const Package& package, const Source& source) {
    if (source.unprotected)
      add(Flaw::plain_http, at,
          "it is fetched from " + package.source +
              " unprotected: anybody on the way can replace it");
    if (source.origin == Origin::git && !source.pinned && !set_.lock.empty()) {
      add(Flaw::moving_git, at,
          "it is whatever " + package.source + " holds on that day; name a commit");
    } else if (source.origin == Origin::git || source.origin == Origin::archive) {
      if (!is_registry(package.ecosystem, source.host) && !pins_by_commit(package.ecosystem))
        add(Flaw::other_source, at,
            "it comes from " + std::string(source.host) + ", not from the registry");
    }
  }

  void check_drift(uint32_t at, const Package& package, const Source& source) {
    if (set_.lock.empty() || !package.direct || package.range.empty()) return;
    if (package.version.empty()) {
      add(Flaw::drift, at,
          set_.manifest + " asks for " + package.range + ", " + set_.lock + " does not hold it");
      return;
    }
    // A commit or a folder has no version that a range could speak of.
    if (!policy_.satisfies || source.origin == Origin::git || source.origin == Origin::own_tree)
      return;
    const auto satisfied = policy_.satisfies(package.ecosystem, package.version, package.range);
    if (satisfied == false)
      add(Flaw::drift, at,
          set_.manifest + " asks for " + package.range + ", " + set_.lock + " holds " +
              package.version);
  }

  void check_hash(uint32_t at, const Package& package, const Source& source) {
    if (set_.lock.empty() || source.origin == Origin::own_tree || source.origin == Origin::git)
      return;
    if (package.checksums.empty()) {
      // Where none has one, the set says it once.
      if (any_hash_ && !package.version.empty() && !pins_by_commit(package.ecosystem))
        add(Flaw::no_hash, at, "the lock file holds no hash of it");
    } else if (std::all_of(package.checksums.begin(), package.checksums.end(), is_weak)) {
      add(Flaw::weak_hash, at,
          "its only hash is " + package.checksums.front().algorithm +
              ": other bytes with the same hash can be made");
    }
  }

  void check_name(uint32_t at, const Package& package, const Source& source) {
    if (source.origin == Origin::own_tree) return;
    const auto alike = look_alike(package.ecosystem, package.name);
    if (!alike) return;
    const char* how = alike->how == Resemblance::separators   ? "differs only in separators from "
                      : alike->how == Resemblance::characters ? "looks like "
                                                              : "is a typing error away from ";
    add(Flaw::look_alike, at,
        "its name " + std::string(how) + "the popular " + alike->popular +
            "; is it the one meant?");
  }

  const PackageSet& set_;
  const LockPolicy& policy_;
  bool any_hash_ = false;
  std::vector<LockFinding> findings_;
};

}  // namespace

bool is_grave(Flaw flaw) {
  return flaw <= Flaw::drift;
}

std::string_view to_string(Flaw flaw) {
  switch (flaw) {
    case Flaw::altered:
      return "altered";
    case Flaw::plain_http:
      return "plain-http";
    case Flaw::moving_git:
      return "moving-git";
    case Flaw::drift:
      return "drift";
    case Flaw::no_hash:
      return "no-hash";
    case Flaw::weak_hash:
      return "weak-hash";
    case Flaw::other_source:
      return "other-source";
    case Flaw::unlocked:
      return "unlocked";
    case Flaw::look_alike:
      return "look-alike";
  }
  return "";
}

std::vector<LockFinding> check_lock(const PackageSet& set, const LockPolicy& policy) {
  return Checks(set, policy).run();
}

std::string raw_digest(const Checksum& checksum) {
  std::string_view value = checksum.value;
  if (checksum.algorithm == "h1" && value.starts_with("h1:")) value.remove_prefix(3);
  // Hexadecimal of a hash is twice as long as the hash, so no base64 is taken for it.
  static const std::map<std::string_view, std::size_t> kSizes{
      {"md5", 16}, {"sha1", 20}, {"sha256", 32}, {"h1", 32}, {"sha384", 48}, {"sha512", 64}};
  const auto size = kSizes.find(checksum.algorithm);
  if (size == kSizes.end()) return {};
  const auto raw = value.size() == size->second * 2 ? hex_decode(value) : base64_decode(value);
  return raw && raw->size() == size->second ? *raw : std::string();
}

CacheComparison compare_with_caches(const PackageSet& set,
                                    const std::vector<CachedArchive>& archives) {
  std::multimap<std::pair<std::string, std::string_view>, const CachedArchive*> by_release;
  for (const auto& archive : archives)
    by_release.emplace(
        std::pair(normalised_name(set.ecosystem, archive.name), std::string_view(archive.version)),
        &archive);
  CacheComparison out;
  for (uint32_t i = 0; i < set.packages.size(); ++i) {
    const Package& package = set.packages[i];
    const auto [first, last] = by_release.equal_range(
        {normalised_name(set.ecosystem, package.name), std::string_view(package.version)});
    bool same = false;
    for (auto it = first; it != last; ++it) {
      const CachedArchive& archive = *it->second;
      const auto found = raw_digest(archive.digest);
      bool comparable = false, equal = false;
      for (const auto& checksum : package.checksums) {
        if (checksum.algorithm != archive.digest.algorithm || found.empty()) continue;
        comparable = true;
        equal = equal || raw_digest(checksum) == found;
      }
      same = same || equal;
      if (comparable && !equal)
        out.altered.push_back({Flaw::altered, i,
                               archive.place + " holds other bytes than " + set.lock + " says (" +
                                   archive.digest.algorithm + ")"});
    }
    if (same) out.same.push_back(i);
  }
  return out;
}

}  // namespace gitaiops::scanner::provenance
