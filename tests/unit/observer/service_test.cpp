// Service and client with a real socket between them, real runners (doubles) and real files.
#include <random>

#include "tests/unit/observer/fixture.h"

namespace gitaiops::agent {
namespace {

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override { connect(options_for_test()); }
  void TearDown() override {
    observer_.reset();
    loop_.poll();
  }
  void connect(ServiceOptions options) {
    observer_.reset();
    service_ = std::make_unique<ServiceProcess>(std::move(options));
    auto connected = connect_observer(loop_.get_executor(), service_->socket.release());
    ASSERT_TRUE(connected.ok());
    observer_ = std::move(*connected);
  }
  std::vector<ProcessSample> processes() {
    auto samples = run(loop_, observer_->processes());
    EXPECT_TRUE(samples.ok()) << samples.error().to_string();
    return samples.ok() ? *samples : std::vector<ProcessSample>{};
  }
  std::optional<ProcessSample> process(int pid) {
    for (auto& sample : processes())
      if (sample.id.pid == pid) return sample;
    return std::nullopt;
  }
  bool knows_runner(int pid) {
    const auto runners = run(loop_, observer_->runners());
    if (!runners.ok()) return false;
    for (const auto& runner : *runners)
      if (runner.id.pid == pid) return true;
    return false;
  }
  // Reads one trace to its end; the runner unlinks it when it has written it.
  static std::string whole(const Fd& fd) {
    struct stat status{};
    eventually([&] { return ::fstat(fd.get(), &status) == 0 && status.st_nlink == 0; });
    std::string text(4096, '\0');
    const auto n = ::pread(fd.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }

  TempFolder temp_;
  asio::io_context loop_;
  std::unique_ptr<ServiceProcess> service_;
  std::unique_ptr<Observer> observer_;
};

TEST_F(ServiceTest, CatchesAHundredShortTracesOfAHundred) {
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  std::map<std::string, int> expected, caught;
  for (int i = 0; i < 100; ++i) {
    const auto text = "job " + std::to_string(i);
    const int hold_ms = 20 + i * 9 / 5;
    expected[text] = 1;
    runner.tell("trace " + std::to_string(1000 + i) + " " + std::to_string(hold_ms) + " " + text);
    if (i % 10 != 9) continue;  // ten at a time
    for (int j = 0; j < 10; ++j) {
      auto trace = run(loop_, observer_->next_trace());
      ASSERT_TRUE(trace.ok()) << trace.error().to_string();
      EXPECT_EQ(trace->runner.pid, runner.pid());
      ++caught[whole(trace->fd)];
      observer_->release(trace->id);
    }
  }
  EXPECT_EQ(caught, expected);
}

TEST_F(ServiceTest, AFileThatTheRunnerDoesNotHoldIsNoTrace) {
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  std::ofstream(temp_ / "trace666") << "forged";
  const Fd held(::open((temp_ / "trace667").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  // What the runner holds, but not as a log: another name, another folder, a FIFO, a folder.
  std::filesystem::create_directory(temp_.path / "sub");
  std::ofstream(temp_.path / "sub" / "trace5") << "elsewhere";
  std::ofstream(temp_ / "trace5.txt") << "other name";
  ASSERT_EQ(::mkfifo((temp_ / "trace6").c_str(), 0600), 0);
  for (const auto name : {"sub/trace5", "trace5.txt", "trace6"})
    runner.tell("hold " + (temp_ / name));
  runner.tell("open 7 true");
  auto trace = run(loop_, observer_->next_trace());
  ASSERT_TRUE(trace.ok());
  runner.tell("close");
  EXPECT_EQ(whole(trace->fd), "true");
  // Nothing else was caught: the next one is the next log.
  runner.tell("open 8 second");
  trace = run(loop_, observer_->next_trace());
  ASSERT_TRUE(trace.ok());
  runner.tell("close");
  EXPECT_EQ(whole(trace->fd), "second");
}

TEST_F(ServiceTest, TracesAreReadOnlyAndStartAtTheirBeginning) {
  FakeRunner runner(temp_.path);
  runner.tell("open 1 text");
  auto trace = run(loop_, observer_->next_trace());
  ASSERT_TRUE(trace.ok());
  EXPECT_EQ(::fcntl(trace->fd.get(), F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_NE(::fcntl(trace->fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(::lseek(trace->fd.get(), 0, SEEK_CUR), 0);
  EXPECT_NE(trace->id.birth_ns, 0);
}

TEST_F(ServiceTest, FollowsAFolderThatIsMadeAnewAndARunnerThatStartsAgain) {
  std::filesystem::create_directory(temp_.path / "tmp");
  auto runner = std::make_unique<FakeRunner>(temp_ / "tmp");
  runner->tell("open 1 first");
  auto trace = run(loop_, observer_->next_trace());
  ASSERT_TRUE(trace.ok());
  runner->tell("close");
  std::filesystem::remove_all(temp_.path / "tmp");
  std::filesystem::create_directory(temp_.path / "tmp");
  runner->tell("open 2 second");
  trace = run(loop_, observer_->next_trace());
  ASSERT_TRUE(trace.ok());
  runner = std::make_unique<FakeRunner>(temp_ / "tmp");  // the former dies with its trace open
  std::filesystem::remove(temp_ / "tmp/trace2");
  runner->tell("open 3 third");
  trace = run(loop_, observer_->next_trace());
  ASSERT_TRUE(trace.ok());
  EXPECT_EQ(trace->runner.pid, runner->pid());
  runner->tell("close");
  EXPECT_EQ(whole(trace->fd), "third");
}

TEST_F(ServiceTest, ServesSeveralRunnersInOneFolder) {
  FakeRunner one(temp_.path), two(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(one.pid()) && knows_runner(two.pid()); }));
  one.tell("trace 1 50 of one");
  two.tell("trace 2 50 of two");
  std::map<std::string, int> runner_of;
  for (int i = 0; i < 2; ++i) {
    auto trace = run(loop_, observer_->next_trace());
    ASSERT_TRUE(trace.ok());
    runner_of[whole(trace->fd)] = trace->runner.pid;
  }
  EXPECT_EQ(runner_of, (std::map<std::string, int>{{"of one", one.pid()}, {"of two", two.pid()}}));
}

TEST_F(ServiceTest, GivesUpTheOldestUnlinkedTraceWhenTooManyAreHeld) {
  auto options = options_for_test();
  options.max_held_traces = 2;
  connect(options);
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  for (const std::string text : {"one", "two", "three"}) {
    runner.tell("open " + std::to_string(text.size()) + std::to_string(text[0]) + " " + text);
    ASSERT_TRUE(eventually([&] {
      const auto lines = run(loop_, observer_->self_check());
      const auto wanted = text == "one"   ? "1 caught, 1 held, 0 given"
                          : text == "two" ? "2 caught, 2 held, 0 given"
                                          : "3 caught, 2 held, 1 given";
      return lines.ok() && std::any_of(lines->begin(), lines->end(),
                                       [&](const auto& l) { return l.find(wanted) != l.npos; });
    })) << text;
    runner.tell("close");
  }
  for (const auto text : {"two", "three"}) {
    auto trace = run(loop_, observer_->next_trace());
    ASSERT_TRUE(trace.ok());
    EXPECT_EQ(whole(trace->fd), text);
  }
}

TEST_F(ServiceTest, DescribesTheProcessesOfAJob) {
  FakeRunner runner(temp_.path);
  const auto pids = temp_ / "pid";
  runner.tell("run cd " + temp_.path.string() +
              " && CI_JOB_ID=4242 CI_JOB_TOKEN=secret sh -c 'echo $$ > " + pids + ".new; mv " +
              pids + ".new " + pids + "; exec sleep 100'; true");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(pids); }));
  const int pid = std::stoi(content(pids));
  std::optional<ProcessSample> sample;
  ASSERT_TRUE(eventually([&] { return (sample = process(pid)) && sample->comm == "sleep"; }));
  EXPECT_EQ(sample->runner.pid, runner.pid());
  EXPECT_EQ(sample->root, sample->parent) << "the runner's shell";
  EXPECT_NE(sample->root.pid, pid);
  EXPECT_EQ(sample->claimed_job, 4242);
  EXPECT_EQ(sample->cwd, std::filesystem::canonical(temp_.path));
  EXPECT_GT(sample->rss_bytes, 0);
  EXPECT_TRUE(sample->read_bytes && sample->write_bytes);
  const auto shell = process(sample->root.pid);
  ASSERT_TRUE(shell);
  EXPECT_EQ(shell->claimed_job, std::nullopt)
      << "the variable is only in the environment of its child";
  EXPECT_EQ(shell->parent.pid, runner.pid());
}

TEST_F(ServiceTest, ADaemonisedOrphanKeepsItsTree) {
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  const auto go = temp_ / "go", pids = temp_ / "pid";
  ASSERT_EQ(::mkfifo(go.c_str(), 0600), 0);
  // root → setsid shell → (waits for us) → sleep; then everything above the sleep ends.
  runner.tell("run setsid sh -c 'sleep 100 & echo $! > " + pids + ".new; mv " + pids + ".new " +
              pids + "; read x < " + go + "' & wait");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(pids); }));
  const int pid = std::stoi(content(pids));
  std::optional<ProcessSample> before, after;
  ASSERT_TRUE(eventually([&] { return (before = process(pid)).has_value(); }));
  {
    std::ofstream(go) << "\n";
  }
  ASSERT_TRUE(eventually([&] { return (after = process(pid)) && after->parent.start_ticks == 0; }));
  EXPECT_EQ(after->root, before->root);
  EXPECT_EQ(after->runner.pid, runner.pid());
  EXPECT_TRUE(eventually([&] { return !process(before->root.pid); })) << "the root itself is gone";
  // With the runner gone too, it is still known for what it is.
  runner.kill();
  ASSERT_TRUE(eventually([&] { return !knows_runner(after->runner.pid); }));
  EXPECT_EQ(process(pid)->root, before->root);
  ::kill(pid, SIGKILL);
}

