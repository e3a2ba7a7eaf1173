#include "agent/containers/containers.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/usage/usage.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr std::size_t kMaxContainers = 1024;
constexpr std::size_t kMaxJobs = 4096;  // remembered for telling whether a name is one job's only
constexpr int64_t kMaxState = 4 << 20;
constexpr int64_t kShortestGapUs = 50'000;
constexpr int64_t kPartOfAge = 50;  // a container is read every fiftieth of its age
constexpr double kSoon = 0.7;       // of the gap between two readings
constexpr int64_t kBusyListUs = 200'000;
constexpr int64_t kIdleListUs = 2'000'000;
constexpr int64_t kHotListUs = 20'000;  // after a job began or a container ended: one is to begin
constexpr int64_t kHotUs = 1'000'000;
constexpr int64_t kKeepUs = 600 * kMicrosPerSecond;
constexpr int64_t kNameSlackUs = 2 * kMicrosPerSecond;  // between a job's end and its containers'

const char* engine_name(ContainerEngine engine) {
  switch (engine) {
    case ContainerEngine::docker:
      return "docker";
    case ContainerEngine::podman:
      return "podman";
    case ContainerEngine::containerd:
      return "containerd";
  }
  return "";
}

// A file with secrets in it: its bytes do not outlive this.
class SecretText {
 public:
  static Result<SecretText> read(const Fd& fd) {
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) return errno_error("the state of a container");
    if (status.st_size > kMaxState)
      return Error(Code::resource_exhausted, "the state of a container is too large");
    SecretText secret;
    secret.text_.resize(static_cast<std::size_t>(status.st_size));
    std::size_t used = 0;
    while (used < secret.text_.size()) {
      const ssize_t n = ::pread(fd.get(), secret.text_.data() + used, secret.text_.size() - used,
                                static_cast<off_t>(used));
      if (n < 0) return errno_error("read the state of a container");
      if (n == 0) break;
      used += static_cast<std::size_t>(n);
    }
    secret.size_ = used;
    return secret;
  }
  SecretText(SecretText&& other) noexcept
      : text_(std::move(other.text_)), size_(std::exchange(other.size_, 0)) {}
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText() {
    if (!text_.empty()) ::explicit_bzero(text_.data(), text_.size());
  }
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  SecretText() = default;
  std::vector<char> text_;
  std::size_t size_ = 0;
};

struct Watched {
  explicit Watched(ContainerId i) : id(std::move(i)) {}
  const ContainerId id;
  uint64_t version = 0;
  ContainerState state;
  std::string key;  // of its job, as claimed
  ContainerMeter meter;
  CgroupPlace place;
  int32_t pid = 0;
  std::unique_ptr<asio::posix::stream_descriptor> process;  // readable when it ended
  SteadyMicros first_seen, life_began, last_read, last_seen;
  bool live = false;
  bool listed = true;
  bool taken = false;  // its job was reported
};

struct JobSpan {
  ContainerJob job;
  SteadyMicros began;
  std::optional<SteadyMicros> ended;
};

}  // namespace

struct ContainerWatch::State {
  State(asio::any_io_executor e, ContainersOptions o, Observer& watched, const Clock& time)
      : executor(std::move(e)),
        options(std::move(o)),
        observer(watched),
        clock(time),
        reader(options.cgroup_root) {}

  struct Course {
    ContainerSum sum;
    SteadyMicros last_point{};
    bool any = false;
  };

  asio::any_io_executor executor;
  ContainersOptions options;
  Observer& observer;
  const Clock& clock;
  CgroupReader reader;
  std::map<ContainerId, std::shared_ptr<Watched>> containers;
  std::map<std::string, Course> courses;  // by claimed job
  std::vector<JobSpan> jobs;
  SteadyMicros hot_until{};
  Event woken;
  std::string problem;

  // -- learning --

  Task<Result<ContainerState>> read_state(ContainerId id) {
    CO_ASSIGN_OR_RETURN(const auto file,
                        co_await observer.open_container(id, ContainerFile::state));
    CO_ASSIGN_OR_RETURN(const auto text, SecretText::read(file));
    if (id.engine == ContainerEngine::docker) co_return read_docker_state(text.view());
    co_return read_oci_config(text.view());
  }

