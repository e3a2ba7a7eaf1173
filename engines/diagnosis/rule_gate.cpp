#include "engines/diagnosis/rule_gate.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kTextsMax = 16;    // that a piece of an expression is written out into
constexpr std::size_t kTextMax = 32;     // bytes of one
constexpr std::size_t kEarlyMin = 7;     // bytes of one that is worth more than what it grows into
constexpr int kRepeatsMax = 6;           // of a letter that are written out
constexpr double kLinesMax = 250;        // of a thousand: with more, looking everywhere is cheaper
constexpr std::size_t kMembersMax = 10;  // of a class that is written out

// Texts in lower case.
using Texts = std::set<std::string>;

// What every match of a piece must contain: one of `words`.
struct Need {
  std::vector<std::string> words;  // empty: not known
  double lines = 1000;             // that have one of them, of a thousand
};

// A piece either matches exactly some texts, or its need is known, or nothing is.
struct Piece {
  std::optional<Texts> exact;
  Need need;
};

// What a need costs: the lines it lets pass, and the words that are to be looked for in all others.
double cost_of(const Need& need) {
  return need.lines + kOneMoreWord * static_cast<double>(need.words.size());
}

// What all texts begin with.
std::string_view common_front(const Texts& texts) {
  const std::string_view first = *texts.begin(),
                         last = *texts.rbegin();  // sorted: the others lie between
  const auto differ = std::mismatch(first.begin(), first.end(), last.begin(), last.end());
  return first.substr(0, static_cast<std::size_t>(differ.first - first.begin()));
}

Need need_of(const Texts& texts) {
  Need need{{}, 0};
  for (const auto& text : texts) {
    if (text.empty()) return {};
    need.words.push_back(word_for(text));
  }
  // Where a word of them stands within another, it alone is enough.
  std::sort(need.words.begin(), need.words.end(), [](const auto& a, const auto& b) {
    return a.size() < b.size() || (a.size() == b.size() && a < b);
  });
  std::vector<std::string> least;
  for (auto& word : need.words) {
    if (std::none_of(least.begin(), least.end(),
                     [&](const auto& shorter) { return word.find(shorter) != word.npos; }))
      least.push_back(std::move(word));
  }
  need.words = std::move(least);
  for (const auto& word : need.words) need.lines += lines_with(word);
  // "ts10", "ts11" ...: "ts1" costs less, if it is as rare.
  if (const auto front = common_front(texts); texts.size() > 1 && front.size() >= kEarlyMin) {
    const Need one{{word_for(front)}, lines_with(word_for(front))};
    if (cost_of(one) < cost_of(need)) return one;
  }
  return need;
}

// Pieces one after another: neighbours that are exact are written out together.
class Sequence {
 public:
  void add(const Texts& texts) {
    // Before there are more of them. Short ones stand in more lines than can be told.
    if (texts.size() > 1 && shortest(run_) >= kEarlyMin) offer(need_of(run_));
    if (run_.size() * texts.size() > kTextsMax || longest(run_) + longest(texts) > kTextMax) cut();
    Texts longer;
    for (const auto& head : run_) {
      for (const auto& tail : texts) longer.insert(head + tail);
    }
    run_ = std::move(longer);
  }
  // What comes next is not a neighbour of what came before.
  void cut() {
    offer(need_of(run_));
    run_ = {""};
    whole_ = false;
  }
  void offer(Need need) {
    if (!need.words.empty() && cost_of(need) < cost_of(best_)) best_ = std::move(need);
  }
  Piece piece() {
    if (whole_) return {run_, {}};
    cut();
    return {{}, std::move(best_)};
  }

 private:
  static std::size_t longest(const Texts& texts) {
    std::size_t size = 0;
    for (const auto& text : texts) size = std::max(size, text.size());
    return size;
  }

  static std::size_t shortest(const Texts& texts) {
    std::size_t size = kTextMax;
    for (const auto& text : texts) size = std::min(size, text.size());
    return size;
  }

  Texts run_{""};
  bool whole_ = true;  // the run is all there was
  Need best_;
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Reads an expression from left to right. Doubt always ends in "not known".
class Reader {
 public:
  explicit Reader(std::string_view expression) : text_(expression) {}

  Need need() {
    Piece all = alternatives();
    if (at_ != text_.size() || bad_) return {};
    return all.exact ? need_of(*all.exact) : std::move(all.need);
  }

 private:
  struct Times {
    int least = 1;
    bool more = false;
  };

  // Up to the closing parenthesis or the end: every branch has a need of its own.
  Piece alternatives() {
    std::vector<Piece> branches{sequence()};
    while (more() && text_[at_] == '|') {
      ++at_;
      branches.push_back(sequence());
    }
    Piece all{Texts{}, {{}, 0}};
    bool known = true;
    for (Piece& branch : branches) {
      if (branch.exact && all.exact) all.exact->insert(branch.exact->begin(), branch.exact->end());
      if (!branch.exact || (all.exact && all.exact->size() > kTextsMax)) all.exact.reset();
      if (branch.exact) branch.need = need_of(*branch.exact);
      known = known && !branch.need.words.empty();
      all.need.words.insert(all.need.words.end(), branch.need.words.begin(),
                            branch.need.words.end());
      all.need.lines += branch.need.lines;
    }
    if (!known) all.need = {};
    return all;
  }

