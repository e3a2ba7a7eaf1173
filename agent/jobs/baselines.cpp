#include "agent/jobs/baselines.h"

#include <algorithm>
#include <system_error>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/log/log.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "gitaiops-baseline 1\n";
constexpr std::string_view kBaselineSuffix = ".baseline";
constexpr std::string_view kDamaged = ".damaged";
constexpr std::size_t kDamagedKept = 3;
constexpr std::size_t kDigest = 64;
// Others are told of a run when more than one in so many of its lines was new.
constexpr std::size_t kNewsShare = 20;

void put(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

uint64_t get(std::string_view in, std::size_t at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i)
    value |= uint64_t{static_cast<unsigned char>(in[at + static_cast<std::size_t>(i)])} << (8 * i);
  return value;
}

std::string to_bytes(const std::vector<std::vector<uint64_t>>& runs) {
  std::string payload;
  for (const auto& run : runs) {
    put(payload, run.size(), 4);
    for (const uint64_t hash : run) put(payload, hash, 8);
  }
  return std::string(kMagic) + crypto::sha256_hex(payload) + "\n" + payload;
}

Result<std::vector<std::vector<uint64_t>>> from_bytes(std::string_view bytes,
                                                      const BaselineLimits& limits) {
  const Error broken(Code::data_loss, "it does not hold together");
  const std::size_t head = kMagic.size() + kDigest + 1;
  if (bytes.size() < head || !bytes.starts_with(kMagic)) return broken;
  const auto payload = bytes.substr(head);
  if (bytes.substr(kMagic.size(), kDigest) != crypto::sha256_hex(payload)) return broken;
  std::vector<std::vector<uint64_t>> runs;
  for (std::size_t at = 0; at < payload.size();) {
    if (payload.size() - at < 4 || runs.size() == limits.runs) return broken;
    const uint64_t count = get(payload, at, 4);
    at += 4;
    if (count > limits.hashes || payload.size() - at < count * 8) return broken;
    auto& run = runs.emplace_back();
    for (uint64_t i = 0; i < count; ++i, at += 8) run.push_back(get(payload, at, 8));
  }
  return runs;
}

}  // namespace

Baselines::Baselines(fs::path folder, BaselineLimits limits)
    : folder_(std::move(folder)), limits_(limits) {}

Status Baselines::open() {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (!error) fs::permissions(folder_, fs::perms::owner_all, error);
  if (error) return errno_error(error.value(), "create", folder_.native());
  sweep();
  return {};
}

fs::path Baselines::file_of(const JobName& job) const {
  const std::string key = job.instance + "\n" + job.project + "\n" + job.name;
  return folder_ / (crypto::sha256_hex(key).substr(0, 32) + std::string(kBaselineSuffix));
}

Baselines::Runs Baselines::load(const JobName& job) {
  const fs::path file = file_of(job);
  const auto bytes = read_file(file, limits_.runs * (limits_.hashes * 8 + 4) + 256);
  if (!bytes.ok() && bytes.error().code() == Code::not_found) return {};
  auto runs = bytes.ok() ? from_bytes(*bytes, limits_) : Result<Runs>(bytes.error());
  if (runs.ok()) return std::move(*runs);
  std::error_code error;
  fs::rename(file, file.native() + std::string(kDamaged), error);
  log::warning("what passing runs of a job print is damaged; it is set aside and begun anew",
               {{"file", file.native()}, {"why", runs.error().to_string()}});
  return {};
}

std::vector<uint64_t> Baselines::find(const JobName& job) {
  if (!job.known()) return {};
  std::vector<uint64_t> all;
  for (const auto& run : load(job)) all.insert(all.end(), run.begin(), run.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (!all.empty()) {
    std::error_code ignored;  // used just now
    fs::last_write_time(file_of(job), fs::file_time_type::clock::now(), ignored);
  }
  return all;
}

bool Baselines::add(const JobName& job, std::vector<uint64_t> templates) {
  if (!job.known() || templates.empty()) return false;
  if (templates.size() > limits_.hashes) templates.resize(limits_.hashes);
  Runs runs = load(job);
  std::vector<uint64_t> all;
  for (const auto& run : runs) all.insert(all.end(), run.begin(), run.end());
  std::ranges::sort(all);
  const auto news = static_cast<std::size_t>(std::ranges::count_if(
      templates, [&](uint64_t hash) { return !std::ranges::binary_search(all, hash); }));
  if (news == 0) return false;
  const bool worth = news * kNewsShare > templates.size();
  runs.insert(runs.begin(), std::move(templates));
  if (runs.size() > limits_.runs) runs.resize(limits_.runs);
  store(job, runs);
  return worth;
}

void Baselines::store(const JobName& job, const Runs& runs) {
  if (const auto written = write_file_atomic(file_of(job), to_bytes(runs), 0600); !written.ok())
    log::debug("what a passing run printed is not kept", {{"why", written.error().to_string()}});
  sweep();
}

void Baselines::sweep() {
  struct File {
    fs::file_time_type used;
    uint64_t bytes;
    fs::path path;
  };
  std::vector<File> files, damaged;
  std::error_code error;
  uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const auto bytes = entry.file_size(error);
    if (error) continue;
    const bool set_aside = entry.path().extension() == kDamaged;
    if (!set_aside && entry.path().extension() != kBaselineSuffix) continue;
    (set_aside ? damaged : files).push_back({entry.last_write_time(error), bytes, entry.path()});
    if (!set_aside) total += bytes;
  }
  std::ranges::sort(files, {}, &File::used);
  std::ranges::sort(damaged, {}, &File::used);
  for (std::size_t i = 0; i + kDamagedKept < damaged.size(); ++i)
    fs::remove(damaged[i].path, error);
  std::size_t left = files.size();
  for (const auto& file : files) {
    if (left <= limits_.files && total <= limits_.bytes) break;
    fs::remove(file.path, error);
    total -= file.bytes;
    --left;
  }
}

}  // namespace gitaiops::agent
