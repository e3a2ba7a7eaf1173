// Runs git in a repository that may have been made by anybody, to read it. Blocking.
//
// What a repository, the user's configuration or the environment could make git run is switched
// off: the child gets an environment of its own, no configuration but the repository's, and over
// that one settings that win: no hooks, no fsmonitor, no pager, no external diff, no signature
// program, no credential helper, no ssh, no attributes of the repository's that name programs, and
// no protocol at all unless `protocols` allows some. git's own check of who owns the repository
// stays.
//
// A run ends by itself: it is killed, with what it started, at its time limit, when more comes than
// the limit on output, or when whoever reads the output gives up.
//
// Thread safety: yes; each call is a process of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result/result.h"

namespace gitaiops::git {

struct Command {
  std::filesystem::path repository;    // a working tree, a folder in one, or a bare repository
  std::vector<std::string> arguments;  // after "git -C repository"
  std::string input = {};              // on its standard input
  std::chrono::milliseconds limit = std::chrono::minutes(2);
  uint64_t largest_output = uint64_t{4} << 30;
  uint64_t largest_file = 0;  // that it may write: one that grows beyond ends the run; 0: no limit
  // git's own configuration for this run: "http.extraHeader". It travels in the child's
  // environment, which only its own user and root can read; never in its arguments, which everybody
  // can.
  std::vector<std::pair<std::string, std::string>> settings = {};
  // As GIT_ALLOW_PROTOCOL: "https", "https:http". With one, the caller's proxy variables go along.
  std::string protocols = "none";
  const std::atomic<bool>* stop = nullptr;  // set: the run is ended within a quarter of a second
};

// not_found: there is no git, or no such folder; deadline_exceeded; resource_exhausted: too much
// output, or a file too large; cancelled: `stop`; what `on_output` returns, as it is; else
// invalid_argument with the first line that git wrote to its standard error.
Status run(const Command& command, const std::function<Status(std::string_view)>& on_output);

// All of a small output, without white space at its ends.
Result<std::string> output(const Command& command, std::size_t limit = 1 << 20);

}  // namespace gitaiops::git
