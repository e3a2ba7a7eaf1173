// What may come from the observer's end of the socket: every call of the agent ends, with a value
// or an error, whatever the packets are.
#include <cstdlib>

#include <asio/io_context.hpp>
#include <sys/socket.h>

#include "agent/observer/observer.h"
#include "base/bytes/bytes.h"
#include "tests/fuzz/observer/packets.h"

using namespace gitaiops;
using namespace gitaiops::agent;

namespace {

template <class T>
Task<void> await(Task<Result<T>> call, int* ended) {
  const auto result = co_await std::move(call);
  if (!result.ok() && result.error().to_string().empty()) std::abort();
  ++*ended;
}

Task<void> list_processes(Observer* observer, int* ended) {
  const auto processes = co_await observer->processes();
  if (processes.ok()) {
    for (const auto& process : *processes)
      if (to_utf8(process.comm) != process.comm) std::abort();
  }
  ++*ended;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  const Fd theirs(ends[0]);
  asio::io_context loop;
  auto connected = connect_observer(loop.get_executor(), ends[1]);
  if (!connected.ok()) std::abort();
  auto observer = std::move(*connected);
  int ended = 0;
  spawn(loop.get_executor(), "call 1", list_processes(observer.get(), &ended));
  spawn(loop.get_executor(), "call 2", await(observer->runners(), &ended));
  spawn(loop.get_executor(), "call 3", await(observer->next_trace(), &ended));
  spawn(loop.get_executor(), "call 4", await(observer->open_checkout({1, 2}, "/b"), &ended));
  spawn(loop.get_executor(), "call 5", await(observer->self_check(), &ended));
  spawn(loop.get_executor(), "call 6", await(observer->containers(), &ended));
  spawn(loop.get_executor(), "call 7",
        await(observer->open_container({ContainerEngine::docker, std::string(64, 'a')},
                                       ContainerFile::state),
              &ended));
  spawn(loop.get_executor(), "call 8", await(observer->cgroup_of(1), &ended));
  loop.poll();
  for (const auto& packet : packets_of({reinterpret_cast<const char*>(data), size})) {
    if (::send(theirs.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) break;
    loop.poll();
  }
  observer.reset();
  loop.restart();
  loop.run();
  if (ended != 8) std::abort();
  return 0;
}
