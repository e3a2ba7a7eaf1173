#include "base/zstd/zstd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::zstd {
namespace {

using ::testing::HasSubstr;
using ::testing::Lt;

TEST(Zstd, ReturnsWhatItWasGiven) {
  const std::string text(100'000, 'a');
  const auto frame = compress(text);
  EXPECT_THAT(frame.size(), Lt(1000u));
  EXPECT_EQ(decompress(frame, text.size()).value(), text);
  EXPECT_EQ(decompress(compress(""), 0).value(), "");
}

TEST(Zstd, UnpacksNothingBeyondItsLimit) {
  const auto bomb = decompress(compress(std::string(1 << 20, 'a')), 1000);
  ASSERT_FALSE(bomb.ok());
  EXPECT_EQ(bomb.error().code(), Code::resource_exhausted);
  EXPECT_THAT(bomb.error().to_string(), HasSubstr("1048576 bytes, at most 1000"));
}

TEST(Zstd, DamageIsFound) {
  auto frame = compress("lock files of a project, and more of them");
  EXPECT_FALSE(decompress("not a frame", 1000).ok());
  EXPECT_FALSE(decompress("", 1000).ok());
  EXPECT_FALSE(decompress(frame.substr(0, frame.size() - 3), 1000).ok());
  EXPECT_FALSE(decompress(frame + "more", 1000).ok());
}

}  // namespace
}  // namespace gitaiops::zstd
