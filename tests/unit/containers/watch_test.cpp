// A container from its folder to the job's usage, over files made by the test.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <asio/io_context.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/containers/containers.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;

const std::string kId(64, 'a');

// The engines' folders are the test's maps.
class FakeObserver final : public Observer {
 public:
  explicit FakeObserver(fs::path folder) : folder_(std::move(folder)) {}

  std::vector<ListedContainer> listed;
  std::string groups;
  int looks = 0;
  std::map<std::string, int> opened;  // state files, by id

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  void list(ContainerEngine engine, const std::string& id) { listed.push_back({{engine, id}, 1}); }

  Task<Result<std::vector<ListedContainer>>> containers() override {
    ++looks;
    const auto copy = listed;
    co_return copy;
  }
  Task<Result<Fd>> open_container(const ContainerId& id, ContainerFile file) override {
    if (file == ContainerFile::state) ++opened[id.id];
    return open(folder_, id, file);
  }
  Task<Result<std::string>> cgroup_of(int32_t) override {
    const auto copy = groups;
    co_return copy;
  }
  Task<Result<std::vector<RunnerProcess>>> runners() override { co_return nothing(); }
  Task<Result<std::vector<ProcessSample>>> processes() override { co_return nothing(); }
  Task<Result<OpenedTrace>> next_trace() override { co_return nothing(); }
  void release(const TraceId&) override {}
  Task<Result<Fd>> open_checkout(const ProcessId&, const std::string&) override {
    co_return nothing();
  }
  Task<Result<Fd>> open_inside(const ContainerId&, int32_t, const std::string&) override {
    co_return nothing();
  }
  Task<Result<std::vector<std::string>>> self_check() override { co_return nothing(); }

 private:
  static Error nothing() { return Error(Code::unimplemented, "not asked for"); }
  static Task<Result<Fd>> open(fs::path folder, ContainerId id, ContainerFile file) {
    const auto name = file == ContainerFile::state ? id.id
                      : file == ContainerFile::pid ? id.id + ".pid"
                                                   : std::string("names");
    Fd fd(::open((folder / name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) co_return Error(Code::not_found, "no such file");
    co_return std::move(fd);
  }
  fs::path folder_;
};

class WatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "gitaiops-watch-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directories(folder_ / "state");
    group_ = folder_ / "cgroup/system.slice" / ("docker-" + kId + ".scope");
    fs::create_directories(group_);
    std::ofstream(folder_ / "cgroup/cgroup.controllers") << "cpu memory io pids\n";
    observer_ = std::make_unique<FakeObserver>(folder_ / "state");
    observer_->groups = "0::/system.slice/docker-" + kId + ".scope\n";
    ContainersOptions options;
    options.cgroup_root = folder_ / "cgroup";
    options.instances = {{"main", "https://gitlab.example.com"}};
    watch_ =
        std::make_unique<ContainerWatch>(loop_.get_executor(), options, *observer_, system_clock());
  }
  void TearDown() override { fs::remove_all(folder_); }

  void counts(int64_t cpu_us, int64_t memory, int64_t peak, int64_t kills) {
    std::ofstream(group_ / "cpu.stat") << "usage_usec " << cpu_us << "\nthrottled_usec 5\n";
    std::ofstream(group_ / "memory.current") << memory << "\n";
    std::ofstream(group_ / "memory.peak") << peak << "\n";
    std::ofstream(group_ / "memory.events") << "oom 1\noom_kill " << kills << "\n";
  }
  static std::string docker(int pid, int64_t job) {
    return R"({"State":{"Running":true,"Pid":)" + std::to_string(pid) +
           R"(},"Config":{"Env":["TOKEN=secret"],"Labels":{"com.gitlab.gitlab-runner.job.id":")" +
           std::to_string(job) +
           R"(","com.gitlab.gitlab-runner.job.url":"https://gitlab.example.com/grp/demo/-/jobs/)" +
           std::to_string(job) + R"(","com.gitlab.gitlab-runner.type":"build"}},"Name":"/n"})";
  }
  // Lets the watch look, until `done` says so.
  void watch(const std::function<bool()>& done) {
    Event stopping;
    bool ended = false;
    spawn(loop_.get_executor(), "watch", run(watch_.get(), &stopping, &ended));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done() && std::chrono::steady_clock::now() < deadline)
      loop_.run_for(std::chrono::milliseconds(5));
    EXPECT_TRUE(done());
    stopping.set();
    while (!ended) loop_.run_one();
  }
  static Task<void> run(ContainerWatch* watch, Event* stopping, bool* ended) {
    co_await watch->run(stopping, [] { return true; });
    *ended = true;
  }

  fs::path folder_, group_;
  asio::io_context loop_{1};
  std::unique_ptr<FakeObserver> observer_;
  std::unique_ptr<ContainerWatch> watch_;
  const ContainerJob job_{"main", 4242, "grp/demo", 77, "AbC"};
};