  // What engines that keep no labels tell elsewhere.
  Task<void> complete(ContainerId id, ContainerState* state) {
    if (id.engine == ContainerEngine::podman && state->name.empty()) {
      const auto file = co_await observer.open_container(id, ContainerFile::names);
      if (file.ok()) {
        const auto text = SecretText::read(*file);
        if (text.ok()) state->name = read_podman_name(text->view(), id.id).value_or("");
      }
    }
    if (const auto named = claim_of_name(state->name); named && !state->claim.any()) {
      state->claim.project_id = named->project_id;
      state->claim.runner_short = named->runner_short;
      if (state->claim.kind == "other" && !named->kind.empty()) state->claim.kind = named->kind;
    }
    if (!state->pid) {
      const auto file = co_await observer.open_container(id, ContainerFile::pid);
      if (!file.ok()) co_return;
      const auto text = SecretText::read(*file);
      if (text.ok()) state->pid = read_pid(text->view());
    }
  }

  // In Kubernetes the pod's sandbox bears what the runner wrote. Null: it is not known, or no
  // runner's.
  const ContainerClaim* claim_of_pod(const ContainerId& id, const ContainerState& state) const {
    if (state.pod.empty()) return nullptr;
    const auto pod = containers.find({id.engine, state.pod});
    if (pod == containers.end() || !pod->second->state.sandbox) return nullptr;
    const auto& claim = pod->second->state.claim;
    return claim.any() ? &claim : nullptr;
  }

  void inherit_from_pod(const ContainerId& id, ContainerState& state) const {
    const auto* claim = state.claim.job_id == 0 ? claim_of_pod(id, state) : nullptr;
    if (claim == nullptr) return;
    const auto kind = state.claim.kind;
    state.claim = *claim;
    state.claim.kind = kind;
  }

  Task<void> learn(std::shared_ptr<Watched> container, uint64_t version) {
    auto read = co_await read_state(container->id);
    if (!read.ok()) {
      // Half written, or gone: the next look tells.
      if (read.error().code() == Code::permission_denied) problem = read.error().to_string();
      co_return;
    }
    auto state = std::move(read).value();
    co_await complete(container->id, &state);
    inherit_from_pod(container->id, state);
    container->version = version;
    container->state = std::move(state);
    const auto& learnt = container->state;
    if (!learnt.claim.any() || container->taken) co_return;
    const auto& claim = learnt.claim;
    container->key = claim.job_id != 0
                         ? claim.job_url + "#" + std::to_string(claim.job_id)
                         : claim.runner_short + "#" + learnt.name.substr(0, learnt.name.rfind('-'));
    if (learnt.oom_killed) container->meter.engine_says_oom();
    const auto pid = learnt.pid.value_or(0);
    if (pid > 0 && pid != container->pid) co_await begin_life(container, pid);
    if (pid == 0) end_life(*container);
    container->pid = pid;
  }

  // A handle of the process first, then the proof that it is the container's: so the number cannot
  // have gone to another one in between.
  Task<void> begin_life(std::shared_ptr<Watched> container, int32_t pid) {
    Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const auto groups = co_await observer.cgroup_of(pid);
    if (!groups.ok()) co_return;
    auto place = place_of(*groups, container->id.id);
    if (!place) co_return;
    container->meter.begin_life();
    container->place = std::move(*place);
    container->life_began = clock.steady();
    container->live = true;
    read(*container);
    if (!handle) co_return;  // another pid namespace, or an old kernel: regular reading has to do
    container->process =
        std::make_unique<asio::posix::stream_descriptor>(executor, handle.release());
    container->process->async_wait(
        asio::posix::stream_descriptor::wait_read,
        [this, weak = std::weak_ptr<Watched>(container), pid](const asio::error_code& error) {
          const auto ended = weak.lock();
          if (error || !ended || ended->pid != pid) return;
          read(*ended);
          end_life(*ended);
        });
  }

  void end_life(Watched& container) {
    if (!container.live) return;
    container.live = false;
    container.meter.end_life();
    container.last_seen = clock.steady();
    container.process.reset();
    hot_until = clock.steady() + kHotUs;
    woken.set();
  }

  void read(Watched& container) {
    container.last_read = container.last_seen = clock.steady();
    const auto reading = reader.read(container.place);
    if (!reading.empty()) container.meter.sample(reading);
  }

  // -- looking --

