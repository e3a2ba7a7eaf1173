// build.gradle and build.gradle.kts, read and not run. Understood inside `dependencies { … }`:
//   implementation "g:a:1.0", 'g:b:2.0'            literals, with variables in them
//   implementation(group = "g", name = "a", …)     named parts, in both languages
//   implementation(platform("g:bom:1.0"))          and enforcedPlatform, testFixtures, variantOf
//   implementation(libs.junit), libs.bundles.x     version catalogues under gradle/
//   implementation(kotlin("stdlib"))               org.jetbrains.kotlin:kotlin-stdlib
//   constraints { … }, version { strictly("1") }   versions for what is asked for without
// Variables come from the script, gradle.properties, the scripts of the folders above and scripts
// that `apply from:` names. What is computed otherwise is left out.
#include <algorithm>
#include <array>
#include <set>

#include "base/bytes/bytes.h"
#include "engines/scanner/parsers/gradle_script.h"

namespace gitaiops::scanner::parsers {
namespace {

constexpr std::size_t kMaxScripts = 32;  // that one build file draws in
constexpr std::size_t kMaxNesting = 200;

std::string beside(std::string_view folder, std::string_view name) {
  return (folder.empty() ? "" : std::string(folder) + "/") + std::string(name);
}

bool contains_word(std::string_view text, std::string_view lower) {
  return std::ranges::search(text, lower, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         }).begin() != text.end();
}

Scope scope_of(std::string_view configuration) {
  if (contains_word(configuration, "test")) return Scope::development;
  for (const auto word :
       {"classpath", "annotationprocessor", "kapt", "ksp", "compileonly", "checkstyle", "pmd",
        "spotbugs", "detekt", "ktlint", "errorprone", "provided", "corelibrarydesugaring", "jmh"})
    if (contains_word(configuration, word)) return Scope::build;
  return contains_word(configuration, "developmentonly") ? Scope::development : Scope::runtime;
}

// The words that stand around coordinates and are no configuration.
bool is_wrapper(std::string_view word) {
  constexpr std::array kWrappers = {"platform", "enforcedPlatform",    "testFixtures", "variantOf",
                                    "create",   "dependencies.create", "mavenBom",     "add"};
  return std::ranges::find(kWrappers, word) != kWrappers.end();
}

// Names of the tree: properties, variables and catalogues, of the folders above first.
class Surroundings {
 public:
  Surroundings(Extract& out, const File& file) : out_(out), files_(file.others) {
    std::vector<std::string> folders{folder_of(file.path)};
    while (!folders.back().empty()) folders.push_back(folder_of(folders.back()));
    std::ranges::reverse(folders);
    for (const auto& folder : folders) {
      catalogue(folder);
      if (const auto* text = files_.text(beside(folder, "gradle.properties")))
        names_.add_properties(*text);
      for (const auto name :
           {"settings.gradle", "settings.gradle.kts", "build.gradle", "build.gradle.kts"})
        if (beside(folder, name) != file.path) script(beside(folder, name), folder);
    }
    read(file.text, folders.back());
  }

  const GradleNames& names() const { return names_; }

 private:
  void catalogue(const std::string& folder) {
    const std::string prefix = beside(folder, "gradle/");
    const auto& paths = files_.paths();
    for (auto at = std::ranges::lower_bound(paths, prefix);
         at != paths.end() && at->starts_with(prefix); ++at) {
      constexpr std::string_view kEnd = ".versions.toml";
      const auto name = std::string_view(*at).substr(prefix.size());
      if (!name.ends_with(kEnd) || name.find('/') != name.npos) continue;
      const auto* text = files_.text(*at);
      if (!text) continue;
      const auto document = documents::read_toml(*text);
      if (document.fault()) continue;  // told where it is read for itself
      names_.add_catalogue(std::string(name.substr(0, name.size() - kEnd.size())),
                           catalogue_of(document.root()));
      out_.used.push_back(*at);
    }
  }

