// The agent's end of the socket. One task reads replies and hands them to the calls that wait for
// them; a call that is given up leaves its number behind, and a late reply to it is dropped, its
// descriptor closed.
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <utility>

#include <asio/posix/stream_descriptor.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/observer/observer.h"
#include "agent/observer/wire.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::seconds kCallLimit(10);
constexpr std::chrono::hours kTraceLimit(24 * 365);  // a host may be idle for long
constexpr std::size_t kMaxReply = 16 << 20;
constexpr std::size_t kMaxUnsent =
    1024;  // requests that found the socket full; beyond, a call fails

struct Reply {
  std::string body;
  Fd fd;
};

struct Call {
  wire::Kind kind;
  Event done;
  Reply reply;
  std::optional<Error> error;
};

struct State {
  explicit State(const asio::any_io_executor& executor, int number) : socket(executor, number) {}
  asio::posix::stream_descriptor socket;
  std::unordered_map<uint32_t, std::shared_ptr<Call>> calls;
  std::deque<std::string> unsent;
  uint32_t last_call = 0;
  bool flushing = false;
  bool closed = false;
};
using Shared = std::shared_ptr<State>;

Error gone() {
  return Error(Code::unavailable, "the observer is gone");
}

void close(State& state) {
  state.closed = true;
  asio::error_code ignored;
  state.socket.close(ignored);
  state.unsent.clear();
  for (auto& [number, call] : std::exchange(state.calls, {})) {
    if (!call->error) call->error = gone();
    call->done.set();
  }
}

// False when the socket is full.
bool try_send(State& state, const std::string& packet) {
  const ssize_t n = ::send(state.socket.native_handle(), packet.data(), packet.size(),
                           MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return true;
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return false;
  close(state);
  return true;
}

Task<void> flush(Shared state) {
  while (!state->closed && !state->unsent.empty()) {
    asio::error_code error;
    co_await state->socket.async_wait(asio::posix::stream_descriptor::wait_write,
                                      asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    while (!state->closed && !state->unsent.empty() && try_send(*state, state->unsent.front())) {
      if (!state->unsent.empty()) state->unsent.pop_front();
    }
  }
  state->flushing = false;
}

Status send(const Shared& state, std::string packet) {
  if (state->closed) return gone();
  if (state->unsent.empty() && try_send(*state, packet)) return {};
  if (state->unsent.size() >= kMaxUnsent)
    return Error(Code::resource_exhausted, "the observer does not take requests");
  state->unsent.push_back(std::move(packet));
  if (!std::exchange(state->flushing, true))
    spawn(state->socket.get_executor(), "observer requests", flush(state));
  return {};
}

void deliver(State& state, std::string_view packet, Fd fd) {
  const auto message = wire::parse(packet);
  if (!message) return close(state);  // the two ends are not of one build
  const auto place = state.calls.find(message->header.call);
  if (place == state.calls.end()) return;
  const auto call = place->second;
  if (static_cast<uint8_t>(call->kind) != message->header.kind) return close(state);
  if (message->header.code != 0) {
    call->error = Error(wire::code_from_wire(message->header.code), to_utf8(message->body));
  } else {
    call->reply.body.append(message->body);
    if (fd) call->reply.fd = std::move(fd);
    if (message->header.more != 0 && call->reply.body.size() <= kMaxReply) return;
    if (message->header.more != 0)
      call->error = Error(Code::internal, "the observer's reply has no end");
  }
  state.calls.erase(place);
  call->done.set();
}

// One packet; false when there is none now.
bool receive(State& state, std::vector<char>& buffer) {
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t n =
      ::recvmsg(state.socket.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) return close(state), false;
  Fd fd;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(header), sizeof number);
    fd.reset(number);
  }
  if ((message.msg_flags & MSG_TRUNC) != 0) return close(state), false;
  deliver(state, {buffer.data(), static_cast<std::size_t>(n)}, std::move(fd));
  return !state.closed;
}

Task<void> read_replies(Shared state) {
  std::vector<char> buffer(sizeof(wire::Header) + wire::kMaxBody);
  while (!state->closed) {
    asio::error_code error;
    co_await state->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                      asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    while (!state->closed && receive(*state, buffer)) {
    }
  }
  close(*state);
}

