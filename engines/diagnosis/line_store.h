// The lines that can still be quoted: the newest ones in a ring, and of older ones those around a
// candidate. Memory is fixed: kRingBytes of text, kRingLines entries, kKeptBytes around candidates.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/diagnosis/line_source.h"

namespace gitaiops::diagnosis {

// The how-manieth line this is, from 0; one physical line can give two of them.
using Seq = uint64_t;

class LineStore {
 public:
  static constexpr std::size_t kRingBytes = 256 << 10;
  static constexpr std::size_t kRingLines = 4096;
  static constexpr std::size_t kKeptBytes = 96 << 10;
  static constexpr std::size_t kKeptLineMax = 1024;
  static constexpr std::size_t kBlockBytes = 32 << 10;
  static constexpr std::size_t kBlockLines = 1024;

  LineStore();

  // Whether the block of unread lines must be read and closed before `text` is appended.
  bool block_full(std::string_view text) const;
  Seq append(const SourceLine& line);
  std::optional<SourceLine> get(Seq seq) const;
  Seq end() const { return next_; }

  // A \n and the lines that were appended since the last close_block, each followed by \n.
  std::string_view block() const {
    return {ring_.data() + block_begin_ - 1, write_ - block_begin_ + 1};
  }
  Seq block_first() const { return block_first_; }
  std::size_t block_offset(Seq seq) const { return entry(seq).position - block_begin_ + 1; }
  std::size_t length(Seq seq) const { return entry(seq).length; }
  void close_block();

  // Lines `before` and `after` around a pinned one survive the ring, as long as the budget lasts.
  void pin(Seq seq) { pins_.push_back(seq); }
  void unpin(Seq seq);
  bool over_budget() const { return kept_bytes_ > kKeptBytes; }

  static constexpr Seq kBefore = 12;
  static constexpr Seq kAfter = 40;

 private:
  struct Entry {
    uint64_t number = 0;
    uint64_t offset = 0;
    uint32_t position = 0;
    uint16_t length = 0;
    uint8_t flags = 0;
  };
  struct Kept {
    Seq seq = 0;
    uint64_t number = 0;
    uint64_t offset = 0;
    uint8_t flags = 0;
    std::string text;
  };
  const Entry& entry(Seq seq) const { return entries_[seq % kRingLines]; }
  bool wanted(Seq seq) const;
  void evict_oldest();

  std::vector<char> ring_;
  std::vector<Entry> entries_;
  std::size_t write_ = 1;  // before the first line stands a \n too
  Seq oldest_ = 0;
  Seq next_ = 0;
  std::size_t block_begin_ = 1;
  Seq block_first_ = 0;
  std::vector<Seq> pins_;  // ascending
  std::deque<Kept> kept_;  // ascending
  std::size_t kept_bytes_ = 0;
};

}  // namespace gitaiops::diagnosis
