#include "engines/scanner/inventory.h"

#include <algorithm>
#include <deque>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/parsers/formats.h"
#include "engines/scanner/parsers/link.h"

namespace gitaiops::scanner {
namespace {

using parsers::Extract;
using parsers::Format;
using parsers::Role;

// More manifests than any tree of sources has; the rest is left out, with a Problem.
constexpr std::size_t kMaxManifests = 20'000;
// What people write themselves and what is read by lines is smaller than what programs write.
constexpr std::size_t kMaxTextBytes = 8u << 20;

// The tree's files as text. What manifests ask of each other is kept, up to a limit.
class Texts final : public parsers::Files {
 public:
  Texts(const Tree& tree, std::vector<Problem>& problems)
      : tree_(tree), problems_(problems), known_(tree.files().begin(), tree.files().end()) {}

  const std::string* text(const std::string& path) override {
    const auto kept = kept_.find(path);
    if (kept != kept_.end()) {
      if (!kept->second || tired()) return nullptr;
      asked_bytes_ += kept->second->size();
      return &*kept->second;
    }
    auto text = read(path);
    if (text && (text->size() > kMaxTextBytes || kept_bytes_ + text->size() > kMaxKeptBytes)) {
      problems_.push_back({path, 0,
                           "manifests refer to more than " + std::to_string(kMaxKeptBytes >> 20) +
                               " MiB of others"});
      text.reset();
    }
    kept_bytes_ += text ? text->size() : 0;
    auto& held = kept_.emplace(path, std::move(text)).first->second;
    return held ? &*held : nullptr;
  }

  const std::vector<std::string>& paths() const override { return tree_.files(); }
  bool has(const std::string& path) const { return known_.contains(path); }

  std::optional<std::string> read(const std::string& path) {
    if (!has(path)) return std::nullopt;
    auto bytes = tree_.read(path);
    if (!bytes.ok()) {
      problems_.push_back({path, 0, bytes.error().to_string()});
      return std::nullopt;
    }
    std::string text = documents::decoded(std::move(*bytes));
    if (auto fault = documents::not_a_manifest(text)) {
      problems_.push_back({path, fault->line, std::move(fault->reason)});
      return std::nullopt;
    }
    return text;
  }

 private:
  // Whoever asks for a text reads all of it: many manifests that refer to one large file would take
  // for ever.
  bool tired() {
    if (asked_bytes_ <= kMaxAskedBytes) return false;
    if (!std::exchange(told_, true))
      problems_.push_back({{}, 0, "manifests refer to others too often; the rest is read without"});
    return true;
  }

  static constexpr std::size_t kMaxKeptBytes = 64u << 20;
  static constexpr std::size_t kMaxAskedBytes = 1u << 30;
  const Tree& tree_;
  std::vector<Problem>& problems_;
  std::unordered_set<std::string> known_;
  std::unordered_map<std::string, std::optional<std::string>> kept_;
  std::size_t kept_bytes_ = 0, asked_bytes_ = 0;
  bool told_ = false;
};

struct Read {
  std::string path, folder;
  const Format* format;
  Extract extract;
  bool covered = false;  // by a lock file's set, or used by another manifest
};

class Inventarist {
 public:
  explicit Inventarist(const Tree& tree) : tree_(tree), texts_(tree, out_.problems) {}

  Inventory take() {
    read_all();
    for (auto& lock : reads_)
      if (lock.format->role == Role::lock) add_lock(lock);
    for (auto& manifest : reads_)
      if (manifest.format->role == Role::manifest && !manifest.covered) add_alone(manifest);
    for (auto& shared : reads_)
      if (shared.format->role == Role::shared && !used_.contains(shared.path)) add_alone(shared);
    std::ranges::sort(out_.sets, {}, [](const PackageSet& s) {
      return std::tuple(s.lock.empty() ? s.manifest : s.lock, s.manifest);
    });
    std::ranges::stable_sort(out_.problems, {},
                             [](const Problem& p) { return std::tie(p.file, p.line); });
    const auto twice = std::ranges::unique(out_.problems, [](const Problem& a, const Problem& b) {
      return a.file == b.file && a.line == b.line && a.reason == b.reason;
    });
    out_.problems.erase(twice.begin(), twice.end());
    return std::move(out_);
  }

 private:
  void read_all() {
    for (const auto& path : tree_.files()) {
      const Format* format = parsers::format_of(path);
      if (!format) continue;
      const auto folder = parsers::folder_of(path);
      const auto beside = [&](std::string_view name) {
        return texts_.has((folder.empty() ? "" : folder + "/") + std::string(name));
      };
      if (!format->unless.empty() && beside(format->unless)) continue;
      if (reads_.size() == kMaxManifests) {
        out_.problems.push_back({path, 0,
                                 "there are more than " + std::to_string(kMaxManifests) +
                                     " manifests; those from here on are left out"});
        return;
      }
      const auto text = texts_.read(path);
      if (!text) continue;
      if (text->size() > kMaxTextBytes && !path.ends_with(".json") && !path.ends_with(".lock") &&
          !path.ends_with(".yaml")) {
        out_.problems.push_back(
            {path, 0, "it is larger than " + std::to_string(kMaxTextBytes >> 20) + " MiB"});
        continue;
      }
      reads_.push_back({path, folder, format, format->parse({path, *text, texts_})});
      auto& extract = reads_.back().extract;
      std::ranges::move(extract.problems, std::back_inserter(out_.problems));
      used_.insert(extract.used.begin(), extract.used.end());
      if (!extract.lock.empty()) used_.insert(extract.lock);
      if (format->role != Role::manifest) continue;
      manifests_[folder].push_back(reads_.size() - 1);
      by_root_.emplace(extract.root, reads_.size() - 1);
    }
  }

