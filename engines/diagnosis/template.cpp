// Lines without what varies between two runs, so that the same line of another run is the same
// text; the baseline of passing runs is a set of their hashes.
#include <algorithm>

#include "engines/diagnosis/observed.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kTemplateMax = 256;      // bytes of a line that count
constexpr std::size_t kBaselineMax = 200'000;  // hashes: 1.6 MB

bool word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// A word with a digit varies (numbers, hashes, identifiers, versions), and so does a long
// hexadecimal one.
bool varies(std::string_view w) {
  const bool digits = std::any_of(w.begin(), w.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && (w.size() >= 6 || (w[0] >= '0' && w[0] <= '9'));
}

class Hasher final : public LineSink {
 public:
  explicit Hasher(std::vector<uint64_t>& into) : into_(into) {}
  void on_line(const SourceLine& line) override {
    if (into_.size() < kBaselineMax) into_.push_back(template_hash(line.text));
  }
  void on_marker(Marker, std::string_view, uint8_t) override {}

 private:
  std::vector<uint64_t>& into_;
};

}  // namespace

std::string masked_template(std::string_view line) {
  line = trimmed(line.substr(0, kTemplateMax));
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    if (!word(line[i])) {
      out.push_back(line[i++]);
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && word(line[end])) ++end;
    const auto w = line.substr(i, end - i);
    if (!varies(w))
      out.append(w);
    else if (!out.ends_with("#"))
      out.push_back('#');
    i = end;
  }
  return out;
}

uint64_t template_hash(std::string_view line) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : masked_template(line))
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

void Baseline::add(std::string_view log) {
  Hasher hasher(hashes_);
  LineSource source(hasher);
  source.feed(log);
  source.finish();
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

void Baseline::add_templates(const std::vector<uint64_t>& templates) {
  const std::size_t room = kBaselineMax - std::min(kBaselineMax, hashes_.size());
  hashes_.insert(hashes_.end(), templates.begin(),
                 templates.begin() + static_cast<std::ptrdiff_t>(std::min(room, templates.size())));
  std::sort(hashes_.begin(), hashes_.end());
  hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
}

bool Baseline::contains(uint64_t hash) const {
  return std::binary_search(hashes_.begin(), hashes_.end(), hash);
}

}  // namespace gitaiops::diagnosis