// It forks twice and makes a session of its own; whoever knew it ends before anybody looks.
TEST_F(ServiceTest, WhatLeftItsTreeUnseenIsCountedWhereItWorks) {
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  // Two of them: whoever writes to one may not have closed it when the job reads again.
  const auto go = temp_ / "go", end = temp_ / "end", pids = temp_ / "pid";
  const auto checkout = std::filesystem::canonical(temp_.path) / "builds/t1abc/0/grp/demo";
  std::filesystem::create_directories(checkout);
  ASSERT_EQ(::mkfifo(go.c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo(end.c_str(), 0600), 0);
  runner.tell("run cd " + checkout.string() + "; read x < " + go + "; (setsid sh -c 'echo $$ > " +
              pids + ".new; mv " + pids + ".new " + pids + "; while :; do :; done' &); read x < " +
              end);
  std::optional<ProcessSample> root, orphan;
  ASSERT_TRUE(eventually([&] {
    for (auto& sample : processes())
      if (sample.cwd == checkout) root = sample;
    return root.has_value();
  }));
  {
    std::ofstream(go) << "\n";
  }
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(pids); }));
  const int pid = std::stoi(content(pids));
  EXPECT_TRUE(eventually([&] { return (orphan = process(pid)) && orphan->cpu_us > 0; }));
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(orphan);
  EXPECT_EQ(orphan->root, root->id);
  EXPECT_EQ(orphan->runner.pid, runner.pid());
  EXPECT_EQ(orphan->parent.start_ticks, 0u) << "its parent is none of the job's";
}

