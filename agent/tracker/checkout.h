// Checkout paths of the shell executor: <builds_dir>/<short token>/<slot>/<namespace/project>.
// Pure. The slot is what the runner calls CONCURRENT_PROJECT_ID: the lowest number that no other
// job of the same entry and project holds at that moment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::agent {

struct Checkout {
  std::string runner_short;
  int slot = 0;
  std::string below;  // "grp/demo", "grp/demo/src", "grp/demo.tmp"
  auto operator<=>(const Checkout&) const = default;
};

// Every reading of the path; usually none or one ("/b/7/x/3/y/z" has two).
std::vector<Checkout> checkouts_in(std::string_view path);
// Whether the place is the project's checkout, its temporary folder beside it, or inside one of
// them.
bool inside(const Checkout& place, std::string_view project);
// Whether a path that a job claims for its checkout cannot be this project's. A folder of another
// layout (GIT_CLONE_PATH) contradicts nothing as long as it ends in the project's name.
bool contradicts(std::string_view claim, std::string_view runner_short, std::string_view project);

}  // namespace gitaiops::agent