  // The manifests that a lock file answers: beside it, and those of its workspace's members. One
  // may come twice, which changes nothing.
  std::vector<Read*> answered_by(const Read& lock) {
    std::vector<Read*> found;
    const auto take = [&](const std::string& folder) {
      const auto here = manifests_.find(folder);
      if (here == manifests_.end()) return;
      for (const std::size_t i : here->second)
        if (reads_[i].format->family == lock.format->family) found.push_back(&reads_[i]);
    };
    take(lock.folder);
    std::unordered_set<std::string> seen{lock.folder};
    for (const auto& member : lock.extract.members)
      if (const auto folder = parsers::inside(lock.folder, member);
          folder && seen.insert(*folder).second)
        take(*folder);
    for (const auto& name : lock.extract.own) {
      const auto [begin, end] = by_root_.equal_range(name);
      for (auto it = begin; it != end; ++it) {
        Read& read = reads_[it->second];
        const bool below = lock.folder.empty() || read.folder.starts_with(lock.folder + "/");
        if (read.format->family == lock.format->family && below) found.push_back(&read);
      }
    }
    return found;
  }

  void add_lock(Read& lock) {
    const auto manifests = answered_by(lock);
    PackageSet set;
    set.ecosystem = lock.format->ecosystem;
    set.manager = lock.format->manager;
    set.lock = lock.path;
    set.root = lock.extract.root;
    set.root_version = lock.extract.root_version;
    std::vector<const Extract*> extracts;
    for (auto* manifest : manifests) {
      manifest->covered = true;
      extracts.push_back(&manifest->extract);
      if (manifest->folder != lock.folder || !set.manifest.empty()) continue;
      set.manifest = manifest->path;
      if (!manifest->extract.root.empty()) set.root = manifest->extract.root;
      if (!manifest->extract.root_version.empty())
        set.root_version = manifest->extract.root_version;
    }
    set.packages = parsers::link(std::move(lock.extract), extracts);
    out_.sets.push_back(std::move(set));
  }

  void add_alone(Read& read) {
    PackageSet set;
    set.ecosystem = read.format->ecosystem;
    set.manager = read.format->manager;
    set.manifest = read.path;
    set.lock = read.extract.lock;
    set.root = read.extract.root;
    set.root_version = read.extract.root_version;
    set.packages = parsers::link(std::move(read.extract), {});
    if (!set.packages.empty()) out_.sets.push_back(std::move(set));
  }

  const Tree& tree_;
  Inventory out_;
  Texts texts_;
  std::deque<Read> reads_;
  std::unordered_map<std::string, std::vector<std::size_t>> manifests_;  // by folder
  std::unordered_multimap<std::string, std::size_t> by_root_;            // by the project's name
  std::unordered_set<std::string> used_;
};

}  // namespace

bool is_manifest(std::string_view path) {
  return parsers::format_of(path) != nullptr;
}

Inventory take_inventory(const Tree& tree) {
  return Inventarist(tree).take();
}

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::runtime:
      return "runtime";
    case Scope::development:
      return "development";
    case Scope::optional:
      return "optional";
    case Scope::build:
      return "build";
  }
  return "runtime";
}

std::vector<uint32_t> ways_in(const PackageSet& set) {
  const auto& packages = set.packages;
  std::vector<uint32_t> from(packages.size(), kNoWay), queue;
  for (uint32_t i = 0; i < packages.size(); ++i) {
    if (!packages[i].direct) continue;
    from[i] = i;
    queue.push_back(i);
  }
  for (std::size_t head = 0; head < queue.size(); ++head) {
    for (const uint32_t to : packages[queue[head]].depends_on) {
      if (to >= packages.size() || from[to] != kNoWay) continue;
      from[to] = queue[head];
      queue.push_back(to);
    }
  }
  return from;
}

std::vector<uint32_t> path_to(const PackageSet& set, uint32_t position) {
  if (position >= set.packages.size()) return {};
  const auto from = ways_in(set);
  std::vector<uint32_t> path{position};
  while (from[path.back()] != kNoWay && from[path.back()] != path.back())
    path.push_back(from[path.back()]);
  std::ranges::reverse(path);
  return path;
}

std::string lowest_version(std::string_view range) {
  const auto start = range.find_first_not_of(" \t^~<>=[(v");
  if (start == range.npos || range[start] == '!') return {};
  range.remove_prefix(start);
  auto version = trimmed(range.substr(0, range.find_first_of(" ,|;)]")));
  if (version.empty() || version.front() < '0' || version.front() > '9') return {};
  for (const std::string_view wild : {".*", ".x", ".X", ".+"})
    if (version.ends_with(wild)) return {};
  return std::string(version);
}

}  // namespace gitaiops::scanner
