// What the last passing runs of each job printed, as hashes of masked lines: what a failing run has
// that they have not is more suspect. On the host's disk, so that it survives a restart and needs
// no controller.
//
// One file a job name, "<hash of instance, project and name>.baseline", 0600:
//   "gitaiops-baseline 1\n" <64 hex digits: SHA-256 of the rest> "\n"
//   then for each run, newest first: u32 count, count × u64 hashes, all little-endian.
// A file that does not hold together is set aside as ".damaged" (the last three are kept) and begun
// anew. Bounded: runs a job, hashes a run, files, bytes; what was not used longest goes first.
// Failing here costs nothing but the comparison. Thread safety: the loop's thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result/result.h"

namespace gitaiops::agent {

struct JobName {
  std::string instance, project, name;
  bool known() const { return !name.empty() && !project.empty(); }
};

struct BaselineLimits {
  std::size_t runs = 3, hashes = 4096, files = 2000;
  uint64_t bytes = 32ull << 20;
};

class Baselines {
 public:
  explicit Baselines(std::filesystem::path folder, BaselineLimits limits = {});
  Status open();  // makes the folder
  // Of all kept runs together; empty: nothing is known.
  std::vector<uint64_t> find(const JobName& job);
  // A passing run. True when it printed enough that the kept ones had not for others to be told.
  bool add(const JobName& job, std::vector<uint64_t> templates);

 private:
  using Runs = std::vector<std::vector<uint64_t>>;
  std::filesystem::path file_of(const JobName& job) const;
  Runs load(const JobName& job);
  void store(const JobName& job, const Runs& runs);
  void sweep();

  const std::filesystem::path folder_;
  const BaselineLimits limits_;
};

}  // namespace gitaiops::agent
