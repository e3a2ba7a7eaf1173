#include <map>
#include <set>
#include <tuple>

#include "controller/dependencies/dependencies.h"

namespace gitaiops::dependencies {
namespace {

using Name = std::tuple<std::string_view, std::string_view, std::string_view>;

// All names of all vulnerabilities, each with its package.
class Known {
 public:
  bool has(const store::Found& found) const {
    if (names_.contains(name(found, found.advisory))) return true;
    for (const auto& alias : found.aliases)
      if (names_.contains(name(found, alias))) return true;
    return false;
  }
  void add(const store::Found& found) {
    names_.insert(name(found, found.advisory));
    for (const auto& alias : found.aliases) names_.insert(name(found, alias));
  }

 private:
  static Name name(const store::Found& found, const std::string& id) {
    return {found.ecosystem, found.package, id};
  }
  std::set<Name> names_;  // into what was added
};

// What of `found` is not in `other`, each vulnerability once.
std::vector<store::Found> without(const std::vector<store::Found>& found,
                                  const std::vector<store::Found>& other) {
  Known known;
  for (const auto& one : other) known.add(one);
  std::vector<store::Found> out;
  for (const auto& one : found) {
    if (known.has(one)) continue;
    known.add(one);
    out.push_back(one);
  }
  return out;
}

}  // namespace

Comparison compare(const std::vector<store::Found>& before,
                   const std::vector<store::Found>& after) {
  return {without(after, before), without(before, after)};
}

std::vector<store::RefOf> refs_of_merge_request(const std::string& source_path,
                                                const std::string& source_branch,
                                                const std::string& target_path, int64_t iid) {
  std::vector<store::RefOf> out;
  const std::string own = "refs/merge-requests/" + std::to_string(iid);
  for (const char* kind : {"/head", "/merge", "/train"}) {
    out.push_back({target_path, own + kind});
    if (!source_path.empty() && source_path != target_path)
      out.push_back({source_path, own + kind});
  }
  if (!source_path.empty()) out.push_back({source_path, source_branch});
  return out;
}

}  // namespace gitaiops::dependencies
