// How far two clocks may be apart for certificates and expiries to mean the same to both sides, and
// how to say it.
#pragma once

#include <string>

#include "base/clock/clock.h"

namespace gitaiops::rpc {

// Certificates are valid from this long before they are signed; a host further off is told to set
// its clock.
constexpr int64_t kMaxClockSkew = 5 * 60 * kMicrosPerSecond;

// A time as the other side tells it may be any number. Held between 1970 and 9999, so that
// reckoning with it cannot overflow.
UnixMicros told_time(int64_t micros);

// "3 h 2 min behind", "1 d 4 h ahead of", "12 s behind": `clock` against `reference`.
std::string describe_skew(UnixMicros clock, UnixMicros reference);

}  // namespace gitaiops::rpc
