// The kinds of sources, each behind the one interface.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "agent/sources/cursor.h"
#include "agent/sources/instances.h"
#include "agent/sources/runner_log.h"
#include "agent/sources/sources.h"

namespace gitaiops::agent {

// What all sources share; outlived by none of them.
struct SourceWorld {
  SourcesOptions options;
  InstanceMap instances;
  const Clock* clock;
};
using World = std::shared_ptr<const SourceWorld>;

enum class Envelope { none, syslog };
std::unique_ptr<LogSource> make_file_source(World world, std::filesystem::path path,
                                            Envelope envelope, std::string name,
                                            std::optional<Cursor> cursor);
std::unique_ptr<LogSource> make_usage_source(World world, std::string name,
                                             std::optional<Cursor> cursor);
std::unique_ptr<LogSource> make_docker_source(World world, std::string name,
                                              std::optional<Cursor> cursor);
std::unique_ptr<LogSource> make_debug_source(World world, std::string name);
// Built without libsystemd: a source that says so and never speaks.
std::unique_ptr<LogSource> make_journal_source(World world, std::string name,
                                               std::optional<Cursor> cursor);

// Keeps a source's problem: a new one goes into the batch once, an old one stays in the state until
// solved.
void set_problem(SourceState& state, SourceBatch& batch, std::string problem, std::string cure);
inline void clear_problem(SourceState& state) {
  state.problem.clear(), state.cure.clear();
}
// The announced hosts nobody configured, as a problem with its cure; says nothing when there are
// none.
void tell_unknown_hosts(SourceState& state, SourceBatch& batch,
                        const std::vector<std::string>& hosts);
// Problem and cure for a file that cannot be read.
std::pair<std::string, std::string> file_problem(const Error& error,
                                                 const std::filesystem::path& path);

// A cursor that moved without facts is worth storing only now and then.
class CursorDue {
 public:
  bool due(SteadyMicros now, bool moved) {
    if (!moved) return false;
    if (since_ && now - *since_ < 60 * kMicrosPerSecond) return false;
    return true;
  }
  void stored(SteadyMicros now) { since_ = now; }

 private:
  std::optional<SteadyMicros> since_;
};

}  // namespace gitaiops::agent
