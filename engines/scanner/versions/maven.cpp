// Maven's ComparableVersion (the POM reference's "Version Order Specification"): a tree of numbers,
// words and, after each hyphen or change between digits and letters, a list of its own, always the
// last one of the list that it stands in.
//
// OSV's order is that specification's. Maven since 3.8.7 reads ".x1" as "-x1", and keeps the list
// of a trimmed "-ga": its own ranges go by that.
#include <algorithm>
#include <array>
#include <memory>

#include "engines/scanner/versions/order.h"

namespace gitaiops::scanner::order {
namespace {

struct Item {
  enum class Kind { number, word, list } kind = Kind::list;
  std::string text;         // digits without leading zeros, or a word
  std::vector<Item> items;  // of a list
};

constexpr std::array<std::string_view, 7> kQualifiers = {"alpha",    "beta", "milestone", "rc",
                                                         "snapshot", "",     "sp"};
constexpr std::size_t kRelease = 5;

std::size_t rank(std::string_view word) {
  return static_cast<std::size_t>(std::find(kQualifiers.begin(), kQualifiers.end(), word) -
                                  kQualifiers.begin());
}

std::weak_ordering compare_words(std::string_view a, std::string_view b) {
  const auto left = rank(a), right = rank(b);
  if (left != right) return left <=> right;
  return left < kQualifiers.size() ? std::weak_ordering::equivalent : a.compare(b) <=> 0;
}

std::string word_of(std::string word, bool before_digit) {
  if (before_digit && word.size() == 1) {
    if (word == "a") return "alpha";
    if (word == "b") return "beta";
    if (word == "m") return "milestone";
  }
  if (word == "ga" || word == "final" || word == "release") return "";
  return word == "cr" ? "rc" : word;
}

bool is_nothing(const Item& item) {
  return item.kind == Item::Kind::list ? item.items.empty() : item.text.empty();
}

// Zeros, empty words and empty lists at the end, and before a list at the end, count for nothing.
void normalise(std::vector<Item>& items) {
  for (auto i = items.size(); i-- > 0;) {
    if (is_nothing(items[i]))
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    else if (items[i].kind != Item::Kind::list)
      break;
  }
}

// The lists nest only at the end, so that each is read as one level and then put into the one
// before it.
Item read(std::string_view version, MavenRules rules) {
  // What hostile input may nest is bounded by its length; no version is that long.
  constexpr std::size_t kMaxLength = 4096;
  const std::string text = lower(version.substr(0, kMaxLength));
  std::vector<std::vector<Item>> levels(1);
  std::size_t start = 0;
  bool digits = false;
  const auto part = [&](std::size_t end, bool before_digit) {
    std::string word = text.substr(start, end - start);
    return digits ? Item{Item::Kind::number, std::string(without_zeros(word)), {}}
                  : Item{Item::Kind::word, word_of(std::move(word), before_digit), {}};
  };
  const auto open_for_word = [&] {
    if (rules == MavenRules::tool && !digits && !levels.back().empty()) levels.emplace_back();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' || c == '-') {
      levels.back().push_back(i == start ? Item{Item::Kind::number, "", {}} : part(i, false));
      start = i + 1;
      if (c == '-') levels.emplace_back();
    } else {
      if (is_digit(c) != digits && i > start) {
        open_for_word();
        levels.back().push_back(part(i, !digits));
        start = i;
        levels.emplace_back();
      }
      digits = is_digit(c);
    }
  }
  if (start < text.size()) {
    open_for_word();
    levels.back().push_back(part(text.size(), false));
  }
  while (levels.size() > 1) {
    auto inner = std::move(levels.back());
    levels.pop_back();
    normalise(inner);
    if (rules == MavenRules::specification && inner.size() == 1 &&
        inner[0].kind == Item::Kind::list)
      inner = std::vector<Item>(std::move(inner[0].items));
    levels.back().push_back({Item::Kind::list, "", std::move(inner)});
  }
  normalise(levels.back());
  return {Item::Kind::list, "", std::move(levels.back())};
}

std::weak_ordering against_nothing(const Item& item) {
  switch (item.kind) {
    case Item::Kind::number:
      return item.text.empty() ? std::weak_ordering::equivalent : std::weak_ordering::greater;
    case Item::Kind::word:
      return rank(item.text) <=> kRelease;
    case Item::Kind::list:
      break;
  }
  for (const Item* list = &item; list;) {
    const Item* last = nullptr;
    for (const auto& inner : list->items) {
      if (inner.kind == Item::Kind::list) {
        last = &inner;  // only ever the last one
        break;
      }
      if (const auto order = against_nothing(inner); order != 0) return order;
    }
    list = last;
  }
  return std::weak_ordering::equivalent;
}

std::weak_ordering compare_kinds(Item::Kind a, Item::Kind b) {
  const auto weight = [](Item::Kind k) {
    return k == Item::Kind::word ? 0 : k == Item::Kind::list ? 1 : 2;
  };
  return weight(a) <=> weight(b);
}

std::weak_ordering compare(const Item& a, const Item& b) {
  const Item *left = &a, *right = &b;
  while (true) {
    const Item *inner_left = nullptr, *inner_right = nullptr;
    const auto count = std::max(left->items.size(), right->items.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::weak_ordering order = std::weak_ordering::equivalent;
      if (i >= left->items.size()) {
        order = 0 <=> against_nothing(right->items[i]);
      } else if (i >= right->items.size()) {
        order = against_nothing(left->items[i]);
      } else {
        const auto &l = left->items[i], &r = right->items[i];
        if (l.kind != r.kind)
          order = compare_kinds(l.kind, r.kind);
        else if (l.kind == Item::Kind::number)
          order = compare_numbers(l.text, r.text);
        else if (l.kind == Item::Kind::word)
          order = compare_words(l.text, r.text);
        else
          inner_left = &l, inner_right = &r;
      }
      if (order != 0) return order;
      if (inner_left) break;
    }
    if (!inner_left) return std::weak_ordering::equivalent;
    left = inner_left;
    right = inner_right;
  }
}

}  // namespace

std::string maven_canonical(std::string_view version) {
  std::string out;
  const Item tree = read(version, MavenRules::specification);
  for (const Item* list = &tree; list;) {
    out += '-';
    const Item* last = nullptr;
    for (const auto& item : list->items) {
      if (item.kind == Item::Kind::list)
        last = &item;
      else
        (out += '.') += item.text;
    }
    list = last;
  }
  return out;
}

std::weak_ordering compare_maven(std::string_view a, std::string_view b, MavenRules rules) {
  return compare(read(a, rules), read(b, rules));
}

}  // namespace gitaiops::scanner::order
