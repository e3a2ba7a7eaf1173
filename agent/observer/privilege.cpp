#include "agent/observer/privilege.h"

#include <array>
#include <cstdint>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gitaiops::agent {
namespace {

constexpr uint64_t bit(int capability) {
  return uint64_t{1} << capability;
}
constexpr uint64_t kNeeded = bit(CAP_SYS_PTRACE) | bit(CAP_DAC_READ_SEARCH);

struct Sets {
  uint64_t effective = 0, permitted = 0;
};

// The system calls themselves: libcap would be one more library in the privileged process.
Result<Sets> capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return errno_error("capget");
  return Sets{data[0].effective | static_cast<uint64_t>(data[1].effective) << 32,
              data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32};
}

Status set_capabilities(uint64_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0].effective = data[0].permitted = static_cast<uint32_t>(kept);
  data[1].effective = data[1].permitted = static_cast<uint32_t>(kept >> 32);
  if (::syscall(SYS_capset, &header, data.data()) != 0) return errno_error("capset");
  return {};
}

}  // namespace

Status keep_only_needed_capabilities() {
  ASSIGN_OR_RETURN(const auto before, capabilities());
  if ((before.effective & bit(CAP_SETPCAP)) != 0) {
    // For a start as root: no capability comes back by exec, neither by being root nor from a file.
    constexpr unsigned long kNoRoot = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                      SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
                                      SECBIT_NO_CAP_AMBIENT_RAISE |
                                      SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (::prctl(PR_SET_SECUREBITS, kNoRoot, 0, 0, 0) != 0)
      return errno_error("set the secure bits");
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
      if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
        return errno_error("drop from the bounding set");
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return errno_error("clear the ambient set");
  RETURN_IF_ERROR(set_capabilities(before.permitted & kNeeded));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("set no_new_privs");
  // No core file of a process that holds other people's logs.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno_error("forbid core dumps");
  return {};
}

Status give_up_all_capabilities() {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return errno_error("clear the ambient set");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("set no_new_privs");
  return set_capabilities(0);
}

bool has_needed_capabilities() {
  const auto now = capabilities();
  return now.ok() && (now->effective & kNeeded) == kNeeded;
}

std::vector<std::string> describe_capabilities() {
  const auto now = capabilities();
  const uint64_t effective = now.ok() ? now->effective : 0;
  const auto line = [&](int capability, const std::string& name) {
    if ((effective & bit(capability)) != 0) return name + ": effective";
    return name +
           ": missing; traces and processes of other users cannot be read. Add to the unit: "
           "AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH";
  };
  return {line(CAP_SYS_PTRACE, "CAP_SYS_PTRACE"), line(CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH")};
}

}  // namespace gitaiops::agent
