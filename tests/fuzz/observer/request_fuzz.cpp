// What an agent that was taken over may send to the privileged process: whatever it is, the service
// goes on, and answers nothing but whole packets to calls that were made.
#include <cstdlib>
#include <filesystem>
#include <set>

#include <sys/socket.h>

#include "agent/observer/service.h"
#include "tests/fuzz/observer/packets.h"

using namespace gitaiops;
using namespace gitaiops::agent;

namespace {

// A machine without a process or cgroup: what is tried here is the door, not what is behind it.
struct Machine {
  std::string folder = (std::filesystem::temp_directory_path() / "observer-fuzz-XXXXXX").string();
  std::optional<Service> service;

  Machine() {
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    auto proc = ProcFs::open(folder);
    ServiceOptions options;
    options.proc_root = options.host_root = folder;
    service.emplace(std::move(options), std::move(*proc));
  }
  ~Machine() { std::filesystem::remove_all(folder); }
};

Service& service() {
  static Machine machine;
  return *machine.service;
}

void check_replies(const Fd& socket, const std::set<uint32_t>& calls) {
  std::string buffer(sizeof(wire::Header) + wire::kMaxBody + 1, '\0');
  for (;;) {
    const auto n = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return;
    const auto reply = wire::parse({buffer.data(), static_cast<std::size_t>(n)});
    if (!reply || calls.count(reply->header.call) == 0) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  const Fd ours(ends[0]);
  service().attach(Fd(ends[1]));
  std::set<uint32_t> calls;
  for (const auto& packet : packets_of({reinterpret_cast<const char*>(data), size})) {
    if (const auto message = wire::parse(packet)) calls.insert(message->header.call);
    if (::send(ours.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) break;
    service().step(-1, 0);
    check_replies(ours, calls);
    if (!service().attached() && !packet.empty()) std::abort();  // an empty packet is a hang-up
  }
  return 0;
}
