#include "engines/diagnosis/private_keys.h"

#include <algorithm>
#include <array>

#include "base/bytes/bytes.h"
#include "engines/diagnosis/entropy.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kKeyBytesMax = 64 << 10;  // from BEGIN to END, prefixes included
constexpr int kStrangersMax = 8;                // lines of others between a key's
constexpr std::size_t kFirstBody = 16;          // bytes of base64 that may begin a key's body
constexpr std::size_t kFullMin = 60;            // bytes of a full line of base64, and one more for
constexpr std::size_t kFullMax = 77;            // the sign of a diff, which is of the alphabet
constexpr double kFullEntropy = 4.7;            // bits a byte; random base64 has 5.3, paths 4.3
constexpr auto npos = std::string_view::npos;

constexpr auto kBase64 = [] {
  std::array<bool, 256> out{};
  for (int c = '0'; c <= '9'; ++c) out[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) out[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) out[c] = true;
  out['+'] = out['/'] = out['='] = true;
  return out;
}();

bool base64(char c) {
  return kBase64[static_cast<unsigned char>(c)];
}

struct Span {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

// The base64 text that a line ends with; what program text and terminals add is not looked at.
Span tail_of(std::string_view line) {
  std::size_t end = line.size();
  while (end > 0) {
    const char c = line[end - 1];
    const auto head = line.substr(0, end);
    if (head.ends_with("\\n") || head.ends_with("\\r")) {
      end -= 2;
    } else if (c == '+' && end > 1 && std::string_view(" \"'").find(line[end - 2]) != npos) {
      --end;
    } else if (std::string_view(" \t\r\"',;\\)").find(c) != npos) {
      --end;
    } else if (const auto escape = c == 'm' || c == 'K' ? head.rfind("\x1b[") : npos;
               escape != npos && end - escape <= 8) {
      end = escape;
    } else {
      break;
    }
  }
  std::size_t begin = end;
  while (begin > 0 && base64(line[begin - 1])) --begin;
  return {begin, end};
}

// "-----BEGIN … PRIVATE KEY-----" or the same with END.
Span marker(std::string_view text, std::string_view word, std::size_t from) {
  while (true) {
    const auto at = text.find(word, from);
    if (at == npos) return {npos, npos};
    std::size_t end = at + word.size();
    const std::size_t limit = std::min(text.size(), end + 64);
    while (end < limit && (text[end] == ' ' || (text[end] >= 'A' && text[end] <= 'Z') ||
                           (text[end] >= '0' && text[end] <= '9')))
      ++end;
    const bool key = text.substr(at, end - at).find("PRIVATE KEY") != npos;
    while (end < text.size() && text[end] == '-') ++end;
    if (key) return {at, end};
    from = at + word.size();
  }
}
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";

bool mixed(std::string_view text) {
  bool lower = false, upper = false, digit = false;
  for (const char c : text) {
    lower |= c >= 'a' && c <= 'z';
    upper |= c >= 'A' && c <= 'Z';
    digit |= c >= '0' && c <= '9';
  }
  return lower && upper && digit;
}

std::string_view indent_of(std::string_view line) {
  return line.substr(0, std::min(line.find_first_not_of(" \t\"'"), line.size()));
}

// Whether a line is of a key of which others have `prefix`: at least `shortest` bytes of base64
// behind the same, or, as behind times of other lengths, what is long and looks random.
bool belongs(std::string_view line, std::string_view prefix, std::size_t shortest) {
  const Span tail = tail_of(line);
  if (line.starts_with(prefix) && tail.begin <= prefix.size() &&
      tail.end >= prefix.size() + shortest)
    return true;
  const auto text = line.substr(tail.begin, tail.size());
  return text.size() >= kFirstBody && mixed(text) && entropy(text) >= 3.5;
}

// The lines of a text by their place, filled once somebody needs them.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at <= text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      lines_.push_back({at, end});
      at = end + 1;
    }
  }
  std::size_t count() const { return lines_.size(); }
  std::size_t begin(std::size_t line) const { return lines_[line].begin; }
  std::string_view operator[](std::size_t line) const {
    return text_.substr(lines_[line].begin, lines_[line].size());
  }
  std::size_t at(std::size_t offset) const {
    const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset,
                                        [](std::size_t o, const Span& s) { return o < s.begin; });
    return static_cast<std::size_t>(after - lines_.begin()) - 1;
  }

 private:
  std::string_view text_;
  std::vector<Span> lines_;
};

class Finder {
 public:
  explicit Finder(std::string_view text) : text_(text), lines_(text), hidden_(lines_.count()) {}

