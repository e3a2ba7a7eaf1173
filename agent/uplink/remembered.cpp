#include "agent/uplink/remembered.h"

namespace gitaiops::agent {

Remembered::State Remembered::begin(const std::string& id) {
  const auto [place, fresh] = results_.try_emplace(id);
  if (!fresh) return place->second ? State::done : State::running;
  ++running_;
  return State::fresh;
}

void Remembered::finish(fleet::v1::CommandResult result) {
  --running_;
  const std::string id = result.id();
  results_[id] = std::move(result);
  finished_.push_back(id);
  if (finished_.size() <= kRememberedResults) return;
  results_.erase(finished_.front());
  finished_.pop_front();
}

const fleet::v1::CommandResult* Remembered::result(const std::string& id) const {
  const auto found = results_.find(id);
  return found != results_.end() && found->second ? &*found->second : nullptr;
}

}  // namespace gitaiops::agent
