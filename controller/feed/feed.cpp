#include "controller/feed/feed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "base/log/log.h"
#include "controller/feed/build.h"

namespace gitaiops::feed {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxRedirects = 5;
constexpr std::size_t kLongestValidator = 1024;

// Beside a copy: what its server called that version, sent back to ask whether it is still the one.
fs::path validator_of(const fs::path& copy) {
  return copy.string() + ".version";
}

OutgoingHeaders unless_same(const fs::path& copy) {
  std::error_code ignored;
  const auto known = read_file(validator_of(copy), kLongestValidator);
  if (!known.ok() || !fs::exists(copy, ignored)) return {};
  const auto text = std::string(trimmed(*known));
  const bool tag = text.starts_with("\"") || text.starts_with("W/");
  return {{tag ? "If-None-Match" : "If-Modified-Since", text}};
}

std::string validator_in(const OutgoingResponse& response) {
  const auto tag = response.header("ETag");
  const auto text = std::string(tag.empty() ? response.header("Last-Modified") : tag);
  return text.size() <= kLongestValidator ? text : std::string();
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Feed::Feed(Options options, Outgoing& web, const Clock& clock, Build build)
    : options_(std::move(options)), web_(web), clock_(clock), build_(std::move(build)) {}

Task<void> Feed::run() {
  if (options_.sources.empty()) co_return;
  for (auto pause = until_next(); !stopping_.is_set(); pause = until_next()) {
    if (co_await stopping_.wait(pause)) co_return;
    const auto done = co_await refresh();
    if (done.ok()) continue;
    const auto retry =
        std::min<int64_t>(std::chrono::microseconds(kRetry).count(), options_.refresh_us);
    if (co_await stopping_.wait(std::chrono::microseconds(retry))) co_return;
  }
}

// From the index' age, so that restarts neither repeat nor delay it.
std::chrono::microseconds Feed::until_next() const {
  struct ::stat status{};
  if (!failed_.empty() || ::stat((options_.folder / "index.gdb").c_str(), &status) != 0)
    return std::chrono::microseconds(0);
  const auto made = int64_t{status.st_mtim.tv_sec} * kMicrosPerSecond;
  return std::chrono::microseconds(
      std::clamp<int64_t>(made + options_.refresh_us - clock_.now().value, 0, options_.refresh_us));
}

void Feed::judge(const std::string& source, const Status& status) {
  if (status.ok()) {
    if (failed_.erase(source) > 0)
      log::info("a source of advisories is back", {{"source", source}});
  } else if (failed_.insert(source).second) {
    log::warning("a source of advisories fails; what it gave before stays in use",
                 {{"source", source}, {"why", status.error().to_string()}});
  }
}

Task<Status> Feed::refresh() {
  std::error_code failed;
  fs::create_directories(options_.folder, failed);
  if (failed)
    co_return Error(Code::permission_denied, options_.folder.string() + ": " + failed.message());
  for (const auto& source : options_.sources) {
    if (stopping_.is_set()) co_return Error(Code::cancelled, "the service stops");
    if (!is_url(source)) continue;
    auto fetched = co_await fetch(source);
    if (fetched.ok()) {
      // Refused by the last building, and still the same: told by judge() until it changes.
      std::error_code ignored;
      const auto copy = copy_of(options_.folder, source);
      if (!fs::exists(copy, ignored) && !fs::exists(copy.string() + ".new", ignored))
        fetched = Error(Code::not_found, "there is no usable copy of it");
    }
    judge(source, fetched);
  }
  const auto built = co_await build_();
  for (const auto& source : options_.sources) {
    std::error_code ignored;
    const fs::path refused = copy_of(options_.folder, source).string() + ".refused";
    if (!is_url(source) || !fs::exists(refused, ignored)) continue;
    fs::remove(validator_of(copy_of(options_.folder, source)), ignored);
    judge(source, Error(Code::data_loss, "what it sent last cannot be used: " + refused.string()));
  }
  judge("all", built);
  if (!built.ok()) co_return built.error();
  if (!failed_.empty())
    co_return Error(Code::unavailable, std::to_string(failed_.size()) + " of the sources failed");
  co_return Status();
}

Task<Status> Feed::fetch(std::string source) {
  const auto copy = copy_of(options_.folder, source);
  const fs::path part = copy.string() + ".part";
  std::error_code ignored;
  fs::remove(copy.string() + ".refused", ignored);
  const Fd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) co_return errno_error("open", part.string());
  OutgoingRequest request;
  request.url = source;
  request.headers = unless_same(copy);
  request.total_timeout = kDownloadLimit;
  request.max_response_bytes = kMaxDownload;
  request.max_redirects = kMaxRedirects;
  request.on_body = [fd = file.get()](std::string_view bytes) { return write_all(fd, bytes); };
  auto response = co_await web_.send(std::move(request));
  if (!response.ok() || response->status != 200) fs::remove(part, ignored);
  if (!response.ok()) co_return response.error();
  if (response->status == 304) co_return Status();
  if (response->status != 200)
    co_return Error(Code::unavailable, "its server answers " + std::to_string(response->status));
  if (::fsync(file.get()) != 0) co_return errno_error("write", part.string());
  fs::rename(part, copy.string() + ".new", ignored);
  const auto validator = validator_in(*response);
  if (validator.empty()) fs::remove(validator_of(copy), ignored);
  if (!validator.empty()) co_return write_file_atomic(validator_of(copy), validator + "\n");
  co_return Status();
}

}  // namespace gitaiops::feed