TEST_F(ServiceTest, AJobThatTakesTheRunnersNameIsNoRunner) {
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  const auto pids = temp_ / "pid", in = temp_ / "in";
  ASSERT_EQ(::mkfifo(in.c_str(), 0600), 0);
  runner.tell("run setsid sh -c 'echo $$ > " + pids + ".new; mv " + pids + ".new " + pids +
              "; exec " + binary("observer_double") + " runner " + runner_name() + " < " + in +
              " > /dev/null' & wait");
  const Fd input(::open(in.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(pids); }));
  const int pid = std::stoi(content(pids));
  ASSERT_TRUE(eventually([&] {
    const auto sample = process(pid);
    return sample && sample->comm == runner_name();
  }));
  EXPECT_FALSE(knows_runner(pid));
  EXPECT_TRUE(knows_runner(runner.pid()));
  ::kill(pid, SIGKILL);
}

TEST_F(ServiceTest, CpuOfReapedChildrenIsInTheirParent) {
  FakeRunner runner(temp_.path);
  const auto done = temp_ / "done";
  runner.tell("run sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; touch " + done +
              "; sleep 100");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(done); }));
  int64_t reaped = 0;
  for (const auto& sample : processes())
    if (sample.id == sample.root) reaped = sample.reaped_cpu_us;
  EXPECT_GT(reaped, 0);
}

