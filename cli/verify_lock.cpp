#include <algorithm>
#include <cstdio>
#include <ostream>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "cli/commands.h"
#include "cli/host_caches.h"
#include "cli/tree.h"
#include "engines/scanner/inventory.h"
#include "engines/scanner/provenance/lock_checks.h"
#include "engines/scanner/provenance/trust.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::cli {
namespace {

using namespace scanner;
using namespace scanner::provenance;

constexpr double kShownBelow = 0.8;     // a table explains the score of packages below it
constexpr std::size_t kShownMost = 20;  // of one set

std::optional<bool> satisfies(Ecosystem ecosystem, std::string_view version,
                              std::string_view range) {
  switch (matches(ecosystem, version, range)) {
    case Match::no:
      return false;
    case Match::yes:
    case Match::recommended:
      return true;
    case Match::invalid:
      break;
  }
  return std::nullopt;
}

// A set, and what is found about it.
struct Judged {
  const PackageSet* set = nullptr;
  std::vector<LockFinding> findings;
  std::vector<Trust> trust;  // of each package
  std::size_t in_cache = 0;  // packages whose archive on this host is what the lock file says
};

Judged judge(const PackageSet& set, const LockPolicy& policy, const CacheFolders* caches) {
  Judged out{.set = &set, .findings = check_lock(set, policy), .trust = {}, .in_cache = 0};
  std::vector<Evidence> evidence(set.packages.size());
  if (caches) {
    const auto compared = compare_with_caches(set, cached_archives(set, *caches));
    out.findings.insert(out.findings.end(), compared.altered.begin(), compared.altered.end());
    for (const auto same : compared.same) evidence[same].cache_agrees = true;
    out.in_cache = compared.same.size();
  }
  std::stable_sort(out.findings.begin(), out.findings.end(),
                   [](const LockFinding& a, const LockFinding& b) { return a.flaw < b.flaw; });
  for (const auto& finding : out.findings) {
    if (finding.package) {
      evidence[*finding.package].findings.push_back(finding);
    } else {
      for (auto& one : evidence) one.findings.push_back(finding);
    }
  }
  for (std::size_t i = 0; i < evidence.size(); ++i)
    out.trust.push_back(trust_in(set.packages[i], evidence[i]));
  return out;
}

std::string name_of(const Package& package) {
  return to_utf8(package.name + (package.version.empty() ? "" : " " + package.version));
}

std::string two_digits(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

void print_trust(std::ostream& out, const Judged& judged) {
  std::vector<std::size_t> low;
  for (std::size_t i = 0; i < judged.trust.size(); ++i) {
    if (judged.trust[i].score < kShownBelow) low.push_back(i);
  }
  std::stable_sort(low.begin(), low.end(), [&](std::size_t a, std::size_t b) {
    return judged.trust[a].score < judged.trust[b].score;
  });
  if (!low.empty()) out << "  least to go by (0 nothing, 1 everything):\n";
  for (std::size_t i = 0; i < low.size() && i < kShownMost; ++i) {
    const Trust& trust = judged.trust[low[i]];
    out << "    " << two_digits(trust.score) << "  " << name_of(judged.set->packages[low[i]])
        << " —";
    for (const auto& part : trust.parts) out << " " << part.name << " " << two_digits(part.value);
    out << (trust.held_down.empty() ? "" : "; held down: " + to_utf8(trust.held_down)) << "\n";
  }
  if (low.size() > kShownMost) out << "    … and " << low.size() - kShownMost << " more\n";
}

void print_table(std::ostream& out, const std::vector<Judged>& sets,
                 const std::vector<Problem>& problems) {
  for (const auto& judged : sets) {
    const PackageSet& set = *judged.set;
    out << to_utf8(set.lock.empty() ? set.manifest : set.lock) << " (" << set.manager << ", "
        << set.packages.size() << (set.packages.size() == 1 ? " package" : " packages");
    if (judged.in_cache > 0) out << ", " << judged.in_cache << " as cached on this host";
    out << ")\n";
    if (judged.findings.empty()) out << "  nothing to report\n";
    for (const auto& finding : judged.findings) {
      out << (is_grave(finding.flaw) ? "  ! " : "  · ") << to_string(finding.flaw) << ": ";
      if (finding.package) out << name_of(set.packages[*finding.package]) << ": ";
      out << to_utf8(finding.reason) << "\n";
    }
    print_trust(out, judged);
  }
  for (const auto& problem : problems)
    out << "could not read " << to_utf8(problem.file)
        << (problem.line > 0 ? " at line " + std::to_string(problem.line) : "") << ": "
        << to_utf8(problem.reason) << "\n";
}

nlohmann::ordered_json to_json(const Judged& judged) {
  auto findings = nlohmann::ordered_json::array(), packages = nlohmann::ordered_json::array();
  for (const auto& finding : judged.findings) {
    nlohmann::ordered_json json{{"flaw", to_string(finding.flaw)},
                                {"grave", is_grave(finding.flaw)},
                                {"package", nullptr},
                                {"reason", to_utf8(finding.reason)}};
    if (finding.package) json["package"] = *finding.package;
    findings.push_back(std::move(json));
  }
  for (std::size_t i = 0; i < judged.trust.size(); ++i) {
    const Package& package = judged.set->packages[i];
    auto parts = nlohmann::ordered_json::array();
    for (const auto& part : judged.trust[i].parts)
      parts.push_back({{"name", part.name},
                       {"value", part.value},
                       {"weight", part.weight},
                       {"reason", to_utf8(part.reason)}});
    packages.push_back({{"name", to_utf8(package.name)},
                        {"version", to_utf8(package.version)},
                        {"file", to_utf8(package.file)},
                        {"line", package.line},
                        {"trust", judged.trust[i].score},
                        {"held_down", to_utf8(judged.trust[i].held_down)},
                        {"parts", std::move(parts)}});
  }
  return {{"lock", to_utf8(judged.set->lock)}, {"manifest", to_utf8(judged.set->manifest)},
          {"manager", judged.set->manager},    {"in_cache", judged.in_cache},
          {"findings", std::move(findings)},   {"packages", std::move(packages)}};
}

void print_json(std::ostream& out, const std::vector<Judged>& sets,
                const std::vector<Problem>& problems) {
  nlohmann::ordered_json json{{"schema", "gitaiops.verify/1"},
                              {"sets", nlohmann::ordered_json::array()},
                              {"problems", nlohmann::ordered_json::array()}};
  for (const auto& judged : sets) json["sets"].push_back(to_json(judged));
  for (const auto& problem : problems)
    json["problems"].push_back({{"file", to_utf8(problem.file)},
                                {"line", problem.line},
                                {"reason", to_utf8(problem.reason)}});
  out << json.dump() << "\n";
}

}  // namespace

int verify_lock(const VerifyLockOptions& options, const Terminal& terminal) {
  const auto tree = FolderTree::open(options.path);
  if (!tree) {
    terminal.err << "gitaiops: " << tree.error().to_string() << "\n";
    return kUsage;
  }
  Inventory inventory = take_inventory(*tree);
  inventory.problems.insert(inventory.problems.end(), tree->problems().begin(),
                            tree->problems().end());
  CacheFolders caches = caches_of_user();
  caches.archives.insert(caches.archives.end(), options.caches.begin(), options.caches.end());
  const LockPolicy policy{.registries = options.registries, .satisfies = satisfies};
  std::vector<Judged> judged;
  bool grave = false, any = false;
  for (const auto& set : inventory.sets) {
    judged.push_back(judge(set, policy, options.look_into_caches ? &caches : nullptr));
    for (const auto& finding : judged.back().findings) any = true, grave |= is_grave(finding.flaw);
  }
  if (inventory.sets.empty() && inventory.problems.empty())
    terminal.err << "gitaiops: " << options.path << ": no manifest or lock file in it\n";
  if (options.format == "json")
    print_json(terminal.out, judged, inventory.problems);
  else
    print_table(terminal.out, judged, inventory.problems);
  return (options.strict ? any : grave) ? kFound : kDone;
}

}  // namespace gitaiops::cli
