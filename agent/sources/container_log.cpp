#include "agent/sources/container_log.h"

#include <nlohmann/json.hpp>

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxBegun = 64 << 10;
constexpr std::size_t kMaxStream = 16;

std::string text(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::optional<ContainerLogLines::Line> ContainerLogLines::feed(std::string_view line) {
  const auto entry = nlohmann::json::parse(line, nullptr, false);
  const auto time = entry.is_object() ? parse_rfc3339(text(entry, "time")) : std::nullopt;
  const auto stream = entry.is_object() ? text(entry, "stream") : std::string();
  if (!time || stream.empty() || stream.size() > kMaxStream) {
    ++unreadable_;
    return std::nullopt;
  }
  auto part = text(entry, "log");
  auto& begun = begun_[stream];
  if (begun.size() + part.size() > kMaxBegun) {  // no line of the runner's
    ++unreadable_;
    begun_.erase(stream);
    return std::nullopt;
  }
  begun += part;
  if (!begun.ends_with('\n')) {
    if (begun_.size() > 2) begun_.clear();
    return std::nullopt;
  }
  begun.pop_back();
  Line whole{std::move(begun), stream, *time};
  begun_.erase(stream);
  return whole;
}

}  // namespace gitaiops::agent
