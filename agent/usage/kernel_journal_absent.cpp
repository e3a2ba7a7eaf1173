// Built without libsystemd.
#include "agent/usage/kernel_log.h"

namespace gitaiops::agent {

Result<KernelLog> KernelLog::open_journal(const asio::any_io_executor&, const std::string&) {
  return Error(Code::unimplemented, "this agent was built without libsystemd");
}

}  // namespace gitaiops::agent
