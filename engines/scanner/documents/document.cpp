#include "engines/scanner/documents/document.h"

#include <cstring>

namespace gitaiops::scanner::documents {

Document::Document() : nodes_(1) {}

std::vector<Value> Document::roots() const {
  std::vector<Value> out;
  for (const uint32_t place : roots_) out.emplace_back(nodes_.data(), place);
  return out;
}

Value Value::operator[](std::string_view key) const {
  uint32_t found = 0;
  for (uint32_t at = nodes_[at_].first; at; at = nodes_[at].next)
    if (nodes_[at].key == key) found = at;
  return {nodes_, found};
}

uint32_t Document::add(uint32_t parent, uint32_t previous, Node node) {
  if (nodes_.size() > kMaxValues) {
    fail(node.line, "it holds more than " + std::to_string(kMaxValues) + " values");
    return 0;
  }
  const auto place = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back(node);
  if (previous) {
    nodes_[previous].next = place;
  } else if (parent) {
    nodes_[parent].first = place;
  } else {
    roots_.push_back(place);
  }
  return place;
}

char* Document::room(std::size_t bytes) {
  constexpr std::size_t kBlock = 64u << 10;
  if (bytes > left_) {
    const std::size_t size = std::max(bytes, kBlock);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size + 1));
    left_ = size;
    // The block's end is where its free part starts from.
    end_ = blocks_.back().get() + size;
  }
  char* place = end_ - left_;
  left_ -= bytes;
  return place;
}

std::string_view Document::keep(std::string_view text) {
  if (text.empty()) return {};
  char* place = room(text.size());
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void Document::fail(uint32_t line, std::string reason) {
  if (!fault_) fault_ = Fault{line, std::move(reason)};
}

}  // namespace gitaiops::scanner::documents