  Piece sequence() {
    Sequence all;
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      Piece next = atom();
      const Times times = quantifier();
      if (!next.exact) {
        all.cut();
        if (times.least > 0) all.offer(std::move(next.need));
      } else if (times.least == 0 && times.more) {
        all.cut();
      } else if (times.least == 0) {
        next.exact->insert("");
        all.add(*next.exact);
      } else {
        const bool letter = next.exact->size() == 1;
        for (int i = 0; i < (letter ? std::min(times.least, kRepeatsMax) : 1); ++i)
          all.add(*next.exact);
        if (times.least == 1 && !times.more) continue;
        if (letter && times.least <= kRepeatsMax && !times.more) continue;
        all.cut();
        all.add(*next.exact);  // the last time stands before what comes next
      }
    }
    return all.piece();
  }

  Piece atom() {
    const char c = text_[at_++];
    if (c == '\\') return escape();
    if (c == '[') return letters();
    if (c == '(') return group();
    if (c == '^' || c == '$') return {Texts{"\n"}, {}};
    if (c == '.') return {};
    return {Texts{std::string(1, lower(c))}, {}};
  }

  Piece escape() {
    if (!more()) {
      bad_ = true;
      return {};
    }
    const char c = text_[at_++];
    if (c == 'b' || c == 'B') return {Texts{""}, {}};
    if (c == 't') return {Texts{"\t"}, {}};
    if (c == 'd') return {digits(), {}};
    if (c == 'w' || c == 's' || c == 'D' || c == 'W' || c == 'S') return {};
    if (std::isalnum(static_cast<unsigned char>(c))) bad_ = true;
    return {Texts{std::string(1, c)}, {}};
  }

  static Texts digits() {
    Texts all;
    for (char c = '0'; c <= '9'; ++c) all.insert(std::string(1, c));
    return all;
  }

  // A class of few letters; others are not known.
  Piece letters() {
    Texts members;
    bool few = true;
    const bool negated = more() && text_[at_] == '^';
    if (negated) ++at_;
    for (bool first = true; more() && (first || text_[at_] != ']'); first = false) {
      char c = text_[at_++];
      if (c == '[' && more() && (text_[at_] == ':' || text_[at_] == '.' || text_[at_] == '='))
        bad_ = true;
      if (c == '\\' && more()) {
        c = text_[at_++];
        if (c == 'd')
          members.merge(digits());
        else if (std::isalnum(static_cast<unsigned char>(c)) && c != 't')
          few = false;
        if (c == 'd') continue;
        if (c == 't') c = '\t';
      }
      const auto from = static_cast<unsigned char>(c);
      unsigned char to = from;
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        to = static_cast<unsigned char>(text_[at_ + 1]);
        if (text_[at_ + 1] == '\\' || to < from || to - from > 10)
          few = false;  // what is left of it is read as further members
        else
          at_ += 2;
      }
      for (int member = from; few && member <= to; ++member)
        members.insert(std::string(1, lower(static_cast<char>(member))));
    }
    if (!more()) bad_ = true;
    ++at_;
    if (negated || !few || members.empty() || members.size() > kMembersMax) return {};
    return {std::move(members), {}};
  }

  Piece group() {
    if (text_.substr(at_).starts_with("?i)")) {
      at_ += 3;
      return {Texts{""}, {}};
    }
    if (text_.substr(at_).starts_with("?:"))
      at_ += 2;
    else if (text_.substr(at_).starts_with("?"))
      bad_ = true;
    Piece inner = alternatives();
    if (!more()) bad_ = true;
    ++at_;  // ')'
    return inner;
  }

  // After another quantifier a question mark only says "as few as possible", a plus "all or
  // nothing".
  Times quantifier() {
    Times times;
    for (bool first = true; more(); first = false) {
      Times next;
      if (text_[at_] == '?')
        next = {0, false}, ++at_;
      else if (text_[at_] == '*')
        next = {0, true}, ++at_;
      else if (text_[at_] == '+')
        next = {1, true}, ++at_;
      else if (!counted(next))
        break;
      if (first) times = next;
    }
    return times;
  }

  // {2}, {2,} or {2,5}; any other brace is a letter.
  bool counted(Times& times) {
    if (text_[at_] != '{') return false;
    const auto close = text_.find('}', at_);
    if (close == text_.npos) return false;
    const auto inner = text_.substr(at_ + 1, close - at_ - 1);
    const auto comma = std::min(inner.find(','), inner.size());
    const auto number = [](std::string_view digits) {
      return std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    if (comma == 0 || comma > 4 || !number(inner.substr(0, comma)) ||
        !number(inner.substr(std::min(comma + 1, inner.size()))))
      return false;
    times = {0, comma < inner.size()};
    for (const char c : inner.substr(0, comma)) times.least = times.least * 10 + (c - '0');
    if (inner == "0" || inner == "0,0") bad_ = true;
    at_ = close + 1;
    return true;
  }

  bool more() const { return at_ < text_.size(); }

  std::string_view text_;
  std::size_t at_ = 0;
  bool bad_ = false;  // something that is not understood
};

}  // namespace

std::vector<std::string> words_of(std::string_view expression) {
  Need need = Reader(expression).need();
  if (need.lines > kLinesMax) return {};
  return std::move(need.words);
}

}  // namespace gitaiops::diagnosis
