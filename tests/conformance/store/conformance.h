// The rules of controller/store/store.h, checked against every implementation. backends.cpp lists
// them: a second database adds a line there and changes nothing else.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "controller/store/store.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::store {

struct Backend {
  std::string name;
  // Opens, or opens again, the store whose data is kept under the folder.
  std::function<Result<std::unique_ptr<Store>>(const std::filesystem::path& folder,
                                               const Clock& clock)>
      open;
};

std::vector<Backend> backends();  // all there are
inline std::string backend_name(const ::testing::TestParamInfo<Backend>& backend) {
  return backend.param.name;
}

constexpr UnixMicros kNow{1'700'000'000'000'000};
constexpr int64_t kSecond = kMicrosPerSecond;

inline Scope scope_of(std::string path, std::string instance = "gl") {
  return {{std::move(instance), std::move(path)}};
}

inline fleet::v1::JobKey key(int64_t job_id, std::string path, int64_t project_id = 0,
                             std::string instance = "gl") {
  fleet::v1::JobKey k;
  k.set_instance(std::move(instance));
  k.set_project_id(project_id);
  k.set_project_path(std::move(path));
  k.set_job_id(job_id);
  return k;
}

inline fleet::v1::Envelope started(uint64_t seq, fleet::v1::JobKey k) {
  fleet::v1::Envelope e;
  e.set_seq(seq);
  *e.mutable_job_started()->mutable_key() = std::move(k);
  return e;
}

inline fleet::v1::Envelope reported(uint64_t seq, fleet::v1::JobKey k,
                                    fleet::v1::Outcome outcome = fleet::v1::OUTCOME_FAILED) {
  fleet::v1::Envelope e;
  e.set_seq(seq);
  auto& report = *e.mutable_job_report();
  report.set_report_id("report-" + std::to_string(k.job_id()));
  report.set_outcome(outcome);
  *report.mutable_key() = std::move(k);
  return e;
}

class StoreConformance : public ::testing::TestWithParam<Backend> {
 protected:
  StoreConformance() : folder(gitaiops::testing::TemporaryFolder::Where::memory) { reopen(); }

  void reopen() {
    store.reset();
    auto opened = GetParam().open(folder.path(), clock);
    if (!opened.ok()) throw std::runtime_error(opened.error().to_string());
    store = std::move(opened).value();
  }
  // An enrolled agent's id.
  std::string enroll(Scope scope) {
    const std::string n = std::to_string(++tokens_);
    EnrollmentToken token;
    token.id = "token-" + n;
    token.secret_sha256 = "hash-" + n;
    token.expires_at = kNow + 3600 * kSecond;
    token.scope = std::move(scope);
    token.created_at = kNow;
    EXPECT_TRUE(await(store->add_enrollment_token(token)).ok());
    Agent agent;
    agent.id = "agent-" + n;
    agent.host_name = "host-" + n;
    EXPECT_TRUE(await(store->enroll_agent(token.secret_sha256, agent, kNow)).ok());
    return agent.id;
  }
  Result<Accepted> accept(const std::string& agent, fleet::v1::Envelope envelope,
                          uint64_t epoch = 1, UnixMicros at = kNow) {
    return await(store->accept(agent, epoch, std::move(envelope), at));
  }
  Job job_of(int64_t job_id, std::string instance = "gl") {
    auto found = await(store->job_by_key(everything(), instance, job_id));
    EXPECT_TRUE(found.ok()) << job_id;
    return found.ok() ? *found : Job{};
  }
  std::vector<int64_t> job_ids(Scope scope, JobFilter filter = {}) {
    std::vector<int64_t> out;
    const auto page = await(store->jobs(scope, filter, {"", 200}));
    EXPECT_TRUE(page.ok());
    for (const auto& job : page->items) out.push_back(job.key.job_id);
    EXPECT_EQ(await(store->count_jobs(scope, filter)).value(), static_cast<int64_t>(out.size()))
        << "counts agree with lists";
    return out;
  }
  std::vector<Event> events(uint64_t after = 0) {
    return await(store->events_after(after, 10'000)).value();
  }

  template <class T>
  static T await(Task<T> task) {
    return gitaiops::testing::await(std::move(task));
  }

  gitaiops::testing::TemporaryFolder folder;
  FakeClock clock{kNow.value};
  std::unique_ptr<Store> store;

 private:
  int tokens_ = 0;
};

using Ids = std::vector<int64_t>;

}  // namespace gitaiops::store
