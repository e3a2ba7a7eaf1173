#include "agent/sources/sources.h"

#include "agent/sources/kinds.h"

namespace gitaiops::agent {

void set_problem(SourceState& state, SourceBatch& batch, std::string problem, std::string cure) {
  if (state.problem == problem) return;
  state.problem = problem;
  state.cure = std::move(cure);
  batch.problems.push_back(std::move(problem) + "; " + state.cure);
}

void tell_unknown_hosts(SourceState& state, SourceBatch& batch,
                        const std::vector<std::string>& hosts) {
  if (hosts.empty()) return;
  set_problem(state, batch,
              "jobs of a GitLab that is not configured are left out: " + hosts.front(),
              "add a [[gitlab]] entry with this host's url, if its jobs are to be reported");
}

std::pair<std::string, std::string> file_problem(const Error& error,
                                                 const std::filesystem::path& path) {
  switch (error.code()) {
    case Code::not_found:
      return {path.native() + " does not exist",
              "check the path; it is read as soon as it appears"};
    case Code::permission_denied:
      return {path.native() + " cannot be read by the agent",
              "allow it with: setfacl -m u:gitaiops:r " + path.native()};
    default:
      return {error.to_string(), "check the path and the disk"};
  }
}

Result<std::vector<std::unique_ptr<LogSource>>> start_sources(
    const SourcesOptions& options, const asio::any_io_executor&, const Clock& clock,
    const std::map<std::string, std::string>& cursors) {
  ASSIGN_OR_RETURN(auto instances, InstanceMap::make(options.instances));
  const World world =
      std::make_shared<const SourceWorld>(SourceWorld{options, std::move(instances), &clock});
  const auto cursor_of = [&](const std::string& name) -> std::optional<Cursor> {
    const auto found = cursors.find(name);
    return found == cursors.end() ? std::nullopt : decode(found->second);
  };
  std::vector<std::unique_ptr<LogSource>> sources;
  if (!options.journal_unit.empty()) {
    const auto name = "journal:" + options.journal_unit;
    sources.push_back(make_journal_source(world, name, cursor_of(name)));
  }
  for (const auto& path : options.log_files) {
    const auto name = "runner-log:" + path.native();
    sources.push_back(make_file_source(world, path, Envelope::none, name, cursor_of(name)));
  }
  for (const auto& path : options.syslog_files) {
    const auto name = "syslog:" + path.native();
    sources.push_back(make_file_source(world, path, Envelope::syslog, name, cursor_of(name)));
  }
  if (options.open_docker_log) {
    const std::string name = "docker";
    sources.push_back(make_docker_source(world, name, cursor_of(name)));
  }
  if (!options.usage_log_folder.empty()) {
    const auto name = "usage-log:" + options.usage_log_folder.native();
    sources.push_back(make_usage_source(world, name, cursor_of(name)));
  }
  if (options.debug_port != 0)
    sources.push_back(make_debug_source(
        world, "debug-jobs:" + options.debug_host + ":" + std::to_string(options.debug_port)));
  return sources;
}

}  // namespace gitaiops::agent
