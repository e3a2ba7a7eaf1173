#include "agent/jobs/log_archive.h"

#include <algorithm>
#include <fstream>
#include <system_error>
#include <vector>

#include <asio/post.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/log/log.h"
#include "engines/diagnosis/lines_around.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadAtOnce = 64 << 10;
constexpr uint64_t kLargestLog = 64 << 20;  // of a longer one, finding its lines costs too much
constexpr std::string_view kLogSuffix = ".log";
constexpr std::string_view kPart = ".part";

int64_t age_us(const fs::file_time_type& written) {
  const auto age = fs::file_time_type::clock::now() - written;
  return std::chrono::duration_cast<std::chrono::microseconds>(age).count();
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("write", "the kept log");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

LogArchive::LogArchive(LogArchiveOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

fs::path LogArchive::file_of(const JobRef& job) const {
  return options_.folder / (crypto::sha256_hex(job.instance).substr(0, 16) + "-" +
                            std::to_string(job.job_id) + std::string(kLogSuffix));
}

Status LogArchive::open() {
  std::error_code error;
  fs::create_directories(options_.folder, error);
  if (!error) fs::permissions(options_.folder, fs::perms::owner_all, error);
  if (error) return errno_error(error.value(), "create", options_.folder.native());
  for (const auto& entry : fs::directory_iterator(options_.folder, error))
    if (entry.path().extension() == kPart) fs::remove(entry.path(), error);
  sweep();
  return {};
}

Task<Status> LogArchive::keep(JobRef job, Read read, uint64_t size) {
  if (options_.age_us == 0) co_return Status();
  if (size > kLargestLog)
    co_return Error(Code::resource_exhausted,
                    "a log of " + std::to_string(size) + " bytes is too long to be kept");
  const auto executor = co_await asio::this_coro::executor;
  const fs::path file = file_of(job);
  const fs::path part = file.native() + std::string(kPart);
  const Fd fd(::open(part.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) co_return errno_error("create", part.native());
  // All of it is read, so that the lines keep their numbers; of a long one the end is written.
  const int64_t from = static_cast<int64_t>(size - std::min(size, options_.job_bytes));
  int64_t offset = 0;
  std::string lines;
  diagnosis::CleanLines clean([&](uint64_t number, const std::string& text) {
    if (offset < from) return;
    std::string flat = text;
    std::ranges::replace(flat, '\n', ' ');
    lines += std::to_string(number) + "\t" + flat + "\n";
  });
  uint64_t written = 0;
  Status status;
  for (bool more = true; more && status.ok();) {
    const auto chunk = read(offset, kReadAtOnce);
    if (!chunk.ok()) {
      status = chunk.error();
      break;
    }
    more = !chunk->empty();
    more ? clean.feed(*chunk) : clean.finish();
    offset += static_cast<int64_t>(chunk->size());
    status = write_all(fd.get(), lines);
    written += lines.size();
    lines.clear();
    if (written > 2 * options_.job_bytes) break;  // it grew meanwhile, or numbers outweigh the text
    co_await asio::post(executor, asio::use_awaitable);
  }
  std::error_code error;
  if (status.ok()) fs::rename(part, file, error);
  if (!status.ok() || error) fs::remove(part, error);
  sweep();
  co_return status;
}

Result<diagnosis::Excerpt> LogArchive::lines_around(const JobRef& job, uint64_t line,
                                                    uint32_t before, uint32_t after) const {
  const Error gone(Code::not_found, "the log of this job is not kept here any more");
  const fs::path file = file_of(job);
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  if (error || age_us(written) > options_.age_us) return gone;
  std::ifstream in(file);
  if (!in) return gone;
  diagnosis::LinesAround around(line, before, after);
  std::string text;
  bool any = false;
  while (!around.complete() && std::getline(in, text)) {
    const auto tab = text.find('\t');
    const auto number = parse_uint(std::string_view(text).substr(0, tab));
    if (tab == text.npos || !number) continue;
    if (!any && *number > line)
      return Error(Code::not_found,
                   "of this long log only the end is kept, from line " + std::to_string(*number));
    any = true;
    around.take(*number, std::string_view(text).substr(tab + 1));
  }
  return around.excerpt();
}

void LogArchive::sweep() {
  struct Kept {
    fs::file_time_type written;
    uint64_t bytes;
    fs::path path;
  };
  std::vector<Kept> kept;
  std::error_code error;
  uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(options_.folder, error)) {
    if (entry.path().extension() != kLogSuffix) continue;
    const auto bytes = entry.file_size(error);
    if (error) continue;
    kept.push_back({entry.last_write_time(error), bytes, entry.path()});
    total += bytes;
  }
  std::ranges::sort(kept, {}, &Kept::written);
  for (const auto& file : kept) {
    if (total <= options_.max_bytes && age_us(file.written) <= options_.age_us) break;
    fs::remove(file.path, error);
    total -= file.bytes;
  }
}

}  // namespace gitaiops::agent
