// What the measuring programs share: one way to print a figure beside its target, what a process
// costs, and a controller of its own in a temporary folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace gitaiops::bench {

enum class Better { lower, higher };
// One row of the table that `./dev bench` collects: "| what | figure | target | verdict |".
void row(std::string_view what, double figure, std::string_view unit, double target, Better better);
// A figure that is read beside the others and has no target.
void fact(std::string_view what, double figure, std::string_view unit);
// What a program returns: 1 when a target was missed.
int verdict();

// A number from the environment, for shorter or longer runs.
int64_t setting(const char* name, int64_t otherwise);
double seconds_now();
// The q-quantile (0 to 1); sorts.
double quantile(std::vector<double>& values, double q);
// One fdatasync of 4 KiB in that folder, in milliseconds: what "durable" costs at least here.
double fsync_ms(const std::filesystem::path& folder);

struct Cost {
  double anonymous_mb = 0, pss_mb = 0, rss_mb = 0;
  double cpu_s = 0;  // since it started
};
Cost cost_of(pid_t pid);

// Starts a program that lies beside the benches (or is found in PATH); its words go to `log`.
pid_t start(const std::vector<std::string>& command, const std::filesystem::path& log);
void stop(pid_t pid);
std::string our_program(std::string_view name);

class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// gitaiops-controller serving from `folder`/state, once there is something in it.
class Controller {
 public:
  // `more`: of its configuration.
  explicit Controller(const std::filesystem::path& folder, std::string_view more = "");
  ~Controller() { stop(pid_); }
  Controller(const Controller&) = delete;
  pid_t pid() const { return pid_; }
  std::string fleet() const { return "127.0.0.1:" + std::to_string(fleet_port_); }
  uint16_t api_port() const { return static_cast<uint16_t>(api_port_); }
  std::string api() const { return "http://127.0.0.1:" + std::to_string(api_port_); }

 private:
  int fleet_port_, api_port_;
  pid_t pid_ = -1;
};

}  // namespace gitaiops::bench
