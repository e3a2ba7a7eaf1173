// No format is written here: a literal is found by its text near the line that the parser gave, and
// the parser itself proves that changing it meant what was wanted. So one way serves every format,
// and what it does not understand it leaves alone.
#include <algorithm>
#include <optional>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/parsers/formats.h"
#include "engines/scanner/remediation/ranges.h"
#include "engines/scanner/remediation/remediation.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::scanner {
namespace {

using parsers::Extract;
using parsers::Format;
using parsers::Role;

constexpr std::size_t kMaxManifest = 2u << 20;
// Each try reads the file again; the literal stands among the first few, or is a property's.
constexpr int kMaxTries = 24;
// A dependency's element or table is not longer.
constexpr std::size_t kNearBytes = 4096;

using Texts = std::map<std::string, std::string>;

// The tree with what was changed so far.
class Changed final : public parsers::Files {
 public:
  Changed(const Tree& tree, const Texts& changed, const std::string& path, std::string_view bytes)
      : tree_(tree), changed_(changed), path_(path), bytes_(bytes) {}

  const std::string* text(const std::string& path) override {
    if (const auto kept = kept_.find(path); kept != kept_.end()) return &kept->second;
    std::string raw;
    if (path == path_) {
      raw = bytes_;
    } else if (const auto changed = changed_.find(path); changed != changed_.end()) {
      raw = changed->second;
    } else {
      auto read = tree_.read(path);
      if (!read || read->size() > kMaxManifest) return nullptr;
      raw = std::move(*read);
    }
    auto text = documents::decoded(std::move(raw));
    if (documents::not_a_manifest(text)) return nullptr;
    return &kept_.emplace(path, std::move(text)).first->second;
  }
  const std::vector<std::string>& paths() const override { return tree_.files(); }

