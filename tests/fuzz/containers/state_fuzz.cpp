// Whatever an engine's state file holds: a refusal that does not quote it, or values that are
// bounded and valid.
#include <cstdlib>

#include "agent/containers/json.h"
#include "agent/containers/state.h"
#include "base/bytes/bytes.h"

using namespace gitaiops;
using namespace gitaiops::agent;

namespace {

void check(const Result<ContainerState>& state) {
  if (!state.ok()) {
    if (state.error().to_string().size() > 200) std::abort();
    return;
  }
  const auto& claim = state->claim;
  if (claim.job_id < 0 || claim.project_id < 0 || claim.kind.empty()) std::abort();
  if (state->name.size() > 128 || claim.job_url.size() > 2048) std::abort();
  for (const auto& text : {state->name, claim.job_url, claim.runner_short, claim.kind, state->pod})
    if (to_utf8(text) != text) std::abort();
  if (state->pid && *state->pid < 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(read_docker_state(text));
  check(read_oci_config(text));
  if (const auto name = read_podman_name(text, "a"); name.ok() && name->size() > 384) std::abort();
  if (const auto pid = read_pid(text); pid && *pid <= 0) std::abort();
  if (const auto claim = claim_of_name(text); claim && claim->project_id <= 0) std::abort();
  // What the strict reader passes over whole is what it also reads part by part.
  JsonReader skipped(text), read(text);
  skipped.skip();
  read.object([&](std::string_view) { read.array([&] { (void)read.string(16); }); });
  if (skipped.complete() != read.complete()) std::abort();
  return 0;
}
