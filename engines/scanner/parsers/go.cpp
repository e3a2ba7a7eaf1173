// go.mod (go.dev/ref/mod#go-mod-file) and go.sum. From Go 1.17 on go.mod names every module of the
// build; before, the rest is in go.sum, where the modules that were downloaded have a hash of their
// files and not only of their go.mod.
#include <algorithm>
#include <map>

#include "base/bytes/bytes.h"
#include "engines/scanner/documents/text.h"
#include "engines/scanner/parsers/languages.h"

namespace gitaiops::scanner::parsers {
namespace {

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < line.size();) {
    const auto start = line.find_first_not_of(" \t", i);
    if (start == line.npos) break;
    const char quote = line[start];
    if (quote == '"' || quote == '`') {
      const auto end = std::min(line.find(quote, start + 1), line.size());
      out.push_back(line.substr(start + 1, end - start - 1));
      i = end + 1;
    } else {
      const auto end = std::min(line.find_first_of(" \t", start), line.size());
      out.push_back(line.substr(start, end - start));
      i = end;
    }
  }
  return out;
}

// OSV and the registries of advisories leave the "v" out.
std::string_view bare(std::string_view version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  constexpr std::string_view kIncompatible = "+incompatible";
  return version.ends_with(kIncompatible) ? version.substr(0, version.size() - kIncompatible.size())
                                          : version;
}

struct Sum {
  std::string_view module, version, hash;
  uint32_t line;
};

// The lines of modules' files; those of a go.mod alone are left out.
std::vector<Sum> sums(std::string_view text) {
  std::vector<Sum> out;
  documents::Lines lines(text);
  while (lines.next()) {
    const auto parts = words(lines.text());
    if (parts.size() == 3 && !parts[1].ends_with("/go.mod") && parts[2].starts_with("h1:"))
      out.push_back({parts[0], parts[1], parts[2], lines.number()});
  }
  return out;
}

struct Replacement {
  std::string_view module, version;
};

class Module {
 public:
  Module(Extract& out, const File& file) : out_(out), file_(file) {}

  void read() {
    documents::Lines lines(file_.text);
    while (lines.next()) {
      auto line = lines.text();
      const auto comment = line.find("//");
      const bool indirect =
          comment != line.npos && trimmed(line.substr(comment + 2)).starts_with("indirect");
      auto parts = words(line.substr(0, comment));
      if (parts.empty()) continue;
      if (block_.empty()) {
        if (parts.size() >= 2 && parts.back() == "(") {
          block_ = parts[0];
          continue;
        }
        const auto directive = parts[0];
        parts.erase(parts.begin());
        take(directive, parts, indirect, lines.number());
      } else if (parts[0] == ")") {
        block_ = {};
      } else {
        take(block_, parts, indirect, lines.number());
      }
    }
    finish();
  }

 private:
  struct Required {
    std::string_view module, version;
    bool indirect;
    uint32_t line;
  };

  void take(std::string_view directive, const std::vector<std::string_view>& parts, bool indirect,
            uint32_t line) {
    if (directive == "module" && !parts.empty()) {
      out_.root = parts[0];
    } else if (directive == "go" && !parts.empty()) {
      go_ = parts[0];
      if (!toolchain_line_) go_line_ = line;
    } else if (directive == "toolchain" && !parts.empty()) {
      toolchain(parts[0], line);
    } else if (directive == "require" && parts.size() >= 2) {
      required_.push_back({parts[0], parts[1], indirect, line});
    } else if (directive == "replace") {
      replace(parts, line);
    } else if (directive != "exclude" && directive != "retract" && directive != "tool" &&
               directive != "godebug" && directive != "ignore") {
      problem(out_, file_, line,
              "\"" + truncate_utf8(directive, 40) + "\" with " + std::to_string(parts.size()) +
                  " words is no line of a go.mod");
    }
  }