TEST_F(WatchTest, AJobGetsTheUsageOfItsContainerOnce) {
  counts(1'500'000, 4096, 8192, 2);
  observer_->write(kId, docker(1 << 30, 4242));
  observer_->list(ContainerEngine::docker, kId);
  watch_->started(job_);
  watch([&] { return watch_->live() == 1; });
  const auto verdict = watch_->take(job_);
  ASSERT_TRUE(verdict.usage) << verdict.reason;
  EXPECT_EQ(verdict.usage->cpu_us().value(), 1'500'000);
  EXPECT_EQ(verdict.usage->memory_peak_bytes().value(), 8192);
  EXPECT_EQ(verdict.usage->oom_kills().value(), 2);
  ASSERT_EQ(verdict.usage->containers_size(), 1);
  EXPECT_EQ(verdict.usage->containers(0).kind(), "build");
  EXPECT_EQ(verdict.usage->containers(0).name(), "n");
  EXPECT_FALSE(watch_->take(job_).usage);
}

TEST_F(WatchTest, TellsWhichContainerWorksForAJobThatWasAnnounced) {
  counts(1, 1, 1, 0);
  observer_->write(kId, docker(1 << 30, 4242));
  observer_->list(ContainerEngine::docker, kId);
  watch([&] { return watch_->live() == 1; });
  EXPECT_TRUE(watch_->builds().empty()) << "the runner told of no such job";
  watch_->started({"main", 4242, "grp/other", 78, "AbC"});
  EXPECT_TRUE(watch_->builds().empty()) << "its labels name another project";
  watch_->started(job_);
  const auto builds = watch_->builds();
  ASSERT_EQ(builds.size(), 1u);
  EXPECT_EQ(builds[0].job.job_id, 4242);
  EXPECT_EQ(builds[0].id, (ContainerId{ContainerEngine::docker, kId}));
  EXPECT_EQ(builds[0].pid, 1 << 30);
  watch_->take(job_);
  EXPECT_TRUE(watch_->builds().empty()) << "the job is over";
}

TEST_F(WatchTest, AKillForMemoryIsToldOfAContainerThatWasOverBeforeItCouldBeRead) {
  auto state = docker(0, 4242);
  state.replace(state.find(R"("Running":true)"), std::strlen(R"("Running":true)"),
                R"("Running":false,"OOMKilled":true)");
  observer_->write(kId, state);
  observer_->list(ContainerEngine::docker, kId);
  watch_->started(job_);
  int rounds = 0;
  watch([&] { return ++rounds > 20; });
  const auto verdict = watch_->take(job_);
  ASSERT_TRUE(verdict.usage) << verdict.reason;
  EXPECT_EQ(verdict.usage->oom_kills().value(), 1);
  EXPECT_EQ(verdict.usage->oom_kills().method(), fleet::v1::METHOD_ENGINE);
  EXPECT_FALSE(verdict.usage->has_cpu_us());
}

TEST_F(WatchTest, TheProcessMustBeInAGroupOfTheContainer) {
  counts(1'500'000, 4096, 8192, 0);
  observer_->groups = "0::/system.slice/sshd.service\n";
  observer_->write(kId, docker(1 << 30, 4242));
  observer_->list(ContainerEngine::docker, kId);
  int rounds = 0;
  watch([&] { return ++rounds > 20; });
  EXPECT_EQ(watch_->live(), 0u);
  const auto verdict = watch_->take(job_);
  EXPECT_FALSE(verdict.usage);
  EXPECT_EQ(verdict.reason, "its containers were over before they could be read");
}

