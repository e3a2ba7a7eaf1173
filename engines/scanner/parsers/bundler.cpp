// Gemfile, read without running it: `gem` lines with literal text, `group … do` blocks, `:group`
// options. Gemfile.lock: sections of indented lines (rubygems
// bundler/lib/bundler/lockfile_parser.rb).
#include <algorithm>
#include <map>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

// ---- Gemfile ----

bool is_development(std::string_view groups) {
  if (groups.find("default") != groups.npos || groups.find("production") != groups.npos)
    return false;
  for (const auto word : {"development", "test", "lint", "rubocop", "doc", "ci"})
    if (groups.find(word) != groups.npos) return true;
  return false;
}

// A line without the comment at its end; '#' inside quotes is none.
std::string_view without_comment(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote) {
      if (c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      return line.substr(0, i);
    }
  }
  return line;
}

// The arguments of a call, cut at commas outside of brackets and quotes.
std::vector<std::string_view> arguments(std::string_view text) {
  std::vector<std::string_view> out;
  char quote = 0;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if (quote) {
      quote = c == quote && i < text.size() ? 0 : quote;
      if (i < text.size()) continue;
    }
    if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{' || c == '(') {
      ++depth;
    } else if (c == ']' || c == '}' || c == ')') {
      --depth;
    } else if (c == ',' && (depth <= 0 || i == text.size())) {
      out.push_back(trimmed(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  return out;
}

std::optional<std::string_view> literal(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') ||
      text.back() != text.front())
    return std::nullopt;
  const auto inner = text.substr(1, text.size() - 2);
  if (inner.find(text.front()) != inner.npos || inner.find("#{") != inner.npos) return std::nullopt;
  return inner;
}

// "git: 'x'" and ":git => 'x'" → git, x.
std::optional<std::pair<std::string_view, std::string_view>> option(std::string_view text) {
  if (const auto arrow = text.find("=>"); text.starts_with(':') && arrow != text.npos)
    return std::pair(trimmed(text.substr(1, arrow - 1)), trimmed(text.substr(arrow + 2)));
  const auto colon = text.find(':');
  if (colon == text.npos || colon == 0 || text.front() == '"' || text.front() == '\'')
    return std::nullopt;
  return std::pair(text.substr(0, colon), trimmed(text.substr(colon + 1)));
}

class Gemfile {
 public:
  Gemfile(Extract& out, const File& file) : out_(out), file_(file) {}

  void read() {
    documents::Lines lines(file_.text);
    std::string joined;
    uint32_t first = 0;
    while (lines.next()) {
      const auto line = trimmed(without_comment(lines.text()));
      if (joined.empty()) first = lines.number();
      joined += line;
      // A call goes on after a comma or a backslash.
      if (joined.ends_with('\\')) joined.back() = ' ';
      if (!line.empty() && (line.ends_with(',') || line.ends_with('\\'))) continue;
      statement(joined, first);
      joined.clear();
    }
    if (!joined.empty()) statement(joined, first);
  }

 private:
  void statement(std::string_view line, uint32_t number) {
    if (line == "end" || line.starts_with("end ")) {
      if (!blocks_.empty()) blocks_.pop_back();
      return;
    }
    if (const auto rest = call(line, "group")) {
      blocks_.push_back(is_development(*rest) ? Scope::development : scope());
      return;
    }
    if (opens_block(line)) {
      if (blocks_.size() < 1000) blocks_.push_back(scope());
      return;
    }
    if (const auto rest = call(line, "gem")) gem(*rest, number);
  }

  // What follows the name of a method: "gem 'x'" and "gem('x')".
  static std::optional<std::string_view> call(std::string_view line, std::string_view method) {
    if (!line.starts_with(method)) return std::nullopt;
    auto rest = line.substr(method.size());
    if (rest.starts_with('(')) {
      rest.remove_prefix(1);
      if (const auto close = rest.rfind(')'); close != rest.npos) rest = rest.substr(0, close);
      return rest;
    }
    return rest.starts_with(' ') ? std::optional(trimmed(rest)) : std::nullopt;
  }

  static bool opens_block(std::string_view line) {
    if (line.ends_with(" do") || line.find(" do |") != line.npos) return true;
    for (const auto word : {"if ", "unless ", "case ", "begin", "def "})
      if (line.starts_with(word)) return true;
    return false;
  }

  Scope scope() const { return blocks_.empty() ? Scope::runtime : blocks_.back(); }

  void gem(std::string_view rest, uint32_t line) {
    for (const std::string_view condition : {" if ", " unless "})
      if (const auto at = rest.find(condition); at != rest.npos) rest = rest.substr(0, at);
    const auto parts = arguments(rest);
    const auto name = parts.empty() ? std::nullopt : literal(parts[0]);
    if (!name || name->empty())
      return problem(out_, file_, line,
                     "the name of this gem is computed; only the lock file knows it");
    std::string range;
    Entry& entry = add_direct(out_, file_, Ecosystem::rubygems, *name, {}, scope(), line);
    entry.keys = {std::string(*name)};
    auto& package = entry.package;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (const auto version = literal(parts[i])) {
        range += (range.empty() ? "" : ", ") + std::string(*version);
      } else if (const auto said = option(parts[i])) {
        apply(package, said->first, said->second);
      }
    }
    package.range = range;
    auto exact = std::string_view(range);
    if (exact.starts_with('=')) exact = trimmed(exact.substr(1));
    if (!exact.empty() && exact.front() >= '0' && exact.front() <= '9' &&
        exact.find(',') == exact.npos)
      package.version = exact;
  }

  static void apply(Package& package, std::string_view name, std::string_view value) {
    if (name == "group" || name == "groups") {
      package.scope = is_development(value) ? Scope::development : Scope::runtime;
    } else if (name == "git" || name == "path" || name == "github" || name == "gist") {
      if (const auto place = literal(value))
        package.source = (name == "github" ? "https://github.com/" : "") + std::string(*place);
    }
  }

  Extract& out_;
  const File& file_;
  std::vector<Scope> blocks_;  // what a gem inside is for
};

// ---- Gemfile.lock ----

struct NameAndVersion {
  std::string_view name, version;
};

// "name (1.2.3-platform)": platforms follow the first "-".
NameAndVersion named(std::string_view text) {
  const auto open = text.find(" (");
  if (open == text.npos || !text.ends_with(')')) return {text, {}};
  auto version = text.substr(open + 2, text.size() - open - 3);
  return {text.substr(0, open), version.substr(0, version.find('-'))};
}

struct NameAndRange {
  std::string_view name, range;
};

// "name (>= 1)!", "!" for what comes from elsewhere.
NameAndRange asked_of(std::string_view content) {
  if (content.ends_with('!')) content.remove_suffix(1);
  const auto open = content.find(" (");
  if (open == content.npos) return {content, {}};
  if (!content.ends_with(')')) return {content.substr(0, open), {}};
  return {content.substr(0, open), content.substr(open + 2, content.size() - open - 3)};
}

class Lock {
 public:
  Lock(Extract& out, const File& file) : out_(out), file_(file) {}

  void read() {
    documents::Lines lines(file_.text);
    while (lines.next()) {
      const auto text = lines.text();
      const auto indent = text.find_first_not_of(' ');
      if (indent == text.npos) continue;
      const auto content = trimmed(text);
      if (indent == 0) {
        section_ = content;
        remote_ = revision_ = {};
      } else if (section_ == "GEM" || section_ == "GIT" || section_ == "PATH" ||
                 section_ == "PLUGIN SOURCE") {
        source(content, indent, lines.number());
      } else if (section_ == "DEPENDENCIES" && indent == 2) {
        dependency(content);
      } else if (section_ == "CHECKSUMS" && indent == 2) {
        checksum(content);
      }
    }
    for (auto& entry : out_.entries) {
      const auto found = sums_.find(entry.package.name + " " + entry.package.version);
      if (found != sums_.end()) entry.package.checksums = found->second;
    }
  }

 private:
  void source(std::string_view content, std::size_t indent, uint32_t line) {
    if (indent == 2 && content.starts_with("remote:")) {
      remote_ = trimmed(content.substr(7));
    } else if (indent == 2 && content.starts_with("revision:")) {
      revision_ = trimmed(content.substr(9));
    } else if (indent == 4) {
      const auto one = named(content);
      current_ = !one.version.empty();
      if (!current_) return;
      Entry& entry = add(out_, file_, Ecosystem::rubygems, one.name, one.version, line);
      entry.keys = {std::string(one.name)};
      if (section_ == "GIT")
        entry.package.source = std::string(remote_) + "#" + std::string(revision_);
      if (section_ == "PATH") entry.package.source = remote_;
    } else if (indent == 6 && current_) {
      const auto asked = asked_of(content);
      require(out_.entries.back(), std::string(asked.name), asked.range);
    }
  }

  void dependency(std::string_view content) {
    if (out_.asks.size() >= kMaxPackages) return;
    const auto asked = asked_of(content);
    out_.asks.push_back({{std::string(asked.name)}, std::string(asked.range), Scope::runtime});
  }

  // "name (1.2.3) sha256=…"
  void checksum(std::string_view content) {
    const auto close = content.find(") ");
    if (close == content.npos) return;
    const auto one = named(content.substr(0, close + 1));
    auto& sums = sums_[std::string(one.name) + " " + std::string(one.version)];
    for (const auto part : split(content.substr(close + 2), ',')) {
      const auto equals = part.find('=');
      if (equals != part.npos)
        sums.push_back({std::string(part.substr(0, equals)), std::string(part.substr(equals + 1))});
    }
  }

  Extract& out_;
  const File& file_;
  std::string_view section_, remote_, revision_;
  bool current_ = false;
  std::map<std::string, std::vector<Checksum>> sums_;
};

}  // namespace

Extract parse_gemfile(const File& file) {
  Extract out;
  Gemfile(out, file).read();
  return out;
}

Extract parse_gemfile_lock(const File& file) {
  Extract out;
  Lock(out, file).read();
  return out;
}

}  // namespace gitaiops::scanner::parsers
