// Composer's constraints: alternatives ("||") of conjunctions (" " or ",") of tildes, carets,
// wildcards, hyphen ranges and plain comparisons over canonical versions.
#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/scanner/versions/composer.h"
#include "engines/scanner/versions/order.h"
#include "engines/scanner/versions/ranges.h"

namespace gitaiops::scanner::order {
namespace {

struct Bound {
  std::string_view op;  // "==", "!=", "<", "<=", ">", ">="
  std::string version;  // canonical
};
using Bounds = std::vector<Bound>;

// "v?1.2.3.4" with stability or ".x", and build metadata: what tildes, carets and hyphens take.
struct Written {
  std::vector<std::string> numbers;
  Stability stability;
  bool wild = false;  // ends in ".x"
  std::string text;   // as written

  bool says_stability() const { return stability.any(); }
};

std::optional<Written> read_written(std::string_view text) {
  Written out;
  out.text = text;
  if (text.starts_with('v')) text.remove_prefix(1);
  while (out.numbers.size() < 4) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    if (n == 0) break;
    out.numbers.emplace_back(text.substr(0, n));
    text.remove_prefix(n);
    if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) break;
    if (out.numbers.size() < 4) text.remove_prefix(1);
  }
  if (out.numbers.empty()) return std::nullopt;
  if (text.starts_with(".x") || text.starts_with(".*")) {
    out.wild = true;
    text.remove_prefix(2);
  } else {
    out.stability = take_stability(text);
  }
  if (!text.empty() && text[0] != '+') return std::nullopt;
  return out;
}

// "1.2.0.0" from the numbers up to `position`, the last of them raised by `more`.
std::string up_to(const std::vector<std::string>& numbers, std::size_t position, bool more) {
  std::array<std::string, 4> out = {"0", "0", "0", "0"};
  for (std::size_t i = 0; i < position && i < numbers.size(); ++i) out[i] = numbers[i];
  if (more) {
    std::string& last = out[position - 1];
    auto i = last.size();
    while (i > 0 && last[i - 1] == '9') last[--i] = '0';
    if (i == 0)
      last.insert(0, 1, '1');
    else
      ++last[i - 1];
  }
  return out[0] + "." + out[1] + "." + out[2] + "." + out[3];
}

std::string lowest_of(const Written& w) {
  auto version = composer_normalised(w.text).value_or(up_to(w.numbers, 4, false));
  return w.says_stability() ? version : version + "-dev";
}

std::optional<Bounds> tilde(std::string_view text) {
  const auto w = read_written(text);
  if (!w) return std::nullopt;
  const auto position = w->numbers.size() + (w->wild ? 1 : 0);
  const auto high = std::max<std::size_t>(1, position - 1);
  return Bounds{{">=", w->wild ? up_to(w->numbers, 4, false) + "-dev" : lowest_of(*w)},
                {"<", up_to(w->numbers, high, true) + "-dev"}};
}

std::optional<Bounds> caret(std::string_view text) {
  const auto w = read_written(text);
  if (!w) return std::nullopt;
  const auto& n = w->numbers;
  std::size_t position = 3;
  if (n[0] != "0" || n.size() < 2)
    position = 1;
  else if (n[1] != "0" || n.size() < 3)
    position = 2;
  return Bounds{{">=", w->wild ? up_to(n, 4, false) + "-dev" : lowest_of(*w)},
                {"<", up_to(n, position, true) + "-dev"}};
}

// "1.2.*"; nullopt for anything else.
std::optional<Bounds> wildcard(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  std::vector<std::string> numbers;
  bool wild = false;
  for (const auto part : split(text, '.')) {
    if (part == "x" || part == "*") {
      wild = true;
    } else if (all_digits(part) && !wild) {
      numbers.emplace_back(part);
    } else {
      return std::nullopt;
    }
  }
  if (!wild || numbers.size() > 3) return std::nullopt;
  if (numbers.empty()) return Bounds{};
  Bounds out;
  const std::string low = up_to(numbers, numbers.size(), false) + "-dev";
  if (low != "0.0.0.0-dev") out.push_back({">=", low});
  out.push_back({"<", up_to(numbers, numbers.size(), true) + "-dev"});
  return out;
}

std::optional<Bounds> hyphen(std::string_view from, std::string_view to) {
  const auto low = read_written(from), high = read_written(to);
  if (!low || !high) return std::nullopt;
  Bounds out{{">=", lowest_of(*low)}};
  if (high->numbers.size() >= 3 || high->says_stability())
    out.push_back({"<=", composer_normalised(high->text).value_or(high->text)});
  else
    out.push_back({"<", up_to(high->numbers, high->numbers.size(), true) + "-dev"});
  return out;
}

