// Whether what a container claims is the job that the runner announced.
#include <gtest/gtest.h>

#include "agent/containers/containers.h"

namespace gitaiops::agent {
namespace {

const std::vector<ContainersOptions::Instance> kInstances = {
    {"main", "https://gitlab.example.com/"}, {"lab", "http://127.0.0.1:8080/root"}};

ContainerClaim claim() {
  return {4242, 77, "https://gitlab.example.com/grp/demo/-/jobs/4242", "AbCdEfGhI", "build"};
}
ContainerJob job() {
  return {"main", 4242, "grp/demo", 77, "AbCdEfGhI"};
}

TEST(Fit, AllOfInstanceProjectJobAndRunner) {
  EXPECT_EQ(fits(claim(), job(), kInstances), Fit::certain);
}

TEST(Fit, HostsAndPortsAreComparedNotSpelled) {
  auto told = claim();
  told.job_url = "https://user:word@GitLab.Example.com:443/grp/demo/-/jobs/4242";
  EXPECT_EQ(fits(told, job(), kInstances), Fit::certain);
  told.job_url = "http://127.0.0.1:8080/root/grp/demo/-/jobs/4242";
  EXPECT_EQ(fits(told, {"lab", 4242, "grp/demo", 0, ""}, kInstances), Fit::certain);
}

TEST(Fit, NoPartMayDiffer) {
  const auto differs = [](auto change) {
    auto told = claim();
    change(told);
    return fits(told, job(), kInstances) == Fit::no;
  };
  EXPECT_TRUE(differs([](auto& c) { c.job_id = 4243; }));
  EXPECT_TRUE(differs([](auto& c) { c.project_id = 78; }));
  EXPECT_TRUE(differs([](auto& c) { c.runner_short = "Other"; }));
  EXPECT_TRUE(differs([](auto& c) { c.job_url = ""; }));
  EXPECT_TRUE(
      differs([](auto& c) { c.job_url = "https://evil.example.com/grp/demo/-/jobs/4242"; }));
  EXPECT_TRUE(
      differs([](auto& c) { c.job_url = "https://gitlab.example.com/grp/other/-/jobs/4242"; }));
  EXPECT_TRUE(differs([](auto& c) { c.job_url += "2"; }));
  auto unnamed = job();
  unnamed.project_path.clear();
  EXPECT_EQ(fits(claim(), unnamed, kInstances), Fit::no);
  EXPECT_EQ(fits(claim(), job(), {}), Fit::no);
}

TEST(Fit, ANameIsLess) {
  const ContainerClaim named{0, 77, "", "abcdefghi", "build"};
  EXPECT_EQ(fits(named, job(), kInstances), Fit::by_name);
  EXPECT_EQ(fits({0, 78, "", "abcdefghi", "build"}, job(), kInstances), Fit::no);
  EXPECT_EQ(fits({0, 77, "", "other", "build"}, job(), kInstances), Fit::no);
  EXPECT_EQ(fits({}, job(), kInstances), Fit::no);
}

TEST(Fit, ANameLeavesOutWhatHostNamesMayNotHold) {
  auto told = job();
  told.runner_short = "Ab_d-fG_I";
  EXPECT_EQ(fits({0, 77, "", "abd-fgi", "build"}, told, kInstances), Fit::by_name);
  EXPECT_EQ(fits({0, 77, "", "ab-d-fg-i", "build"}, told, kInstances), Fit::no);
}

}  // namespace
}  // namespace gitaiops::agent
