#include "engines/diagnosis/line_source.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kRawHead = kRawLineMax * 3 / 4;
constexpr std::size_t kHead = kLineMax * 3 / 4;
constexpr std::size_t kOscMax = 512;  // an unterminated OSC swallows no more than this

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool hex_digit(char c) {
  return digit(c) || (c >= 'a' && c <= 'f');
}

// Whether every character of `shape` fits: 'd' digit, everything else itself.
bool fits(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'd' ? !digit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

constexpr std::string_view kRunnerTime = "dddd-dd-ddTdd:dd:dd.ddddddZ ";
constexpr std::string_view kGithubTime = "dddd-dd-ddTdd:dd:dd.dddddddZ ";

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

// Any byte below 0x20 other than tab: only then is there something to peel inside the line.
bool has_controls(std::string_view text) {
  const char* p = text.data();
  std::size_t n = text.size();
  uint64_t seen = 0;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    seen |= (word - 0x2020202020202020ULL) & ~word;
  }
  if (!(seen & 0x8080808080808080ULL) && n == 0) return false;
  if (!(seen & 0x8080808080808080ULL)) text = std::string_view(p, n);
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; });
}

// Appends to a buffer that keeps the first `head` bytes of all and the last `max - head`.
void append_capped(std::string& buffer, uint64_t& size, std::string_view more, std::size_t head,
                   std::size_t max) {
  size += more.size();
  if (buffer.size() + more.size() <= max) {
    buffer.append(more);
    return;
  }
  const std::size_t tail = max - head;
  if (buffer.size() < head) {
    const std::size_t take = std::min(more.size(), head - buffer.size());
    buffer.append(more.substr(0, take));
    more.remove_prefix(take);
  }
  if (more.size() >= tail) {
    buffer.resize(head);
    buffer.append(more.substr(more.size() - tail));
    return;
  }
  buffer.append(more);
  if (buffer.size() > max) buffer.erase(head, buffer.size() - max);
}

struct ParsedMarker {
  std::size_t length = 0;
  bool known = false;  // delivered to the sink; travis_time is only peeled
  Marker marker = Marker::runner_start;
  std::string_view name;
  bool travis_command = false;
};

bool name_char(char c) {
  return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
         c == '-';
}

std::size_t name_end(std::string_view text, std::size_t from) {
  while (from < text.size() && name_char(text[from])) ++from;
  return from;
}

// The marker must be closed by a carriage return, an erase sequence or the end of the line; plain
// words are text.
std::optional<std::size_t> closed(std::string_view text, std::size_t at) {
  if (at == text.size()) return at;
  if (text[at] == '\r')
    ++at;
  else if (!text.substr(at).starts_with("\x1b[0K"))
    return std::nullopt;
  if (text.substr(at).starts_with("\x1b[0K")) at += 4;
  return at;
}

std::optional<ParsedMarker> gitlab_marker(std::string_view text) {
  ParsedMarker found;
  found.known = true;
  std::size_t at = 0;
  if (text.starts_with("section_start:"))
    at = 14;
  else if (text.starts_with("section_end:"))
    at = 12, found.marker = Marker::runner_end;
  else
    return std::nullopt;
  const std::size_t digits = at;
  while (at < text.size() && digit(text[at])) ++at;
  if (at == digits || at >= text.size() || text[at] != ':') return std::nullopt;
  const std::size_t name = ++at;
  at = name_end(text, at);
  if (at == name || at - name > 128) return std::nullopt;
  found.name = text.substr(name, at - name);
  if (at < text.size() && text[at] == '[') {
    const std::size_t close = text.substr(0, std::min(text.size(), at + 256)).find(']', at);
    if (close == std::string_view::npos) return std::nullopt;
    at = close + 1;
  }
  const auto end = closed(text, at);
  if (!end) return std::nullopt;
  found.length = *end;
  return found;
}

std::optional<ParsedMarker> travis_marker(std::string_view text) {
  ParsedMarker found;
  std::size_t at = 0;
  if (text.starts_with("travis_fold:start:"))
    at = 18, found.known = true, found.marker = Marker::travis_start;
  else if (text.starts_with("travis_fold:end:"))
    at = 16, found.known = true, found.marker = Marker::travis_end;
  else if (text.starts_with("travis_time:start:"))
    at = 18, found.travis_command = true;
  else if (text.starts_with("travis_time:end:"))
    at = 16;
  else
    return std::nullopt;
  const std::size_t name = at;
  at = name_end(text, at);
  found.name = text.substr(name, std::min<std::size_t>(at - name, 128));
  while (at < text.size() &&
         (name_char(text[at]) || text[at] == ':' || text[at] == '=' || text[at] == ','))
    ++at;
  const auto end = closed(text, at);
  if (!end) return std::nullopt;
  found.length = *end;
  return found;
}

