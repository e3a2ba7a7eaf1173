#include "controller/feed/build.h"

#include <ostream>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/io/mapped_file.h"
#include "controller/feed/feed.h"
#include "engines/scanner/advisories/seal.h"
#include "engines/scanner/advisories/sources.h"

namespace gitaiops::feed {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownSkips = 5;
constexpr uint64_t kFewRecords = 100;  // a catalogue as small as that may well halve

class Building {
 public:
  Building(fs::path folder, std::ostream& err) : folder_(std::move(folder)), err_(err) {}

  void add(const std::string& source) {
    if (is_url(source)) return add_download(source);
    const auto files = files_below(source);
    if (!files.ok()) return tell(source, files.error().to_string());
    for (const auto& file : *files) {
      const bool named = file == fs::path(source);
      if (!named && !scanner::is_source(file.string())) continue;
      if (const auto added = add_file(file, file.string()); !added.ok())
        tell(file.string(), added.error().to_string());
    }
  }

  Status finish() {
    const auto& counts = builder_.counts();
    if (counts.records == 0)
      return Error(Code::not_found, "no source has a record; the index stays as it is");
    ASSIGN_OR_RETURN(auto body, builder_.finish());
    const auto digest = crypto::sha256(body);
    const auto file = scanner::sealed(std::move(body), std::string(as_text(digest)), std::nullopt);
    RETURN_IF_ERROR(write_file_atomic(folder_ / "index.gdb", file));
    err_ << "advisories: " << counts.records << " records, " << counts.epss << " EPSS scores, "
         << counts.kev << " known exploited; " << file.size() << " bytes\n";
    return {};
  }

 private:
  void tell(const std::string& place, const std::string& why) {
    err_ << "advisories: left out " << place << ": " << why << "\n";
  }

  uint64_t taken() const {
    return builder_.counts().records + builder_.counts().epss + builder_.counts().kev;
  }

  Status add_file(const fs::path& file, const std::string& name) {
    ASSIGN_OR_RETURN(const auto mapped, MappedFile::open(file));
    std::vector<scanner::Skipped> skipped;
    RETURN_IF_ERROR(scanner::add_source(name, mapped.bytes(), builder_, skipped));
    for (std::size_t i = 0; i < skipped.size() && i < kShownSkips; ++i)
      tell(skipped[i].place, skipped[i].reason);
    if (skipped.size() > kShownSkips)
      err_ << "advisories: left out " << skipped.size() - kShownSkips << " more of " << name
           << "\n";
    return {};
  }

  // The records that the copy in use had; 0: not known.
  static uint64_t counted(const fs::path& file) {
    const auto text = read_file(file, 64);
    if (!text.ok()) return 0;
    return static_cast<uint64_t>(std::max<int64_t>(0, parse_int(trimmed(*text)).value_or(0)));
  }

  void add_download(const std::string& source) {
    const auto copy = copy_of(folder_, source);
    const fs::path fresh = copy.string() + ".new", count = copy.string() + ".count";
    std::error_code ignored;
    if (fs::exists(fresh, ignored)) {
      const auto before = taken(), had = counted(count);
      auto added = add_file(fresh, copy.string());
      const auto has = taken() - before;
      if (added.ok() && has == 0) added = Error(Code::data_loss, "it has no record");
      if (added.ok() && had > kFewRecords && has < had / 2)
        added = Error(Code::data_loss, "it has " + std::to_string(has) +
                                           " records, the one before it " + std::to_string(had));
      if (added.ok()) {
        fs::rename(fresh, copy, ignored);
        (void)write_file_atomic(count, std::to_string(has) + "\n");
        return;
      }
      tell(source, added.error().to_string() + "; the copy before it stays in use");
      fs::rename(fresh, copy.string() + ".refused", ignored);
    }
    if (!fs::exists(copy, ignored)) return tell(source, "there is no copy of it");
    if (const auto added = add_file(copy, copy.string()); !added.ok())
      tell(source, added.error().to_string());
  }

  const fs::path folder_;
  std::ostream& err_;
  scanner::IndexBuilder builder_;
};

}  // namespace

bool is_url(const std::string& source) {
  return source.starts_with("https://") || source.starts_with("http://");
}

fs::path copy_of(const fs::path& folder, const std::string& source) {
  if (!is_url(source)) return source;
  const auto path = source.substr(0, source.find_first_of("?#"));
  const auto digest = hex_encode(as_bytes(as_text(crypto::sha256(source)))).substr(0, 16);
  return folder / (digest + "-" + path.substr(path.rfind('/') + 1));
}

Status build(const fs::path& folder, const std::vector<std::string>& sources, std::ostream& err) {
  Building building(folder, err);
  for (const auto& source : sources) building.add(source);
  return building.finish();
}

}  // namespace gitaiops::feed
