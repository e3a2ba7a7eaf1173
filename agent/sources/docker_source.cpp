// The runner's log where the runner itself is a docker container: the file of docker's json-file
// driver. It belongs to root, so the observer opens it; it opens no other container's. Docker
// rotates by renaming: whoever opens it anew gets the new file.
#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

#include "agent/sources/container_log.h"
#include "agent/sources/kinds.h"

namespace gitaiops::agent {
namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr int64_t kLookAgainUs = 2 * kMicrosPerSecond;  // for another file in its place
constexpr std::size_t kChunk = 256 << 10;
constexpr std::size_t kMaxLine = 256 << 10;  // docker escapes at most 16 KiB

class DockerSource final : public LogSource {
 public:
  DockerSource(World world, std::string name, std::optional<Cursor> cursor)
      : world_(std::move(world)),
        saved_(cursor ? cursor->position : std::nullopt),
        reader_(world_->instances,
                cursor ? cursor->runners : std::map<std::string, std::string>()) {
    state_.name = std::move(name);
    state_.reads = "what the runner's container prints, as docker keeps it (json-file)";
  }

  Task<Result<SourceBatch>> next() override {
    SourceBatch batch;
    for (;;) {
      co_await look(&batch);
      const bool more = fd_ && read(batch);
      if (!batch.facts.empty() || !batch.problems.empty() ||
          due_.due(world_->clock->steady(), moved_)) {
        finish(batch);
        co_return batch;
      }
      const std::chrono::milliseconds pause = more ? std::chrono::milliseconds(0) : kPoll;
      if (!co_await sleep_for(pause)) co_return Error(Code::cancelled, "reading docker's log");
    }
  }

  SourceState state() const override {
    auto state = state_;
    const auto& counters = reader_.counters();
    state.lines = counters.lines;
    state.records = counters.records;
    state.unknown_hosts = counters.unknown_hosts;
    state.unreadable = counters.unreadable + lines_.unreadable();
    return state;
  }

 private:
  // Opens the file, and sees to it that another one in its place is taken up.
  Task<void> look(SourceBatch* batch) {
    const auto now = world_->clock->steady();
    if (looked_ && now - *looked_ < kLookAgainUs) co_return;
    looked_ = now;
    auto opened = co_await world_->options.open_docker_log();
    if (!opened.ok()) {
      if (!fd_)
        set_problem(state_, *batch,
                    "the log of the runner's container: " + opened.error().to_string(),
                    "is the runner a docker container with the log driver json-file?");
      co_return;
    }
    struct stat status{};
    if (::fstat(opened->get(), &status) != 0) co_return;
    if (fd_ && status.st_dev == device_ && status.st_ino == inode_) co_return;
    while (fd_ && read(*batch)) {
    }
    begin(std::move(*opened), status);
    if (reader_.unknown_hosts().empty()) clear_problem(state_);
  }

  void begin(Fd fd, const struct stat& status) {
    const bool first = !fd_;
    fd_ = std::move(fd);
    device_ = status.st_dev;
    inode_ = status.st_ino;
    partial_.clear();
    const auto size = static_cast<uint64_t>(status.st_size);
    if (first && saved_ && saved_->device == device_ && saved_->inode == inode_ &&
        saved_->offset <= size) {
      offset_ = saved_->offset;
    } else {
      offset_ = first && !saved_ ? size : 0;
    }
    moved_ = true;
  }

  // Returns whether there is more to read at once.
  bool read(SourceBatch& batch) {
    std::string chunk(kChunk, '\0');
    const ssize_t n = ::pread(fd_.get(), chunk.data(), chunk.size(),
                              static_cast<off_t>(offset_ + partial_.size()));
    if (n <= 0) return false;
    partial_.append(chunk, 0, static_cast<std::size_t>(n));
    std::size_t at = 0;
    for (auto end = partial_.find('\n'); end != std::string::npos;
         end = partial_.find('\n', at = end + 1))
      line(std::string_view(partial_).substr(at, end - at), batch);
    offset_ += at;
    partial_.erase(0, at);
    if (partial_.size() > kMaxLine) {
      offset_ += partial_.size();
      partial_.clear();
    }
    moved_ |= at > 0;
    return static_cast<std::size_t>(n) == kChunk;
  }

  void line(std::string_view text, SourceBatch& batch) {
    const auto whole = lines_.feed(text);
    if (!whole) return;
    const auto seen = std::min(whole->time, world_->clock->now());
    reader_.feed(whole->text, seen, 0, batch.facts, whole->stream);
    state_.last_line = seen;
    tell_unknown_hosts(state_, batch, reader_.unknown_hosts());
  }

  void finish(SourceBatch& batch) {
    batch.cursor_name = state_.name;
    // Between the parts of a record the position stays before the first: reading it again is
    // harmless.
    if ((!reader_.halfway() && !lines_.halfway()) || cursor_.empty()) {
      Cursor cursor;
      if (fd_) {
        cursor.position.emplace();
        cursor.position->device = device_;
        cursor.position->inode = inode_;
        cursor.position->offset = offset_;
      } else {
        cursor.position = saved_;
      }
      cursor.runners = reader_.runners();
      cursor_ = encode(cursor);
    }
    batch.cursor = cursor_;
    due_.stored(world_->clock->steady());
    moved_ = false;
  }

  const World world_;
  const std::optional<FilePosition> saved_;
  RunnerLogReader reader_;
  ContainerLogLines lines_;
  SourceState state_;
  Fd fd_;
  uint64_t device_ = 0, inode_ = 0;
  uint64_t offset_ = 0;  // of partial_'s first byte
  std::string partial_;  // the begun line
  std::optional<SteadyMicros> looked_;
  std::string cursor_;
  CursorDue due_;
  bool moved_ = false;
};

}  // namespace

std::unique_ptr<LogSource> make_docker_source(World world, std::string name,
                                              std::optional<Cursor> cursor) {
  return std::make_unique<DockerSource>(std::move(world), std::move(name), std::move(cursor));
}

}  // namespace gitaiops::agent
