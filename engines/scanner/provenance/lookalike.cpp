#include "engines/scanner/provenance/lookalike.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "base/bytes/bytes.h"

namespace gitaiops::scanner::provenance {

extern const char kPopularNames[];  // popular_names.txt, made by CMake

namespace {

constexpr std::size_t kNameMax = 214;      // npm's own limit, the widest of all
constexpr std::size_t kOneTypoFrom = 6;    // bytes of the popular name from which one typing error
constexpr std::size_t kTwoTyposFrom = 12;  // and from which two make a look-alike

struct Popular {
  std::vector<std::string> names;  // as their registry compares them
  std::set<std::string, std::less<>> set;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::map<Ecosystem, Popular> read_list() {
  std::map<Ecosystem, Popular> out;
  std::optional<Ecosystem> section;
  for (const auto raw : split(kPopularNames, '\n')) {
    const auto line = trimmed(raw);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      section = ecosystem_of(line.substr(1, line.size() - 2));
      continue;
    }
    for (const auto name : split(line, ' ')) {
      if (!section || name.empty()) continue;
      Popular& popular = out[*section];
      auto normal = lower(normalised_name(*section, name));
      if (popular.set.insert(normal).second) popular.names.push_back(std::move(normal));
    }
  }
  return out;
}

const Popular& popular_in(Ecosystem ecosystem) {
  static const auto list = read_list();
  static const Popular none;
  const auto found = list.find(ecosystem);
  return found == list.end() ? none : found->second;
}

bool is_separator(char c) {
  return c == '-' || c == '_' || c == '.';
}

std::string without_separators(std::string_view name) {
  std::string out;
  std::copy_if(name.begin(), name.end(), std::back_inserter(out),
               [](char c) { return !is_separator(c); });
  return out;
}

// What the eye sees: letters and digits that look alike become one, two that look like one as well.
std::string as_seen(std::string_view name) {
  struct Pair {
    std::string_view from, to;
  };
  static constexpr Pair kAlike[] = {
      {"rn", "m"},     {"vv", "w"},     {"cl", "d"},     {"0", "o"},      {"1", "l"},
      {"i", "l"},      {"|", "l"},      {"5", "s"},      {"\u0430", "a"}, {"\u0435", "e"},
      {"\u043e", "o"}, {"\u0440", "p"}, {"\u0441", "c"}, {"\u0445", "x"}, {"\u0443", "y"},
      {"\u0456", "l"}, {"\u0458", "j"}, {"\u0455", "s"}, {"\u04bb", "h"}, {"\u0501", "d"},
      {"\u051b", "q"}, {"\u051d", "w"}, {"\u03bf", "o"}, {"\u03b1", "a"}, {"\u03bd", "v"},
      {"\u03c1", "p"}, {"\u0131", "l"}, {"\u0261", "g"}, {"\u2010", "-"}, {"\u2011", "-"},
  };
  std::string out;
  for (std::size_t i = 0; i < name.size();) {
    const auto pair = std::find_if(std::begin(kAlike), std::end(kAlike), [&](const Pair& p) {
      return name.substr(i).starts_with(p.from);
    });
    if (pair == std::end(kAlike)) {
      out.push_back(name[i++]);
    } else {
      out += pair->to;
      i += pair->from.size();
    }
  }
  return out;
}

// Beneath what only its owner can publish: npm's scope, Composer's vendor, the owner of a Go module
// ("github.com/owner", "golang.org/x", "gopkg.in"); empty where names have no owner.
std::string_view owner_of(Ecosystem ecosystem, std::string_view name) {
  if (ecosystem == Ecosystem::npm)
    return name.starts_with('@') ? name.substr(0, name.find('/')) : std::string_view();
  if (ecosystem == Ecosystem::packagist) return name.substr(0, name.find('/'));
  if (ecosystem != Ecosystem::go) return {};
  const auto host = name.find('/');
  const auto path = host == name.npos ? name.npos : name.find('/', host + 1);
  return name.substr(0, path == name.npos ? host : path);
}

// The part that typing errors are made in: of "@scope/name" the scope.
std::string_view compared_part(Ecosystem ecosystem, std::string_view name) {
  return ecosystem == Ecosystem::npm && name.starts_with('@') ? owner_of(ecosystem, name) : name;
}

// Of a Go module the host says little: it is the same for nearly all.
std::size_t telling_length(Ecosystem ecosystem, std::string_view part) {
  const auto host = ecosystem == Ecosystem::go ? part.find('/') : part.npos;
  return host == part.npos ? part.size() : part.size() - host - 1;
}

std::size_t typos_allowed(Ecosystem ecosystem, std::string_view name, std::string_view popular) {
  const std::size_t length = telling_length(ecosystem, popular);
  if (length >= kTwoTyposFrom) return 2;
  // Whoever mistypes rarely mistypes the first letter.
  return length >= kOneTypoFrom && name.substr(0, 1) == popular.substr(0, 1) ? 1 : 0;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), above(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    if (least > limit) return limit + 1;
    std::swap(before, above);
    std::swap(above, row);
  }
  return std::min(above[b.size()], limit + 1);
}

bool is_popular(Ecosystem ecosystem, std::string_view name) {
  const auto normal = lower(normalised_name(ecosystem, name));
  return popular_in(ecosystem).set.contains(normal);
}

std::optional<LookAlike> look_alike(Ecosystem ecosystem, std::string_view raw) {
  if (raw.empty() || raw.size() > kNameMax) return std::nullopt;
  const auto name = lower(normalised_name(ecosystem, raw));
  const Popular& popular = popular_in(ecosystem);
  if (popular.set.contains(name)) return std::nullopt;
  const auto part = compared_part(ecosystem, name);
  const auto owner = owner_of(ecosystem, name);
  const auto bare = without_separators(part);
  const auto seen = as_seen(part);
  std::optional<LookAlike> typed;
  for (const auto& candidate : popular.names) {
    const auto other = compared_part(ecosystem, candidate);
    // A known owner's other packages are the owner's.
    if (!owner.empty() && owner == owner_of(ecosystem, candidate)) return std::nullopt;
    if (name.starts_with('@') != candidate.starts_with('@')) continue;
    if (bare == without_separators(other)) return LookAlike{candidate, Resemblance::separators};
    if (seen == as_seen(other)) return LookAlike{candidate, Resemblance::characters};
    const auto allowed = typos_allowed(ecosystem, part, other);
    if (!typed && allowed > 0 && edit_distance(part, other, allowed) <= allowed)
      typed = LookAlike{candidate, Resemblance::typing};
  }
  return typed;
}

}  // namespace gitaiops::scanner::provenance
