// Foreign text as a person sees it. Thread safety: pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gitaiops {

// Valid UTF-8 on one line of at most `max_bytes`: line breaks and tabs become spaces; control,
// bidirectional and invisible characters go.
std::string visible_line(std::string_view text, std::size_t max_bytes);

}  // namespace gitaiops
