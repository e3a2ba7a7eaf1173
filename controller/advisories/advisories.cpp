#include "controller/advisories/advisories.h"

#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <sys/stat.h>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/mapped_file.h"
#include "base/log/log.h"
#include "engines/scanner/advisories/seal.h"

namespace gitaiops::advisories {
namespace {

constexpr std::chrono::seconds kInterval{2};  // between two looks
constexpr std::string_view kCure =
    "make it anew: gitaiops advisories build --out FILE SOURCE… (docs/advisories.md); until then "
    "the one before it stays in use";

}  // namespace

struct Advisories::Opened {
  MappedFile file;
  scanner::Index index;
  std::string id;  // SHA-256 of what it holds

  static Result<std::shared_ptr<const Opened>> open(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(auto file, MappedFile::open(path));
    ASSIGN_OR_RETURN(const auto seal, scanner::read_seal(file.bytes()));
    const auto digest = crypto::sha256(as_text(seal.body));
    if (as_text(digest) != seal.digest)
      return Error(Code::data_loss, "the bytes are not those that were written");
    ASSIGN_OR_RETURN(auto index, scanner::Index::open(file.bytes()));
    return std::make_shared<const Opened>(
        Opened{std::move(file), std::move(index), hex_encode(as_bytes(seal.digest))});
  }
};

// Of a file under the path: another one put there has another.
struct Advisories::Stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  int64_t changed_ns = 0;
  bool operator==(const Stamp&) const = default;

  // All zero: there is none.
  static Stamp of(const std::filesystem::path& path) {
    struct ::stat status{};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, status.st_size,
            int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
  }
};

struct Advisories::Seen {
  Stamp stamp;
  bool changed = false;
  std::shared_ptr<const Opened> opened;
  std::string wrong;  // why it could not be opened
};

struct Advisories::Pool {
  asio::thread_pool threads{1};
};

Advisories::Advisories(store::Vulnerabilities& store, const Clock& clock,
                       std::filesystem::path index)
    : store_(store), clock_(clock), path_(std::move(index)), pool_(std::make_unique<Pool>()) {}

Advisories::~Advisories() {
  pool_->threads.stop();
  pool_->threads.join();
}

Task<std::optional<Advisories::Seen>> Advisories::see(std::filesystem::path path,
                                                      std::optional<Stamp> known) {
  Seen seen;
  seen.stamp = Stamp::of(path);
  seen.changed = seen.stamp != known;
  if (seen.changed) {
    auto opened = Opened::open(path);
    if (opened.ok()) seen.opened = std::move(*opened);
    if (!opened.ok()) seen.wrong = opened.error().to_string();
  }
  co_return seen;
}

void Advisories::take(Seen seen) {
  if (!seen.changed) return;
  known_ = std::make_unique<Stamp>(seen.stamp);
  counters_.unusable = !seen.opened;
  if (!seen.opened) {
    log::warning("the index of advisories cannot be used",
                 {{"file", path_.string()}, {"why", seen.wrong}, {"cure", kCure}});
    return;
  }
  counters_.made_at = {seen.stamp.changed_ns / 1000};
  if (!opened_ || opened_->id != seen.opened->id) walked_ = 0;
  opened_ = std::move(seen.opened);
  const auto& info = opened_->index.info();
  log::info("advisories are in use", {{"file", path_.string()},
                                      {"advisories", info.advisories},
                                      {"newest", info.newest},
                                      {"sha256", opened_->id}});
}

Task<void> Advisories::look() {
  std::optional<Stamp> known;
  if (known_) known = *known_;
  auto work = see(path_, known);
  auto seen =
      co_await asio::co_spawn(pool_->threads.get_executor(), std::move(work), asio::use_awaitable);
  take(std::move(*seen));
  if (opened_) co_await match_waiting();
}

Task<void> Advisories::run() {
  if (path_.empty()) co_return;
  while (!stopping_.is_set()) {
    co_await look();
    co_await stopping_.wait(kInterval);
  }
}

Task<void> Advisories::match_waiting() {
  while (!stopping_.is_set()) {
    auto waiting = co_await store_.unmatched(opened_->id, walked_);
    if (!waiting.ok()) {
      log::warning("inventories cannot be matched now", {{"why", waiting.error().to_string()}});
      co_return;
    }
    if (!waiting->has_value()) {
      walked_ = INT64_MAX;
      co_return;
    }
    if ((*waiting)->again) walked_ = (*waiting)->n;
    const auto done = co_await match_one(std::move(**waiting));
    if (!done.ok()) {
      // It is asked for again at the next look.
      walked_ = 0;
      log::warning("an inventory was not matched", {{"why", done.error().to_string()}});
      co_return;
    }
  }
}

Task<std::optional<Result<std::vector<store::Found>>>> Advisories::match_on_pool(
    std::shared_ptr<const fleet::v1::Inventory> inventory, std::shared_ptr<const Opened> opened) {
  co_return match(*inventory, opened->index);
}

Task<Status> Advisories::match_one(store::Unmatched waiting) {
  const auto opened = opened_;
  const auto body = std::make_shared<const fleet::v1::Inventory>(std::move(waiting.body));
  auto work = match_on_pool(body, opened);
  auto matched =
      co_await asio::co_spawn(pool_->threads.get_executor(), std::move(work), asio::use_awaitable);
  std::optional<std::vector<store::Found>> found;
  if (!(*matched).ok() || waiting.damaged) {
    log::warning(
        "an inventory could not be matched; what was known of it stays",
        {{"instance", waiting.instance},
         {"project", waiting.project_path},
         {"why", waiting.damaged ? "its bytes are damaged" : (*matched).error().to_string()}});
  } else {
    found = std::move((*matched).value());
  }
  const auto kept =
      co_await store_.keep_match(waiting.n, opened->id, std::move(found), clock_.now());
  if (!kept.ok()) co_return kept.error();
  ++counters_.matched;
  const auto added = static_cast<uint64_t>(kept->added);
  (kept->by_advisory ? counters_.found_by_advisory : counters_.found_by_commit) += added;
  if (kept->by_advisory && added > 0)
    log::warning("a project is newly affected by advisories", {{"instance", waiting.instance},
                                                               {"project", waiting.project_path},
                                                               {"vulnerabilities", added}});
  co_return Status();
}

}  // namespace gitaiops::advisories
