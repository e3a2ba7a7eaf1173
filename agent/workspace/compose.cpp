#include <algorithm>

#include "agent/workspace/workspace.h"
#include "base/bytes/bytes.h"
#include "base/zstd/zstd.h"
#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::agent {
namespace {

using namespace fleet;

constexpr std::size_t kMaxReport = 64 << 10;
constexpr std::size_t kMaxInventory = 8 << 20;  // unpacked
constexpr std::size_t kRestOfReport = 4 << 10;  // what stands beside the packed inventory
constexpr int kMaxSets = 1'000;
constexpr std::size_t kMaxPackages = 50'000;
constexpr int kMaxProblems = 100;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxVersion = 128;
constexpr std::size_t kMaxPath = 1024;
constexpr std::size_t kMaxReason = 256;

std::string clean(std::string_view text, std::size_t max) {
  return truncate_utf8(to_utf8(text), max);
}

// Where a package comes from, without what a URL may carry of a private registry's credentials:
// user and password, and the query.
std::string without_credentials(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == text.npos) return std::string(text);
  const auto host = scheme + 3;
  const auto end = std::min(text.find_first_of("/?#", host), text.size());
  const auto user = text.substr(host, end - host).rfind('@');
  std::string out(text.substr(0, host));
  text.remove_prefix(user == text.npos ? host : host + user + 1);
  const auto query = text.find('?');
  out.append(text.substr(0, query));
  // A commit after '#' says which package it is.
  if (query != text.npos)
    if (const auto fragment = text.find('#', query); fragment != text.npos)
      out.append(text.substr(fragment));
  return out;
}

std::string clean_source(std::string_view text, std::size_t max) {
  return clean(without_credentials(text), max);
}

v1::Package::Scope scope_of(scanner::Scope scope) {
  switch (scope) {
    case scanner::Scope::runtime:
      return v1::Package::SCOPE_RUNTIME;
    case scanner::Scope::development:
      return v1::Package::SCOPE_DEVELOPMENT;
    case scanner::Scope::optional:
      return v1::Package::SCOPE_OPTIONAL;
    case scanner::Scope::build:
      return v1::Package::SCOPE_BUILD;
  }
  return v1::Package::SCOPE_UNSPECIFIED;
}

void fill(v1::Package& to, const scanner::Package& from, const scanner::PackageSet& set) {
  to.set_name(clean(from.name, kMaxName));
  to.set_version(clean_source(from.version, kMaxVersion));
  to.set_range(clean_source(from.range, kMaxName));
  to.set_scope(scope_of(from.scope));
  to.set_direct(from.direct);
  if (from.file != (set.lock.empty() ? set.manifest : set.lock))
    to.set_file(clean(from.file, kMaxPath));
  to.set_line(from.line);
  to.set_source(clean_source(from.source, kMaxPath));
  to.mutable_depends_on()->Add(from.depends_on.begin(), from.depends_on.end());
}

void fill(v1::PackageSet& to, const scanner::PackageSet& from) {
  to.set_ecosystem(std::string(osv_name(from.ecosystem)));
  to.set_manager(clean(from.manager, 32));
  to.set_manifest(clean(from.manifest, kMaxPath));
  to.set_lock(clean(from.lock, kMaxPath));
  to.set_root(clean(from.root, kMaxName));
  for (const auto& package : from.packages) fill(*to.add_packages(), package, from);
}

v1::Inventory message_of(const scanner::Inventory& inventory) {
  v1::Inventory message;
  std::size_t room = kMaxPackages;
  for (const auto& set : inventory.sets) {
    if (message.sets_size() == kMaxSets || set.packages.size() > room) {
      auto& problem = *message.add_problems();
      problem.set_file(clean(set.lock.empty() ? set.manifest : set.lock, kMaxPath));
      problem.set_reason(
          "the tree has more packages than one report can hold; what follows is left out");
      break;
    }
    fill(*message.add_sets(), set);
    room -= set.packages.size();
  }
  for (const auto& problem : inventory.problems) {
    if (message.problems_size() >= kMaxProblems) break;
    auto& to = *message.add_problems();
    to.set_file(clean(problem.file, kMaxPath));
    to.set_line(problem.line);
    to.set_reason(clean(diagnosis::redact(problem.reason).text, kMaxReason));
  }
  return message;
}

// ---- Making it fit, in the contract's order ----

template <class Act>
void each_package(v1::Inventory& inventory, Act act) {
  for (auto& set : *inventory.mutable_sets())
    for (auto& package : *set.mutable_packages()) act(package);
}

// The second net: tokens of known shapes, wherever they stand. One search in all texts together,
// for a search has a price of its own; it is seldom that something is found.
void hide_secrets(v1::Inventory& inventory) {
  std::string all;
  each_package(inventory, [&](const v1::Package& p) {
    all.append(p.version()).append(1, '\n').append(p.range()).append(1, '\n').append(p.source());
    all.append(1, '\n');
  });
  if (diagnosis::redact(all).count == 0) return;
  each_package(inventory, [](v1::Package& p) {
    for (auto* text : {p.mutable_version(), p.mutable_range(), p.mutable_source()})
      *text = clean(diagnosis::redact(*text).text, kMaxPath);
  });
}

void drop_last_half(v1::Inventory& inventory) {
  bool any = false;
  each_package(inventory, [&](v1::Package&) { any = true; });
  if (!any) inventory.Clear();  // a thousand empty sets with long paths
  for (auto& set : *inventory.mutable_sets()) {
    const int kept = set.packages_size() / 2;
    set.mutable_packages()->DeleteSubrange(kept, set.packages_size() - kept);
  }
}

// Packs it into the report; false when it does not fit.
bool pack(const v1::Inventory& inventory, v1::InventoryReport& report) {
  if (inventory.ByteSizeLong() > kMaxInventory) return false;
  auto frame = zstd::compress(inventory.SerializeAsString());
  if (frame.size() > kMaxReport - kRestOfReport) return false;
  report.set_inventory_zstd(std::move(frame));
  return true;
}

}  // namespace

v1::InventoryReport compose(const TreeReading& reading) {
  v1::InventoryReport report;
  report.set_commit_sha(reading.commit);
  report.set_content_hash(reading.content_hash);
  auto inventory = message_of(reading.inventory);
  hide_secrets(inventory);
  const auto trim = [&](const char* step, auto act) {
    if (pack(inventory, report)) return;
    each_package(inventory, act);
    report.add_trimmed(step);
  };
  trim("edges", [](v1::Package& p) { p.clear_depends_on(); });
  trim("sources", [](v1::Package& p) { p.clear_source(); });
  trim("places", [](v1::Package& p) {
    p.clear_file();
    p.clear_line();
  });
  if (pack(inventory, report)) return report;
  report.add_trimmed("packages");
  do {
    drop_last_half(inventory);
  } while (!pack(inventory, report));
  return report;
}

}  // namespace gitaiops::agent
