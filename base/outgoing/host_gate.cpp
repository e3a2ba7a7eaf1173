#include "base/outgoing/host_gate.h"

#include <algorithm>
#include <ctime>

#include "base/bytes/bytes.h"

namespace gitaiops {
namespace {

constexpr int kFailuresToOpen = 5;
constexpr int64_t kFirstOpenUs = kMicrosPerSecond;
constexpr int64_t kLongestOpenUs = 60 * kMicrosPerSecond;
constexpr int kRetryCost = 10;
constexpr int kFullBudget = 100;
constexpr int64_t kFirstUnsaidWaitUs = kMicrosPerSecond;
constexpr int64_t kLongestUnsaidWaitUs = 60 * kMicrosPerSecond;
constexpr int64_t kShortestWaitUs = kMicrosPerSecond / 5;
constexpr int64_t kLongestWaitUs = 3600 * kMicrosPerSecond;

}  // namespace

HostGate::Answer HostGate::ask(SteadyMicros now) {
  if (now < limited_until_) return Answer::rate_limited;
  if (failures_ < kFailuresToOpen) return Answer::pass;
  if (now < open_until_ || probing_) return Answer::broken;
  probing_ = true;
  return Answer::pass;
}

void HostGate::succeeded() {
  failures_ = limits_ = 0;
  probing_ = false;
  tenths_ = std::min(tenths_ + 1, kFullBudget);
}

void HostGate::failed(SteadyMicros now) {
  probing_ = false;
  failures_ = std::min(failures_ + 1, kFailuresToOpen + 10);
  if (failures_ >= kFailuresToOpen)
    open_until_ = now + std::min(kFirstOpenUs << (failures_ - kFailuresToOpen), kLongestOpenUs);
}

void HostGate::limited(SteadyMicros now, std::optional<int64_t> wait_us) {
  probing_ = false;
  const int64_t own = std::min(kFirstUnsaidWaitUs << std::min(limits_, 10), kLongestUnsaidWaitUs);
  ++limits_;
  limited_until_ = std::max(limited_until_, now + wait_us.value_or(own));
}

bool HostGate::spend_retry() {
  if (tenths_ < kRetryCost) return false;
  tenths_ -= kRetryCost;
  return true;
}

int64_t HostGate::wait_us(SteadyMicros now) const {
  const int64_t open = failures_ >= kFailuresToOpen ? open_until_ - now : 0;
  return std::max({int64_t{0}, open, limited_until_ - now});
}

std::optional<int64_t> used_up_us(const OutgoingResponse& response, UnixMicros now) {
  if (parse_uint(response.header("RateLimit-Remaining")) != uint64_t{0} ||
      response.header("RateLimit-Reset").empty())
    return std::nullopt;
  return demanded_wait_us(response, now);
}

std::optional<int64_t> demanded_wait_us(const OutgoingResponse& response, UnixMicros now) {
  const auto bounded = [](int64_t us) { return std::clamp(us, kShortestWaitUs, kLongestWaitUs); };
  const auto after = response.header("Retry-After");
  if (const auto seconds = parse_uint(after))
    return bounded(static_cast<int64_t>(std::min<uint64_t>(*seconds, 3600)) * kMicrosPerSecond);
  std::tm date{};
  if (::strptime(std::string(after).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) != nullptr)
    return bounded(UnixMicros{::timegm(&date) * kMicrosPerSecond} - now);
  const auto reset = parse_uint(response.header("RateLimit-Reset"));
  if (reset && *reset < uint64_t{1} << 40)
    return bounded(UnixMicros{static_cast<int64_t>(*reset) * kMicrosPerSecond} - now);
  return std::nullopt;
}

}  // namespace gitaiops
