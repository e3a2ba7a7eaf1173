#include "engines/diagnosis/lines_around.h"

#include <algorithm>

#include "engines/diagnosis/line_source.h"
#include "engines/diagnosis/private_keys.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kLineBytes = 1024;  // of one line in an excerpt

}  // namespace

struct CleanLines::State final : LineSink {
  explicit State(Sink to) : source(*this), sink(std::move(to)) {}
  void on_line(const SourceLine& line) override {
    std::string text(line.text);
    // The lines of a private key, also of one that began before what is asked for.
    if (const auto begin = keys.follow(line.text); begin != line.text.npos)
      text = text.substr(0, begin) + "[REDACTED]";
    sink(line.number, to_utf8(redact(text).text));
  }
  void on_marker(Marker, std::string_view, uint8_t) override {}

  LineSource source;
  KeyLines keys;
  Sink sink;
};

CleanLines::CleanLines(Sink sink) : state_(std::make_unique<State>(std::move(sink))) {}
CleanLines::~CleanLines() = default;
void CleanLines::feed(std::string_view bytes) {
  state_->source.feed(bytes);
}
void CleanLines::finish() {
  state_->source.finish();
}

LinesAround::LinesAround(uint64_t line, uint32_t before, uint32_t after)
    : line_(std::max<uint64_t>(line, 1)),
      first_(line_ - std::min<uint64_t>({line_ - 1, before, kMost})),
      last_(line_ + std::min(after, kMost)) {}

void LinesAround::take(uint64_t number, std::string_view text) {
  newest_ = std::max(newest_, number);
  complete_ = complete_ || number > last_;
  if (number >= first_ && number <= last_)
    lines_.emplace_back(number, truncate_utf8(text, kLineBytes));
}

Result<Excerpt> LinesAround::excerpt() const {
  if (newest_ < line_)
    return Error(Code::not_found, "the log has no line " + std::to_string(line_));
  std::deque<std::string> texts(last_ - first_ + 1);
  uint64_t first = first_, last = std::min(last_, newest_);
  texts.resize(last - first + 1);
  std::size_t bytes = texts.size();
  for (const auto& [number, text] : lines_) {
    bytes += text.size();
    texts[number - first_] = text;
  }
  // Whichever end is farther from the line goes.
  while (bytes > kMaxBytes && texts.size() > 1) {
    auto& gone = line_ - first >= last - line_ ? texts.front() : texts.back();
    bytes -= gone.size() + 1;
    if (line_ - first >= last - line_) {
      texts.pop_front();
      ++first;
    } else {
      texts.pop_back();
      --last;
    }
  }
  Excerpt out{first, last, {}};
  for (std::size_t i = 0; i < texts.size(); ++i) out.text += (i > 0 ? "\n" : "") + texts[i];
  // Once more as a whole, for what only shows across lines.
  out.text = redact(out.text).text;
  return out;
}

}  // namespace gitaiops::diagnosis
