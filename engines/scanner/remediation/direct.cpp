// One dependency at a time first; two together only where no single one helps, as where both hold
// the same package fast.
#include "engines/scanner/remediation/direct.h"

#include <algorithm>
#include <set>

#include "engines/scanner/remediation/ranges.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

constexpr int kMaxTries = 2'000;       // resolutions of one set
constexpr std::size_t kMaxNewer = 64;  // releases tried of one package

using Group = std::pair<std::string, uint32_t>;  // normalised name, advisories' group

struct Step {
  std::size_t root;  // which of the roots
  const Release* to;
  std::string range;
  bool breaking;
};

struct Outlook {
  std::vector<Step> steps;
  std::set<Group> left;
  std::size_t removed = 0;
  bool breaking = false;
};

class Directs {
 public:
  Directs(const Inventory& inventory, const Findings& findings, const Index& index,
          const Releases& releases, uint32_t set)
      : set_(inventory.sets[set]),
        findings_(findings),
        index_(index),
        releases_(releases),
        number_(set),
        roots_(roots_of(set_)) {
    for (uint32_t i = 0; i < set_.packages.size(); ++i)
      if (set_.packages[i].direct) positions_.push_back(i);
  }

  void plan(const std::vector<uint32_t>& mine, Plan& plan) {
    const auto now = groups(roots_);
    if (!now) return stay(mine, "its manifest cannot be resolved with the releases given", plan);
    left_ = *now;
    for (const auto i : mine) {
      if (!left_.contains(group_of(i))) continue;
      if (const auto best = best_for(group_of(i))) take(*best, mine, plan);
    }
    std::vector<uint32_t> stays;
    for (const auto i : mine)
      if (left_.contains(group_of(i))) stays.push_back(i);
    stay(stays,
         "no newer release of what brings it in removes it without another finding, or none is "
         "known",
         plan);
  }

 private:
  Group group_of(uint32_t finding) const {
    const auto& f = findings_.all[finding];
    return {normalised_name(set_.ecosystem, set_.packages[f.package].name), f.group};
  }

  // What is wrong with everything that the roots bring in.
  std::optional<std::set<Group>> groups(const std::vector<Need>& roots) {
    if (++tries_ > kMaxTries) return std::nullopt;
    const auto resolved = resolve(releases_, set_.ecosystem, roots);
    if (!resolved) return std::nullopt;
    std::set<Group> out;
    for (const auto& one : *resolved)
      for (const auto& hit : index_.match(set_.ecosystem, one.name, one.release->version))
        out.emplace(one.name, hit.group);
    return out;
  }

  std::vector<Step> steps_of(std::size_t root) const {
    std::vector<Step> out;
    const auto& package = set_.packages[positions_[root]];
    const auto* releases = releases_.of(set_.ecosystem, package.name);
    if (!releases || package.range.empty()) return out;
    for (const auto& release : *releases) {
      if (out.size() == kMaxNewer) break;
      if (compare_versions(set_.ecosystem, release.version, package.version) <= 0) continue;
      if (auto range = raised_range(set_.ecosystem, package.range, release.version))
        out.push_back(
            {root, &release, std::move(*range), !same_line(package.version, release.version)});
    }
    return out;
  }

  // What the steps lead to; nothing where they cannot be resolved, or add a finding.
  std::optional<Outlook> outlook(std::vector<Step> steps) {
    auto roots = roots_;
    for (const auto& step : steps) roots[step.root].range = step.range;
    auto after = groups(roots);
    if (!after || !std::ranges::includes(left_, *after)) return std::nullopt;
    Outlook out;
    out.removed = left_.size() - after->size();
    out.left = std::move(*after);
    for (const auto& step : steps) out.breaking = out.breaking || step.breaking;
    out.steps = std::move(steps);
    return out;
  }

  static bool better(const Outlook& a, const Outlook& b) {
    if (a.breaking != b.breaking) return b.breaking;
    return a.removed > b.removed;  // of as many the first, which is the smallest
  }

  std::optional<Outlook> best_for(const Group& wanted) {
    std::optional<Outlook> best;
    const auto consider = [&](std::optional<Outlook> one) {
      if (one && !one->left.contains(wanted) && (!best || better(*one, *best)))
        best = std::move(*one);
    };
    std::vector<std::vector<Step>> all;
    for (std::size_t root = 0; root < roots_.size(); ++root) all.push_back(steps_of(root));
    for (const auto& steps : all)
      for (const auto& step : steps) consider(outlook({step}));
    if (best) return best;
    for (std::size_t a = 0; a < all.size(); ++a)
      for (std::size_t b = a + 1; b < all.size(); ++b)
        for (const auto& first : all[a])
          for (const auto& second : all[b]) consider(outlook({first, second}));
    return best;
  }

  void take(const Outlook& best, const std::vector<uint32_t>& mine, Plan& plan) {
    std::vector<uint32_t> removes;
    for (const auto i : mine)
      if (left_.contains(group_of(i)) && !best.left.contains(group_of(i))) removes.push_back(i);
    for (const auto& step : best.steps) {
      const auto at = positions_[step.root];
      const auto& package = set_.packages[at];
      Upgrade out;
      out.set = number_;
      out.packages = {at};
      out.name = package.name;
      out.from = package.version;
      out.to = step.to->version;
      out.direct = true;
      out.breaking = step.breaking;
      out.range = package.range;
      out.new_range = step.range;
      out.file = package.file;
      out.line = package.line;
      out.removes = removes;
      plan.upgrades.push_back(std::move(out));
      roots_[step.root].range = step.range;
    }
    left_ = best.left;
  }

  static void stay(const std::vector<uint32_t>& which, const std::string& why, Plan& plan) {
    for (const auto i : which) plan.stays.push_back({i, why});
  }

  const PackageSet& set_;
  const Findings& findings_;
  const Index& index_;
  const Releases& releases_;
  const uint32_t number_;
  std::vector<Need> roots_;          // as far as the plan has raised them
  std::vector<uint32_t> positions_;  // of the roots in the set
  std::set<Group> left_;
  int tries_ = 0;
};

}  // namespace

void plan_directs(const Inventory& inventory, const Findings& findings, const Index& index,
                  const Releases& releases, uint32_t set, const std::vector<uint32_t>& mine,
                  Plan& plan) {
  Directs(inventory, findings, index, releases, set).plan(mine, plan);
}

}  // namespace gitaiops::scanner
