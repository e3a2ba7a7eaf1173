// The reactions between a store and a GitLab in memory.
#pragma once

#include <gtest/gtest.h>

#include "controller/reactions/reactions.h"
#include "tests/unit/reactions/fake_gitlab.h"
#include "tests/unit/reactions/memory_store.h"

namespace gitaiops::reactions {

// One project, one merge request with one pipeline; jobs join as the test needs them.
class ReactionsTest : public ::testing::Test {
 protected:
  ReactionsTest() {
    gitlab::Project demo;
    demo.id = 42;
    demo.path = "grp/demo";
    gitlab_.projects[42] = demo;
    gitlab::MergeRequest mr;
    mr.iid = 7;
    mr.project_id = mr.source_project_id = 42;
    mr.project_path = "grp/demo";
    mr.state = "opened";
    mr.source_branch = "topic";
    mr.sha = "abc";
    gitlab::Pipeline pipeline;
    pipeline.id = 77;
    pipeline.project_id = 42;
    pipeline.status = "failed";
    mr.head_pipeline = pipeline;
    gitlab_.merge_requests[{42, 7}] = mr;
    store::Agent agent;
    agent.id = "agent";
    agent.scope = {{"main", "grp/*"}};
    store_.agents_by_id["agent"] = agent;
  }

  // A job at GitLab and its report in the store. Its public id is "job-<id>".
  gitlab::Job& job(int64_t id, std::string name, std::string status) {
    gitlab::Job at;
    at.id = id;
    at.name = name;
    at.status = status;
    at.ref = "topic";
    at.sha = "abc";
    at.pipeline_id = 77;
    at.project_id = 42;
    at.started = true;
    gitlab_.jobs[id] = at;
    store::Job stored;
    stored.id = "job-" + std::to_string(id);
    stored.key = {"main", 42, id};
    stored.project_path = "grp/demo";
    stored.agent_id = "agent";
    stored.report.set_report_id(stored.id);
    stored.report.set_outcome(status == "failed" ? fleet::v1::OUTCOME_FAILED
                                                 : fleet::v1::OUTCOME_PASSED);
    if (status == "failed") {
      stored.report.mutable_diagnosis()->set_category("compile_error");
      stored.report.mutable_diagnosis()->mutable_root_cause()->set_line(3);
      stored.report.mutable_diagnosis()->mutable_root_cause()->set_text(
          "main.cpp:1: error: expected ';'");
    }
    store_.jobs_by_id[stored.id] = stored;
    return gitlab_.jobs[id];
  }
  void at_pipeline() {
    gitlab_.pipelines[77].clear();
    for (const auto& [id, one] : gitlab_.jobs) gitlab_.pipelines[77].push_back(one);
  }

  template <class T>
  T run(Task<T> task) {
    std::optional<T> out;
    spawn(loop_.get_executor(), "test", [](Task<T> t, std::optional<T>& o) -> Task<void> {
      o.emplace(co_await std::move(t));
    }(std::move(task), out));
    loop_.restart();
    loop_.run();
    return std::move(*out);
  }
  // Runs the handler once, as the queue would, and keeps its outcome as the store would.
  queue::Verdict resolve(int64_t id, int attempts = 1, int recheck = 0) {
    auto verdict = run(reactions_.resolve_job(
        {1, 1, "job.resolve", "",
         R"({"job":"job-)" + std::to_string(id) + R"(","recheck":)" + std::to_string(recheck) + "}",
         attempts}));
    store_.apply(verdict.outcome);
    return verdict;
  }
  queue::Verdict update() {
    auto verdict = run(reactions_.update_note(
        {2, 1, "note.update", "main/42/7", R"({"instance":"main","project":42,"iid":7})", 1}));
    store_.apply(verdict.outcome);
    return verdict;
  }
  // By other reactions, of the merge request's pipeline; what comes of it is not kept.
  queue::Verdict update_by(const Options& options) {
    Reactions reactions(store_, clock_, {{"main", &gitlab_}}, note::Composer(), options);
    store::Work work;
    work.payload = R"({"instance":"main","project":42,"iid":7,"pipeline":77})";
    return run(reactions.update_note(std::move(work)));
  }
  std::vector<std::string> waiting() const {
    std::vector<std::string> out;
    for (const auto& item : store_.items)
      out.push_back(item.work.kind + " " + item.work.unique_key);
    return out;
  }
  std::string body() { return gitlab_.all_notes.empty() ? "" : gitlab_.all_notes.back().body; }

  asio::io_context loop_;
  FakeClock clock_;
  store::MemoryStore store_;
  gitlab::FakeGitlab gitlab_;
  Reactions reactions_{store_, clock_, {{"main", &gitlab_}}};
};

}  // namespace gitaiops::reactions
