#include "engines/scanner/parsers/link.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace gitaiops::scanner::parsers {
namespace {

// From what matters most to what matters least.
constexpr std::array kByWeight{Scope::runtime, Scope::build, Scope::optional, Scope::development};

Scope weightier(Scope a, Scope b) {
  return std::ranges::find(kByWeight, a) <= std::ranges::find(kByWeight, b) ? a : b;
}

class Linker {
 public:
  explicit Linker(Extract base) : base_(std::move(base)), entries_(base_.entries) {
    const std::size_t own = entries_.size();
    for (std::size_t i = 0; i < own; ++i)
      for (const auto& key : entries_[i].keys) by_key_.emplace(key, static_cast<uint32_t>(i));
    for (auto& entry : entries_) {
      entry.need_ranges.resize(entry.needs.size());
      for (std::size_t i = 0; i < entry.needs.size(); ++i)
        if (const auto found = by_key_.find(entry.needs[i]); found != by_key_.end())
          depend(entry.package, found->second, entry.need_ranges[i]);
    }
  }

  void asks() {
    for (const auto& ask : base_.asks)
      if (const auto found = find(ask.keys); found && !entries_[*found].package.asked_line)
        direct(*found, ask.range, ask.scope);
  }

  void manifest(const Extract& manifest) {
    for (const auto& asked : manifest.entries) {
      const auto found = find(asked.keys);
      if (!found) {
        if (seen_.insert(&asked).second) missing_.push_back(&asked);
        continue;
      }
      direct(*found, asked.package.range, asked.package.scope);
      auto& package = entries_[*found].package;
      if (package.asked_line) continue;
      package.asked_in = asked.package.file;
      package.asked_line = asked.package.line;
    }
  }

  std::vector<Package> finish() {
    for (const auto* asked : missing_) entries_.push_back(*asked);
    if (!base_.scopes_known) spread_scopes();
    return merged();
  }

 private:
  std::optional<uint32_t> find(const std::vector<std::string>& keys) const {
    for (const auto& key : keys)
      if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second;
    return std::nullopt;
  }

  void direct(uint32_t at, const std::string& range, Scope scope) {
    auto& package = entries_[at].package;
    if (!base_.scopes_known)
      package.scope = package.direct ? weightier(package.scope, scope) : scope;
    package.direct = true;
    if (package.range.empty()) package.range = range;
  }

  // A package is as important as the most important direct one that leads to it.
  void spread_scopes() {
    std::vector<bool> seen(entries_.size());
    for (const Scope scope : kByWeight) {
      std::vector<uint32_t> next;
      for (uint32_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].package.direct && entries_[i].package.scope == scope && !seen[i])
          next.push_back(i);
      for (const uint32_t i : next) seen[i] = true;
      while (!next.empty()) {
        const uint32_t i = next.back();
        next.pop_back();
        entries_[i].package.scope = scope;
        for (const uint32_t to : entries_[i].package.depends_on) {
          if (seen[to]) continue;
          seen[to] = true;
          next.push_back(to);
        }
      }
    }
  }

  // The same package at two places of one file is one package, at the first of them.
  static bool same(const Package& a, const Package& b) {
    if (a.name != b.name || a.version != b.version || a.ecosystem != b.ecosystem) return false;
    if (a.version.empty()) return a.source == b.source && a.range == b.range;
    return a.source == b.source || a.checksums.empty() || b.checksums.empty();
  }

  static void take_in(Package& into, Package&& other) {
    into.scope = weightier(into.scope, other.scope);
    if (other.direct && into.range.empty()) into.range = std::move(other.range);
    into.direct = into.direct || other.direct;
    if (into.source.empty()) into.source = std::move(other.source);
    if (into.checksums.empty()) into.checksums = std::move(other.checksums);
    if (!into.asked_line) {
      into.asked_in = std::move(other.asked_in);
      into.asked_line = other.asked_line;
    }
    for (std::size_t i = 0; i < other.depends_on.size(); ++i)
      depend(into, other.depends_on[i],
             i < other.depends_ranges.size() ? other.depends_ranges[i] : std::string());
  }

  std::vector<Package> merged() {
    std::vector<uint32_t> order(entries_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
      const Package &x = entries_[a].package, &y = entries_[b].package;
      return std::tie(x.name, x.version, x.file, x.line, a) <
             std::tie(y.name, y.version, y.file, y.line, b);
    });
    std::vector<Package> out;
    out.reserve(entries_.size());
    std::vector<uint32_t> moved(entries_.size());
    for (const uint32_t i : order) {
      Package& package = entries_[i].package;
      if (!out.empty() && same(out.back(), package)) {
        take_in(out.back(), std::move(package));
      } else {
        out.push_back(std::move(package));
      }
      moved[i] = static_cast<uint32_t>(out.size() - 1);
    }
    for (auto& package : out) tidy_edges(package, moved);
    return out;
  }

  // In order and each once; a range that is known goes before one that is not.
  static void tidy_edges(Package& package, const std::vector<uint32_t>& moved) {
    std::map<uint32_t, std::string> edges;
    bool any = false;
    for (std::size_t i = 0; i < package.depends_on.size(); ++i) {
      auto& range = edges[moved[package.depends_on[i]]];
      if (range.empty() && i < package.depends_ranges.size())
        range = std::move(package.depends_ranges[i]);
      any = any || !range.empty();
    }
    package.depends_on.clear();
    package.depends_ranges.clear();
    for (auto& [to, range] : edges) {
      package.depends_on.push_back(to);
      if (any) package.depends_ranges.push_back(std::move(range));
    }
  }

  Extract base_;
  std::vector<Entry>& entries_;
  std::unordered_map<std::string, uint32_t> by_key_;
  std::vector<const Entry*> missing_;
  std::unordered_set<const Entry*> seen_;
};

}  // namespace

std::vector<Package> link(Extract base, const std::vector<const Extract*>& manifests) {
  Linker linker(std::move(base));
  for (const auto* manifest : manifests) linker.manifest(*manifest);
  linker.asks();
  return linker.finish();
}

}  // namespace gitaiops::scanner::parsers
