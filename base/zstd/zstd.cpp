#include "base/zstd/zstd.h"

#include <zstd.h>

namespace gitaiops::zstd {

std::string compress(std::string_view bytes) {
  std::string frame(ZSTD_compressBound(bytes.size()), '\0');
  const auto size =
      ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  // Cannot fail: the room is what zstd itself asks for.
  frame.resize(ZSTD_isError(size) ? 0 : size);
  return frame;
}

Result<std::string> decompress(std::string_view frame, std::size_t limit) {
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return Error(Code::data_loss, "is no zstd frame");
  if (size == ZSTD_CONTENTSIZE_UNKNOWN)
    return Error(Code::resource_exhausted, "does not name its size");
  if (size > limit)
    return Error(Code::resource_exhausted, "unpacks to " + std::to_string(size) +
                                               " bytes, at most " + std::to_string(limit) +
                                               " are allowed");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  const auto got = ZSTD_decompress(bytes.data(), bytes.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) || got != bytes.size())
    return Error(Code::data_loss, "is a damaged zstd frame");
  return bytes;
}

}  // namespace gitaiops::zstd
