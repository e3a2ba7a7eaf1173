#include "agent/containers/state.h"

#include <algorithm>
#include <limits>

#include "agent/containers/json.h"
#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxLabel = 1024;
constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxLabels = 32 << 10;
constexpr std::string_view kLabelsOfCrio = "io.kubernetes.cri-o.Labels";  // one JSON object as text
constexpr std::string_view kDockerPrefix = "com.gitlab.gitlab-runner.";

std::string kind_of(std::string_view type) {
  if (type == "build" || type == "service") return std::string(type);
  if (type == "predefined" || type == "helper") return "helper";
  if (type == "init-permissions") return "init";
  if (type.starts_with("svc-")) return "service";
  return "other";
}

std::optional<int64_t> positive(std::string_view text) {
  const auto number = parse_int(text);
  return number && *number > 0 ? number : std::nullopt;
}

// Pods tell a thing in labels, which the runner guards, and in annotations, which a job can set
// where the operator allows it: two words for one thing must be one.
template <class T>
void tell(T& known, T told, ContainerState& state) {
  state.contradicted |= known != T{} && known != told;
  known = std::move(told);
}

// One label or annotation; those that say nothing here are ignored.
void learn(std::string_view name, std::string value, ContainerState& to) {
  auto& claim = to.claim;
  if (name.starts_with(kDockerPrefix)) name.remove_prefix(kDockerPrefix.size());
  if (name == "job.id" || name == "job.runner.gitlab.com/id") {
    tell(claim.job_id, positive(value).value_or(0), to);
  } else if (name == "project.id" || name == "project.runner.gitlab.com/id") {
    tell(claim.project_id, positive(value).value_or(0), to);
  } else if (name == "job.url" || name == "job.runner.gitlab.com/url") {
    tell(claim.job_url, std::move(value), to);
  } else if (name == "runner.id" || name == "manager.runner.gitlab.com/id-short") {
    tell(claim.runner_short, std::move(value), to);
  } else if (name == "type" || name == "io.kubernetes.cri.container-name" ||
             name == "io.kubernetes.container.name") {
    claim.kind = kind_of(value);
  } else if (name == "io.kubernetes.cri.container-type" ||
             name == "io.kubernetes.cri-o.ContainerType") {
    to.sandbox = value == "sandbox";
  } else if (name == "io.kubernetes.cri.sandbox-id" || name == "io.kubernetes.cri-o.SandboxID") {
    to.pod = std::move(value);
  } else if (name == "io.kubernetes.cri.sandbox-name" || name == "io.kubernetes.pod.name") {
    to.name = truncate_utf8(value, kMaxName);
  }
}

void learn_all(JsonReader& json, ContainerState& to, std::string_view prefix) {
  json.object([&](std::string_view name) {
    if (!name.starts_with(prefix)) return;
    const std::string key(name);
    if (key == kLabelsOfCrio) {
      if (const auto nested = json.string(kMaxLabels)) {
        JsonReader labels(*nested);
        labels.object([&](std::string_view label) {
          const std::string label_key(label);
          if (auto value = labels.string(kMaxLabel)) learn(label_key, std::move(*value), to);
        });
      }
      return;
    }
    if (auto value = json.string(kMaxLabel)) learn(key, std::move(*value), to);
  });
}

std::optional<int32_t> to_pid(std::optional<int64_t> number) {
  if (!number || *number < 0 || *number > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return static_cast<int32_t>(*number);
}

// What the labels leave open, the name may tell.
void complete(ContainerState& state) {
  const auto named = claim_of_name(state.name);
  auto& claim = state.claim;
  if (named && claim.job_id == 0) {
    if (claim.project_id == 0) claim.project_id = named->project_id;
    if (claim.runner_short.empty()) claim.runner_short = named->runner_short;
  }
  if (named && claim.kind.empty()) claim.kind = named->kind;
  if (claim.kind.empty()) claim.kind = "other";
  if (!state.contradicted) return;
  ContainerClaim none;
  none.kind = claim.kind;
  claim = std::move(none);
}

Error malformed(std::string_view what) {
  return Error(Code::invalid_argument, std::string(what) + " is not as expected");
}

}  // namespace

