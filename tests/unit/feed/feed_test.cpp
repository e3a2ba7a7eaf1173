// Fetching from a server of the test's own; building is counted, or the real one.
#include "controller/feed/feed.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/io/files.h"
#include "controller/feed/build.h"
#include "tests/unit/outgoing/http_double.h"

namespace gitaiops::feed {
namespace {

namespace fs = std::filesystem;
using gitaiops::testing::HttpDouble;
using gitaiops::testing::Reply;
using gitaiops::testing::run;
using gitaiops::testing::SeenRequest;

constexpr const char* kRecord =
    R"({"id":"A-1","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"npm",)"
    R"("name":"left"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]})";

class FeedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "gitaiops-feed-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::unique_ptr<Feed> feed() {
    sources_ = {server_.url() + "/npm.json"};
    return std::make_unique<Feed>(Feed::Options{sources_, folder_, 3600 * kMicrosPerSecond}, web_,
                                  system_clock(), [this] { return build(); });
  }
  Task<Status> build() {
    ++built_;
    std::ostringstream said;
    co_return feed::build(folder_, sources_, said);
  }
  std::string copy() const {
    const auto text = read_file(copy_of(folder_, sources_[0]));
    return text.ok() ? *text : "";
  }

  fs::path folder_;
  std::vector<std::string> sources_;
  Reply reply_{.body = kRecord, .headers = {{"ETag", "\"one\""}}};
  asio::io_context loop_;
  HttpDouble server_{loop_, [this](const SeenRequest&) { return reply_; }};
  Outgoing web_{loop_.get_executor()};
  int built_ = 0;
};

TEST_F(FeedTest, FetchesOnceAndThenAsksWhetherItChanged) {
  const auto f = feed();
  ASSERT_TRUE(run(loop_, f->refresh()).ok());
  EXPECT_EQ(copy(), kRecord);
  EXPECT_TRUE(fs::exists(folder_ / "index.gdb"));
  reply_ = {.status = 304};
  ASSERT_TRUE(run(loop_, f->refresh()).ok());
  EXPECT_EQ(copy(), kRecord);
  EXPECT_EQ(built_, 2);
  ASSERT_EQ(server_.seen().size(), 2u);
  EXPECT_EQ(server_.seen()[0].head.find("If-None-Match"), std::string::npos);
  EXPECT_NE(server_.seen()[1].head.find("If-None-Match: \"one\"\r\n"), std::string::npos);
}

TEST_F(FeedTest, ASourceThatIsAwayChangesNothingAndIsCounted) {
  const auto f = feed();
  ASSERT_TRUE(run(loop_, f->refresh()).ok());
  for (const auto& broken : {Reply{.status = 404}, Reply{.status = 503}, Reply{.drop = true}}) {
    reply_ = broken;
    EXPECT_EQ(run(loop_, f->refresh()).error().code(), Code::unavailable);
    EXPECT_EQ(f->failed(), 1u);
    EXPECT_EQ(copy(), kRecord);
  }
  reply_ = {.status = 304};
  ASSERT_TRUE(run(loop_, f->refresh()).ok());
  EXPECT_EQ(f->failed(), 0u);
}

TEST_F(FeedTest, WhatWasRefusedIsAskedForAnewNotForItsVersion) {
  const auto f = feed();
  ASSERT_TRUE(run(loop_, f->refresh()).ok());
  reply_ = {.body = "<html>sign in</html>", .headers = {{"ETag", "\"two\""}}};
  EXPECT_FALSE(run(loop_, f->refresh()).ok());
  EXPECT_EQ(f->failed(), 1u);
  EXPECT_EQ(copy(), kRecord);
  reply_ = {.body = kRecord, .headers = {{"ETag", "\"two\""}}};
  ASSERT_TRUE(run(loop_, f->refresh()).ok());
  EXPECT_EQ(server_.seen().back().head.find("If-None-Match"), std::string::npos);
  EXPECT_EQ(f->failed(), 0u);
}

TEST_F(FeedTest, ACopyThatCannotBeWrittenIsToldAndLeavesTheOneBefore) {
  const auto f = feed();
  ASSERT_TRUE(run(loop_, f->refresh()).ok());
  const auto part = copy_of(folder_, sources_[0]).string() + ".part";
  fs::create_symlink("/dev/full", part);
  EXPECT_FALSE(run(loop_, f->refresh()).ok());
  EXPECT_EQ(f->failed(), 1u);
  EXPECT_EQ(copy(), kRecord);
}

}  // namespace
}  // namespace gitaiops::feed
