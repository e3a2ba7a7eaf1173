#include "cli/advisory_sources.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <zip.h>
#include <zlib.h>

#include "base/io/files.h"

namespace gitaiops::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRecord = 64 << 20;   // bytes of one OSV record or catalogue
constexpr std::size_t kMaxScores = 512 << 20;  // bytes of EPSS, unpacked
constexpr std::size_t kPiece = 256 << 10;

class Reader {
 public:
  Reader(scanner::IndexBuilder& builder, std::vector<Skipped>& skipped)
      : builder_(builder), skipped_(skipped) {}

  // Of a folder only what looks like a source; a file that was named is always read.
  void file(const fs::path& path, bool named) {
    const std::string name = path.filename().string();
    if (name.ends_with(".json"))
      note(path.string(), json(path));
    else if (name.ends_with(".zip"))
      note(path.string(), archive(path));
    else if (name.ends_with(".csv") || name.ends_with(".csv.gz"))
      note(path.string(), scores(path));
    else if (named)
      note(path.string(),
           Error(Code::invalid_argument, "neither .json nor .zip nor .csv nor .csv.gz"));
  }

 private:
  void note(const std::string& place, const Status& status) {
    if (!status) skipped_.push_back({place, status.error().to_string()});
  }

  Status record(std::string_view text) {
    // CISA's catalogue is JSON as well; its head says so.
    constexpr std::size_t kHead = 4096;
    if (text.substr(0, kHead).find("\"catalogVersion\"") != text.npos)
      return builder_.add_kev(text);
    return builder_.add_osv(text);
  }

  Status json(const fs::path& path) {
    ASSIGN_OR_RETURN(const auto text, read_file(path, kMaxRecord));
    return record(text);
  }

  Status scores(const fs::path& path) {
    // Reads what is not packed as it is.
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rbe"), ::gzclose);
    if (!file) return errno_error("open", path.string());
    std::string text, piece(kPiece, '\0');
    while (true) {
      const int n = ::gzread(file.get(), piece.data(), static_cast<unsigned>(piece.size()));
      if (n < 0) return Error(Code::data_loss, "the packed scores are damaged");
      if (n == 0) break;
      text.append(piece, 0, static_cast<std::size_t>(n));
      if (text.size() > kMaxScores)
        return Error(Code::resource_exhausted, "more than 512 MiB of scores");
    }
    return builder_.add_epss(text);
  }

  Status archive(const fs::path& path) {
    int problem = 0;
    const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(
        ::zip_open(path.c_str(), ZIP_RDONLY, &problem), ::zip_discard);
    if (!archive) return Error(Code::data_loss, "not a zip archive, or a damaged one");
    const auto count = ::zip_get_num_entries(archive.get(), 0);
    std::string text;
    for (zip_int64_t i = 0; i < count; ++i) {
      zip_stat_t entry;
      const auto index = static_cast<zip_uint64_t>(i);
      if (::zip_stat_index(archive.get(), index, 0, &entry) != 0) continue;
      if (!std::string_view(entry.name).ends_with(".json")) continue;
      note(path.string() + "#" + entry.name, packed_record(archive.get(), index, entry.size, text));
    }
    return {};
  }

  Status packed_record(zip_t* archive, zip_uint64_t index, zip_uint64_t size, std::string& text) {
    if (size > kMaxRecord) return Error(Code::resource_exhausted, "more than 64 MiB");
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
        ::zip_fopen_index(archive, index, 0), ::zip_fclose);
    if (!file) return Error(Code::data_loss, "cannot be unpacked");
    text.resize(size);
    const auto read = ::zip_fread(file.get(), text.data(), size);
    if (read < 0 || static_cast<zip_uint64_t>(read) != size)
      return Error(Code::data_loss, "cannot be unpacked");
    return record(text);
  }

  scanner::IndexBuilder& builder_;
  std::vector<Skipped>& skipped_;
};

}  // namespace

Status read_advisories(const std::vector<std::string>& sources, scanner::IndexBuilder& builder,
                       std::vector<Skipped>& skipped) {
  Reader reader(builder, skipped);
  for (const auto& source : sources) {
    std::error_code problem;
    const auto status = fs::status(source, problem);
    if (problem || !fs::exists(status))
      return Error(Code::not_found, source + ": no such file or folder");
    if (!fs::is_directory(status)) {
      reader.file(source, true);
      continue;
    }
    std::vector<fs::path> files;
    for (fs::recursive_directory_iterator
             at(source, fs::directory_options::skip_permission_denied, problem),
         end;
         !problem && at != end; at.increment(problem))
      if (at->is_regular_file(problem)) files.push_back(at->path());
    if (problem) skipped.push_back({source, problem.message()});
    std::sort(files.begin(), files.end());
    for (const auto& file : files) reader.file(file, false);
  }
  return {};
}

}  // namespace gitaiops::cli
