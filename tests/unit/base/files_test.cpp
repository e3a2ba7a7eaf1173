#include "base/io/files.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gitaiops {
namespace {

class Files : public testing::Test {
 protected:
  Files() {
    char name[] = "/tmp/gitaiops-files-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~Files() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(Files, WritesWholeAndReadsBack) {
  ASSERT_TRUE(write_file_atomic(folder_ / "a", "one").ok());
  ASSERT_TRUE(write_file_atomic(folder_ / "a", "two", 0600).ok());
  EXPECT_EQ(*read_file(folder_ / "a"), "two");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  EXPECT_EQ(read_file(folder_ / "a", 2).error().code(), Code::resource_exhausted);
  EXPECT_EQ(read_file(folder_ / "none").error().code(), Code::not_found);
}

TEST_F(Files, SecretsMustBeClosedToOthers) {
  ASSERT_TRUE(write_file_atomic(folder_ / "token", "s3cret\n", 0600).ok());
  EXPECT_EQ(*read_secret_file(folder_ / "token"), "s3cret");
  ::chmod((folder_ / "token").c_str(), 0640);
  const auto open_to_group = read_secret_file(folder_ / "token");
  ASSERT_FALSE(open_to_group.ok());
  EXPECT_NE(open_to_group.error().to_string().find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace gitaiops