TEST_F(ServiceTest, OpensACheckoutAndNothingThroughLinks) {
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  const auto id = run(loop_, observer_->runners())->at(0).id;
  const auto base = std::filesystem::canonical(temp_.path);
  std::filesystem::create_directories(base / "builds/project");
  std::filesystem::create_symlink("/etc", base / "builds/link");
  std::ofstream(base / "builds/project/package.json") << "{}";
  const auto folder = run(loop_, observer_->open_checkout(id, base / "builds/project"));
  ASSERT_TRUE(folder.ok()) << folder.error().to_string();
  EXPECT_EQ(::faccessat(folder->get(), "package.json", F_OK, 0), 0);
  const auto code = [&](ProcessId runner_id, std::string path) {
    const auto result = run(loop_, observer_->open_checkout(runner_id, path));
    return result.ok() ? std::string("opened") : std::string(to_string(result.error().code()));
  };
  EXPECT_EQ(code(id, base / "builds/link"), to_string(Code::permission_denied));
  EXPECT_NE(code(id, base / "builds/project/package.json"), "opened");
  EXPECT_NE(code(id, (base / "../../../../../../../..").string()), "opened");
  EXPECT_EQ(code(id, "/proc/self/root"), to_string(Code::permission_denied));
  EXPECT_EQ(code({id.pid, id.start_ticks + 1}, base), to_string(Code::not_found));
  EXPECT_EQ(code({::getpid(), 0}, base), to_string(Code::not_found));
  EXPECT_EQ(code(id, ""), to_string(Code::invalid_argument));
  EXPECT_EQ(code(id, std::string("/tmp\0/x", 7)), to_string(Code::invalid_argument));
}

TEST_F(ServiceTest, OpensACheckoutInsideAContainerForAProcessThatLivesThere) {
  const std::string id(64, 'c');
  const auto process = temp_.path / "proc/4242";
  std::filesystem::create_directories(process);
  std::ofstream(process / "cgroup") << "0::/system.slice/docker-" << id << ".scope\n";
  std::filesystem::create_directories(temp_.path / "rootfs/builds/grp/demo");
  std::ofstream(temp_.path / "rootfs/builds/grp/demo/package.json") << "{}";
  std::filesystem::create_symlink("/etc", temp_.path / "rootfs/builds/link");
  std::filesystem::create_symlink(temp_.path / "rootfs", process / "root");
  auto options = options_for_test();
  options.proc_root = temp_ / "proc";
  connect(options);
  const auto open = [&](const std::string& container, int pid, const std::string& path) {
    return run(loop_, observer_->open_inside({ContainerEngine::docker, container}, pid, path));
  };
  const auto folder = open(id, 4242, "/builds/grp/demo");
  ASSERT_TRUE(folder.ok()) << folder.error().to_string();
  EXPECT_EQ(::faccessat(folder->get(), "package.json", F_OK, 0), 0);
  EXPECT_EQ(open(std::string(64, 'd'), 4242, "/builds").error().code(), Code::permission_denied);
  EXPECT_EQ(open(id, 4243, "/builds").error().code(), Code::permission_denied);
  EXPECT_EQ(open(id, 4242, "/builds/link").error().code(), Code::permission_denied);
  EXPECT_FALSE(open(id, 4242, "/builds/../..").ok());
  EXPECT_EQ(open("docker", 4242, "/builds").error().code(), Code::invalid_argument);
  EXPECT_EQ(open(id, 0, "/builds").error().code(), Code::invalid_argument);
  EXPECT_EQ(open(id, 4242, "").error().code(), Code::invalid_argument);
}

TEST_F(ServiceTest, HandsOutTheStateOfAContainerAndTheGroupsOfAProcess) {
  auto options = options_for_test();
  options.host_root = temp_.path;
  const std::string id(64, 'c');
  std::filesystem::create_directories(temp_.path / "var/lib/docker/containers" / id);
  std::ofstream(temp_.path / "var/lib/docker/containers" / id / "config.v2.json") << "{}";
  connect(options);
  const auto listed = run(loop_, observer_->containers());
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().id.id, id);
  EXPECT_EQ(listed->front().id.engine, ContainerEngine::docker);
  const auto file = run(loop_, observer_->open_container(listed->front().id, ContainerFile::state));
  ASSERT_TRUE(file.ok()) << file.error().to_string();
  EXPECT_EQ(whole(*file), "{}");
  const auto groups = run(loop_, observer_->cgroup_of(::getpid()));
  ASSERT_TRUE(groups.ok());
  EXPECT_EQ(*groups, content("/proc/self/cgroup"));
  EXPECT_EQ(run(loop_, observer_->cgroup_of(0)).error().code(), Code::invalid_argument);
  EXPECT_EQ(run(loop_, observer_->cgroup_of(1 << 30)).error().code(), Code::not_found);
}

TEST_F(ServiceTest, WhatAContainerPrintsIsGivenOutOnlyWhereARunnerLives) {
  auto options = options_for_test();
  options.host_root = temp_.path;
  const std::string id(64, 'c');
  std::filesystem::create_directories(temp_.path / "var/lib/docker/containers" / id);
  std::ofstream(temp_.path / "var/lib/docker/containers" / id / (id + "-json.log")) << "secret";
  connect(options);
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  const ContainerId job{ContainerEngine::docker, id};
  EXPECT_EQ(run(loop_, observer_->open_container(job, ContainerFile::log)).error().code(),
            Code::permission_denied);
}