TEST_F(WatchTest, AnotherJobsContainerIsNotCounted) {
  counts(1'500'000, 4096, 8192, 0);
  observer_->write(kId, docker(1 << 30, 4243));
  observer_->list(ContainerEngine::docker, kId);
  watch([&] { return watch_->live() == 1; });
  const auto verdict = watch_->take(job_);
  EXPECT_FALSE(verdict.usage);
  EXPECT_EQ(verdict.reason, "");
}

// A node may hold hundreds of pods that are none of ours.
TEST_F(WatchTest, APodOfNoJobIsNotReadAgainAndAgain) {
  const std::string inner(64, 'c'), pod(64, 'b');
  observer_->write(
      inner,
      R"({"ociVersion":"1.0.2","annotations":{"io.kubernetes.cri.sandbox-id":")" + pod + R"("}})");
  observer_->write(
      pod,
      R"({"ociVersion":"1.0.2","annotations":{"io.kubernetes.cri.container-type":"sandbox"}})");
  observer_->list(ContainerEngine::containerd, inner);
  observer_->list(ContainerEngine::containerd, pod);
  watch_->started(job_);
  watch([&] { return observer_->looks >= 10; });
  EXPECT_EQ(observer_->opened[pod], 1);
  EXPECT_EQ(observer_->opened[inner], 1);
}

TEST_F(WatchTest, AContainerThatIsSeenBeforeItsPodIsTheJobsAsWell) {
  const std::string inner(64, 'c'), pod(64, 'b');
  counts(1'500'000, 4096, 8192, 0);
  observer_->groups = "0::/system.slice/docker-" + kId + ".scope\n";
  observer_->write(kId, R"({"ociVersion":"1.0.2","annotations":{"io.kubernetes.cri.sandbox-id":")" +
                            pod + R"(","io.kubernetes.cri.container-name":"build"}})");
  observer_->write(kId + ".pid", std::to_string(1 << 30));
  observer_->list(ContainerEngine::containerd, kId);
  observer_->write(pod, R"({"ociVersion":"1.0.2","annotations":{
      "io.kubernetes.cri.container-type":"sandbox","job.runner.gitlab.com/id":"4242",
      "job.runner.gitlab.com/url":"https://gitlab.example.com/grp/demo/-/jobs/4242"}})");
  watch_->started(job_);
  watch([&] {
    if (observer_->looks == 3 && observer_->listed.size() == 1)
      observer_->list(ContainerEngine::containerd, pod);
    return watch_->live() == 1;
  });
  const auto verdict = watch_->take(job_);
  ASSERT_TRUE(verdict.usage) << verdict.reason;
  EXPECT_EQ(verdict.usage->containers(0).kind(), "build");
}

TEST_F(WatchTest, PodmansNameIsEnoughForAJobThatIsAlone) {
  counts(250'000, 1, 2, 0);
  observer_->write(kId, R"({"ociVersion":"1.0","annotations":{}})");
  observer_->write(kId + ".pid", std::to_string(1 << 30));
  observer_->write("names", R"([{"id":")" + kId +
                                R"(","names":["runner-AbC-project-77-concurrent-0-9f-build"]}])");
  observer_->list(ContainerEngine::podman, kId);
  watch_->started(job_);
  watch([&] { return watch_->live() == 1; });
  const auto verdict = watch_->take(job_);
  ASSERT_TRUE(verdict.usage) << verdict.reason;
  EXPECT_EQ(verdict.usage->cpu_us().value(), 250'000);
  EXPECT_EQ(verdict.usage->containers(0).engine(), "podman");
}

TEST_F(WatchTest, PodmansNameIsNotEnoughForTwoJobs) {
  counts(250'000, 1, 2, 0);
  observer_->write(kId, R"({"ociVersion":"1.0","annotations":{}})");
  observer_->write(kId + ".pid", std::to_string(1 << 30));
  observer_->write("names", R"([{"id":")" + kId +
                                R"(","names":["runner-AbC-project-77-concurrent-0-9f-build"]}])");
  observer_->list(ContainerEngine::podman, kId);
  watch_->started(job_);
  watch_->started({"main", 4243, "grp/demo", 0, "AbC"});
  watch([&] { return watch_->live() == 1; });
  const auto verdict = watch_->take(job_);
  EXPECT_FALSE(verdict.usage);
  EXPECT_NE(verdict.reason.find("other jobs"), std::string::npos);
}

}  // namespace
}  // namespace gitaiops::agent