std::optional<ParsedMarker> marker_at(std::string_view text) {
  if (text.starts_with("section_")) return gitlab_marker(text);
  if (text.starts_with("travis_")) return travis_marker(text);
  return std::nullopt;
}

// Length of the escape sequence at text[0] == ESC; `sgr` receives the parameters of a colour
// change.
std::size_t escape_length(std::string_view text, std::string_view* sgr) {
  if (text.size() < 2) return text.size();
  if (text[1] == '[') {
    std::size_t at = 2;
    while (at < text.size() && text[at] >= 0x20 && text[at] < 0x40) ++at;
    if (at >= text.size()) return text.size();
    if (text[at] < 0x40 || text[at] > 0x7e) return at;  // broken off: what follows is text again
    if (text[at] == 'm') *sgr = text.substr(2, at - 2);
    return at + 1;
  }
  if (text[1] == ']' || text[1] == 'P' || text[1] == '_' || text[1] == '^') {
    const std::size_t limit = std::min(text.size(), kOscMax);
    for (std::size_t at = 2; at < limit; ++at) {
      if (text[at] == '\a') return at + 1;
      if (text[at] == '\x1b') return at + 1 < text.size() && text[at + 1] == '\\' ? at + 2 : at;
    }
    return 2;
  }
  if (text[1] == '(' || text[1] == ')') return std::min<std::size_t>(3, text.size());
  return static_cast<unsigned char>(text[1]) >= 0x20 ? 2 : 1;
}

bool is_red(std::string_view sgr) {
  for (std::size_t at = 0; at <= sgr.size();) {
    const std::size_t end = std::min(sgr.find(';', at), sgr.size());
    const auto part = sgr.substr(at, end - at);
    if (part == "38" || part == "48")
      return false;  // a palette colour: its numbers mean something else
    if (part == "31" || part == "91") return true;
    at = end + 1;
  }
  return false;
}

// What is no text: all below the blank but the tab, and DEL.
bool control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

bool github_command(std::string_view text) {
  return text.starts_with("##[group]Run ");
}

}  // namespace

void LineSource::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const void* found = std::memchr(bytes.data(), '\n', bytes.size());
    if (!found) {
      append_open(bytes);
      return;
    }
    const std::size_t length = static_cast<const char*>(found) - bytes.data();
    if (open_size_ == 0 && length <= kRawLineMax) {
      ++lines_;
      physical(bytes.substr(0, length));
      line_start_ += length + 1;
    } else {
      append_open(bytes.substr(0, length));
      close_open();
      ++line_start_;
    }
    bytes.remove_prefix(length + 1);
  }
}

void LineSource::finish() {
  if (open_size_ > 0) close_open();
  while (!pending_.empty()) emit_front();
}

// A line that outgrows its bound while it has carriage returns is no line that a progress bar wrote
// over, but a log whose lines are closed by them alone: it is cut there, the pieces share its
// number.
void LineSource::append_open(std::string_view bytes) {
  while (open_size_ == open_.size() && open_.size() + bytes.size() > kRawLineMax) {
    const std::size_t take = kRawLineMax - open_.size();
    open_.append(bytes.substr(0, take));
    open_size_ += take;
    bytes.remove_prefix(take);
    const auto last = open_.rfind('\r');
    if (last == std::string::npos) break;
    by_returns_ = true;
    cut_open(last + 1);
  }
  append_capped(open_, open_size_, bytes, kRawHead, kRawLineMax);
}

// Hands on the pieces of the first `size` bytes of the open line, each closed by a carriage return.
void LineSource::cut_open(std::size_t size) {
  ++lines_;  // they are of the line that is not finished yet
  for (std::size_t at = 0; at < size;) {
    const std::size_t end = std::min(open_.find('\r', at), size);
    physical(std::string_view(open_).substr(at, end - at));
    line_start_ += std::min(end + 1, size) - at;
    at = end + 1;
  }
  --lines_;
  open_.erase(0, size);
  open_size_ -= size;
}

void LineSource::close_open() {
  if (by_returns_ && open_size_ == open_.size()) cut_open(open_.size());
  ++lines_;
  if (!by_returns_ || open_size_ > 0) physical(open_);
  line_start_ += open_size_;
  open_.clear();
  open_size_ = 0;
  by_returns_ = false;
}

void LineSource::physical(std::string_view raw) {
  if (raw.size() >= 28 && raw[4] == '-' && raw[10] == 'T' && digit(raw[0])) {
    if (fits(raw, kRunnerTime) && raw.size() >= 32 && hex_digit(raw[28]) && hex_digit(raw[29]) &&
        (raw[30] == 'O' || raw[30] == 'E') && (raw[31] == ' ' || raw[31] == '+')) {
      const uint32_t stream = static_cast<uint32_t>(raw[28]) << 16 |
                              static_cast<uint32_t>(raw[29]) << 8 | static_cast<uint32_t>(raw[30]);
      timestamped(raw.substr(32), stream, raw[31] == '+');
      return;
    }
    if (fits(raw, kGithubTime)) raw.remove_prefix(kGithubTime.size());
  }
  while (!pending_.empty()) emit_front();
  logical(raw, lines_, line_start_, 0);
}