TEST_F(ServiceTest, SaysWhatItCanSee) {
  FakeRunner runner(temp_.path);
  ASSERT_TRUE(eventually([&] { return knows_runner(runner.pid()); }));
  const auto lines = run(loop_, observer_->self_check());
  ASSERT_TRUE(lines.ok());
  const auto has = [&](const std::string& words) {
    return std::any_of(lines->begin(), lines->end(),
                       [&](const auto& line) { return line.find(words) != line.npos; });
  };
  EXPECT_TRUE(has("CAP_SYS_PTRACE: "));
  EXPECT_TRUE(has("temporary folder " + temp_.path.string() + " is watched"));
  EXPECT_TRUE(has("runner process " + std::to_string(runner.pid()) + ": " + runner_name()));
}

TEST_F(ServiceTest, WhenTheObserverDiesEveryCallFails) {
  std::optional<Code> code;
  spawn(loop_.get_executor(), "wait",
        [](Observer& observer, std::optional<Code>& out) -> Task<void> {
          const auto trace = co_await observer.next_trace();
          out = trace.ok() ? Code::internal : trace.error().code();
        }(*observer_, code));
  ASSERT_TRUE(run(loop_, observer_->runners()).ok());
  service_->stop(SIGKILL);
  ASSERT_TRUE(eventually([&] {
    return loop_.restart(), loop_.run_for(std::chrono::milliseconds(10)), code.has_value();
  }));
  EXPECT_EQ(code, Code::unavailable);
  EXPECT_EQ(run(loop_, observer_->processes()).error().code(), Code::unavailable);
  observer_->release({});
}

// What is sent here is what an agent could send that was taken over.
class RawServiceTest : public ::testing::Test {
 protected:
  ServiceProcess service_{options_for_test()};
  void send(std::string_view bytes) {
    (void)::send(service_.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // The code of the reply to a well-formed request, or nullopt when the service is gone.
  std::optional<uint8_t> asks(wire::Kind kind, uint32_t call, std::string_view body = "") {
    send(wire::packet(kind, call, body));
    std::string buffer(80 << 10, '\0');
    for (;;) {
      const auto n = ::recv(service_.socket.get(), buffer.data(), buffer.size(), 0);
      if (n <= 0) return std::nullopt;
      const auto message = wire::parse({buffer.data(), static_cast<std::size_t>(n)});
      if (message && message->header.call == call && message->header.more == 0)
        return message->header.code;
    }
  }
};

TEST_F(RawServiceTest, MalformedRequestsDoNoHarm) {
  std::mt19937 random(7);
  const auto valid = wire::packet(wire::Kind::open_checkout, 1, std::string(16, '\0') + "/tmp");
  for (int i = 0; i < 5000; ++i) {
    std::string bytes;
    if (i % 2 == 0) {
      bytes.resize(random() % 200);
      for (auto& byte : bytes) byte = static_cast<char>(random());
    } else {
      bytes = valid;
      for (unsigned j = 0; j <= random() % 4; ++j)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 3 == 0) bytes.resize(random() % bytes.size() + 1);
    }
    if (bytes.empty()) continue;  // an empty packet reads as the end of the connection
    send(bytes);
    char reply[70 << 10];
    while (::recv(service_.socket.get(), reply, sizeof reply, MSG_DONTWAIT) > 0) {
    }
  }
  send(std::string(30'000, 'x'));
  EXPECT_EQ(asks(wire::Kind::runners, 0xABCDEF), 0);
}

TEST_F(RawServiceTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(asks(static_cast<wire::Kind>(99), 1), wire::to_wire(Code::unimplemented));
  EXPECT_EQ(asks(wire::Kind::open_checkout, 2, "short"), wire::to_wire(Code::invalid_argument));
  for (uint32_t call = 100; call < 116; ++call)
    send(wire::packet(wire::Kind::next_trace, call, ""));
  EXPECT_EQ(asks(wire::Kind::next_trace, 116), wire::to_wire(Code::resource_exhausted));
}

TEST_F(RawServiceTest, AnAgentThatDoesNotReadDoesNotBlockIt) {
  // Requests until neither side's buffer takes more; then the service must still notice that we
  // leave.
  const auto request = wire::packet(wire::Kind::self_check, 1, "");
  for (int i = 0; i < 100'000; ++i)
    if (::send(service_.socket.get(), request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL) <
        0)
      break;
  EXPECT_EQ(service_.wait(), 0);
}

}  // namespace
}  // namespace gitaiops::agent
