#include "agent/service_user.h"

#include <array>
#include <vector>

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gitaiops::agent {
namespace {

// Of the unit, packaging/systemd/gitaiops-agent.service.
constexpr const char* kUnitUser = "gitaiops-agent";
constexpr const char* kUnitStateDir = "/var/lib/gitaiops-agent";

// nullptr: there is no other user than root for it.
Result<const passwd*> service_user(const std::filesystem::path& state_dir) {
  struct stat folder{};
  if (::stat(state_dir.c_str(), &folder) == 0) {
    const passwd* owner = ::getpwuid(folder.st_uid);
    if (owner != nullptr) return owner;
    return Error(Code::not_found, state_dir.string() + " belongs to user id " +
                                      std::to_string(folder.st_uid) + ", which has no name");
  }
  const passwd* user = state_dir == kUnitStateDir ? ::getpwnam(kUnitUser) : nullptr;
  if (user == nullptr) return user;
  if (::mkdir(state_dir.c_str(), 0700) != 0 ||
      ::chown(state_dir.c_str(), user->pw_uid, user->pw_gid) != 0)
    return errno_error("make", state_dir.string());
  return user;
}

Status take_groups(const passwd& user) {
  if (::initgroups(user.pw_name, user.pw_gid) != 0)
    return errno_error("take the groups of", user.pw_name);
  if (const group* journal = ::getgrnam("systemd-journal")) {
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    if (::getgroups(static_cast<int>(groups.size()), groups.data()) < 0)
      return errno_error("read the groups");
    groups.push_back(journal->gr_gid);
    if (::setgroups(groups.size(), groups.data()) != 0)
      return errno_error("join the group", "systemd-journal");
  }
  return {};
}

// Capabilities that outlive the coming exec, as AmbientCapabilities= of a unit gives them.
Status keep_capabilities() {
  constexpr uint32_t kKept = 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_READ_SEARCH;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0].effective = data[0].permitted = data[0].inheritable = kKept;
  if (::syscall(SYS_capset, &header, data.data()) != 0)
    return errno_error("keep CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
  for (const unsigned long capability : {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH}) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
      return errno_error("pass on the capabilities");
  }
  return {};
}

}  // namespace

Result<std::string> become_service_user(const std::filesystem::path& state_dir, Keep keep) {
  if (::geteuid() != 0) return std::string();
  ASSIGN_OR_RETURN(const passwd* user, service_user(state_dir));
  if (user == nullptr || user->pw_uid == 0) return std::string();
  const std::string name = user->pw_name;
  const auto uid = user->pw_uid;
  const auto gid = user->pw_gid;
  RETURN_IF_ERROR(take_groups(*user));
  if (keep != Keep::nothing && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
    return errno_error("keep capabilities");
  if (::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0)
    return errno_error("become", name);
  if (keep != Keep::nothing) RETURN_IF_ERROR(keep_capabilities());
  return name;
}

}  // namespace gitaiops::agent
