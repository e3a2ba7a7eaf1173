// Whether a container's claim is a job that the runner announced.
#include <algorithm>

#include "agent/containers/containers.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; });
  return result;
}

// "https://GitLab.example.com:443/root/" → "gitlab.example.com/root": host and path, without what
// may be written in several ways.
std::string address_of(std::string_view url) {
  const bool plain = url.starts_with("http://");
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  const auto slash = std::min(url.find('/'), url.size());
  auto host = url.substr(0, slash);
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  const std::string_view usual = plain ? ":80" : ":443";
  if (host.ends_with(usual)) host.remove_suffix(usual.size());
  auto path = url.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  return lower(host) + std::string(path);
}

// In the names of containers and pods the runner writes its short name in lower case and leaves out
// what a host name may not hold ("_").
bool same_runner(std::string_view claimed, std::string_view told) {
  const auto plain = [](std::string_view text) {
    auto name = lower(text);
    std::erase_if(name, [](char c) {
      return c != '-' && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9');
    });
    return name;
  };
  return plain(claimed) == plain(told);
}

}  // namespace

Fit fits(const ContainerClaim& claim, const ContainerJob& job,
         const std::vector<ContainersOptions::Instance>& instances) {
  if (claim.project_id != 0 && job.project_id != 0 && claim.project_id != job.project_id)
    return Fit::no;
  if (!claim.runner_short.empty() && !job.runner_short.empty() &&
      !same_runner(claim.runner_short, job.runner_short))
    return Fit::no;
  if (claim.job_id == 0) return claim.any() && !job.runner_short.empty() ? Fit::by_name : Fit::no;
  if (claim.job_id != job.job_id) return Fit::no;
  const auto instance =
      std::ranges::find(instances, job.instance, &ContainersOptions::Instance::id);
  if (instance == instances.end() || job.project_path.empty()) return Fit::no;
  const auto expected =
      address_of(instance->url) + "/" + job.project_path + "/-/jobs/" + std::to_string(job.job_id);
  return address_of(claim.job_url) == expected ? Fit::certain : Fit::no;
}

}  // namespace gitaiops::agent