Result<ContainerState> read_docker_state(std::string_view text) {
  ContainerState state;
  state.pid = 0;
  bool running = false, known = false;
  JsonReader json(text);
  json.object([&](std::string_view name) {
    if (name == "State") {
      json.object([&](std::string_view field) {
        if (field == "Running")
          running = json.boolean().value_or(false);
        else if (field == "Pid")
          state.pid = to_pid(json.integer()).value_or(0);
        else if (field == "OOMKilled")
          state.oom_killed = json.boolean().value_or(false);
      });
      known = true;
    } else if (name == "Config") {
      json.object([&](std::string_view field) {
        if (field == "Labels") learn_all(json, state, kDockerPrefix);
      });
    } else if (name == "Name") {
      state.name = json.string(kMaxName).value_or("");
    }
  });
  if (!json.complete() || !known) return malformed("docker's state of a container");
  if (!running) state.pid = 0;
  if (state.name.starts_with('/')) state.name.erase(0, 1);
  complete(state);
  return state;
}

Result<ContainerState> read_oci_config(std::string_view text) {
  ContainerState state;
  bool known = false;
  JsonReader json(text);
  json.object([&](std::string_view name) {
    known |= name == "ociVersion";
    if (name == "annotations") learn_all(json, state, "");
  });
  if (!json.complete() || !known) return malformed("the runtime's configuration of a container");
  complete(state);
  return state;
}

Result<std::string> read_podman_name(std::string_view text, std::string_view id) {
  std::string found;
  JsonReader json(text);
  json.array([&] {
    std::string name;
    bool ours = false;
    json.object([&](std::string_view field) {
      if (field == "id") {
        ours = json.string(kMaxName).value_or("") == id;
      } else if (field == "names") {
        json.array([&] {
          if (auto one = json.string(kMaxName); one && name.empty()) name = std::move(*one);
        });
      }
    });
    if (ours) found = name;
  });
  if (!json.complete()) return malformed("podman's list of containers");
  return found;
}

std::optional<int32_t> read_pid(std::string_view text) {
  const auto pid = to_pid(parse_int(trimmed(text)));
  return pid && *pid > 0 ? pid : std::nullopt;
}

std::string container_in(std::string_view text) {
  constexpr std::size_t kLength = 64;
  std::size_t run = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '\n';
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
      ++run;
      continue;
    }
    if (run == kLength) return std::string(text.substr(i - kLength, kLength));
    run = 0;
  }
  return {};
}

std::optional<ContainerClaim> claim_of_name(std::string_view name) {
  constexpr std::string_view kRunner = "runner-", kProject = "-project-",
                             kConcurrent = "-concurrent-";
  if (name.starts_with('/')) name.remove_prefix(1);
  if (!name.starts_with(kRunner)) return std::nullopt;
  name.remove_prefix(kRunner.size());
  const auto project = name.find(kProject);
  if (project == std::string_view::npos || project == 0) return std::nullopt;
  ContainerClaim claim;
  claim.runner_short = to_utf8(name.substr(0, project));
  name.remove_prefix(project + kProject.size());
  const auto concurrent = name.find(kConcurrent);
  if (concurrent == std::string_view::npos) return std::nullopt;
  const auto id = positive(name.substr(0, concurrent));
  if (!id) return std::nullopt;
  claim.project_id = *id;
  name.remove_prefix(concurrent + kConcurrent.size());
  const auto last = name.rfind('-');
  const auto type = last == std::string_view::npos ? name : name.substr(last + 1);
  // "0-1a2b3c4d5e6f7a8b-postgres-0": the image of a service, and which of them. A pod ends before.
  const bool service = positive("1" + std::string(type)) && std::ranges::count(name, '-') >= 3;
  claim.kind = service                                                       ? "service"
               : type == "build" || type == "predefined" || type == "helper" ? kind_of(type)
                                                                             : "";
  return claim;
}

}  // namespace gitaiops::agent
