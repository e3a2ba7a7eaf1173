// How random a text looks: what tells keys and tokens from words.
#pragma once

#include <string_view>

namespace gitaiops::diagnosis {

// Shannon's entropy of the bytes' frequencies, in bits a byte: 0 for "aaaa" and for an empty text,
// about 4.5 for English, close to 6 for long base64.
double entropy(std::string_view text);

}  // namespace gitaiops::diagnosis
