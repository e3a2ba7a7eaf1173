// What is taken from an engine's state file, and what never is.
#include "agent/containers/state.h"

#include <gtest/gtest.h>

#include "agent/containers/json.h"

namespace gitaiops::agent {
namespace {

constexpr char kId[] = "1537a876a3b07b3f5c9843232aea7fac8070c4adef72bfa568e234ea808d6b3f";

TEST(DockerState, TellsLabelsProcessAndName) {
  const auto state = read_docker_state(R"({"StreamConfig":{},
    "State":{"Running":true,"Paused":false,"OOMKilled":false,"Pid":4711,"ExitCode":0,"Health":null},
    "ID":"x","Args":["-c",{"deep":[1,2.5e-3,true,null]}],
    "Config":{"Hostname":"h","Env":["CI_JOB_TOKEN=glcbt-secret","A=\"quoted\" \\ \u0041"],
      "Labels":{"com.gitlab.gitlab-runner.job.id":"4242","com.gitlab.gitlab-runner.project.id":"77",
        "com.gitlab.gitlab-runner.job.url":"https://gitlab.example.com/grp/demo/-/jobs/4242",
        "com.gitlab.gitlab-runner.runner.id":"AbCdEfGhI","com.gitlab.gitlab-runner.type":"predefined",
        "org.example":"ignored","com.gitlab.gitlab-runner.job.sha":7}},
    "Name":"/runner-AbCdEfGhI-project-77-concurrent-0-1a2b3c4d-predefined"})");
  ASSERT_TRUE(state.ok()) << state.error().to_string();
  EXPECT_EQ(state->claim.job_id, 4242);
  EXPECT_EQ(state->claim.project_id, 77);
  EXPECT_EQ(state->claim.job_url, "https://gitlab.example.com/grp/demo/-/jobs/4242");
  EXPECT_EQ(state->claim.runner_short, "AbCdEfGhI");
  EXPECT_EQ(state->claim.kind, "helper");
  EXPECT_EQ(state->pid, 4711);
  EXPECT_FALSE(state->oom_killed);
  EXPECT_EQ(state->name, "runner-AbCdEfGhI-project-77-concurrent-0-1a2b3c4d-predefined");
}

TEST(DockerState, OneThatDoesNotRunHasNoProcess) {
  const auto state = read_docker_state(
      R"({"State":{"Running":false,"Pid":4711,"OOMKilled":true},"Config":{"Labels":{}},"Name":"/db"})");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->pid, 0);
  EXPECT_TRUE(state->oom_killed);
  EXPECT_FALSE(state->claim.any());
  EXPECT_EQ(state->claim.kind, "other");
}

TEST(DockerState, AContainerOfSomebodyElseClaimsNothing) {
  const auto state = read_docker_state(
      R"({"State":{"Running":true,"Pid":1},"Config":{"Labels":{"job.id":"1","type":"build"}},"Name":"/web"})");
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->claim.any());
}

TEST(DockerState, ErrorsNeverQuoteTheFile) {
  for (const std::string text :
       {R"({"State":{"Running":tru},"Config":{"Env":["TOKEN=secret"]}})",
        R"({"Config":{"Env":["TOKEN=secret"]}})", R"({"State":{}} trailing secret)",
        R"({"State":{},"State2":"secret)", R"([])", R"()", R"({"State":{},"x":"\ud800secret\q"})",
        "{\"State\":{},\"x\":\"secret\n\"}", R"({"State":{},"n":01})", R"({"State":{},})",
        R"({"State":{},"n":1.})", R"({"State":{} "n":1})"}) {
    const auto state = read_docker_state(text);
    ASSERT_FALSE(state.ok()) << text;
    EXPECT_EQ(state.error().code(), Code::invalid_argument);
    EXPECT_EQ(state.error().to_string().find("secret"), std::string::npos);
  }
}