  std::vector<KeyPiece> take() { return std::move(found_); }

  void marked() {
    std::size_t at = 0;
    for (Span begin = marker(text_, kBegin, 0); begin.begin != npos;) {
      ends_without_begin(at, begin.begin);
      const Span next = marker(text_, kBegin, begin.end);
      const auto reach = text_.substr(0, std::min(next.begin, begin.end + kKeyBytesMax));
      const Span end = marker(reach, kEnd, begin.end);
      const bool whole =
          end.begin != npos && lines_.at(end.begin) - lines_.at(begin.begin) <= kKeyLinesMax;
      if (whole)
        hide_whole(begin, end);
      else
        follow(begin, next.begin);
      at = whole ? end.end : begin.end;
      begin = next;
    }
    ends_without_begin(at, npos);
  }

  // Full lines of base64 one after another, and what is left of the key around them.
  void unmarked() {
    for (std::size_t i = 0; i < lines_.count();) {
      std::size_t last = i;
      double bits = 0;
      const std::size_t size = tail_of(lines_[i]).size();
      while (last < lines_.count() && !hidden_[last] && full(lines_[last], size)) {
        const auto line = lines_[last];
        const Span tail = tail_of(line);
        bits += entropy(line.substr(tail.begin, tail.size()));
        ++last;
      }
      const std::size_t count = last - i;
      if (count < 2 || bits < kFullEntropy * static_cast<double>(count) || open_text(i)) {
        i = std::max(last, i + 1);
        continue;
      }
      bool first = true;
      if (i == 1 && !hidden_[0] && tail_of(lines_[0]).size() >= 8)
        hide_tail(0, &first);  // cut at the front
      const auto prefix = lines_[i].substr(0, tail_of(lines_[i]).begin);
      for (; i < last; ++i) hide_tail(i, &first);
      if (i < lines_.count() && !hidden_[i] && belongs(lines_[i], prefix, 1)) hide_tail(i, &first);
    }
  }

 private:
  bool full(std::string_view line, std::size_t size) const {
    const Span tail = tail_of(line);
    return size >= kFullMin && size <= kFullMax && tail.size() == size &&
           !line.substr(0, tail.begin).ends_with("sha384-") &&
           mixed(line.substr(tail.begin, tail.size()));
  }
  // Certificates and public keys are for everyone.
  bool open_text(std::size_t line) const {
    return line > 0 && lines_[line - 1].find(kBegin) != npos &&
           marker(lines_[line - 1], kBegin, 0).begin == npos;
  }

  // Within a line.
  void hide(std::size_t begin, std::size_t end, bool* first) {
    if (begin >= end) return;
    hidden_[lines_.at(begin)] = true;
    found_.push_back({begin, end, *first});
    *first = false;
  }
  void hide_tail(std::size_t line, bool* first) {
    const Span tail = tail_of(lines_[line]);
    hide(lines_.begin(line) + tail.begin, lines_.begin(line) + tail.end, first);
  }

  void hide_whole(Span begin, Span end) {
    const std::size_t top = lines_.at(begin.begin), bottom = lines_.at(end.begin);
    const auto prefix = lines_[top].substr(0, begin.begin - lines_.begin(top));
    bool first = true;
    for (std::size_t i = top; i <= bottom; ++i) {
      const std::size_t skipped = lines_[i].starts_with(prefix) ? prefix.size() : 0;
      hide(lines_.begin(i) + skipped, i == bottom ? end.end : lines_.begin(i) + lines_[i].size(),
           &first);
    }
  }

  void follow(Span begin, std::size_t until) {
    KeyLines key;
    bool first = true;
    const std::size_t top = lines_.at(begin.begin);
    if (top == followed_) return;  // begun twice on a line
    followed_ = top;
    for (std::size_t i = top; i < lines_.count() && i < top + kKeyLinesMax; ++i) {
      if (i > top && lines_.begin(i) > until) break;
      const std::size_t part = key.follow(lines_[i]);
      if (part == npos) continue;
      const std::size_t end = lines_.begin(i) + lines_[i].size();
      // A message that only names the marker keeps what it says behind it.
      const bool named = i == top && !long_run(text_.substr(begin.end, end - begin.end));
      hide(lines_.begin(i) + part, named ? begin.end : end, &first);
    }
  }