 private:
  const Tree& tree_;
  const Texts& changed_;
  const std::string& path_;
  std::string_view bytes_;
  std::map<std::string, std::string> kept_;
};

struct Wanted {
  Ecosystem ecosystem;
  std::string name;  // normalised
  uint32_t line;
  std::string from, to;  // ranges
};

bool is_it(const Package& package, const Wanted& wanted) {
  return package.line == wanted.line &&
         normalised_name(package.ecosystem, package.name) == wanted.name;
}

std::string_view asked(const Package& package) {
  return package.range.empty() ? std::string_view(package.version) : package.range;
}

// go.mod's versions are kept without their "v".
bool same_range(std::string_view a, std::string_view b) {
  if (a.starts_with('v')) a.remove_prefix(1);
  if (b.starts_with('v')) b.remove_prefix(1);
  return a == b;
}

bool same_meaning(const Package& a, const Package& b) {
  return a.name == b.name && a.version == b.version && a.range == b.range && a.scope == b.scope &&
         a.direct == b.direct && a.source == b.source && a.checksums.size() == b.checksums.size();
}

// Whether `after` is `before` with the wanted change. One literal may stand for several packages (a
// property of a POM): then all of them change alike.
bool is_proven(const Extract& before, const Extract& after, const Wanted& wanted) {
  if (before.entries.size() != after.entries.size() || before.root != after.root ||
      before.root_version != after.root_version || before.problems.size() != after.problems.size())
    return false;
  bool changed = false;
  for (std::size_t i = 0; i < before.entries.size(); ++i) {
    const auto &old = before.entries[i].package, &now = after.entries[i].package;
    if (is_it(old, wanted) && same_range(asked(now), wanted.to)) {
      changed = true;
    } else if (!same_meaning(old, now)) {
      if (old.name != now.name || !same_range(asked(old), wanted.from) ||
          !same_range(asked(now), wanted.to))
        return false;
    }
  }
  return changed;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool continues(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '+' ||
         c == '_';
}

// Where `literal` stands as a whole, from `begin` on and before `end`.
std::vector<std::size_t> places_of(std::string_view bytes, std::string_view literal,
                                   std::size_t begin, std::size_t end) {
  std::vector<std::size_t> out;
  for (auto at = bytes.find(literal, begin); at != bytes.npos && at < end;
       at = bytes.find(literal, at + 1)) {
    const char before = at > 0 ? bytes[at - 1] : ' ';
    const auto after = at + literal.size();
    const bool inside = is_digit(literal.front()) && (is_digit(before) || before == '.');
    if (inside || (after < bytes.size() && continues(bytes[after]))) continue;
    out.push_back(at);
    if (out.size() == kMaxTries) break;
  }
  return out;
}

std::size_t start_of_line(std::string_view bytes, uint32_t line) {
  std::size_t at = 0;
  for (uint32_t n = 1; n < line; ++n) {
    at = bytes.find('\n', at);
    if (at == bytes.npos) return bytes.size();
    ++at;
  }
  return at;
}

std::string replaced(std::string_view bytes, std::size_t at, std::size_t size,
                     std::string_view with) {
  return std::string(bytes.substr(0, at)) + std::string(with) +
         std::string(bytes.substr(at + size));
}

class Rewriter {
 public:
  Rewriter(const Tree& tree, Texts& changed) : tree_(tree), changed_(changed) {}

  // The file that was changed, or where it stands so already; an error says why not.
  Result<std::string> change(const std::string& path, Wanted wanted) {
    const Format* format = parsers::format_of(path);
    const auto no = [](std::string why) { return Error(Code::invalid_argument, std::move(why)); };
    auto raw = bytes_of(path);
    if (!format || !raw) return no(path + " cannot be read");
    if (raw->size() > kMaxManifest)
      return no(path + " is larger than " + std::to_string(kMaxManifest >> 20) + " MiB");
    if (raw->starts_with("\xff\xfe") || raw->starts_with("\xfe\xff"))
      return no(path + " is UTF-16; it is not written");
    const auto before = extract_of(*format, path, path, *raw);
    if (!before) return no(path + " cannot be read");
    const auto* now = find(*before, wanted);
    if (!now) return no(path + " does not name it in line " + std::to_string(wanted.line));
    if (same_range(asked(*now), wanted.to)) return path;
    if (!now->checksums.empty() && now->ecosystem == Ecosystem::pypi)
      return no("its hashes in " + path + " are those of the old version; compile them anew");
    wanted.from = asked(*now);
    if (!wanted.from.starts_with('v') && wanted.to.starts_with('v')) wanted.to.erase(0, 1);
    if (const auto found = change_in(path, *raw, *format, path, *before, wanted)) {
      changed_[path] = *found;
      return path;
    }
    // What the manifest refers to: a parent's properties, a catalogue, an included file.
    for (const auto& other : before->used) {
      if (const auto text = bytes_of(other); text && text->size() <= kMaxManifest) {
        if (const auto found = change_in(other, *text, *format, path, *before, wanted)) {
          changed_[other] = *found;
          return other;
        }
      }
    }
    return no("the text \"" + wanted.from + "\" that asks for it was not found in " + path);
  }

  // Every place in a manifest where a range stands that takes the version which is left behind.
  std::vector<Wanted> asks_in(const std::string& path, const Package& package,
                              const Upgrade& upgrade) const {
    std::vector<Wanted> out;
    const auto name = normalised_name(package.ecosystem, package.name);
    const auto raw = bytes_of(path);
    const auto* format = parsers::format_of(path);
    if (!raw || !format || raw->size() > kMaxManifest) return out;
    const auto extract = extract_of(*format, path, path, *raw);
    if (!extract) return out;
    for (const auto& entry : extract->entries) {
      const auto& found = entry.package;
      if (normalised_name(found.ecosystem, found.name) != name || found.range.empty()) continue;
      const auto met = matches(package.ecosystem, upgrade.from, found.range, Prereleases::included);
      if (met != Match::yes && met != Match::recommended) continue;
      auto to = raised_range(package.ecosystem, found.range, upgrade.to);
      if (to && *to != found.range)
        out.push_back({package.ecosystem, name, found.line, found.range, std::move(*to)});
    }
    return out;
  }

 private:
  std::optional<std::string> bytes_of(const std::string& path) const {
    if (const auto found = changed_.find(path); found != changed_.end()) return found->second;
    auto read = tree_.read(path);
    return read ? std::optional(std::move(*read)) : std::nullopt;
  }

  // What `path` says where `edited` holds these bytes.
  std::optional<Extract> extract_of(const Format& format, const std::string& path,
                                    const std::string& edited, std::string_view bytes) const {
    Changed files(tree_, changed_, edited, bytes);
    const std::string* text = files.text(path);
    if (!text) return std::nullopt;
    return format.parse({path, *text, files});
  }

  static const Package* find(const Extract& extract, const Wanted& wanted) {
    for (const auto& entry : extract.entries)
      if (is_it(entry.package, wanted)) return &entry.package;
    return nullptr;
  }

  std::optional<std::string> change_in(const std::string& edited, const std::string& bytes,
                                       const Format& format, const std::string& path,
                                       const Extract& before, const Wanted& wanted) const {
    const auto near = edited == path ? start_of_line(bytes, wanted.line) : bytes.size();
    auto places = places_of(bytes, wanted.from, near, near + kNearBytes);
    for (const auto at : places_of(bytes, wanted.from, 0, bytes.size()))
      if (std::ranges::find(places, at) == places.end()) places.push_back(at);
    int tries = 0;
    for (const auto at : places) {
      if (++tries > kMaxTries) break;
      auto text = replaced(bytes, at, wanted.from.size(), wanted.to);
      const auto after = extract_of(format, path, edited, text);
      if (after && is_proven(before, *after, wanted)) return text;
    }
    return std::nullopt;
  }

  const Tree& tree_;
  Texts& changed_;
};

bool below(std::string_view path, const std::string& folder) {
  return folder.empty() || path.starts_with(folder + "/");
}

// The other manifests of a workspace: beneath its lock file, of its family, and of no other set.
std::vector<std::string> members_of(const std::vector<std::string>& manifests,
                                    const Inventory& inventory, uint32_t number,
                                    const std::string& manifest) {
  const auto& set = inventory.sets[number];
  const auto* format = parsers::format_of(manifest);
  std::vector<std::string> out;
  if (set.lock.empty() || !format) return out;
  const auto folder = parsers::folder_of(set.lock);
  for (const auto& path : manifests) {
    if (parsers::format_of(path)->family != format->family || !below(path, folder)) continue;
    const auto own = std::ranges::any_of(inventory.sets, [&](const PackageSet& one) {
      if (&one == &set) return false;
      const auto lock = parsers::folder_of(one.lock);
      return one.manifest == path ||
             (!one.lock.empty() && lock.size() > folder.size() && below(path, lock));
    });
    if (!own) out.push_back(path);
  }
  return out;
}

}  // namespace

Rewriting rewrite(const Tree& tree, const Inventory& inventory, const Plan& plan) {
  Rewriting out;
  Rewriter rewriter(tree, out.files);
  std::vector<std::string> manifests;
  for (const auto& path : tree.files())
    if (const auto* format = parsers::format_of(path); format && format->role == Role::manifest)
      manifests.push_back(path);
  for (const auto& upgrade : plan.upgrades) {
    const auto& set = inventory.sets[upgrade.set];
    const auto& package = set.packages[upgrade.packages.front()];
    Outcome outcome;
    if (upgrade.range.empty()) {
      outcome.why_not = "no manifest asks for it";
    } else if (upgrade.new_range == upgrade.range) {
      outcome.why_not = "the manifest takes it already, or names no version";
    } else {
      const auto changed = rewriter.change(
          upgrade.file, {package.ecosystem, normalised_name(package.ecosystem, package.name),
                         upgrade.line, upgrade.range, upgrade.new_range});
      outcome.written = changed.ok();
      (changed.ok() ? outcome.file : outcome.why_not) =
          changed.ok() ? *changed : changed.error().message();
      for (const auto& member : members_of(manifests, inventory, upgrade.set, upgrade.file))
        for (auto& ask : rewriter.asks_in(member, package, upgrade))
          if (const auto also = rewriter.change(member, std::move(ask));
              also && std::ranges::find(outcome.also, *also) == outcome.also.end())
            outcome.also.push_back(*also);
    }
    out.outcomes.push_back(std::move(outcome));
  }
  return out;
}

}  // namespace gitaiops::scanner