std::optional<Bounds> plain(std::string_view text, std::string_view stability) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOperators = {
      {{"<>", "!="},
       {"!=", "!="},
       {">=", ">="},
       {"<=", "<="},
       {"==", "=="},
       {">", ">"},
       {"<", "<"},
       {"=", "=="}}};
  std::string_view op = "==";
  bool bare = true;
  for (const auto& [written, means] : kOperators) {
    if (!text.starts_with(written)) continue;
    op = means;
    bare = false;
    text = trimmed(text.substr(written.size()));
    break;
  }
  auto version = composer_normalised(text);
  if (!version && text.ends_with("-dev"))
    version = composer_normalised("dev-" + std::string(text.substr(0, text.size() - 4)));
  if (!version) return std::nullopt;
  const bool stable = version->find('-') == std::string::npos;
  if (!bare && op != "==" && !stability.empty() && stable) {
    (*version += '-') += stability;
  } else if (op == "<" || op == ">=") {
    auto rest = text.starts_with('v') ? text.substr(1) : text;
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789."), rest.size()));
    const std::string words = lower(rest);
    std::string_view left = words;
    const bool says = words.starts_with('-') && take_stability(left).any() && left.empty();
    if (!says && !text.starts_with("dev-")) *version += "-dev";
  }
  return Bounds{{op, std::move(*version)}};
}

std::optional<Bounds> read_one(std::string_view written) {
  std::string text = lower(written);
  if (const auto alias = text.find(" as "); alias != text.npos) text.resize(alias);
  std::string stability;
  if (const auto at = text.rfind('@'); at != text.npos) {
    const auto flag = text.substr(at + 1);
    for (const std::string_view known : {"stable", "rc", "beta", "alpha", "dev"}) {
      if (flag != known) continue;
      if (known != "stable") stability = known == "rc" ? "RC" : known;
      text.resize(at);
      if (text.empty()) text = "*";
      break;
    }
  }
  if (const auto hash = text.find('#');
      hash != text.npos && (text.starts_with("dev-") || text.substr(0, hash).ends_with(".x-dev")))
    text.resize(hash);  // the commit of a branch
  const std::string_view t = text;
  if (t.starts_with("~>")) return std::nullopt;
  if (t.starts_with('~')) return tilde(trimmed(t.substr(1)));
  if (t.starts_with('^')) return caret(trimmed(t.substr(1)));
  if (auto bounds = wildcard(t)) return bounds;
  return plain(t, stability);
}

// Conjunctions: split at white space and commas, but an operator keeps the version behind it.
std::vector<std::string> conjunction(std::string_view text) {
  std::vector<std::string> out;
  std::string current;
  const auto separates = [](char c) { return c == ' ' || c == ',' || c == '\t'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!separates(text[i])) {
      current += text[i];
      continue;
    }
    const bool operator_waits =
        !current.empty() && current.find_first_not_of("<>=!~^") == std::string::npos;
    auto next = text.substr(i);
    next.remove_prefix(std::min(next.find_first_not_of(" ,\t"), next.size()));
    if (next.starts_with("as ") && !current.empty()) {
      (current += ' ') += next;
      break;
    }
    if (!operator_waits && !current.empty()) {
      out.push_back(std::move(current));
      current.clear();
    }
  }
  if (!current.empty()) out.push_back(std::move(current));
  return out;
}

std::optional<Bounds> read_all(std::string_view text) {
  text = trimmed(text);
  if (const auto at = text.find(" - "); at != text.npos) {
    const std::string from = lower(trimmed(text.substr(0, at)));
    const std::string to = lower(trimmed(text.substr(at + 3)));
    return hyphen(from, to);
  }
  Bounds out;
  const auto parts = conjunction(text);
  if (parts.empty()) return std::nullopt;
  for (const auto& part : parts) {
    auto bounds = read_one(part);
    if (!bounds) return std::nullopt;
    out.insert(out.end(), bounds->begin(), bounds->end());
  }
  return out;
}

bool holds(const Bound& bound, const std::string& version) {
  const bool branches = bound.version.starts_with("dev-") || version.starts_with("dev-");
  if (branches) {
    // A branch has no place in the order.
    if (bound.op == "!=") return !version.starts_with("dev-") || version != bound.version;
    return bound.op == "==" && version == bound.version;
  }
  const auto order = compare_php(version, bound.version);
  if (bound.op == "==") return order == 0;
  if (bound.op == "!=") return order != 0;
  if (bound.op == "<") return order < 0;
  if (bound.op == "<=") return order <= 0;
  if (bound.op == ">") return order > 0;
  return order >= 0;
}

}  // namespace

Match match_packagist(std::string_view version, std::string_view constraint) {
  const auto normalised = composer_normalised(version);
  if (!normalised || trimmed(constraint).empty()) return Match::invalid;
  bool any = false;
  while (true) {
    const auto bar = std::min(constraint.find('|'), constraint.size());
    const auto bounds = read_all(constraint.substr(0, bar));
    if (!bounds) return Match::invalid;
    any = any || std::all_of(bounds->begin(), bounds->end(),
                             [&](const Bound& b) { return holds(b, *normalised); });
    if (bar == constraint.size()) return match_if(any);
    constraint.remove_prefix(bar + 1);
    if (constraint.starts_with('|')) constraint.remove_prefix(1);
  }
}

}  // namespace gitaiops::scanner::order
