#include "controller/note/words.h"

#include <algorithm>

#include "controller/note/markdown.h"

namespace gitaiops::note {
namespace {

// Every category of the built-in rules; a test holds the two together.
constexpr std::pair<std::string_view, std::string_view> kCategories[] = {
    {"artifact_cache", "artifact or cache missing or too large"},
    {"auth_failed", "credentials refused"},
    {"canceled", "canceled"},
    {"checksum_mismatch", "wrong checksum or signature"},
    {"command_not_found", "command not found"},
    {"compile_error", "compile error"},
    {"coverage_threshold", "test coverage below its threshold"},
    {"db_migration", "database schema or migration"},
    {"dep_conflict", "conflicting dependency versions"},
    {"dep_not_found", "dependency not found"},
    {"deploy_k8s", "Kubernetes or Helm deployment failed"},
    {"disk_full", "disk full"},
    {"dns", "host name does not resolve"},
    {"doc_link_check", "documentation or its links broken"},
    {"docker_build", "image does not build"},
    {"docker_daemon", "Docker daemon out of reach"},
    {"file_not_found", "file or path not found"},
    {"flaky_test", "test fails now and then"},
    {"git_ref", "git branch, tag or merge not as expected"},
    {"git_transient", "git transfer broke off"},
    {"http_4xx", "remote resource not found (HTTP 4xx)"},
    {"http_5xx", "error of a remote service (HTTP 5xx)"},
    {"iac_terraform", "infrastructure plan failed"},
    {"image_auth", "registry refuses access to an image"},
    {"image_not_found", "image or tag not found"},
    {"image_pull_transient", "image could not be pulled just then"},
    {"job_timeout", "job ran into its time limit"},
    {"license_policy", "licence or header policy"},
    {"link_error", "link error"},
    {"lint_format", "linter or formatter objects"},
    {"lockfile_sync", "lock file does not fit the manifest"},
    {"log_limit", "log reached its size limit"},
    {"missing_module", "module missing at run time"},
    {"missing_syslib", "system library or header missing"},
    {"missing_variable", "variable or secret not set"},
    {"native_ext_build", "native extension does not build"},
    {"net_conn", "network connection failed"},
    {"oom_killed", "killed for memory (out of memory)"},
    {"os_package", "operating-system package cannot be installed"},
    {"permission_denied", "permission denied"},
    {"pod_start", "pod does not start"},
    {"quality_gate", "quality gate failed"},
    {"rate_limited", "rate limit of a remote service"},
    {"remote_timeout", "remote service did not answer in time"},
    {"resource_limit", "limit on files, processes or watches reached"},
    {"runner_interrupted", "runner stopped during the job"},
    {"runner_system", "problem of the runner itself"},
    {"script_error", "error in the job's script"},
    {"service_unready", "database or service not ready"},
    {"snapshot_mismatch", "snapshot differs"},
    {"stale_generated", "generated files out of date"},
    {"stalled_output", "no output any more"},
    {"syntax_error", "syntax error"},
    {"test_crash", "test or program crashed"},
    {"test_failure", "test failure"},
    {"test_timeout", "test ran into its time limit"},
    {"tls_cert", "TLS certificate or handshake failed"},
    {"toolchain_version", "wrong version of a tool or runtime"},
    {"type_check", "type error"},
    {"unknown", "cause not recognised"},
    {"vuln_gate", "vulnerability or secret found"},
};

constexpr std::pair<std::string_view, std::string_view> kOwners[] = {
    {"code", "the code"},
    {"test", "the tests"},
    {"dependency", "a dependency"},
    {"config", "the configuration"},
    {"infrastructure", "the infrastructure"},
    {"runner", "the runner"},
    {"user", "what somebody asked for"}};

const auto* row_of(std::string_view id) {
  const auto* found = std::ranges::find(kCategories, id, [](const auto& row) { return row.first; });
  return found == std::end(kCategories) ? nullptr : found;
}

}  // namespace

bool has_words(std::string_view id) {
  return row_of(id) != nullptr;
}

std::string category_words(std::string_view id) {
  const auto* row = row_of(id);
  return row == nullptr ? word(id) : std::string(row->second);
}

std::string owner_words(std::string_view owner) {
  const auto* row = std::ranges::find(kOwners, owner, [](const auto& one) { return one.first; });
  return row == std::end(kOwners) ? "" : std::string(row->second);
}

std::string name_of(const JobView& job) {
  return job.name.empty() ? "job " + std::to_string(job.id) : code_span(job.name, 100);
}

}  // namespace gitaiops::note
