// For tests of what is awaited: runs one task to its end, and a folder that
// goes with the test.
#pragma once

#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include <asio/io_context.hpp>
#include <stdlib.h>
#include <unistd.h>

#include "base/io/io.h"

namespace gitaiops::testing {

// One a thread, kept to the end of the process: a database's thread that has just posted an answer
// may still be about to signal the loop when the answer has long been awaited.
inline asio::io_context& own_loop() {
  static std::mutex mutex;
  static std::list<asio::io_context> loops;
  thread_local asio::io_context& mine = []() -> asio::io_context& {
    const std::lock_guard lock(mutex);
    return loops.emplace_back();
  }();
  mine.restart();
  return mine;
}

inline void await(Task<void> task) {
  auto& loop = own_loop();
  spawn(loop.get_executor(), "test", std::move(task));
  loop.run();
}

template <class T>
T await(Task<T> task) {
  std::optional<T> answer;
  await([](Task<T> awaited, std::optional<T>& out) -> Task<void> {
    out.emplace(co_await std::move(awaited));
  }(std::move(task), answer));
  return std::move(*answer);
}

class TemporaryFolder {
 public:
  // In memory where there is a RAM disk, for tests that commit thousands of times.
  enum class Where { disk, memory };
  explicit TemporaryFolder(Where where = Where::disk) {
    const bool memory = where == Where::memory && ::access("/dev/shm", W_OK) == 0;
    std::string pattern = (memory ? "/dev/shm" : std::filesystem::temp_directory_path().native()) +
                          "/gitaiops-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace gitaiops::testing