Task<Result<Reply>> ask(Shared state, wire::Kind kind, std::string body,
                        std::chrono::microseconds limit) {
  const auto number = ++state->last_call;
  auto call = std::make_shared<Call>();
  call->kind = kind;
  CO_RETURN_IF_ERROR(send(state, wire::packet(kind, number, body)));
  if (state->closed) co_return gone();
  state->calls[number] = call;
  const bool answered = co_await call->done.wait(limit);
  state->calls.erase(number);
  if (!answered) co_return Error(Code::deadline_exceeded, "the observer does not answer");
  if (call->error) co_return *call->error;
  co_return std::move(call->reply);
}

Error malformed() {
  return Error(Code::internal, "the observer's reply is malformed");
}

ProcessId to_id(const wire::ProcessKey& key) {
  return {key.pid, key.start_ticks};
}

template <class Record, class Value>
Result<std::vector<Value>> to_list(std::string_view body, Value (*convert)(const Record&)) {
  if (body.size() % sizeof(Record) != 0) return malformed();
  std::vector<Value> values;
  values.reserve(body.size() / sizeof(Record));
  while (const auto record = wire::take<Record>(body)) values.push_back(convert(*record));
  return values;
}

RunnerProcess to_runner(const wire::RunnerRecord& record) {
  return {to_id(record.id), to_utf8(wire::text_of(record.comm)), record.uid};
}

ProcessSample to_sample(const wire::ProcessRecord& record) {
  ProcessSample sample;
  sample.id = to_id(record.id);
  sample.parent = to_id(record.parent);
  sample.runner = to_id(record.runner);
  sample.root = to_id(record.root);
  sample.comm = to_utf8(wire::text_of(record.comm));
  sample.cwd = std::string(wire::text_of(record.cwd));
  if ((record.present & wire::kHasClaim) != 0) sample.claimed_job = record.claimed_job;
  sample.cpu_us = record.cpu_us;
  sample.reaped_cpu_us = record.reaped_cpu_us;
  sample.rss_bytes = record.rss_bytes;
  if ((record.present & wire::kHasRead) != 0) sample.read_bytes = record.read_bytes;
  if ((record.present & wire::kHasWrite) != 0) sample.write_bytes = record.write_bytes;
  sample.state = record.state;
  return sample;
}

Task<Result<std::vector<RunnerProcess>>> ask_runners(Shared state) {
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::runners, "", kCallLimit));
  co_return to_list<wire::RunnerRecord>(reply.body, to_runner);
}

Task<Result<std::vector<ProcessSample>>> ask_processes(Shared state) {
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::processes, "", kCallLimit));
  co_return to_list<wire::ProcessRecord>(reply.body, to_sample);
}

Task<Result<OpenedTrace>> ask_trace(Shared state) {
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::next_trace, "", kTraceLimit));
  std::string_view body = reply.body;
  const auto record = wire::take<wire::TraceRecord>(body);
  if (!record || !body.empty() || !reply.fd) co_return malformed();
  OpenedTrace trace;
  trace.id = {record->id.device, record->id.inode, record->id.birth_ns};
  trace.runner = to_id(record->runner);
  trace.order = record->order;
  trace.fd = std::move(reply.fd);
  co_return trace;
}

Task<Result<Fd>> ask_checkout(Shared state, ProcessId runner, std::string path) {
  const wire::ProcessKey key{runner.pid, 0, runner.start_ticks};
  if (path.empty() || path.size() > wire::kMaxPath)
    co_return Error(Code::invalid_argument, "not a path of a checkout");
  std::string body(wire::bytes_of(key));
  body += path;
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::open_checkout, body, kCallLimit));
  if (!reply.fd) co_return malformed();
  co_return std::move(reply.fd);
}

ListedContainer to_container(const wire::ContainerRecord& record) {
  return {{static_cast<ContainerEngine>(record.key.engine),
           to_utf8({record.key.id, sizeof record.key.id})},
          record.version};
}

Task<Result<std::vector<ListedContainer>>> ask_containers(Shared state) {
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::containers, "", kCallLimit));
  co_return to_list<wire::ContainerRecord>(reply.body, to_container);
}

