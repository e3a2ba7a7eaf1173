#include "engines/diagnosis/evidence.h"

#include <algorithm>
#include <map>
#include <set>

namespace gitaiops::diagnosis {
namespace {

constexpr Seq kReach = 400;               // lines that a chunk is followed up or down
constexpr std::size_t kLineShown = 1000;  // bytes of one line in an excerpt
constexpr std::size_t kChunkHead = 27;    // of a long chunk: lines before and after the gap
constexpr std::size_t kChunkTail = 12;
constexpr std::size_t kChunksShown = 6;
constexpr Seq kPacketTail = 80;  // last lines of the step for the packet
constexpr Seq kPacketAround = 8;
constexpr int kAlikeInPacket = 3;  // candidates that differ in numbers only

bool blank(std::string_view text) {
  return trimmed(text).empty();
}

std::size_t indent(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) {
    if (c == ' ')
      ++columns;
    else if (c == '\t')
      columns += 4;
    else
      break;
  }
  return columns;
}

bool rule_line(std::string_view text) {
  text = trimmed(text);
  return text.size() >= 10 &&
         (text.find_first_not_of("=") == text.npos || text.find_first_not_of("-") == text.npos ||
          text.find_first_not_of("*") == text.npos ||
          ((text.starts_with("====") || text.starts_with("____")) &&
           (text.ends_with("====") || text.ends_with("____"))));
}

// Walks the stored lines around a candidate, never past the zone's end when it starts inside.
class Grower {
 public:
  Grower(const Observed& seen, const Zone& zone, const Found& found)
      : seen_(seen), start_(found.seq) {
    limit_ = found.seq < zone.end ? zone.end : seen.lines.end();
    top_ = text(start_).value_or("");
    for (const Found& f : seen.candidates) {
      if (rule_of(seen, f).kind == Kind::cause &&
          rule_of(seen, f).category == rule_of(seen, found).category) {
        same_.insert(f.seq);
      }
    }
  }

  Extent grow(Block block) const {
    switch (block) {
      case Block::line:
      case Block::command:
        return {start_, start_};
      case Block::paragraph:
        return {up_to_blank(), down_paragraph()};
      case Block::trace:
        return {up_to_header(), down_indent()};
      case Block::java:
        return {start_, down_java()};
      case Block::compiler:
        return {up_compiler(), down_compiler()};
      case Block::diff:
        return {start_, down_diff()};
      case Block::report:
        return {up_to_rule(), down_report()};
      case Block::indent:
        break;
    }
    return {start_, down_indent()};
  }

 private:
  std::optional<std::string_view> text(Seq seq) const {
    const auto line = seq < limit_ || seq == start_ ? seen_.lines.get(seq) : std::nullopt;
    if (!line || line->flags & kCommand) return std::nullopt;
    return line->text;
  }
  Seq top_limit() const { return start_ > kReach ? start_ - kReach : 0; }
  Seq low_limit() const { return start_ + kReach; }

  // Deeper lines belong to it, and blank ones between them.
  Seq down_indent() const {
    const std::size_t base = indent(top_);
    Seq last = start_;
    int blanks = 0;
    for (Seq s = start_ + 1; s <= low_limit(); ++s) {
      const auto line = text(s);
      if (!line) break;
      if (blank(*line)) {
        if (++blanks > 1) break;
        continue;
      }
      const bool caret = trimmed(*line).front() == '^' || trimmed(*line).front() == '|';
      if (indent(*line) <= base && !caret) break;
      last = s;
      blanks = 0;
    }
    return last;
  }

  Seq down_paragraph() const {
    Seq last = start_;
    for (Seq s = start_ + 1; s <= low_limit(); ++s) {
      const auto line = text(s);
      if (!line || blank(*line)) break;
      last = s;
    }
    return last;
  }

  Seq up_to_blank() const {
    Seq first = start_;
    for (Seq s = start_; s > top_limit() && s > 0; --s) {
      const auto line = text(s - 1);
      if (!line || blank(*line) || start_ - s >= kChunkLines / 2) break;
      first = s - 1;
    }
    return first;
  }

  // The head of a traceback; without one the line stands alone.
  Seq up_to_header() const {
    for (Seq s = start_; s > top_limit() && s > 0; --s) {
      const auto line = text(s - 1);
      if (!line) break;
      if (line->find("Traceback (most recent call last)") != line->npos) return s - 1;
      if (blank(*line) && start_ - s > 2) break;
      if (indent(*line) <= indent(top_) && !blank(*line)) break;
    }
    return start_;
  }

