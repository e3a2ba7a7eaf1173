// Another program, run to its end while the loop goes on.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops {

// `words`: the program's path and its arguments. It gets our environment, our standard output and
// error, and nothing to read. Its exit code, or 128 and the signal that ended it; not_found or
// permission_denied: it cannot be run; deadline_exceeded: it took longer than `limit` and was
// killed, as it is when the awaiting task is cancelled.
Task<Result<int>> run_program(std::vector<std::string> words, std::chrono::milliseconds limit);

}  // namespace gitaiops
