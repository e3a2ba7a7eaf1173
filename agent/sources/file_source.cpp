// The runner's log in a file of its own, or among other programs' lines in a syslog file.
#include "agent/sources/kinds.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr int64_t kSyslogQueue = 2 * kMicrosPerSecond;  // what a syslog daemon may hold a line back

class FileSource final : public LogSource {
 public:
  FileSource(World world, std::filesystem::path path, Envelope envelope, std::string name,
             std::optional<Cursor> cursor)
      : world_(std::move(world)),
        path_(std::move(path)),
        envelope_(envelope),
        follower_(path_, cursor ? cursor->position : std::nullopt, FileFollower::From::end),
        reader_(world_->instances,
                cursor ? cursor->runners : std::map<std::string, std::string>()) {
    state_.name = std::move(name);
    state_.reads = (envelope_ == Envelope::syslog ? "the runner's lines in the syslog file "
                                                  : "the runner's log in the file ") +
                   path_.native();
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
      if (!co_await sleep_for(pause)) co_return Error(Code::cancelled, "reading " + path_.native());
    }
  }

  SourceState state() const override {
    auto state = state_;
    const auto& counters = reader_.counters();
    state.lines = counters.lines + foreign_;
    state.records = counters.records;
    state.unknown_hosts = counters.unknown_hosts;
    state.unreadable = counters.unreadable + too_long_;
    return state;
  }

 private:
  // Returns whether there is more to read at once.
  bool read(SourceBatch& batch) {
    const auto now = world_->clock->now();
    auto step = follower_.step(now);
    if (!step.ok()) {
      auto [problem, cure] = file_problem(step.error(), path_);
      set_problem(state_, batch, std::move(problem), std::move(cure));
      return false;
    }
    if (reader_.unknown_hosts().empty()) clear_problem(state_);
    too_long_ += step->too_long;
    for (const auto& line : step->lines) feed(line, now, step->late_us, batch.facts);
    if (!step->lines.empty()) state_.last_line = now, moved_ = true;
    if (step->switched) moved_ = true;
    tell_unknown_hosts(state_, batch, reader_.unknown_hosts());
    return step->more;
  }

  void feed(const std::string& line, UnixMicros now, int64_t late_us, std::vector<Fact>& facts) {
    if (envelope_ == Envelope::none) return reader_.feed(line, now, late_us, facts);
    const auto unwrapped = parse_syslog(line);
    const auto& names = world_->options.runner_names;
    if (!unwrapped || std::find(names.begin(), names.end(), unwrapped->tag) == names.end()) {
      ++foreign_;
      return;
    }
    // A stamp with year and zone is the moment of writing.
    if (unwrapped->time && *unwrapped->time <= now)
      return reader_.feed(unwrapped->text, *unwrapped->time, 0, facts);
    reader_.feed(unwrapped->text, now, late_us + kSyslogQueue, facts);
  }

  void finish(SourceBatch& batch) {
    batch.cursor_name = state_.name;
    // Between the halves of a record the position stays before the first: reading it again is
    // harmless.
    if (!reader_.halfway() || cursor_.empty())
      cursor_ = encode({.file = "",
                        .position = follower_.position(),
                        .journal = "",
                        .runners = reader_.runners()});
    batch.cursor = cursor_;
    due_.stored(world_->clock->steady());
    moved_ = false;
  }

  const World world_;
  const std::filesystem::path path_;
  const Envelope envelope_;
  FileFollower follower_;
  RunnerLogReader reader_;
  SourceState state_;
  std::string cursor_;
  CursorDue due_;
  bool moved_ = false;
  uint64_t too_long_ = 0, foreign_ = 0;
};

}  // namespace

std::unique_ptr<LogSource> make_file_source(World world, std::filesystem::path path,
                                            Envelope envelope, std::string name,
                                            std::optional<Cursor> cursor) {
  return std::make_unique<FileSource>(std::move(world), std::move(path), envelope, std::move(name),
                                      std::move(cursor));
}

}  // namespace gitaiops::agent
