// One event loop for a test: run(task) drives it until the task is done, and fails the test when
// that takes too long.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

#include <asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "base/io/io.h"

namespace gitaiops::testing {

class Loop {
 public:
  asio::any_io_executor executor() { return context_.get_executor(); }

  template <class T>
  T run(Task<T> task) {
    const auto result = std::make_shared<std::optional<T>>();
    spawn(executor(), "test", keep(std::move(task), result));
    until([result] { return result->has_value(); });
    if (!result->has_value()) throw std::runtime_error("the task did not end");
    return std::move(**result);
  }

  template <class Condition>
  void until(Condition condition, std::chrono::seconds limit = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition() && std::chrono::steady_clock::now() < end)
      context_.run_one_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(condition()) << "the condition did not come true";
  }

 private:
  template <class T>
  static Task<void> keep(Task<T> task, std::shared_ptr<std::optional<T>> result) {
    *result = co_await std::move(task);
  }
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> busy_{context_.get_executor()};
};

// A folder that is gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gitaiops-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace gitaiops::testing