  void script(const std::string& path, const std::string& folder) {
    if (seen_.size() >= kMaxScripts || !seen_.insert(path).second) return;
    if (const auto* text = files_.text(path)) read(*text, folder);
  }

  void read(std::string_view text, const std::string& folder) {
    const auto pieces = gradle_pieces(text);
    // "apply from: 'x'", "apply(from = "x")"
    for (std::size_t i = 0; i + 2 < pieces.size(); ++i) {
      if (!pieces[i].is_word("from") || !(pieces[i + 1].is(':') || pieces[i + 1].is('='))) continue;
      auto name = pieces[i + 2].is_text() ? pieces[i + 2].text : std::string_view();
      bool from_root = false;
      for (const std::string_view root :
           {"$rootDir/", "${rootDir}/", "$rootProject.projectDir/", "${rootProject.projectDir}/"}) {
        if (!name.starts_with(root)) continue;
        name.remove_prefix(root.size());
        from_root = true;
      }
      if (name.empty() || name.find("://") != name.npos) continue;
      if (const auto path = inside(from_root ? std::string() : folder, name))
        script(*path, folder_of(*path));
    }
    names_.add_assignments(pieces);
  }

  Extract& out_;
  Files& files_;
  GradleNames names_;
  std::set<std::string> seen_;
};

class Build {
 public:
  Build(Extract& out, const File& file, const GradleNames& names)
      : out_(out), file_(file), names_(names), pieces_(gradle_pieces(file.text)) {}

  void read() {
    while (at().kind != GradleToken::end) step();
    for (auto& entry : out_.entries) {
      auto& package = entry.package;
      const auto managed = constraints_.find(package.name);
      if (package.range.empty() && managed != constraints_.end()) ask_for(package, managed->second);
    }
  }

 private:
  const GradlePiece& at(std::size_t ahead = 0) const {
    return pieces_[std::min(position_ + ahead, pieces_.size() - 1)];
  }
  bool inside_of(std::string_view block) const {
    return std::ranges::find(blocks_, block) != blocks_.end();
  }
  std::string_view block() const { return blocks_.empty() ? std::string_view() : blocks_.back(); }

  void step() {
    const auto& piece = at();
    if (piece.is('}')) {
      if (!blocks_.empty()) blocks_.pop_back();
      ++position_;
    } else if (piece.is('{')) {
      push({});
      ++position_;
    } else if ((piece.kind == GradleToken::word || piece.kind == GradleToken::text) &&
               takes_dependencies()) {
      statement();
    } else if (piece.kind == GradleToken::word) {
      if (piece.text == "version" && at(1).is('{')) {
        rich_version();
      } else {
        open_or_skip();
      }
    } else {
      ++position_;
    }
  }

  void push(std::string_view name) {
    if (blocks_.size() < kMaxNesting) blocks_.push_back(name);
  }

  // "name {" and "name(…) {" open a block of that name.
  void open_or_skip() {
    const auto name = at().text;
    std::size_t ahead = 1;
    if (at(ahead).is('(')) {
      int depth = 0;
      do {
        depth += at(ahead).is('(') ? 1 : at(ahead).is(')') ? -1 : 0;
        ++ahead;
      } while (depth > 0 && at(ahead).kind != GradleToken::end && ahead < 64);
    }
    if (at(ahead).is('{')) {
      push(name);
      position_ += ahead + 1;
    } else {
      ++position_;
    }
  }

  // Directly in dependencies { }, or in a condition or a list of constraints there.
  bool takes_dependencies() const {
    for (auto name = blocks_.rbegin(); name != blocks_.rend(); ++name) {
      if (*name == "dependencies" || name->ends_with(".dependencies")) return true;
      const bool transparent = *name == "constraints" || *name == "if" || *name == "else" ||
                               *name == "imports" || name->ends_with(".constraints");
      if (!transparent) return false;
    }
    return false;
  }

