// The loop of the agent against an observer that fails, over a real spool.
#include "agent/jobs/jobs.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

// Never answers, or is gone; counts what it is told to let go.
class BrokenObserver final : public Observer {
 public:
  explicit BrokenObserver(bool gone) : gone_(gone) {}
  Task<Result<std::vector<RunnerProcess>>> runners() override {
    return answer<std::vector<RunnerProcess>>(this);
  }
  Task<Result<std::vector<ProcessSample>>> processes() override {
    return answer<std::vector<ProcessSample>>(this);
  }
  Task<Result<OpenedTrace>> next_trace() override { return answer<OpenedTrace>(this); }
  void release(const TraceId&) override {}
  Task<Result<Fd>> open_checkout(const ProcessId&, const std::string&) override {
    return answer<Fd>(this);
  }
  Task<Result<std::vector<ListedContainer>>> containers() override {
    return answer<std::vector<ListedContainer>>(this);
  }
  Task<Result<Fd>> open_container(const ContainerId&, ContainerFile) override {
    return answer<Fd>(this);
  }
  Task<Result<Fd>> open_inside(const ContainerId&, int32_t, const std::string&) override {
    return answer<Fd>(this);
  }
  Task<Result<std::string>> cgroup_of(int32_t) override { return answer<std::string>(this); }
  Task<Result<std::vector<std::string>>> self_check() override {
    return answer<std::vector<std::string>>(this);
  }

 private:
  template <class T>
  static Task<Result<T>> answer(BrokenObserver* self) {
    if (!self->gone_) co_await self->never_.wait();
    co_return Error(Code::unavailable, "the observer is gone");
  }
  const bool gone_;
  Event never_;
};

class JobWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "gitaiops-jobs-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    auto spool = Spool::open({folder_ / "spool.db", 8 << 20}, system_clock());
    ASSERT_TRUE(spool.ok()) << spool.error().to_string();
    spool_ = std::move(spool).value();
  }
  void TearDown() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Runs until the watch ends by itself or, with `stop`, is told to at once; what run() returned.
  Status run(Observer& observer, bool stop) {
    asio::io_context loop(1);
    JobWatch watch(loop.get_executor(), {}, observer, *spool_, system_clock(),
                   diagnosis::builtin_rules(), {});
    std::optional<Status> ended;
    spawn(loop.get_executor(), "watch",
          [](JobWatch& w, std::optional<Status>& e, asio::io_context& l) -> Task<void> {
            e = co_await w.run();
            l.stop();
          }(watch, ended, loop));
    if (stop) {
      loop.poll();  // every task waits for something now
      watch.stop();
    }
    loop.run();
    return ended.value_or(Error(Code::internal, "run() did not return"));
  }

  std::filesystem::path folder_;
  std::unique_ptr<Spool> spool_;
};

TEST_F(JobWatchTest, EndsWithAnErrorWhenTheObserverIsGone) {
  BrokenObserver gone(true);
  const auto ended = run(gone, false);
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code(), Code::unavailable);
}

TEST_F(JobWatchTest, StopsWhileTheObserverDoesNotAnswer) {
  BrokenObserver silent(false);
  EXPECT_TRUE(run(silent, true).ok());
}

}  // namespace
}  // namespace gitaiops::agent
