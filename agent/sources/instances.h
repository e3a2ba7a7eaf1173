// Which configured GitLab a URL belongs to, and which project it names. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/sources/sources.h"
#include "base/result/result.h"

namespace gitaiops::agent {

class InstanceMap {
 public:
  // invalid_argument names the entry whose url is not http(s)://host[:port][/root].
  static Result<InstanceMap> make(const std::vector<GitLabInstance>& instances);

  struct Place {
    std::string instance;
    std::string project_path;
  };
  // "https://user:secret@host:port/root/grp/demo.git" or ".../grp/demo/-/jobs/1". Credentials are
  // dropped unread. Host, port and relative root decide; the longest root wins. not_found: no
  // configured GitLab; its message names the host only.
  Result<Place> locate(std::string_view url) const;

  // The only instance, when there is exactly one.
  const std::string* only() const { return entries_.size() == 1 ? &entries_.front().id : nullptr; }

 private:
  struct Entry {
    std::string id, host, root;  // root: "" or "/relative/root"
    uint16_t port;
  };
  std::vector<Entry> entries_;
};

}  // namespace gitaiops::agent