  // A configuration and what it is given, to the line's end or its closing bracket.
  void statement() {
    const auto configuration = at();
    const bool transparent = configuration.text == "constraints" || configuration.text == "else" ||
                             configuration.text == "imports";
    if (configuration.text == "if" || (transparent && at(1).is('{'))) return open_or_skip();
    std::size_t first = position_ + 1, end = first;
    int depth = 0;
    while (pieces_[end].kind != GradleToken::end) {
      const auto& piece = pieces_[end];
      if (piece.is('(') || piece.is('[')) ++depth;
      if (piece.is(')') || piece.is(']')) --depth;
      if (depth < 0 || piece.is('{') || piece.is('}')) break;
      const bool goes_on = end > first && (pieces_[end - 1].is(',') || pieces_[end - 1].is(':') ||
                                           pieces_[end - 1].is('='));
      if (piece.kind == GradleToken::newline && depth == 0 && !goes_on) break;
      ++end;
    }
    position_ = end;
    if (end > first) arguments(configuration, first, end);
    // What is written behind it in braces is about this dependency; a block of it has no others.
    if (at().is('{')) {
      push(configuration.text);
      ++position_;
    }
  }

  void arguments(const GradlePiece& configuration, std::size_t first, std::size_t end) {
    std::string_view name = configuration.text;
    if (is_wrapper(name) && name == "add" && pieces_[first].is('(') &&
        pieces_[first + 1].is_text()) {
      name = pieces_[first + 1].text;
      first += 3;
    }
    if (named_parts(name, first, end) || positional(name, first, end)) return;
    for (std::size_t i = first; i < end; ++i) {
      const auto& piece = pieces_[i];
      if (piece.is_word("project") || piece.is_word("files") || piece.is_word("fileTree") ||
          piece.is_word("exclude"))
        return;
      if (piece.is_word("kotlin") && pieces_[i + 1].is('(') && pieces_[i + 2].is_text()) {
        kotlin(name, i);
        return;
      }
      if (piece.is_text()) {
        coordinates(name, piece);
      } else if (piece.kind == GradleToken::word && !is_wrapper(piece.text)) {
        from_name(name, piece);
      }
    }
  }

  // group: 'g', name: 'a', version: '1' in Groovy, with '=' in Kotlin.
  bool named_parts(std::string_view configuration, std::size_t first, std::size_t end) {
    std::string group, artifact, version;
    uint32_t line = 0;
    bool found = false;
    const auto flush = [&] {
      if (!group.empty() && !artifact.empty())
        add_one(configuration, group + ":" + artifact, version, line);
      group = artifact = version = {};
    };
    for (std::size_t i = first; i + 2 < end + 1 && i + 2 < pieces_.size(); ++i) {
      if (!(pieces_[i + 1].is(':') || pieces_[i + 1].is('=')) ||
          pieces_[i].kind != GradleToken::word)
        continue;
      const auto value = names_.value_of(pieces_[i + 2]).value_or("");
      if (pieces_[i].text == "group") {
        flush();
        found = true;
        line = pieces_[i].line;
        group = value;
      } else if (pieces_[i].text == "name") {
        artifact = value;
      } else if (pieces_[i].text == "version") {
        version = value;
      }
    }
    flush();
    return found;
  }

  // Kotlin: implementation("g", "a", "1.0")
  bool positional(std::string_view configuration, std::size_t first, std::size_t end) {
    if (!pieces_[first].is('(') || end < first + 5 || !pieces_[first + 1].is_text() ||
        !pieces_[first + 2].is(',') || !pieces_[first + 3].is_text() ||
        pieces_[first + 1].text.find(':') != std::string_view::npos)
      return false;
    const bool has_version = pieces_[first + 4].is(',') && first + 5 < end;
    const auto version =
        has_version ? names_.value_of(pieces_[first + 5]).value_or("") : std::string();
    add_one(configuration,
            std::string(pieces_[first + 1].text) + ":" + std::string(pieces_[first + 3].text),
            version, pieces_[first + 1].line);
    return true;
  }

