// Whether a host may be asked now: the waits it demanded (429), a circuit breaker, and a budget for
// retries. Passive: told what happened and what time it is.
//
// The breaker opens after 5 failures in a row for 1 s, doubled with each failed probe up to 60 s;
// then one request at a time may probe. A retry costs one token of ten; a success gives back a
// tenth: when most requests fail, retries stop before they become the load. Test:
// tests/unit/outgoing/host_gate_test.cpp.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock/clock.h"
#include "base/outgoing/outgoing.h"

namespace gitaiops {

class HostGate {
 public:
  enum class Answer { pass, rate_limited, broken };
  // `pass` obliges to tell the outcome with one of the four below.
  Answer ask(SteadyMicros now);
  void succeeded();               // any answer below 500 but 429
  void failed(SteadyMicros now);  // 5xx, no answer
  // 429. Without a wait from the host: 1 s, doubled with each further one up to 60 s.
  void limited(SteadyMicros now, std::optional<int64_t> wait_us);
  void abandoned() { probing_ = false; }    // we gave up before there was an outcome
  bool spend_retry();                       // false: the budget is used up
  int64_t wait_us(SteadyMicros now) const;  // until ask() may pass; 0: at once

 private:
  SteadyMicros limited_until_, open_until_;
  int failures_ = 0;
  int limits_ = 0;
  int tenths_ = 100;
  bool probing_ = false;
};

// What a 429 says about when to come back: Retry-After (seconds or a date), else RateLimit-Reset
// (unix seconds), between 0.2 s and one hour; nullopt when it says nothing.
std::optional<int64_t> demanded_wait_us(const OutgoingResponse& response, UnixMicros now);

// The last request that was allowed until then was answered (RateLimit-Remaining: 0): the wait that
// RateLimit-Reset asks for, before the 429. nullopt: there is more, or GitLab does not say, as
// often.
std::optional<int64_t> used_up_us(const OutgoingResponse& response, UnixMicros now);

}  // namespace gitaiops