TEST(DockerState, DepthIsBounded) {
  const std::string deep(100'000, '[');
  EXPECT_FALSE(read_docker_state("{\"State\":{},\"x\":" + deep).ok());
  const std::string objects = "{\"State\":{},\"x\":" + [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "{\"a\":";
    return text;
  }();
  EXPECT_FALSE(read_docker_state(objects).ok());
}

TEST(DockerState, NumbersOutOfRangeAreNotTold) {
  const auto state = read_docker_state(
      R"({"State":{"Running":true,"Pid":99999999999999999999},"Config":{"Labels":{
      "com.gitlab.gitlab-runner.job.id":"-5","com.gitlab.gitlab-runner.project.id":"99999999999999999999"}},"Name":""})");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->pid, 0);
  EXPECT_EQ(state->claim.job_id, 0);
  EXPECT_EQ(state->claim.project_id, 0);
}

TEST(OciConfig, TellsAnnotationsOfAPod) {
  const auto state = read_oci_config(
      R"({"ociVersion":"1.1.0","process":{"env":["TOKEN=secret"],"args":["sh"]},"annotations":{
      "io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"build",
      "io.kubernetes.cri.sandbox-id":"abc","io.kubernetes.cri.sandbox-name":"runner-abcdefghi-project-77-concurrent-3-x1y2z3",
      "job.runner.gitlab.com/id":"4242","project.runner.gitlab.com/id":"77",
      "job.runner.gitlab.com/url":"https://gitlab.example.com/grp/demo/-/jobs/4242"}})");
  ASSERT_TRUE(state.ok()) << state.error().to_string();
  EXPECT_EQ(state->claim.job_id, 4242);
  EXPECT_EQ(state->claim.kind, "build");
  EXPECT_EQ(state->pod, "abc");
  EXPECT_FALSE(state->sandbox);
  EXPECT_FALSE(state->pid.has_value());
}

TEST(OciConfig, APodsNameTellsRunnerAndProject) {
  const auto state = read_oci_config(
      R"({"ociVersion":"1.1.0","annotations":{"io.kubernetes.cri.container-name":"svc-0",
      "io.kubernetes.cri.sandbox-name":"runner-abcdefghi-project-77-concurrent-3-x1y2z3"}})");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->claim.job_id, 0);
  EXPECT_EQ(state->claim.project_id, 77);
  EXPECT_EQ(state->claim.runner_short, "abcdefghi");
  EXPECT_EQ(state->claim.kind, "service");
}

TEST(PodmanNames, FindsTheContainers) {
  std::string list = R"([{"id":"other","names":["x"],"layer":"l"},{"id":"ID",
      "names":["runner-AbC-project-5-concurrent-0-9f-build","second"],"metadata":"{\"a\":1}"}])";
  list.replace(list.find("ID"), 2, kId);
  EXPECT_EQ(read_podman_name(list, kId).value(), "runner-AbC-project-5-concurrent-0-9f-build");
  EXPECT_EQ(read_podman_name(list, "none").value(), "");
  EXPECT_FALSE(read_podman_name("[{", kId).ok());
}

TEST(ContainerNames, AreTakenApart) {
  const auto claim = claim_of_name("/runner-gl_t-AbC-project-77-concurrent-12-1a2b3c4d-build");
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->runner_short, "gl_t-AbC");
  EXPECT_EQ(claim->project_id, 77);
  EXPECT_EQ(claim->kind, "build");
  EXPECT_EQ(claim->job_id, 0);
  const auto kind = [](std::string_view name) {
    return claim_of_name(name).value_or(ContainerClaim{}).kind;
  };
  EXPECT_EQ(kind("runner-abc-project-7-concurrent-0-1a2b3c4d-predefined"), "helper");
  EXPECT_EQ(kind("runner-abc-project-7-concurrent-0-1a2b3c4d-postgres-0"), "service");
  EXPECT_EQ(kind("runner-abc-project-7-concurrent-0-1a2b3c4d-my__cache-server-11"), "service");
  EXPECT_EQ(kind("runner-abc-project-7-concurrent-0-12345678"), "") << "a pod";
  EXPECT_EQ(kind("runner-abc-project-7-concurrent-0"), "");
  for (const char* other :
       {"", "/db", "runner--project-1-concurrent-0", "runner-a-project-x-concurrent-0",
        "runner-a-project-1", "runner-a-project-0-concurrent-0"})
    EXPECT_FALSE(claim_of_name(other)) << other;
}

