#include "agent/tracker/checkout.h"

#include <algorithm>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxPath = 4096;
constexpr int64_t kMaxSlot = 1 << 16;

std::string_view tidy(std::string_view path) {
  const auto drop = [&](std::string_view end) {
    if (path.ends_with(end)) path.remove_suffix(end.size());
  };
  drop("/");
  drop("/.git");
  drop("/");
  return path;
}

bool ends_with_path(std::string_view path, std::string_view tail) {
  return !tail.empty() && path.ends_with(tail) &&
         (path.size() == tail.size() || path[path.size() - tail.size() - 1] == '/');
}

}  // namespace

std::vector<Checkout> checkouts_in(std::string_view path) {
  std::vector<Checkout> found;
  if (path.size() > kMaxPath || !path.starts_with('/')) return found;
  const auto parts = split(path.substr(1), '/');
  // The position of parts[i] inside `path`, to cut what follows out of it.
  std::size_t at = 1;
  for (std::size_t i = 0; i < parts.size(); at += parts[i].size() + 1, ++i) {
    if (i == 0 || i + 2 >= parts.size() || parts[i].size() > 5) continue;
    const auto slot = parse_uint(parts[i]);
    if (!slot || *slot >= kMaxSlot || parts[i - 1].empty()) continue;
    found.push_back({std::string(parts[i - 1]), static_cast<int>(*slot),
                     std::string(path.substr(at + parts[i].size() + 1))});
  }
  return found;
}

bool inside(const Checkout& place, std::string_view project) {
  if (project.empty() || !std::string_view(place.below).starts_with(project)) return false;
  auto rest = std::string_view(place.below).substr(project.size());
  if (rest.starts_with(".tmp")) rest.remove_prefix(4);
  return rest.empty() || rest.front() == '/';
}

bool contradicts(std::string_view claim, std::string_view runner_short, std::string_view project) {
  claim = tidy(claim);
  if (claim.empty() || project.empty() || ends_with_path(claim, project)) return false;
  for (const auto& place : checkouts_in(claim))
    if (place.runner_short == runner_short) return true;
  return !ends_with_path(claim, project.substr(project.rfind('/') + 1));
}

}  // namespace gitaiops::agent