void LineSource::timestamped(std::string_view rest, uint32_t stream, bool continues) {
  // The runner writes whole lines, and the end of a job must not wait for a line that never comes.
  const bool runner = (stream >> 8) == (static_cast<uint32_t>('0') << 8 | '0');
  if (runner) {
    while (!pending_.empty()) emit_front();
    logical(rest, lines_, line_start_, kRunnerSaid);
    return;
  }
  const auto same = std::find_if(pending_.rbegin(), pending_.rend(), [&](const Pending& p) {
    return p.stream == stream && !p.complete;
  });
  if (continues && same != pending_.rend()) {
    uint64_t size = same->raw.size();
    append_capped(same->raw, size, rest, kRawHead, kRawLineMax);
    return;
  }
  if (same != pending_.rend()) same->complete = true;
  emit_complete();
  if (pending_.size() >= kPendingMax) emit_front();
  Pending next{.stream = stream,
               .number = lines_,
               .offset = line_start_,
               .flags = kJobSaid,
               .complete = false,
               .raw = {}};
  uint64_t size = 0;
  append_capped(next.raw, size, rest, kRawHead, kRawLineMax);
  pending_.push_back(std::move(next));
}

void LineSource::emit_front() {
  const Pending front = std::move(pending_.front());
  pending_.erase(pending_.begin());
  logical(front.raw, front.number, front.offset, front.flags);
}

void LineSource::emit_complete() {
  while (!pending_.empty() && pending_.front().complete) emit_front();
}

void LineSource::logical(std::string_view raw, uint64_t number, uint64_t offset, uint8_t flags) {
  while (raw.ends_with('\r')) raw.remove_suffix(1);
  if (raw.size() > kLineMax || has_controls(raw) || raw.starts_with("section_")) {
    logical_slow(raw, number, offset, flags);
    return;
  }
  if (github_command(raw)) flags |= kCommand;
  if (travis_command_ && !raw.empty()) {
    if (raw.starts_with("$ ")) flags |= kCommand;
    travis_command_ = false;
  }
  sink_->on_line({number, offset, raw, flags});
}

// A run of text at a time, for the lines that need it. Output without a newline may be followed by
// a marker and then by more text: then one physical line gives two.
void LineSource::logical_slow(std::string_view raw, uint64_t number, uint64_t offset,
                              uint8_t flags) {
  segment_.clear();
  kept_.clear();
  uint8_t own = flags;
  bool green = false, any_marker = false;
  std::size_t begin = 0;
  const auto emit = [&](bool force) {
    const std::string& text = !blank(segment_) ? segment_ : kept_;
    if (!force && blank(text)) return;
    std::string_view out = text;
    std::string cut;
    if (out.size() > kLineMax) {
      cut.append(out.substr(0, kHead))
          .append(" … ")
          .append(out.substr(out.size() - (kLineMax - kHead - 8)));
      out = cut;
    }
    if (((green || travis_command_) && out.starts_with("$ ")) || github_command(out))
      own |= kCommand;
    if (!blank(out)) travis_command_ = false;
    sink_->on_line({number, offset + begin, out, own});
    segment_.clear();
    kept_.clear();
    own = flags;
    green = false;
  };
  for (std::size_t i = 0; i < raw.size();) {
    const char c = raw[i];
    if (c == '\x1b') {
      std::string_view sgr;
      i += escape_length(raw.substr(i), &sgr);
      if (is_red(sgr)) own |= kRed;
      if (sgr == "32;1" && segment_.empty()) green = true;
      continue;
    }
    if (c == '\r') {
      if (!blank(segment_)) kept_ = segment_;
      segment_.clear();
      ++i;
      continue;
    }
    if ((c == 's' || c == 't') && raw.size() - i > 10) {
      if (const auto found = marker_at(raw.substr(i))) {
        emit(false);
        if (found->known) sink_->on_marker(found->marker, found->name, flags);
        if (found->travis_command) travis_command_ = true;
        i += found->length;
        begin = i;
        any_marker = true;
        continue;
      }
    }
    if (control(c)) {
      if (c == '\b' && !segment_.empty()) segment_.pop_back();
      ++i;
      continue;
    }
    // Up to the next byte that may be something else than text.
    std::size_t end = i + 1;
    while (end < raw.size() && !control(raw[end]) && raw[end] != 's' && raw[end] != 't') ++end;
    segment_.append(raw.substr(i, end - i));
    i = end;
  }
  emit(!any_marker);
}

}  // namespace gitaiops::diagnosis