TEST(PidFile, IsANumberOrNothing) {
  EXPECT_EQ(read_pid("4711\n"), 4711);
  EXPECT_EQ(read_pid("0"), std::nullopt);
  EXPECT_EQ(read_pid("-4"), std::nullopt);
  EXPECT_EQ(read_pid("12 34"), std::nullopt);
  EXPECT_EQ(read_pid("99999999999"), std::nullopt);
}

TEST(Json, TextIsDecodedAndBounded) {
  JsonReader json(R"(["a\u00e4\ud83d\ude00\n", "01234567", "012345678", 5, "\ud800x"])");
  std::vector<std::string> read;
  json.array([&] { read.push_back(json.string(8).value_or("none")); });
  EXPECT_TRUE(json.complete());
  EXPECT_EQ(read, (std::vector<std::string>{"a\u00e4\U0001F600\n", "01234567", "none", "none",
                                            "\uFFFDx"}));
}

TEST(ContainerState, TheContainerThatAProcessLivesIn) {
  const std::string id = "080ff8b3b12c43970c2138d01d4dff03cd0eba86a4733b43562b17ceeba3dee0";
  EXPECT_EQ(container_in("4:memory:/docker/" + id + "\n0::/docker/" + id + "\n"), id);
  EXPECT_EQ(container_in("0::/system.slice/docker-" + id + ".scope/init.scope\n"), id);
  EXPECT_EQ(container_in("0::/user.slice/user-998.slice/libpod-" + id + ".scope"), id);
  EXPECT_EQ(container_in("0::/system.slice/gitlab-runner.service\n"), "");
  EXPECT_EQ(container_in("0::/" + id + "0\n"), "");
  EXPECT_EQ(container_in(""), "");
}

TEST(ContainerState, CrioKeepsThePodsLabelsInOneAnnotation) {
  const auto state = read_oci_config(
      R"({"ociVersion":"1.0.2","annotations":{"io.kubernetes.cri-o.ContainerType":"sandbox",)"
      R"("io.kubernetes.cri-o.Labels":"{\"project.runner.gitlab.com/id\":\"77\",)"
      R"(\"manager.runner.gitlab.com/id-short\":\"AbCdEfGhI\",\"app\":\"x\"}",)"
      R"("job.runner.gitlab.com/id":"4242","project.runner.gitlab.com/id":"77"}})");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->claim.project_id, 77);
  EXPECT_EQ(state->claim.runner_short, "AbCdEfGhI");
  EXPECT_EQ(state->claim.job_id, 4242);
  EXPECT_TRUE(state->sandbox);
}

TEST(ContainerState, LabelsAndAnnotationsThatDifferClaimNothing) {
  const auto state = read_oci_config(
      R"({"ociVersion":"1.0.2","annotations":{"io.kubernetes.cri-o.Labels":)"
      R"("{\"project.runner.gitlab.com/id\":\"77\"}","job.runner.gitlab.com/id":"4242",)"
      R"("project.runner.gitlab.com/id":"78"}})");
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->claim.any());
  const auto broken = read_oci_config(
      R"({"ociVersion":"1.0.2","annotations":{"io.kubernetes.cri-o.Labels":"{\"a\":"}})");
  ASSERT_TRUE(broken.ok());
  EXPECT_FALSE(broken->claim.any());
}

}  // namespace
}  // namespace gitaiops::agent
