// The names of failing tests, from the lines that a rule with a `test` expression took.
#pragma once

#include "engines/diagnosis/observed.h"

namespace gitaiops::diagnosis {

// The test that one line names.
std::optional<FailingTest> read_test(const Rule& rule, std::string_view line);

// Adds it unless it is there; one test reported twice, with and without its file, stays one.
void add_test(FailingTest test, std::vector<FailingTest>& tests);

// Tests whose names go on over several lines, each suite deeper than the one before, up to a colon.
// Only candidates still have the lines after them.
std::vector<FailingTest> nested_tests(const Observed& seen);

}  // namespace gitaiops::diagnosis
