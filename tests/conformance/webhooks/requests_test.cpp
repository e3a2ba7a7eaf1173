// What our client sends is what an independent client of GitLab sends for the same: method, target
// and body.
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/io/files.h"
#include "controller/gitlab/gitlab.h"
#include "tests/corpus.h"
#include "tests/unit/outgoing/http_double.h"

namespace gitaiops::gitlab {
namespace {

using gitaiops::testing::HttpDouble;
using gitaiops::testing::Reply;
using gitaiops::testing::run;
using gitaiops::testing::SeenRequest;
using nlohmann::json;

class Captured : public ::testing::Test {
 protected:
  Captured()
      : server_(loop_, [](const SeenRequest&) { return Reply{.body = kAnything}; }),
        web_(loop_.get_executor()) {
    std::string name = (std::filesystem::temp_directory_path() / "gitaiops-token-XXXXXX").string();
    Fd made(::mkstemp(name.data()));
    token_file_ = name;
    EXPECT_TRUE(write_file_atomic(token_file_, "glpat-test", 0600).ok());
    auto opened =
        open_http({.id = "main", .url = server_.url(), .token_file = token_file_}, web_, clock_);
    gitlab_ = std::move(*opened);
  }
  ~Captured() override { std::filesystem::remove(token_file_); }

  // What comes back is not what matters here.
  template <class T>
  void send(Task<Result<T>> task) {
    [[maybe_unused]] const auto answer = run(loop_, std::move(task));
  }
  // The last request of ours against the one that was captured. What only pages a list is left out.
  void same_as(const std::string& name) {
    const auto folder = corpus("integrations/gitlab/golden");
    ASSERT_TRUE(folder);
    std::ifstream in(*folder / (name + ".json"));
    const auto captured = json::parse(in)[0];
    ASSERT_FALSE(server_.seen().empty()) << name;
    const SeenRequest& ours = server_.seen().back();
    EXPECT_EQ(ours.method, captured["method"].get<std::string>()) << name;
    std::string target = ours.target;
    if (const auto paging = target.find("&per_page="); paging != target.npos) target.resize(paging);
    EXPECT_EQ(target, captured["url"].get<std::string>()) << name;
    EXPECT_NE(ours.head.find("PRIVATE-TOKEN: glpat-test"), std::string::npos) << name;
    const auto& body = captured["body"];
    if (!body.is_object() || body.empty()) return;
    EXPECT_EQ(json::parse(ours.body, nullptr, false), body) << name;
    EXPECT_NE(ours.head.find("Content-Type: application/json"), std::string::npos) << name;
  }

  static constexpr const char* kAnything = R"({"id":1,"status":"failed","body":"x"})";
  asio::io_context loop_;
  FakeClock clock_;
  HttpDouble server_;
  Outgoing web_;
  std::filesystem::path token_file_;
  std::unique_ptr<Gitlab> gitlab_;
};

TEST_F(Captured, EveryCallThatBothMake) {
  if (!corpus("integrations/gitlab/golden")) GTEST_SKIP() << "the captured requests are not here";
  send(gitlab_->create_note(7, 3, "<!-- gitaiops:diagnosis -->hello"));
  same_as("mr_note_create");
  send(gitlab_->update_note(7, 3, 99, "new"));
  same_as("mr_note_edit");
  send(gitlab_->retry_job(7, 42));
  same_as("job_retry");
  send(gitlab_->pause_runner(5));
  same_as("runner_pause");
  send(gitlab_->trace(7, 42, 1000));
  same_as("job_trace");
  send(gitlab_->all_pipeline_jobs(7, 42));
  same_as("pipeline_jobs");
}

}  // namespace
}  // namespace gitaiops::gitlab
