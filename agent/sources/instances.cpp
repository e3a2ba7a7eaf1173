#include "agent/sources/instances.h"

#include <algorithm>
#include <optional>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxUrl = 2048;
constexpr std::size_t kMaxProjectPath = 512;  // as in the contract with the controller

struct Url {
  std::string host;  // lower case
  uint16_t port = 0;
  std::string_view path;  // with its leading '/', or empty
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrl) return std::nullopt;
  Url url;
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  const std::string scheme = lower(text.substr(0, scheme_end));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  url.port = scheme == "https" ? 443 : 80;
  text.remove_prefix(scheme_end + 3);
  auto authority = text.substr(0, text.find_first_of("/?#"));
  url.path = text.substr(authority.size());
  url.path = url.path.substr(0, url.path.find_first_of("?#"));
  // Everything before the last '@' is credentials: not looked at.
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const auto colon = authority.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (authority.front() != '[' || authority.rfind(']') < colon);
  if (has_port) {
    const auto port = parse_uint(authority.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    url.port = static_cast<uint16_t>(*port);
    authority = authority.substr(0, colon);
  }
  if (authority.empty()) return std::nullopt;
  url.host = lower(authority);
  if (url.host.back() == '.') url.host.pop_back();
  return url;
}

std::string_view without_trailing(std::string_view text, char c) {
  while (!text.empty() && text.back() == c) text.remove_suffix(1);
  return text;
}

// "grp/sub/demo": what GitLab allows in a path, at least a namespace and a project.
bool is_project_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxProjectPath) return false;
  const auto parts = split(path, '/');
  if (parts.size() < 2) return false;
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return !part.empty() && part != "." && part != ".." &&
           std::all_of(part.begin(), part.end(), [](unsigned char c) {
             return c > ' ' && c != 0x7f && c != '\\' && c != ':';
           });
  });
}

}  // namespace

Result<InstanceMap> InstanceMap::make(const std::vector<GitLabInstance>& instances) {
  InstanceMap map;
  for (const auto& instance : instances) {
    const auto url = parse_url(instance.url);
    if (!url)
      return Error(Code::invalid_argument, "GitLab instance '" + instance.id + "': its url '" +
                                               instance.url +
                                               "' is not http(s)://host[:port][/root]");
    map.entries_.push_back(
        {instance.id, url->host, std::string(without_trailing(url->path, '/')), url->port});
  }
  return map;
}

Result<InstanceMap::Place> InstanceMap::locate(std::string_view text) const {
  const auto url = parse_url(trimmed(text));
  if (!url) return Error(Code::invalid_argument, "not a GitLab URL");
  const Entry* best = nullptr;
  for (const auto& entry : entries_) {
    if (entry.host != url->host || entry.port != url->port) continue;
    if (!url->path.starts_with(entry.root) ||
        !(url->path.size() > entry.root.size() && url->path[entry.root.size()] == '/'))
      continue;
    if (!best || entry.root.size() > best->root.size()) best = &entry;
  }
  if (!best) return Error(Code::not_found, to_utf8(url->host) + ":" + std::to_string(url->port));
  auto path = url->path.substr(best->root.size() + 1);
  path = path.substr(0, path.find("/-/"));
  path = without_trailing(path, '/');
  if (path.ends_with(".git")) path.remove_suffix(4);
  if (!is_project_path(path)) return Error(Code::invalid_argument, "the URL names no project");
  return Place{best->id, to_utf8(path)};
}

}  // namespace gitaiops::agent
