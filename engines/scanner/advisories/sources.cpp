#include "engines/scanner/advisories/sources.h"

#include <memory>

#include <zip.h>
#include <zlib.h>

namespace gitaiops::scanner {
namespace {

constexpr std::size_t kMaxRecord = 64 << 20;   // bytes of one OSV record or catalogue
constexpr std::size_t kMaxScores = 512 << 20;  // bytes of EPSS, unpacked
constexpr std::size_t kPiece = 256 << 10;
constexpr std::size_t kHead = 4096;

Status add_record(std::string_view text, IndexBuilder& builder) {
  if (text.size() > kMaxRecord) return Error(Code::resource_exhausted, "more than 64 MiB");
  // CISA's catalogue is JSON as well; its head says so.
  if (text.substr(0, kHead).find("\"catalogVersion\"") != text.npos) return builder.add_kev(text);
  return builder.add_osv(text);
}

Result<std::string> unpacked_scores(Bytes bytes) {
  z_stream stream{};
  constexpr int kGzipOrZlib = 15 + 32;
  if (::inflateInit2(&stream, kGzipOrZlib) != Z_OK)
    return Error(Code::internal, "zlib cannot begin");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, ::inflateEnd);
  std::string text;
  std::size_t used = 0;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const auto piece = bytes.subspan(used, std::min(kPiece, bytes.size() - used));
      if (piece.empty()) return Error(Code::data_loss, "the packed scores are cut off");
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
      used += piece.size();
    }
    const auto before = text.size();
    text.resize(before + kPiece);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream.avail_out = static_cast<uInt>(kPiece);
    state = ::inflate(&stream, Z_NO_FLUSH);
    text.resize(before + (kPiece - std::min<std::size_t>(stream.avail_out, kPiece)));
    if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR)
      return Error(Code::data_loss, "the packed scores are damaged");
    if (text.size() > kMaxScores)
      return Error(Code::resource_exhausted, "more than 512 MiB of scores");
  }
  return text;
}

Status add_scores(Bytes bytes, IndexBuilder& builder) {
  const bool packed =
      bytes.size() > 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
  if (!packed) return builder.add_epss(as_text(bytes));
  ASSIGN_OR_RETURN(const auto text, unpacked_scores(bytes));
  return builder.add_epss(text);
}

Status add_packed_record(zip_t* archive, zip_uint64_t index, zip_uint64_t size, std::string& text,
                         IndexBuilder& builder) {
  if (size > kMaxRecord) return Error(Code::resource_exhausted, "more than 64 MiB");
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(::zip_fopen_index(archive, index, 0),
                                                               ::zip_fclose);
  if (!file) return Error(Code::data_loss, "cannot be unpacked");
  text.resize(size);
  const auto read = ::zip_fread(file.get(), text.data(), size);
  if (read < 0 || static_cast<zip_uint64_t>(read) != size)
    return Error(Code::data_loss, "cannot be unpacked");
  return add_record(text, builder);
}

Status add_archive(const std::string& name, Bytes bytes, IndexBuilder& builder,
                   std::vector<Skipped>& skipped) {
  zip_error_t problem;
  ::zip_error_init(&problem);
  zip_source_t* source = ::zip_source_buffer_create(bytes.data(), bytes.size(), 0, &problem);
  zip_t* opened =
      source == nullptr ? nullptr : ::zip_open_from_source(source, ZIP_RDONLY, &problem);
  ::zip_error_fini(&problem);
  if (opened == nullptr) {
    if (source != nullptr) ::zip_source_free(source);
    return Error(Code::data_loss, "not a zip archive, or a damaged one");
  }
  const std::unique_ptr<zip_t, void (*)(zip_t*)> archive(opened, ::zip_discard);
  const auto count = ::zip_get_num_entries(archive.get(), 0);
  std::string text;
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t entry;
    const auto index = static_cast<zip_uint64_t>(i);
    if (::zip_stat_index(archive.get(), index, 0, &entry) != 0) continue;
    if (!std::string_view(entry.name).ends_with(".json")) continue;
    const auto added = add_packed_record(archive.get(), index, entry.size, text, builder);
    if (!added.ok()) skipped.push_back({name + "#" + entry.name, added.error().to_string()});
  }
  return {};
}

bool holds_scores(std::string_view name) {
  return name.ends_with(".csv") || name.ends_with(".csv.gz");
}

}  // namespace

bool is_source(std::string_view name) {
  return name.ends_with(".json") || name.ends_with(".zip") || holds_scores(name);
}

Status add_source(const std::string& name, Bytes bytes, IndexBuilder& builder,
                  std::vector<Skipped>& skipped) {
  if (bytes.empty()) return Error(Code::data_loss, "it is empty");
  if (name.ends_with(".json")) return add_record(as_text(bytes), builder);
  if (name.ends_with(".zip")) return add_archive(name, bytes, builder, skipped);
  if (holds_scores(name)) return add_scores(bytes, builder);
  return Error(Code::invalid_argument, "neither .json nor .zip nor .csv nor .csv.gz");
}

}  // namespace gitaiops::scanner