  void kotlin(std::string_view configuration, std::size_t i) {
    const bool has_version = pieces_[i + 3].is(',');
    const auto version = has_version ? names_.value_of(pieces_[i + 4]).value_or("") : std::string();
    add_one(configuration, "org.jetbrains.kotlin:kotlin-" + std::string(pieces_[i + 2].text),
            version, pieces_[i].line);
  }

  void from_name(std::string_view configuration, const GradlePiece& piece) {
    const auto libraries = names_.libraries(piece.text);
    for (const auto* library : libraries)
      add_one(configuration, library->module, library->version, piece.line);
    if (!libraries.empty()) return;
    // A variable that holds whole coordinates.
    const auto value = names_.value_of(piece);
    if (value && std::ranges::count(*value, ':') >= 2)
      coordinates(configuration, {GradleToken::text, *value, piece.line});
  }

  // "group:artifact[:version[:classifier]][@type]"
  void coordinates(std::string_view configuration, const GradlePiece& piece) {
    auto text = names_.value_of(piece);
    const bool known = text.has_value();
    if (!known) {
      // The module may be known where its version is not.
      const auto parts = split(piece.text, ':');
      if (parts.size() < 2 || parts[0].find('$') != std::string_view::npos ||
          parts[1].find('$') != std::string_view::npos)
        return;
      text = std::string(parts[0]) + ":" + std::string(parts[1]);
    }
    const auto parts = split(std::string_view(*text).substr(0, text->find('@')), ':');
    if (parts.size() < 2 || parts[0].empty() || parts[1].empty() ||
        text->find_first_of(" /\\\n") != std::string::npos)
      return;
    auto version = parts.size() > 2 ? parts[2] : std::string_view();
    // "1.0!!" is strictly that.
    if (version.ends_with("!!")) version.remove_suffix(2);
    const std::string module = std::string(parts[0]) + ":" + std::string(parts[1]);
    add_one(configuration, module, version, piece.line);
    if (!known)
      problem(out_, file_, piece.line,
              "the version of " + module + " is computed, or stands nowhere in the tree");
  }

  void add_one(std::string_view configuration, const std::string& module, std::string_view version,
               uint32_t line) {
    if (inside_of("constraints") || block().ends_with("constraints")) {
      constraints_.emplace(module, version);
      return;
    }
    if (inside_of("dependencyManagement") && configuration == "dependency") {
      constraints_.emplace(module, version);
      return;
    }
    const Scope scope = inside_of("buildscript") ? Scope::build : scope_of(configuration);
    Entry& entry = add_direct(out_, file_, Ecosystem::maven, module, {}, scope, line);
    entry.keys = {module};
    ask_for(entry.package, version);
  }

  // version { strictly("1.0") }, require, prefer: of the dependency before.
  void rich_version() {
    position_ += 2;
    while (at().kind != GradleToken::end && !at().is('}')) {
      const bool says =
          at().is_word("strictly") || at().is_word("require") || at().is_word("prefer");
      if (says && !out_.entries.empty() && !inside_of("constraints")) {
        const auto& value = at(1).is('(') ? at(2) : at(1);
        auto& package = out_.entries.back().package;
        if (const auto text = names_.value_of(value); text && package.range.empty())
          ask_for(package, *text);
      }
      ++position_;
    }
    ++position_;
  }

  Extract& out_;
  const File& file_;
  const GradleNames& names_;
  std::vector<GradlePiece> pieces_;
  std::size_t position_ = 0;
  std::vector<std::string_view> blocks_;
  std::map<std::string, std::string> constraints_;
};

}  // namespace

Extract parse_gradle_build(const File& file) {
  Extract out;
  if (file.text.size() > kMaxScriptBytes)
    problem(out, file, 0,
            "it is larger than " + std::to_string(kMaxScriptBytes >> 20) +
                " MiB; the rest is left out");
  const Surroundings surroundings(out, file);
  Build(out, file, surroundings.names()).read();
  return out;
}

}  // namespace gitaiops::scanner::parsers