  Task<void> look() {
    const auto listed = co_await observer.containers();
    if (!listed.ok()) {
      problem = listed.error().to_string();
      co_return;
    }
    problem.clear();
    for (auto& [id, container] : containers) container->listed = false;
    const auto now = clock.steady();
    // A container may be learnt before its pod's sandbox: it is again when that one told more.
    std::vector<std::pair<std::shared_ptr<Watched>, uint64_t>> changed;
    for (const auto& entry : *listed) {
      auto& container = containers[entry.id];
      if (!container) {
        if (containers.size() > kMaxContainers) {
          containers.erase(entry.id);
          continue;
        }
        container = std::make_shared<Watched>(entry.id);
        container->first_seen = container->last_seen = now;
      }
      container->listed = true;
      const bool told_since =
          !container->state.claim.any() && claim_of_pod(container->id, container->state) != nullptr;
      if (container->version != entry.version || told_since)
        changed.emplace_back(container, entry.version);
    }
    for (auto& [container, version] : changed) co_await learn(container, version);
    forget(now);
  }

  void forget(SteadyMicros now) {
    std::erase_if(containers, [&](const auto& entry) {
      auto& container = *entry.second;
      if (container.listed) return false;
      if (container.live) {
        read(container);
        end_life(container);
      }
      return !container.state.claim.any() || container.taken || now - container.last_seen > kKeepUs;
    });
    std::set<std::string_view> used;
    for (const auto& [id, container] : containers) used.insert(container->key);
    std::erase_if(courses, [&](const auto& entry) { return !used.contains(entry.first); });
    std::erase_if(jobs,
                  [&](const auto& span) { return span.ended && now - *span.ended > kKeepUs; });
  }

  // -- metering --

  int64_t gap(const Watched& container, SteadyMicros now) const {
    const auto longest = std::max(kShortestGapUs, options.interval_us);
    return std::clamp((now - container.life_began) / kPartOfAge, kShortestGapUs, longest);
  }

  // Reads what is due, and with it what will be soon: a waking costs as much as a reading. When the
  // next one is due.
  SteadyMicros meter() {
    const auto now = clock.steady();
    auto next = now + options.interval_us;
    const auto waited = [&](const Watched& container, double part) {
      return container.live && static_cast<double>(now - container.last_read) >=
                                   part * static_cast<double>(gap(container, now));
    };
    const bool due = std::ranges::any_of(
        containers, [&](const auto& entry) { return waited(*entry.second, 1); });
    for (auto& [id, container] : containers) {
      if (!container->live) continue;
      if (due && waited(*container, kSoon)) read(*container);
      next = std::min(next, container->last_read + gap(*container, now));
    }
    std::set<std::string_view> alive;
    for (const auto& [id, container] : containers)
      if (container->live) alive.insert(container->key);
    for (const auto key : alive) add_point(std::string(key), now);
    return next;
  }

  void add_point(const std::string& key, SteadyMicros now) {
    auto& course = courses[key];
    if (course.any && now - course.last_point < options.interval_us) return;
    course.any = true;
    course.last_point = now;
    add_to(course.sum, key, now);
  }

  void add_to(ContainerSum& sum, const std::string& key, SteadyMicros now) const {
    int64_t cpu = 0, memory = 0, io = 0;
    bool io_known = false;
    for (const auto& [id, container] : containers) {
      if (container->key != key) continue;
      cpu += container->meter.cpu_us();
      memory += container->meter.memory_bytes();
      io += container->meter.io_bytes();
      io_known |= container->meter.io_known();
    }
    sum.add(cpu, memory, io_known ? std::optional(io) : std::nullopt, now, clock.now());
  }

  // -- telling --

  // A name without a job is this job's if no other job of the runner entry lived beside it.
  bool only_job(const Watched& container, const ContainerJob& job) const {
    std::size_t possible = 0;
    for (const auto& span : jobs) {
      if (fits(container.state.claim, span.job, options.instances) != Fit::by_name) continue;
      const bool before = span.ended && *span.ended + kNameSlackUs < container.first_seen;
      const bool after = span.began > container.last_seen + kNameSlackUs;
      possible += before || after ? 0 : 1;
    }
    const bool lived = std::ranges::any_of(jobs, [&](const JobSpan& span) {
      return span.job.instance == job.instance && span.job.job_id == job.job_id;
    });
    return possible == 1 && lived;
  }

  bool only_open_job(const ContainerJob& job) const {
    return std::ranges::none_of(jobs, [&](const JobSpan& span) {
      return !span.ended && span.job.job_id != job.job_id && span.job.instance == job.instance &&
             span.job.project_path == job.project_path;
    });
  }

