#include "agent/observer/service.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/observer/privilege.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr int64_t kTickUs = 1'000'000;
constexpr int64_t kTickWithoutRunnerUs =
    250'000;                             // one that starts now should not wait for its watch
constexpr std::size_t kMaxWaiting = 16;  // pending next_trace calls
constexpr int kRequestsAtOnce = 16;
constexpr std::size_t kMaxCgroupOf = 16 << 10;

constexpr uint64_t kStayBeneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

// Beneath a folder a path is relative: "/a/b" → "a/b".
std::string relative(std::string_view path) {
  const auto first = path.find_first_not_of('/');
  return first == std::string_view::npos ? "." : std::string(path.substr(first));
}

bool is_path(std::string_view text) {
  return !text.empty() && text.size() <= wire::kMaxPath &&
         text.find('\0') == std::string_view::npos;
}

Result<std::string> read_up_to(const Fd& fd, std::size_t limit) {
  std::string text(limit, '\0');
  std::size_t used = 0;
  while (used < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + used, text.size() - used);
    if (n < 0) return errno_error("read from a file of the kernel");
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  text.resize(used);
  return text;
}

// Of a process by its folder.
Result<std::string> groups_of(const Fd& process) {
  const Fd fd(process ? ::openat(process.get(), "cgroup", O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1);
  if (!fd) return Error(Code::not_found, "no such process");
  return read_up_to(fd, kMaxCgroupOf);
}

bool lives_in(const Fd& process, std::string_view container) {
  const auto groups = groups_of(process);
  return groups.ok() && groups->find(container) != std::string::npos;
}

// A directory by the path that the process knows it by.
Result<Fd> open_as_seen_by(const Fd& process, std::string_view path) {
  const auto root = ProcFs::subfolder(process, "root", O_PATH);
  if (!root) return errno_error("open the root of the process");
  auto folder =
      open_beneath(root.get(), relative(path),
                   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kStayBeneath);
  if (!folder && errno == ELOOP)
    return Error(Code::permission_denied,
                 "the path of the checkout has a symbolic link, which is not followed");
  if (!folder) return errno_error("open", path);
  return folder;
}

ssize_t send_packet(int socket, const std::string& packet, const Fd& fd) {
  iovec part{const_cast<char*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (fd) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = fd.get();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
  }
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Service::Service(ServiceOptions options, ProcFs proc)
    : options_(std::move(options)),
      proc_(std::move(proc)),
      traces_(proc_, options_.max_held_traces),
      table_(proc_, options_.runners, [this] { traces_.on_events(monotonic_us()); }),
      containers_(options_.host_root, options_.containers) {}

void Service::attach(Fd socket) {
  detach();
  socket_ = std::move(socket);
  last_heard_ = monotonic_us();
  traces_.offer_all_again();
}

void Service::detach() {
  socket_.reset();
  backlog_.clear();
  waiting_.clear();
}

bool Service::step(int wake_fd, int64_t until_us) {
  until_us = std::min(until_us, next_tick_);
  if (const auto look = traces_.next_look()) until_us = std::min(until_us, *look);
  const int64_t wait_us = std::max<int64_t>(0, until_us - monotonic_us());
  const short wanted = backlog_.empty() ? POLLIN : POLLOUT;
  std::array<pollfd, 3> fds = {
      {{wake_fd, POLLIN, 0}, {traces_.inotify_fd(), POLLIN, 0}, {socket_.get(), wanted, 0}}};
  const timespec wait{wait_us / 1'000'000, (wait_us % 1'000'000) * 1000};
  if (::ppoll(fds.data(), fds.size(), &wait, nullptr) < 0) return false;
  // Traces first: they may be gone in a moment, everything else can wait.
  if (fds[1].revents != 0) traces_.on_events(monotonic_us());
  if (const auto look = traces_.next_look(); look && *look <= monotonic_us())
    traces_.on_time(monotonic_us());
  if (fds[2].revents != 0 && !backlog_.empty()) flush();
  if (fds[2].revents != 0 && socket_ && backlog_.empty()) receive();
  if (monotonic_us() >= next_tick_) tick();
  offer_traces();
  return fds[0].revents != 0;
}

void Service::tick() {
  if (monotonic_us() - sampled_at_ >= kTickUs) table_.scan(monotonic_us());
  const auto runners = table_.runners();
  traces_.tick(runners, monotonic_us());
  next_tick_ = monotonic_us() + (runners.empty() ? kTickWithoutRunnerUs : kTickUs);
}

void Service::receive() {
  // One byte more than a request may have, to tell a longer one; descriptors that come along are
  // closed by the kernel, because no room is given for them.
  std::array<char, sizeof(wire::Header) + sizeof(wire::ContainerKey) + sizeof(wire::ProcessKey) +
                       2 * wire::kMaxPath + 1>
      buffer;
  for (int i = 0; i < kRequestsAtOnce && socket_ && backlog_.empty(); ++i) {
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return detach();
    last_heard_ = monotonic_us();
    if (static_cast<std::size_t>(n) >= buffer.size()) {
      ++malformed_;
      continue;
    }
    answer({buffer.data(), static_cast<std::size_t>(n)});
  }
}

void Service::answer(std::string_view packet) {
  const auto message = wire::parse(packet);
  if (!message) {
    ++malformed_;
    return;
  }
  const auto kind = static_cast<wire::Kind>(message->header.kind);
  const auto call = message->header.call;
  auto body = message->body;
  switch (kind) {
    case wire::Kind::runners:
      return reply_list(kind, call, table_.runners());
    case wire::Kind::processes:
      sampled_at_ = monotonic_us();
      return reply_list(kind, call, table_.sample(sampled_at_));
    case wire::Kind::next_trace:
      if (waiting_.size() >= kMaxWaiting)
        return refuse(kind, call,
                      Error(Code::resource_exhausted, "too many calls wait for a trace"));
      waiting_.push_back(call);
      return;
    case wire::Kind::release:
      if (const auto id = wire::take<wire::TraceKey>(body); id && body.empty())
        return traces_.release(*id);
      ++malformed_;
      return;
    case wire::Kind::open_checkout: {
      auto folder = open_checkout(body);
      return folder.ok() ? reply(kind, call, "", std::move(*folder))
                         : refuse(kind, call, folder.error());
    }
    case wire::Kind::self_check:
      return reply(kind, call, self_check());
    case wire::Kind::containers:
      return reply_list(kind, call, containers_.list());
    case wire::Kind::open_container: {
      auto file = open_container(body);
      return file.ok() ? reply(kind, call, "", std::move(*file)) : refuse(kind, call, file.error());
    }
    case wire::Kind::open_inside: {
      auto folder = open_inside(body);
      return folder.ok() ? reply(kind, call, "", std::move(*folder))
                         : refuse(kind, call, folder.error());
    }
    case wire::Kind::cgroup_of: {
      const auto text = cgroup_of(body);
      return text.ok() ? reply(kind, call, text.value()) : refuse(kind, call, text.error());
    }
  }
  ++malformed_;
  refuse(kind, call, Error(Code::unimplemented, "unknown request"));
}

void Service::reply(wire::Kind kind, uint32_t call, std::string_view body, Fd fd, bool more) {
  backlog_.push_back(
      {wire::packet(kind, call, body.substr(0, wire::kMaxBody), more), std::move(fd)});
  flush();
}

void Service::refuse(wire::Kind kind, uint32_t call, const Error& error) {
  const auto text = truncate_utf8(error.to_string(), wire::kMaxErrorText);
  backlog_.push_back({wire::packet(kind, call, text, false, wire::to_wire(error.code())), Fd()});
  flush();
}

template <class Record>
void Service::reply_list(wire::Kind kind, uint32_t call, const std::vector<Record>& records) {
  constexpr std::size_t kAtOnce =
      (32 << 10) / sizeof(Record);  // packets that find a place in the socket's buffer
  std::size_t at = 0;
  do {
    std::string body;
    const auto end = std::min(records.size(), at + kAtOnce);
    for (; at < end; ++at) body.append(wire::bytes_of(records[at]));
    reply(kind, call, body, Fd(), at < records.size());
  } while (at < records.size() && socket_);
}

void Service::offer_traces() {
  while (socket_ && !waiting_.empty() && backlog_.empty()) {
    HeldTrace* trace = traces_.next_undelivered();
    if (trace == nullptr) return;
    Fd copy(::fcntl(trace->fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return;  // no descriptor left: one comes free with the next release
    // A former agent may have moved the offset that the copies share.
    ::lseek(copy.get(), 0, SEEK_SET);
    trace->delivered = true;
    const auto call = waiting_.front();
    waiting_.pop_front();
    const wire::TraceRecord record{trace->id, trace->runner, trace->order};
    reply(wire::Kind::next_trace, call, wire::bytes_of(record), std::move(copy));
  }
}

void Service::flush() {
  while (socket_ && !backlog_.empty()) {
    const auto& next = backlog_.front();
    if (send_packet(socket_.get(), next.packet, next.fd) < 0) {
      if (errno == EINTR) continue;
      // ETOOMANYREFS: too many descriptors under way; as with a full buffer, the agent has to read
      // first.
      if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) return;
      return detach();
    }
    backlog_.pop_front();
  }
}

Result<Fd> Service::open_checkout(std::string_view body) const {
  const auto runner = wire::take<wire::ProcessKey>(body);
  if (!runner || !is_path(body))
    return Error(Code::invalid_argument, "not a request for a checkout");
  const auto runners = table_.runners();
  if (std::none_of(runners.begin(), runners.end(),
                   [&](const auto& known) { return known.id == *runner; }))
    return Error(Code::not_found, "no such runner process");
  const auto process = proc_.folder(runner->pid);
  const auto stat = ProcFs::stat(process);
  if (!stat || stat->start_ticks != runner->start_ticks)
    return Error(Code::not_found, "the runner process has ended");
  return open_as_seen_by(process, body);
}

// The engine gave the groups of its container the container's id; nobody else can put a process
// there.
Result<Fd> Service::open_inside(std::string_view body) const {
  const auto key = wire::take<wire::ContainerKey>(body);
  const auto pid = key ? wire::take<wire::ProcessKey>(body) : std::nullopt;
  if (!pid || pid->pid <= 0 || !is_path(body))
    return Error(Code::invalid_argument, "not a request for a folder of a container");
  const std::string id(key->id, sizeof key->id);
  const auto process = proc_.folder(pid->pid);
  if (!is_container_id(id) || !lives_in(process, id))
    return Error(Code::permission_denied, "the process does not live in this container");
  return open_as_seen_by(process, body);
}

// By the names of its control groups, which the engine gave it.
bool Service::runner_lives_in(std::string_view container) const {
  const auto runners = table_.runners();
  return std::any_of(runners.begin(), runners.end(), [&](const auto& runner) {
    const auto process = proc_.folder(runner.id.pid);
    const auto stat = ProcFs::stat(process);
    return stat && stat->start_ticks == runner.id.start_ticks && lives_in(process, container);
  });
}

Result<Fd> Service::open_container(std::string_view body) const {
  const auto key = wire::take<wire::ContainerKey>(body);
  if (!key || !body.empty()) return Error(Code::invalid_argument, "not a file of a container");
  const std::string id(key->id, sizeof key->id);
  if (key->file == static_cast<uint8_t>(wire::ContainerFile::log) &&
      (!is_container_id(id) || !runner_lives_in(id)))
    return Error(Code::permission_denied, "no runner lives in this container");
  return containers_.open(*key);
}

Result<std::string> Service::cgroup_of(std::string_view body) const {
  const auto process = wire::take<wire::ProcessKey>(body);
  if (!process || process->pid <= 0 || !body.empty())
    return Error(Code::invalid_argument, "not a process");
  return groups_of(proc_.folder(process->pid));
}

std::string Service::self_check() const {
  auto lines = describe_capabilities();
  const auto add = [&](std::string line) { lines.push_back(std::move(line)); };
  const auto first = [](const std::string& path) {
    const auto text = read_file(path, 4096);
    return text.ok() ? std::string(trimmed(text.value())) : std::string("unknown");
  };
  if (!proc_.link(1, "root"))
    add("processes of other users in " + proc_.root() + " cannot be looked into: " +
        (has_needed_capabilities()
             ? "the capabilities are there, but a user namespace of our own (a container without "
               "the host's) or a security module (AppArmor, SELinux, seccomp) keeps us from it"
             : "the capabilities above are what is missing"));
  if (const auto mounts = read_file("/proc/self/mounts", 1 << 20); mounts.ok()) {
    for (const auto line : split(mounts.value(), '\n')) {
      const auto fields = split(line, ' ');
      if (fields.size() > 3 && fields[1] == options_.proc_root &&
          fields[3].find("hidepid=") != std::string_view::npos)
        add(options_.proc_root + " hides processes of other users (" + std::string(fields[3]) +
            "); CAP_SYS_PTRACE sees through it");
    }
  }
  add("inotify: at most " + first("/proc/sys/fs/inotify/max_user_instances") + " instances and " +
      first("/proc/sys/fs/inotify/max_user_watches") + " watches a user, " +
      first("/proc/sys/fs/inotify/max_queued_events") + " queued events; " +
      std::to_string(traces_.overflows()) + " overflows so far");
  const auto runners = table_.runners();
  if (runners.empty()) add("no runner process was found");
  struct stat host{};
  const bool knows_host = ::stat(options_.host_root.c_str(), &host) == 0;
  for (const auto& runner : runners) {
    add("runner process " + std::to_string(runner.id.pid) + ": " +
        to_utf8(wire::text_of(runner.comm)) + ", user id " + std::to_string(runner.uid));
    struct stat root{};
    const auto path = proc_.root() + '/' + std::to_string(runner.id.pid) + "/root/";
    if (knows_host && ::stat(path.c_str(), &root) == 0 &&
        (root.st_dev != host.st_dev || root.st_ino != host.st_ino))
      add("runner process " + std::to_string(runner.id.pid) +
          " has a root folder of its own: its paths are not the host's");
  }
  for (const auto& refused : table_.refused())
    add("process " + std::to_string(refused.id.pid) +
        " bears a runner's name, but runs as user id " + std::to_string(refused.uid) +
        ": not taken for one. If it is one, start the observer with --runner-uid " +
        std::to_string(refused.uid));
  for (auto& line : traces_.describe()) add(to_utf8(line));
  for (auto& line : containers_.describe()) add(to_utf8(line));
  add("traces: " + std::to_string(traces_.caught()) + " caught, " + std::to_string(traces_.held()) +
      " held, " + std::to_string(traces_.dropped()) + " given up because too many were held");
  add("requests: " + std::to_string(malformed_) +
      " malformed; processes left out of full lists: " + std::to_string(table_.cut()));
  std::string text;
  for (const auto& line : lines) text.append(text.empty() ? "" : "\n").append(line);
  return truncate_utf8(text, wire::kMaxBody);
}

}  // namespace gitaiops::agent
