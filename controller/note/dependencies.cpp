// The section on what the merge request changes in what the project depends on: a line with
// numbers, the few vulnerabilities that matter most, and the rest folded.
#include <algorithm>

#include "controller/note/markdown.h"
#include "controller/note/note.h"

namespace gitaiops::note {
namespace {

constexpr std::string_view kLabel = "**Dependencies:** ";
constexpr std::size_t kShownVulnerabilities = 4;
constexpr std::size_t kMaxListed = 50;
constexpr std::size_t kMaxRemoved = 20;
constexpr std::size_t kMaxName = 120, kMaxVersion = 60, kMaxSummary = 160;
constexpr std::size_t kMaxSteps = 4;  // of a path; the ends tell most
constexpr std::size_t kShortSha = 8;

std::string_view severity_word(int severity) {
  static constexpr std::string_view kWords[] = {"unrated", "unrated", "low",
                                                "medium",  "high",    "critical"};
  return kWords[std::clamp(severity, 0, kCritical)];
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}
std::string vulnerabilities(std::size_t count) {
  return counted(count, "vulnerability", "vulnerabilities");
}

// "1 critical, 2 high"
std::string by_severity(const std::vector<Vulnerable>& all) {
  std::string out;
  for (int severity = kCritical; severity >= 1; --severity) {
    const auto count = std::ranges::count_if(
        all, [&](const Vulnerable& v) { return std::clamp(v.severity, 1, kCritical) == severity; });
    if (count > 0)
      out += (out.empty() ? "" : ", ") + std::to_string(count) + " " +
             std::string(severity_word(severity));
  }
  return out;
}

std::string packages(const Dependencies& d) {
  std::string out;
  const auto add = [&](int64_t count, std::string_view what) {
    if (count != 0)
      out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(what);
  };
  add(d.packages_added, "added");
  add(d.packages_removed, "removed");
  add(d.packages_changed, "changed");
  return out.empty() ? out : "packages: " + out;
}

std::string path_of(const Vulnerable& v) {
  if (v.path.size() < 2) return "asked for directly";
  std::string out = "by way of ";
  const std::size_t last = v.path.size() - 1;  // the package itself
  for (std::size_t i = 0; i < last; ++i) {
    if (last > kMaxSteps && i == kMaxSteps / 2) {
      out += " → …";
      i = last - kMaxSteps / 2;
    }
    out += (i == 0 ? "" : " → ") + code_span(v.path[i], kMaxName);
  }
  return out;
}

std::string name_and_version(const Vulnerable& v) {
  return code_span(v.version.empty() ? v.package : v.package + " " + v.version,
                   kMaxName + kMaxVersion);
}

std::string line_of(const Vulnerable& v) {
  std::string out = "- **" + std::string(severity_word(v.severity)) + "** " + name_and_version(v);
  out += v.fixed.empty() ? " · no fix known" : " → fixed in " + code_span(v.fixed, kMaxVersion);
  out += " · " + code_span(v.name, kMaxVersion);
  if (v.known_exploited) out += " · known to be exploited";
  return out + " · " + path_of(v) + "\n";
}

std::string row_of(const Vulnerable& v) {
  std::string out = "| " + std::string(severity_word(v.severity)) +
                    (v.known_exploited ? ", exploited" : "") + " | " + name_and_version(v);
  if (!v.fixed.empty()) out += " → " + code_span(v.fixed, kMaxVersion);
  out += " | " + code_span(v.name, kMaxVersion);
  if (!v.summary.empty()) out += " " + code_span(v.summary, kMaxSummary);
  return out + " | " + path_of(v) + " |\n";
}

std::string table(const std::vector<Vulnerable>& all) {
  std::string out = "| Severity | Package → fixed in | What | From |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < std::min(all.size(), kMaxListed); ++i) out += row_of(all[i]);
  if (all.size() > kMaxListed)
    out += "\n" + std::to_string(all.size() - kMaxListed) + " more are not listed.\n";
  return out;
}

std::string removed_list(const std::vector<Vulnerable>& removed) {
  if (removed.empty()) return {};
  std::string out = "No longer there:\n\n";
  for (std::size_t i = 0; i < std::min(removed.size(), kMaxRemoved); ++i)
    out += "- " + name_and_version(removed[i]) + " · " + code_span(removed[i].name, kMaxVersion) +
           "\n";
  if (removed.size() > kMaxRemoved)
    out += "- and " + std::to_string(removed.size() - kMaxRemoved) + " more\n";
  return out;
}

std::string accepted_list(const std::vector<Vulnerable>& accepted) {
  if (accepted.empty()) return {};
  std::string out = "Accepted:\n\n";
  for (std::size_t i = 0; i < std::min(accepted.size(), kMaxRemoved); ++i) {
    const auto& v = accepted[i];
    out += "- " + std::string(severity_word(v.severity)) + " " + name_and_version(v) + " · " +
           code_span(v.name, kMaxVersion) + ": " + code_span(v.reason, kMaxSummary) + "\n";
  }
  if (accepted.size() > kMaxRemoved)
    out += "- and " + std::to_string(accepted.size() - kMaxRemoved) + " more\n";
  return out;
}

std::string join(std::initializer_list<std::string> parts, std::string_view between) {
  std::string out;
  for (const auto& part : parts)
    if (!part.empty()) out.append(out.empty() ? "" : between).append(part);
  return out;
}

std::string summary(const Dependencies& d) {
  const std::string branch = code_span(d.target_branch);
  std::string out(kLabel);
  if (!d.target_known) {
    out += vulnerabilities(d.added.size()) + " (" + by_severity(d.added) + "). " + branch +
           " has no inventory yet, so which of them are new cannot be told";
  } else {
    out += d.added.empty() ? "no new vulnerability against " + branch
                           : counted(d.added.size(), "new vulnerability", "new vulnerabilities") +
                                 " against " + branch + " (" + by_severity(d.added) + ")";
    out =
        join({out, d.removed.empty() ? "" : std::to_string(d.removed.size()) + " no longer there"},
             ", ");
    out = join({out, packages(d)}, "; ");
  }
  if (!d.accepted.empty()) out += "; " + std::to_string(d.accepted.size()) + " accepted";
  if (!d.commit.empty()) out += ", as of commit " + code_span(d.commit.substr(0, kShortSha));
  return out + ".\n";
}

class DependencyChanges final : public Section {
 public:
  std::string_view name() const override { return "vulnerabilities"; }