  void ended(const ContainerJob& job) {
    for (auto& span : jobs) {
      if (span.job.instance != job.instance || span.job.job_id != job.job_id) continue;
      span.ended = clock.steady();
      span.job = job;  // with what was told since
    }
  }
};

ContainerWatch::ContainerWatch(asio::any_io_executor executor, ContainersOptions options,
                               Observer& observer, const Clock& clock)
    : state_(std::make_shared<State>(std::move(executor), std::move(options), observer, clock)) {}

ContainerWatch::~ContainerWatch() = default;

Task<void> ContainerWatch::run(Event* stopping, std::function<bool()> busy) {
  using namespace asio::experimental::awaitable_operators;
  const auto state = state_;
  auto& s = *state;
  SteadyMicros next_look = s.clock.steady();
  while (!stopping->is_set()) {
    s.woken.reset();
    if (s.clock.steady() >= next_look || s.clock.steady() < s.hot_until) {
      const auto done = co_await (s.look() || stopping->wait());
      if (done.index() == 1) co_return;
      const auto gap = s.clock.steady() < s.hot_until ? kHotListUs
                       : busy() || live() > 0         ? kBusyListUs
                                                      : kIdleListUs;
      next_look = s.clock.steady() + gap;
    }
    const auto next = std::min(s.meter(), next_look);
    const auto pause = std::max<int64_t>(1000, next - s.clock.steady());
    const auto ended = co_await (s.woken.wait(microseconds(pause)) || stopping->wait());
    if (ended.index() == 1) co_return;
    if (s.woken.is_set()) next_look = s.clock.steady();
  }
}

void ContainerWatch::started(const ContainerJob& job) {
  auto& s = *state_;
  if (s.jobs.size() >= kMaxJobs) s.jobs.erase(s.jobs.begin());
  s.jobs.push_back({job, s.clock.steady(), {}});
  s.hot_until = s.clock.steady() + kHotUs;
  s.woken.set();
}

void ContainerWatch::set_interval(int64_t micros) {
  state_->options.interval_us = micros;
}

std::size_t ContainerWatch::live() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      state_->containers, [](const auto& entry) { return entry.second->live; }));
}

std::vector<ContainerWatch::Build> ContainerWatch::builds() const {
  std::vector<Build> builds;
  for (const auto& span : state_->jobs) {
    if (span.ended) continue;
    for (const auto& [id, container] : state_->containers) {
      if (!container->live || container->state.claim.kind != "build" ||
          fits(container->state.claim, span.job, state_->options.instances) != Fit::certain)
        continue;
      const bool in_pod = !container->state.pod.empty();
      if (!in_pod || state_->only_open_job(span.job))
        builds.push_back({span.job, id, container->pid, in_pod});
    }
  }
  return builds;
}

ContainerWatch::Verdict ContainerWatch::take(const ContainerJob& job) {
  auto& s = *state_;
  s.ended(job);
  Verdict verdict;
  std::vector<std::shared_ptr<Watched>> ours;
  for (const auto& [id, container] : s.containers) {
    if (container->taken || container->state.sandbox) continue;
    const auto fit = fits(container->state.claim, job, s.options.instances);
    if (fit == Fit::no) continue;
    if (fit == Fit::by_name && !s.only_job(*container, job)) {
      verdict.reason =
          "other jobs of the project ran at the same time, and its containers bear no job's number";
      continue;
    }
    ours.push_back(container);
  }
  std::vector<fleet::v1::ContainerUsage> parts;
  std::set<std::string> keys;
  for (const auto& container : ours) {
    if (container->live) s.read(*container);
    keys.insert(container->key);
    if (!container->meter.any()) continue;
    auto part = container->meter.summary();
    part.set_kind(container->state.claim.kind);
    part.set_engine(engine_name(container->id.engine));
    part.set_name(container->state.name);
    parts.push_back(std::move(part));
  }
  if (parts.empty()) {
    if (!ours.empty()) verdict.reason = "its containers were over before they could be read";
    return verdict;
  }
  ContainerSum sum;
  for (const auto& key : keys) {
    auto& course = s.courses[key];
    if (s.clock.steady() > course.last_point) s.add_to(course.sum, key, s.clock.steady());
    sum = course.sum;
  }
  verdict.usage = sum.summary(std::move(parts));
  verdict.reason.clear();
  for (const auto& container : ours) {
    container->taken = true;
    container->process.reset();
    container->live = false;
    container->key.clear();
  }
  return verdict;
}

}  // namespace gitaiops::agent
