// The folder of the runner's usage logs: one file a day or so, named by time, the newest is written
// to.
#include <algorithm>
#include <system_error>

#include "agent/sources/kinds.h"
#include "agent/sources/usage_log.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::milliseconds kPoll{500};
constexpr std::size_t kMaxFiles = 4096;

class UsageSource final : public LogSource {
 public:
  UsageSource(World world, std::string name, std::optional<Cursor> cursor)
      : world_(std::move(world)), folder_(world_->options.usage_log_folder) {
    state_.name = std::move(name);
    state_.reads = "the runner's usage log in " + folder_.native();
    if (cursor && !cursor->file.empty())
      begin(cursor->file, cursor->position, FileFollower::From::beginning);
  }

  Task<Result<SourceBatch>> next() override {
    SourceBatch batch;
    for (;;) {
      const bool more = read(batch);
      if (!batch.facts.empty() || !batch.problems.empty() ||
          due_.due(world_->clock->steady(), moved_)) {
        finish(batch);
        co_return batch;
      }
      const std::chrono::milliseconds pause = more ? std::chrono::milliseconds(0) : kPoll;
      if (!co_await sleep_for(pause))
        co_return Error(Code::cancelled, "reading " + folder_.native());
    }
  }

  SourceState state() const override { return state_; }

 private:
  void begin(std::string file, std::optional<FilePosition> position, FileFollower::From from) {
    file_ = std::move(file);
    follower_.emplace(folder_ / file_, std::move(position), from);
  }

  Result<std::vector<std::string>> files() const {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder_, error);
    for (; !error && entry != std::filesystem::directory_iterator() && names.size() < kMaxFiles;
         entry.increment(error))
      if (entry->path().extension() == ".json") names.push_back(entry->path().filename().native());
    if (error) return errno_error(error.value(), "read", folder_.native());
    std::sort(names.begin(), names.end());
    return names;
  }

  bool read(SourceBatch& batch) {
    const auto listed = files();
    if (!listed.ok()) {
      auto [problem, cure] = file_problem(listed.error(), folder_);
      if (listed.error().code() == Code::not_found)
        cure =
            "enable the runner's [experimental.usage_logger], or take the folder out of the "
            "configuration";
      set_problem(state_, batch, std::move(problem), std::move(cure));
      seen_empty_ = true;
      return false;
    }
    if (!follower_) {
      // What was there before us is history; a file that appears under our eyes is read whole.
      if (listed->empty()) {
        seen_empty_ = true;
        return false;
      }
      begin(seen_empty_ ? listed->front() : listed->back(), {},
            seen_empty_ ? FileFollower::From::beginning : FileFollower::From::end);
    }
    const auto newer = std::upper_bound(listed->begin(), listed->end(), file_);
    const bool more = read_file(batch, newer != listed->end());
    if (!more && newer != listed->end()) {
      begin(*newer, {}, FileFollower::From::beginning);
      return true;
    }
    return more;
  }

  bool read_file(SourceBatch& batch, bool superseded) {
    const auto now = world_->clock->now();
    auto step = follower_->step(now);
    if (!step.ok()) {
      if (superseded) return false;  // rotated away; the next one is there
      auto [problem, cure] = file_problem(step.error(), folder_ / file_);
      set_problem(state_, batch, std::move(problem), std::move(cure));
      return false;
    }
    clear_problem(state_);
    state_.unreadable += step->too_long;
    for (const auto& line : step->lines) {
      ++state_.lines;
      const auto parsed =
          parse_usage_record(line, world_->instances, now, step->late_us, ++order_, batch.facts);
      if (parsed.ok()) {
        ++state_.records;
      } else if (parsed.error().code() == Code::not_found) {
        ++state_.unknown_hosts;
      } else {
        ++state_.unreadable;
      }
    }
    if (!step->lines.empty()) state_.last_line = now;
    if (!step->lines.empty() || step->switched) moved_ = true;
    return step->more;
  }

  void finish(SourceBatch& batch) {
    batch.cursor_name = state_.name;
    Cursor cursor;
    cursor.file = file_;
    if (follower_) cursor.position = follower_->position();
    batch.cursor = encode(cursor);
    due_.stored(world_->clock->steady());
    moved_ = false;
  }

  const World world_;
  const std::filesystem::path folder_;
  std::string file_;
  std::optional<FileFollower> follower_;
  SourceState state_;
  CursorDue due_;
  bool moved_ = false, seen_empty_ = false;
  uint64_t order_ = 0;
};

}  // namespace

std::unique_ptr<LogSource> make_usage_source(World world, std::string name,
                                             std::optional<Cursor> cursor) {
  return std::make_unique<UsageSource>(std::move(world), std::move(name), std::move(cursor));
}

}  // namespace gitaiops::agent
