#include "engines/triage/rules/labels.h"

#include <algorithm>
#include <string_view>

namespace gitaiops::triage {
namespace {

bool holds(const std::vector<std::string>& labels, const std::string& label) {
  return std::ranges::find(labels, label) != labels.end();
}

// "a::b" of "a::b::c"; empty: not scoped.
std::string_view scope_of(std::string_view label) {
  const auto end = label.rfind("::");
  return end == label.npos ? std::string_view() : label.substr(0, end);
}

}  // namespace

LabelChanges label_changes(const std::vector<std::string>& current,
                           const std::vector<std::string>& ours,
                           const std::vector<std::string>& wanted,
                           const std::vector<std::string>& allowed) {
  LabelChanges out;
  for (const auto& label : wanted) {
    if (holds(current, label) || holds(out.add, label) || !holds(allowed, label)) continue;
    const auto scope = scope_of(label);
    const bool taken =
        !scope.empty() && std::ranges::any_of(current, [&](const std::string& other) {
          return scope_of(other) == scope && !holds(ours, other);
        });
    const bool twice =
        !scope.empty() && std::ranges::any_of(out.add, [&](const std::string& other) {
          return scope_of(other) == scope;
        });
    if (!taken && !twice) out.add.push_back(label);
  }
  for (const auto& label : current)
    if (holds(ours, label) && !holds(wanted, label) && !holds(out.remove, label))
      out.remove.push_back(label);
  return out;
}

}  // namespace gitaiops::triage