  // From an END upwards, as long as the lines are of a key.
  void ends_without_begin(std::size_t from, std::size_t until) {
    const auto reach = text_.substr(0, until);
    for (Span end = marker(reach, kEnd, from); end.begin != npos;
         end = marker(reach, kEnd, end.end)) {
      const std::size_t bottom = lines_.at(end.begin);
      if (bottom == ended_) continue;
      ended_ = bottom;
      const std::size_t column = end.begin - lines_.begin(bottom);
      std::vector<std::size_t> body;
      for (std::size_t i = bottom; i > 0 && body.size() < kKeyLinesMax; --i) {
        const auto prefix = lines_[bottom].substr(0, column);
        if (lines_.begin(i - 1) < from ||
            !belongs(lines_[i - 1], prefix, body.empty() ? 1 : kFirstBody))
          break;
        body.push_back(i - 1);
      }
      bool first = true;
      for (const std::size_t i : body) hide_tail(i, &first);
      // What stands on the line of END itself, with its newlines written out.
      const std::size_t cut = start_of_body(lines_[bottom].substr(0, column));
      if (column - cut >= kFirstBody)
        hide(lines_.begin(bottom) + cut, end.end, &first);
      else if (!body.empty())
        hide(end.begin, end.end, &first);
    }
  }

  // Of base64 up to the end of `text`, its lines joined by blanks or written-out newlines.
  static std::size_t start_of_body(std::string_view text) {
    std::size_t cut = text.size();
    bool short_one = false;
    for (std::size_t at = cut; at > 0;) {
      while (at > 0 && text[at - 1] == ' ') --at;
      const std::size_t end = at;
      while (at > 0 && (base64(text[at - 1]) || text[at - 1] == '\\')) --at;
      if (end - at >= kFirstBody) {
        cut = at;
      } else {
        if (short_one || end == at || cut != text.size()) break;
        short_one = true;
      }
    }
    return cut;
  }

  static bool long_run(std::string_view text) {
    std::size_t run = 0;
    for (const char c : text) {
      run = base64(c) ? run + 1 : 0;
      if (run == kFirstBody) return true;
    }
    return false;
  }

  std::string_view text_;
  Lines lines_;
  std::vector<bool> hidden_;                    // lines with a piece
  std::size_t followed_ = npos, ended_ = npos;  // lines whose marker was looked at
  std::vector<KeyPiece> found_;
};

// Whether a run as long as a full line of base64 is anywhere: one look in so many bytes finds it.
bool has_full_run(std::string_view text) {
  for (std::size_t at = kFullMin - 1; at < text.size();) {
    std::size_t begin = at, end = at;
    while (begin > 0 && at - begin < kFullMin && base64(text[begin - 1]) && base64(text[at]))
      --begin;
    while (end < text.size() && base64(text[end])) ++end;
    if (base64(text[at]) && end - begin >= kFullMin) return true;
    at = std::max(end, at) + kFullMin;
  }
  return false;
}

}  // namespace

std::size_t KeyLines::follow(std::string_view line) {
  began_ = false;
  if (const auto begin = line.find(kBegin) == npos ? Span{npos, npos} : marker(line, kBegin, 0);
      begin.begin != npos) {
    began_ = true;
    seen_body_ = false;
    strangers_ = 0;
    prefix_.assign(line.substr(0, begin.begin));
    left_ = marker(line, kEnd, begin.end).begin == npos ? kKeyLinesMax : 0;
    return begin.begin;
  }
  if (left_ == 0) return npos;
  --left_;
  if (const auto end = marker(line, kEnd, 0); end.begin != npos) {
    left_ = 0;
    return line.starts_with(prefix_) ? prefix_.size() : end.begin;
  }
  const std::size_t part = body(line);
  if (part != npos) {
    seen_body_ = true;
    strangers_ = 0;
  } else if (trimmed(line).size() > 0 && line.find("Proc-Type:") == npos &&
             line.find("DEK-Info:") == npos && ++strangers_ >= kStrangersMax) {
    left_ = 0;
  }
  return part;
}

std::size_t KeyLines::body(std::string_view line) const {
  const Span tail = tail_of(line);
  const std::size_t shortest = seen_body_ ? 1 : kFirstBody;
  // Behind the name of a field a key goes on at the front of the next lines.
  if (belongs(line, prefix_, shortest) || belongs(line, indent_of(line), shortest))
    return tail.begin;
  return npos;
}

std::vector<KeyPiece> private_keys(std::string_view text) {
  const bool marked = text.find("PRIVATE KEY") != npos;
  const bool full = has_full_run(text);
  if (!marked && !full) return {};
  Finder finder(text);
  if (marked) finder.marked();
  if (full) finder.unmarked();
  return finder.take();
}

}  // namespace gitaiops::diagnosis
