// Advisories, fetched and built: the service's own schedule and the commands beside it.
#include <sys/resource.h>

#include "base/io/program.h"
#include "base/io/run_task.h"
#include "base/outgoing/outgoing.h"
#include "controller/operator.h"
#include "controller/state_folder.h"

namespace gitaiops::controller {
namespace {

constexpr rlim_t kMostMemory = rlim_t{4} << 30;  // of the building
constexpr int kNice = 10;                        // the service first
constexpr const char* kThisProgram = "/proc/self/exe";

Task<Status> build_elsewhere(std::string config_path) {
  std::vector<std::string> words;
  words.emplace_back(kThisProgram);
  words.emplace_back("advisories");
  words.emplace_back("build");
  words.emplace_back("--config");
  words.push_back(std::move(config_path));
  const auto code = co_await run_program(std::move(words), feed::kBuildLimit);
  if (!code.ok()) co_return code.error();
  if (*code != 0)
    co_return Error(Code::internal, "building the index of advisories ended with code " +
                                        std::to_string(*code) + "; its own words stand above");
  co_return Status();
}

}  // namespace

std::unique_ptr<feed::Feed> make_feed(const Config& config,
                                      const std::filesystem::path& config_path, Outgoing& web,
                                      const Clock& clock) {
  return std::make_unique<feed::Feed>(
      feed::Feed::Options{config.advisories.sources, folder_of_advisories(config),
                          config.advisories.refresh.micros},
      web, clock, [path = config_path.string()] { return build_elsewhere(path); });
}

Status refresh_advisories(const Config& config, const std::filesystem::path& config_path,
                          const Clock& clock) {
  if (config.advisories.sources.empty())
    return Error(Code::invalid_argument,
                 "advisories.sources: names none; there is nothing to fetch");
  asio::io_context loop(1);
  Outgoing web(loop.get_executor(), {.ca_file = config.advisories.ca_file});
  const auto feed = make_feed(config, config_path, web, clock);
  return run_task(loop, feed->refresh());
}

Status build_advisories(const Config& config, std::ostream& err) {
  if (config.advisories.sources.empty())
    return Error(Code::invalid_argument,
                 "advisories.sources: names none; there is nothing to build");
  // Where the unit forbids either, its own limits hold.
  const rlimit memory{kMostMemory, kMostMemory};
  (void)::setrlimit(RLIMIT_AS, &memory);
  (void)::setpriority(PRIO_PROCESS, 0, kNice);
  return feed::build(folder_of_advisories(config), config.advisories.sources, err);
}

}  // namespace gitaiops::controller
