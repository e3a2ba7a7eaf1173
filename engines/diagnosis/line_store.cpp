#include "engines/diagnosis/line_store.h"

#include <algorithm>
#include <cstring>

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kKeptOverhead = 96;  // what a kept line costs beside its text

}  // namespace

LineStore::LineStore() : ring_(kRingBytes), entries_(kRingLines) {
  ring_[0] = '\n';
}

bool LineStore::block_full(std::string_view text) const {
  return write_ + text.size() + 1 > kRingBytes ||
         write_ - block_begin_ + text.size() > kBlockBytes || next_ - block_first_ >= kBlockLines;
}

void LineStore::close_block() {
  block_begin_ = write_;
  block_first_ = next_;
}

Seq LineStore::append(const SourceLine& line) {
  const std::size_t need = line.text.size() + 1;
  if (write_ + need > kRingBytes) {
    // What the last round left behind the end is the oldest.
    while (oldest_ < next_ && entry(oldest_).position >= write_) evict_oldest();
    write_ = 1;
    block_begin_ = 1;
  }
  while (oldest_ < next_ && entry(oldest_).position >= write_ &&
         entry(oldest_).position < write_ + need)
    evict_oldest();
  if (next_ - oldest_ >= kRingLines) evict_oldest();
  std::memcpy(ring_.data() + write_, line.text.data(), line.text.size());
  ring_[write_ + line.text.size()] = '\n';
  entries_[next_ % kRingLines] = {line.number, line.offset, static_cast<uint32_t>(write_),
                                  static_cast<uint16_t>(line.text.size()), line.flags};
  write_ += need;
  return next_++;
}

std::optional<SourceLine> LineStore::get(Seq seq) const {
  if (seq >= next_) return std::nullopt;
  if (seq >= oldest_) {
    const Entry& e = entry(seq);
    return SourceLine{e.number, e.offset, std::string_view(ring_.data() + e.position, e.length),
                      e.flags};
  }
  const auto found = std::lower_bound(kept_.begin(), kept_.end(), seq,
                                      [](const Kept& k, Seq s) { return k.seq < s; });
  if (found == kept_.end() || found->seq != seq) return std::nullopt;
  return SourceLine{found->number, found->offset, found->text, found->flags};
}

bool LineStore::wanted(Seq seq) const {
  const auto pin = std::lower_bound(pins_.begin(), pins_.end(), seq < kAfter ? 0 : seq - kAfter);
  return pin != pins_.end() && *pin <= seq + kBefore;
}

void LineStore::evict_oldest() {
  const Seq seq = oldest_++;
  if (!wanted(seq)) return;
  const Entry& e = entry(seq);
  const std::string_view text(ring_.data() + e.position,
                              std::min<std::size_t>(e.length, kKeptLineMax));
  kept_.push_back({seq, e.number, e.offset, e.flags, std::string(text)});
  kept_bytes_ += text.size() + kKeptOverhead;
}

void LineStore::unpin(Seq seq) {
  const auto pin = std::lower_bound(pins_.begin(), pins_.end(), seq);
  if (pin == pins_.end() || *pin != seq) return;
  pins_.erase(pin);
  std::erase_if(kept_, [&](const Kept& k) {
    const bool near = k.seq + kBefore >= seq && k.seq <= seq + kAfter;
    if (!near || wanted(k.seq)) return false;
    kept_bytes_ -= k.text.size() + kKeptOverhead;
    return true;
  });
}

}  // namespace gitaiops::diagnosis