  Seq down_java() const {
    Seq last = start_;
    for (Seq s = start_ + 1; s <= low_limit(); ++s) {
      const auto line = text(s);
      if (!line || blank(*line)) break;
      const auto body = trimmed(*line);
      const bool frame = body.starts_with("at ") || body.starts_with("... ") ||
                         body.starts_with("Caused by") || body.starts_with("Suppressed:");
      const bool message = s <= start_ + 3 || indent(*line) > indent(top_);
      if (!frame && !message) break;
      last = s;
    }
    return last;
  }

  Seq up_compiler() const {
    Seq first = start_;
    while (first > top_limit() && first > 0) {
      const auto line = text(first - 1);
      if (!line) break;
      const bool belongs =
          same_.contains(first - 1) || line->starts_with("In file included from") ||
          line->find(": In ") != line->npos || line->starts_with("                 from ");
      if (!belongs) break;
      --first;
    }
    return first;
  }

  Seq down_compiler() const {
    Seq last = start_;
    int others = 0;
    for (Seq s = start_ + 1; s <= low_limit(); ++s) {
      const auto line = text(s);
      if (!line) break;
      if (same_.contains(s) || (!blank(*line) && indent(*line) > indent(top_))) {
        last = s;
        others = 0;
      } else if (blank(*line) || trimmed(*line).starts_with("^") || others == 0) {
        if (++others > 2) break;
      } else {
        break;
      }
    }
    return last;
  }

  Seq down_diff() const {
    Seq last = start_;
    for (Seq s = start_ + 1; s <= low_limit(); ++s) {
      const auto line = text(s);
      if (!line) break;
      const bool part = line->empty() ||
                        std::string_view("+-@ \\").find(line->front()) != std::string_view::npos ||
                        line->starts_with("index ") || line->starts_with("diff ");
      if (!part) break;
      if (!blank(*line)) last = s;
    }
    return last;
  }

  Seq up_to_rule() const {
    for (Seq s = start_; s > top_limit() && s > 0 && start_ - s < 200; --s) {
      const auto line = text(s - 1);
      if (!line) break;
      if (rule_line(*line)) return s - 1;
    }
    return start_;
  }

  Seq down_report() const {
    Seq last = start_;
    int blanks = 0;
    for (Seq s = start_ + 1; s <= low_limit(); ++s) {
      const auto line = text(s);
      if (!line || (rule_line(*line) && s > start_ + 2)) break;
      if (blank(*line)) {
        if (++blanks > 1) break;
        continue;
      }
      blanks = 0;
      last = s;
    }
    return last;
  }

  const Observed& seen_;
  Seq start_, limit_ = 0;
  std::string_view top_;
  std::set<Seq> same_;
};

struct Part {
  uint64_t number = 0;
  std::string text;
};

// The lines of an extent, the middle of a long one elided.
Excerpt excerpt(const Observed& seen, Extent extent, uint64_t* redacted) {
  std::vector<Part> parts;
  for (Seq s = extent.first; s <= extent.last; ++s) {
    if (const auto line = seen.lines.get(s))
      parts.push_back({line->number, std::string(line->text)});
  }
  while (!parts.empty() && blank(parts.back().text)) parts.pop_back();
  if (parts.empty()) return {};
  Excerpt out{parts.front().number, parts.back().number, {}};
  // Secrets that span lines are only seen in the whole text, and must go before anything is cut.
  std::string all;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i) all += '\n';
    all += to_utf8(parts[i].text);
  }
  auto clean = redact(all);
  *redacted += clean.count;
  const auto lines = split(clean.text, '\n');
  const bool gap = lines.size() > kChunkLines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (gap && i == kChunkHead) {
      out.text += "… (" + std::to_string(lines.size() - kChunkHead - kChunkTail) + " lines)\n";
      i = lines.size() - kChunkTail;
    }
    out.text += truncate_utf8(lines[i], kLineShown);
    if (i + 1 < lines.size()) out.text += '\n';
  }
  return out;
}

}  // namespace

Extent extent_of(const Observed& seen, const Zone& zone, const Found& found) {
  return Grower(seen, zone, found).grow(rule_of(seen, found).block);
}