std::optional<wire::ContainerKey> key_of(const ContainerId& id) {
  wire::ContainerKey key;
  if (id.id.size() != sizeof key.id) return std::nullopt;
  key.engine = static_cast<uint8_t>(id.engine);
  std::memcpy(key.id, id.id.data(), sizeof key.id);
  return key;
}

Task<Result<Fd>> ask_container(Shared state, ContainerId id, ContainerFile file) {
  auto key = key_of(id);
  if (!key) co_return Error(Code::invalid_argument, "not a container");
  key->file = static_cast<uint8_t>(file);
  const std::string body(wire::bytes_of(*key));
  CO_ASSIGN_OR_RETURN(auto reply,
                      co_await ask(state, wire::Kind::open_container, body, kCallLimit));
  if (!reply.fd) co_return malformed();
  co_return std::move(reply.fd);
}

Task<Result<Fd>> ask_inside(Shared state, ContainerId id, int32_t pid, std::string path) {
  const auto key = key_of(id);
  if (!key) co_return Error(Code::invalid_argument, "not a container");
  if (path.empty() || path.size() > wire::kMaxPath)
    co_return Error(Code::invalid_argument, "not a path of a checkout");
  std::string body(wire::bytes_of(*key));
  body.append(wire::bytes_of(wire::ProcessKey{pid, 0, 0})).append(path);
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::open_inside, body, kCallLimit));
  if (!reply.fd) co_return malformed();
  co_return std::move(reply.fd);
}

Task<Result<std::string>> ask_cgroup_of(Shared state, int32_t pid) {
  const wire::ProcessKey key{pid, 0, 0};
  const std::string body(wire::bytes_of(key));
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::cgroup_of, body, kCallLimit));
  co_return std::move(reply.body);
}

Task<Result<std::vector<std::string>>> ask_self_check(Shared state) {
  CO_ASSIGN_OR_RETURN(auto reply, co_await ask(state, wire::Kind::self_check, "", kCallLimit));
  std::vector<std::string> lines;
  for (const auto line : split(reply.body, '\n')) lines.emplace_back(line);
  co_return lines;
}

class SocketObserver final : public Observer {
 public:
  explicit SocketObserver(Shared state) : state_(std::move(state)) {}
  ~SocketObserver() override { close(*state_); }
  Task<Result<std::vector<RunnerProcess>>> runners() override { return ask_runners(state_); }
  Task<Result<std::vector<ProcessSample>>> processes() override { return ask_processes(state_); }
  Task<Result<OpenedTrace>> next_trace() override { return ask_trace(state_); }
  Task<Result<Fd>> open_checkout(const ProcessId& runner, const std::string& path) override {
    return ask_checkout(state_, runner, path);
  }
  Task<Result<std::vector<std::string>>> self_check() override { return ask_self_check(state_); }
  Task<Result<std::vector<ListedContainer>>> containers() override {
    return ask_containers(state_);
  }
  Task<Result<Fd>> open_container(const ContainerId& id, ContainerFile file) override {
    return ask_container(state_, id, file);
  }
  Task<Result<Fd>> open_inside(const ContainerId& id, int32_t pid,
                               const std::string& path) override {
    return ask_inside(state_, id, pid, path);
  }
  Task<Result<std::string>> cgroup_of(int32_t pid) override { return ask_cgroup_of(state_, pid); }
  void release(const TraceId& id) override {
    const wire::TraceKey key{id.device, id.inode, id.birth_ns};
    // Unsent when the observer is gone or stuck: then its copies go with it, or it gives up the
    // oldest by itself.
    (void)send(state_, wire::packet(wire::Kind::release, ++state_->last_call, wire::bytes_of(key)));
  }

 private:
  Shared state_;
};

}  // namespace

Result<std::unique_ptr<Observer>> connect_observer(const asio::any_io_executor& executor,
                                                   int socket) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    return errno_error("the observer's socket");
  if (type != SOCK_SEQPACKET)
    return Error(Code::invalid_argument, "the observer's socket is of another kind");
  // Programs that the agent starts must not inherit it.
  if (::fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) return errno_error("the observer's socket");
  auto state = std::make_shared<State>(executor, socket);
  spawn(executor, "observer replies", read_replies(state));
  return std::unique_ptr<Observer>(std::make_unique<SocketObserver>(std::move(state)));
}

}  // namespace gitaiops::agent
