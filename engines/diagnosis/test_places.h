// File and line in the lines that follow a failing test's name: stack frames and source places as
// the common reporters print them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gitaiops::diagnosis {

struct TestPlace {
  std::string file;
  uint64_t line = 0;
};

// The place that `line` tells, if it is one of the test `path` ("org.example.Ring.adds", its last
// part "adds", in `file` as far as known): frames of libraries and of other code are not.
std::optional<TestPlace> read_place(std::string_view line, std::string_view path,
                                    std::string_view last, std::string_view file);

}  // namespace gitaiops::diagnosis