  Contribution contribute(const View& view) const override {
    Contribution out;
    if (!view.dependencies) return out;
    const auto& d = *view.dependencies;
    const bool changed = !d.added.empty() || !d.accepted.empty() || !d.removed.empty() ||
                         d.packages_added != 0 || d.packages_removed != 0 ||
                         d.packages_changed != 0;
    if (!changed && !(d.told_before && d.target_known)) return out;
    if (!d.target_known && d.added.empty()) return out;

    const auto worth = worth_a_note(d);
    out.worth_a_note = !worth.empty();
    if (out.worth_a_note) out.headline = headline(view, d);
    Block numbers{.shown = summary(d), .folded = {}, .fold_title = {}};
    if (!view.quote_logs) {
      numbers.shown += "They are not named here: not every reader of this note may see the jobs.\n";
      out.blocks.push_back(std::move(numbers));
      return out;
    }
    out.blocks.push_back(std::move(numbers));
    Block list;
    for (std::size_t i = 0; i < std::min(worth.size(), kShownVulnerabilities); ++i)
      list.shown += line_of(worth[i]);
    const bool all_shown = d.added.size() == std::min(worth.size(), kShownVulnerabilities);
    if (!all_shown) list.folded = table(d.added);
    std::string title = all_shown ? "" : vulnerabilities(d.added.size());
    const auto fold = [&](const std::string& text, const std::string& words) {
      if (text.empty()) return;
      list.folded += (list.folded.empty() ? "" : "\n") + text;
      title = join({title, words}, ", ");
    };
    fold(removed_list(d.removed), std::to_string(d.removed.size()) + " no longer there");
    fold(accepted_list(d.accepted), std::to_string(d.accepted.size()) + " accepted");
    list.fold_title = title;
    if (!list.shown.empty() || !list.folded.empty()) out.blocks.push_back(std::move(list));
    return out;
  }

 private:
  static std::string headline(const View& view, const Dependencies& d) {
    std::string out = "**" + counted(d.added.size(), "new vulnerability", "new vulnerabilities") +
                      "** in what this merge request depends on";
    if (view.pipeline_status == "success") out += "; its newest pipeline passed";
    return out;
  }
};

}  // namespace

std::shared_ptr<const Section> dependencies() {
  return std::make_shared<DependencyChanges>();
}

std::vector<Vulnerable> worth_a_note(const Dependencies& d) {
  std::vector<Vulnerable> out;
  if (!d.target_known || d.least_severity > kCritical) return out;
  std::ranges::copy_if(d.added, std::back_inserter(out), [&](const Vulnerable& v) {
    return v.severity >= d.least_severity || v.known_exploited;
  });
  return out;
}

bool tells_of_dependencies(std::string_view body) {
  return body.find("\n" + std::string(kLabel)) != body.npos;
}

}  // namespace gitaiops::note
