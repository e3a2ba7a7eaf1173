#include "base/result/result.h"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

namespace gitaiops {
namespace {

Result<int> positive(int n) {
  if (n <= 0) return Error(Code::invalid_argument, "not positive");
  return n;
}

Result<std::string> describe(int n) {
  ASSIGN_OR_RETURN(const int value, positive(n), "describing");
  return "n=" + std::to_string(value);
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(*describe(3), "n=3");
  const auto failed = describe(-1);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::invalid_argument);
  EXPECT_EQ(failed.error().to_string(), "describing: not positive");
  EXPECT_EQ(failed.error().message(), "describing");
}

TEST(Result, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> r = std::make_unique<int>(5);
  EXPECT_EQ(*std::move(r).value(), 5);
}

TEST(Result, ReadingTheValueOfAnErrorAborts) {
  EXPECT_DEATH((void)*positive(0), "");
}

TEST(Result, ErrnoKeepsItsMeaning) {
  EXPECT_EQ(errno_error(ENOSPC, "write", "/x").code(), Code::resource_exhausted);
  EXPECT_EQ(errno_error(ENOENT, "open", "/x").to_string(), "open /x: No such file or directory");
}

}  // namespace
}  // namespace gitaiops