std::vector<Excerpt> evidence_for(const Observed& seen, const Zone& zone,
                                  const std::vector<Ranked>& ranked, uint64_t* redacted) {
  std::vector<Extent> extents;
  const bool with_command = !ranked.empty() && !zone.command.empty() &&
                            rule_of(seen, ranked.front().found).block == Block::command;
  if (with_command) extents.push_back({zone.begin, zone.begin});
  for (const Ranked& r : ranked) {
    if (extents.size() == kChunksShown) break;
    const Ranked& root = ranked.front();
    const bool belongs = &r == &root || (r.found.rule == root.found.rule &&
                                         r.found.rule != kNoRule && r.score >= 0.8 * root.score);
    if (!belongs) continue;
    const Extent e = extent_of(seen, zone, r.found);
    const auto touching = std::find_if(extents.begin(), extents.end(), [&](const Extent& o) {
      return e.first <= o.last + 1 && o.first <= e.last + 1;
    });
    if (touching == extents.end()) {
      extents.push_back(e);
    } else {
      touching->first = std::min(touching->first, e.first);
      touching->last = std::max(touching->last, e.last);
    }
  }
  std::vector<Excerpt> out;
  std::size_t bytes = 0;
  for (const Extent& e : extents) {
    Excerpt x = excerpt(seen, e, redacted);
    if (x.text.empty()) continue;
    if (bytes + x.text.size() > kEvidenceBytes) {
      if (!out.empty()) break;
      x.text = truncate_utf8(x.text, kEvidenceBytes);
    }
    bytes += x.text.size();
    out.push_back(std::move(x));
  }
  return out;
}

std::vector<Excerpt> packet_for(const Observed& seen, const Zone& zone,
                                const std::vector<Ranked>& ranked, uint64_t* redacted) {
  std::set<Seq> chosen;
  std::size_t bytes = 0;
  const auto take = [&](Seq seq) {
    const auto line = seen.lines.get(seq);
    if (!line || chosen.contains(seq)) return;
    const std::size_t cost = std::min(line->text.size(), kLineShown) + 1;
    if (bytes + cost > kPacketBytes) return;
    chosen.insert(seq);
    bytes += cost;
  };
  const auto take_extent = [&](Extent e) {
    for (Seq s = e.first; s <= e.last && s < e.first + kChunkLines; ++s) take(s);
  };
  const auto take_around = [&](const Ranked& r) {
    take_extent({r.found.seq > kPacketAround ? r.found.seq - kPacketAround : 0,
                 r.found.seq + kPacketAround});
  };
  std::vector<const Ranked*> causes, others;  // of the failing step; everything else
  std::map<uint64_t, int> alike;
  for (const Ranked& r : ranked) {
    const auto line = seen.lines.get(r.found.seq);
    if (line && ++alike[template_hash(line->text)] > kAlikeInPacket) continue;
    const bool cause = rule_of(seen, r.found).kind == Kind::cause && r.found.seq >= zone.begin &&
                       r.found.seq < zone.end;
    (cause ? causes : others).push_back(&r);
  }
  for (std::size_t i = 0; i < ranked.size() && i < 3; ++i)
    take_extent(extent_of(seen, zone, ranked[i].found));
  for (const Ranked* r : causes) take(r->found.seq);
  for (Seq s = zone.end; s > zone.begin && s + kPacketTail > zone.end; --s) take(s - 1);
  for (const Ranked* r : others) take(r->found.seq);
  for (const Ranked* r : causes) take_extent(extent_of(seen, zone, r->found));
  for (const Ranked* r : causes) take_around(*r);
  for (const Ranked* r : others) take_extent(extent_of(seen, zone, r->found));
  // What room is left goes to the lines from the cause on, for long reports are cut at their chunk,
  // and then to what the step said before its end.
  if (!ranked.empty()) {
    for (Seq s = ranked.front().found.seq; s < zone.end; ++s) take(s);
  }
  for (Seq s = zone.end; s > zone.begin; --s) take(s - 1);
  for (const Ranked* r : others) take_around(*r);
  std::vector<Excerpt> out;
  bytes = 0;
  for (auto at = chosen.begin(); at != chosen.end();) {
    Extent e{*at, *at};
    while (++at != chosen.end() && *at == e.last + 1 && e.last - e.first + 1 < kChunkLines)
      e.last = *at;
    Excerpt x = excerpt(seen, e, redacted);
    if (x.text.empty() || bytes + x.text.size() > kPacketBytes) continue;
    bytes += x.text.size();
    out.push_back(std::move(x));
  }
  return out;
}

}  // namespace gitaiops::diagnosis
