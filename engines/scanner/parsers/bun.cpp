// bun.lock: JSON with comments and commas at the end. "packages" has a tuple for each place in
// node_modules ("parent/child"): ["name@version", registry, {dependencies…}, integrity], shorter
// for what comes from elsewhere (bun's own src/install/lockfile/bun.lock.zig).
#include <unordered_map>

#include "engines/scanner/parsers/npm.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Value;

// The place above: "a/@s/b" → "a".
std::string_view above(std::string_view place) {
  auto cut = place.rfind('/');
  if (cut == place.npos) return {};
  const auto before = place.substr(0, cut);
  const auto start = before.rfind('/') + 1;
  if (before.substr(start).starts_with('@'))
    return start ? before.substr(0, start - 1) : std::string_view();
  return before;
}

class Lock {
 public:
  Lock(Extract& out, const File& file) : out_(out), file_(file) {}

  void packages(Value packages) {
    for (const auto item : packages) package(item);
    for (const auto item : packages) {
      const auto found = at_.find(item.key());
      if (found == at_.end()) continue;
      for (const auto part : item)
        for (const auto section : {"dependencies", "optionalDependencies", "peerDependencies"})
          for (const auto need : part[section]) edge(found->second, item.key(), need);
    }
    if (searched_ > kMaxSearch)
      problem(out_, file_, 0, "its packages nest so deep that dependencies were left out");
  }

  void workspaces(Value workspaces) {
    constexpr std::pair<std::string_view, Scope> kSections[] = {
        {"dependencies", Scope::runtime},
        {"optionalDependencies", Scope::optional},
        {"devDependencies", Scope::development}};
    for (const auto member : workspaces) {
      if (member.key().empty()) {
        out_.root = member["name"].text();
        out_.root_version = member["version"].text();
      } else {
        out_.members.emplace_back(member.key());
      }
      for (const auto& [section, scope] : kSections)
        for (const auto item : member[section])
          out_.asks.push_back({{std::string(member["name"].text()) + "/" + std::string(item.key()),
                                std::string(item.key())},
                               std::string(item.text()),
                               scope});
    }
  }

 private:
  void package(Value item) {
    const auto first = *item.begin();
    if (!item.is_array() || !first.is_string()) {
      problem(out_, file_, item.line(),
              "\"" + std::string(item.key()) + "\" should be a list that begins with name@version");
      return;
    }
    const auto named = descriptor(first.text());
    const bool elsewhere = is_place(named.range) || named.range == "root:";
    Entry& entry = add(out_, file_, Ecosystem::npm, named.name,
                       elsewhere ? std::string_view() : named.range, item.line());
    if (elsewhere) entry.package.source = named.range;
    std::string_view last;
    int position = 0;
    for (const auto part : item) {
      if (position++ == 1 && part.is_string() && !elsewhere) entry.package.source = part.text();
      if (part.is_string()) last = part.text();
    }
    if (position > 2) add_integrity(entry.package, last);
    entry.keys = {std::string(item.key())};
    at_.emplace(item.key(), static_cast<uint32_t>(out_.entries.size() - 1));
  }

  void edge(uint32_t from, std::string_view place, Value need) {
    const auto name = need.key();
    while (searched_ <= kMaxSearch) {
      searched_ += place.size() + name.size();
      const std::string wanted =
          place.empty() ? std::string(name) : std::string(place) + "/" + std::string(name);
      if (const auto found = at_.find(wanted); found != at_.end()) {
        depend(out_.entries[from].package, found->second, without_alias(need.text()));
        return;
      }
      if (place.empty()) return;
      place = above(place);
    }
  }

  Extract& out_;
  const File& file_;
  std::unordered_map<std::string_view, uint32_t> at_;
  std::size_t searched_ = 0;
};

}  // namespace

Extract parse_bun_lock(const File& file) {
  Extract out;
  const auto document = read_object(out, file, documents::Comments::allowed);
  if (!document) return out;
  const auto root = document->root();
  Lock lock(out, file);
  lock.packages(root["packages"]);
  lock.workspaces(root["workspaces"]);
  return out;
}

}  // namespace gitaiops::scanner::parsers
