// Bytes made smaller, and back with a bound, by zstd (RFC 8878).
//
// Thread safety: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result/result.h"

namespace gitaiops::zstd {

// One frame that names its size, at zstd's default level.
std::string compress(std::string_view bytes);
// One frame as compress() makes it. data_loss when it is damaged or not one; resource_exhausted
// when it names more than `limit` bytes or no size at all: nothing is unpacked then.
Result<std::string> decompress(std::string_view frame, std::size_t limit);

}  // namespace gitaiops::zstd
