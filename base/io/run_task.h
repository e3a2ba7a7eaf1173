// For main(): runs one task to its end on a loop of its own.
#pragma once

#include <optional>
#include <utility>

#include "base/io/io.h"

namespace gitaiops {

// Returns when the task has; other tasks of the loop stay where they are.
template <class T>
T run_task(asio::io_context& loop, Task<T> task) {
  std::optional<T> result;
  spawn(loop.get_executor(), "main",
        [](Task<T> inner, std::optional<T>& out, asio::io_context& l) -> Task<void> {
          out.emplace(co_await std::move(inner));
          l.stop();
        }(std::move(task), result, loop));
  loop.run();
  return std::move(*result);
}

}  // namespace gitaiops