  // "go1.23.6-suffix"
  void toolchain(std::string_view name, uint32_t line) {
    if (!name.starts_with("go1")) return;
    toolchain_ = name.substr(2, name.find('-') == name.npos ? name.npos : name.find('-') - 2);
    toolchain_line_ = line;
  }

  void replace(const std::vector<std::string_view>& parts, uint32_t line) {
    const auto arrow = std::ranges::find(parts, "=>");
    const auto before = arrow - parts.begin(), after = parts.end() - arrow - 1;
    if (arrow == parts.end() || before < 1 || before > 2 || after < 1 || after > 2)
      return problem(out_, file_, line, "a replace is \"old [version] => new [version]\"");
    const auto version = before == 2 ? parts[1] : std::string_view();
    replaced_[{parts[0], version}] = {arrow[1], after == 2 ? arrow[2] : std::string_view()};
  }

  void finish() {
    const std::string sum_path =
        (folder_of(file_.path).empty() ? "" : folder_of(file_.path) + "/") + "go.sum";
    const std::string* text = file_.others.text(sum_path);
    if (text) out_.lock = sum_path;
    const auto known = text ? sums(*text) : std::vector<Sum>();
    std::map<std::pair<std::string_view, std::string_view>, std::string_view> hashes;
    for (const auto& sum : known) hashes[{sum.module, sum.version}] = sum.hash;
    std::map<std::string_view, bool> named;
    for (const auto& required : required_) {
      named[required.module] = true;
      require(required, hashes);
    }
    if (!complete())
      for (const auto& sum : known)
        if (!named.contains(sum.module)) downloaded(sum, sum_path);
    standard_library();
  }

  void require(
      const Required& required,
      const std::map<std::pair<std::string_view, std::string_view>, std::string_view>& hashes) {
    auto found = replaced_.find({required.module, required.version});
    if (found == replaced_.end()) found = replaced_.find({required.module, {}});
    auto module = required.module, version = required.version;
    if (found != replaced_.end()) {
      module = found->second.module;
      version = found->second.version;
    }
    Entry& entry = add(out_, file_, Ecosystem::go, module, bare(version), required.line);
    auto& package = entry.package;
    package.direct = !required.indirect;
    if (package.direct) package.range = required.version;
    if (module.starts_with('.') || module.starts_with('/')) package.source = module;
    if (const auto hash = hashes.find({module, version}); hash != hashes.end())
      add_hash(package, hash->second);
  }

  void downloaded(const Sum& sum, const std::string& path) {
    Entry& entry =
        add(out_, {path, {}, file_.others}, Ecosystem::go, sum.module, bare(sum.version), sum.line);
    add_hash(entry.package, sum.hash);
  }

  // Whether go.mod names what dependencies need, too: since Go 1.17.
  bool complete() const {
    const auto parts = split(go_, '.');
    return parts.size() >= 2 && (parts[0] != "1" || parse_uint(parts[1]).value_or(0) >= 17);
  }

  // Advisories on Go itself name the package "stdlib".
  void standard_library() {
    const auto version = toolchain_.empty() ? go_ : toolchain_;
    if (version.empty()) return;
    add(out_, file_, Ecosystem::go, "stdlib", version,
        toolchain_.empty() ? go_line_ : toolchain_line_);
  }

  Extract& out_;
  const File& file_;
  std::string_view block_, go_, toolchain_;
  uint32_t go_line_ = 0, toolchain_line_ = 0;
  std::vector<Required> required_;
  std::map<std::pair<std::string_view, std::string_view>, Replacement> replaced_;
};

}  // namespace

Extract parse_go_mod(const File& file) {
  Extract out;
  Module(out, file).read();
  return out;
}

Extract parse_go_sum(const File& file) {
  Extract out;
  for (const auto& sum : sums(file.text)) {
    Entry& entry = add(out, file, Ecosystem::go, sum.module, bare(sum.version), sum.line);
    add_hash(entry.package, sum.hash);
  }
  return out;
}

}  // namespace gitaiops::scanner::parsers
