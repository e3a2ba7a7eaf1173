// pom.xml (maven.apache.org/ref/current/maven-model-builder): a module inherits dependencies,
// dependencyManagement and properties from its parent; what is nearer wins. Parents and BOMs come
// from the tree only. Properties are resolved within a bound, so that they can be no billion
// laughs.
#include <algorithm>
#include <set>

#include "base/bytes/bytes.h"
#include "engines/scanner/parsers/java.h"

namespace gitaiops::scanner::parsers {
namespace {

using documents::Document;
using documents::Value;

constexpr std::size_t kMaxParents = 32;
constexpr std::size_t kMaxValue = 1000;  // bytes of a resolved value
constexpr std::size_t kMaxBoms = 64;     // of one model
constexpr int kMaxSteps = 1000;          // to resolve one value
constexpr int kMaxResolving = 16;        // properties in properties

struct Pom {
  std::string path;
  Document document;
  Value root() const { return document.root(); }
};

using Properties = std::map<std::string, std::string, std::less<>>;

std::string beside(std::string_view folder, std::string_view name) {
  return (folder.empty() ? "" : std::string(folder) + "/") + std::string(name);
}

// The tree's modules by group:artifact, as written: a property in a coordinate is resolved by the
// pom's own properties only.
const std::unordered_map<std::string, std::string>& modules(Files& files) {
  if (files.maven_modules) return *files.maven_modules;
  auto& index = files.maven_modules.emplace();
  for (const auto& path : files.paths()) {
    if (file_name(path) != "pom.xml") continue;
    const auto* text = files.text(path);
    if (!text) continue;
    const auto document = documents::read_xml(*text);
    const auto root = document.root();
    const auto group = root["groupId"] ? root["groupId"].text() : root["parent"]["groupId"].text();
    index.emplace(std::string(group) + ":" + std::string(root["artifactId"].text()), path);
  }
  return index;
}

// A pom with its parents, nearest first.
class Model {
 public:
  Model(Extract& out, const File& file, Files& files) : out_(out), file_(file), files_(files) {}

  bool load(const std::string& path, std::string_view text) {
    poms_.push_back({path, documents::read_xml(text)});
    if (poms_.back().document.fault()) return false;
    std::set<std::string> seen{path};
    while (poms_.back().root()["parent"]) {
      const auto parent = parent_path(poms_.back());
      if (!parent) break;
      if (!seen.insert(*parent).second || poms_.size() >= kMaxParents) {
        problem(out_, file_, poms_.back().root()["parent"].line(), "its parents form a circle");
        break;
      }
      out_.used.push_back(*parent);
      poms_.push_back({*parent, documents::read_xml(*files_.text(*parent))});
      if (poms_.back().document.fault()) {
        poms_.pop_back();  // told where it is read for itself
        break;
      }
    }
    gather_properties();
    return true;
  }

  const std::vector<Pom>& poms() const { return poms_; }

  std::string resolved(std::string_view text) const {
    std::string out;
    int steps = 0;
    resolve_into(out, text, steps, 0);
    return out;
  }

 private:
  std::optional<std::string> parent_path(const Pom& pom) {
    const auto parent = pom.root()["parent"];
    const auto relative = parent["relativePath"];
    const std::string_view place = relative ? relative.text() : "../pom.xml";
    if (!place.empty()) {
      auto path = inside(folder_of(pom.path), place);
      if (path && !path->ends_with(".xml")) path = beside(*path, "pom.xml");
      if (path && is_that(*path, parent)) return path;
    }
    // Built together with the module that it names, wherever that lies.
    const auto& index = modules(files_);
    const auto found = index.find(std::string(parent["groupId"].text()) + ":" +
                                  std::string(parent["artifactId"].text()));
    return found == index.end() || found->second == pom.path ? std::nullopt
                                                             : std::optional(found->second);
  }

  // Maven leaves a file at that place alone when it is another module.
  bool is_that(const std::string& path, Value parent) {
    const auto* text = files_.text(path);
    if (!text) return false;
    const auto document = documents::read_xml(*text);
    return !document.fault() && document.root()["artifactId"].text() == parent["artifactId"].text();
  }

  void gather_properties() {
    for (const auto& pom : poms_)
      for (const auto property : pom.root()["properties"])
        properties_.emplace(property.key(), property.text());
    const auto root = poms_.front().root(), parent = root["parent"];
    const auto own = [&](std::string_view name) {
      return std::string(root[name] ? root[name].text() : parent[name].text());
    };
    for (const std::string prefix : {"project.", "pom.", ""}) {
      for (const auto name : {"groupId", "version"}) properties_[prefix + name] = own(name);
      properties_[prefix + "artifactId"] = root["artifactId"].text();
    }
    for (const auto name : {"groupId", "artifactId", "version"})
      properties_[std::string("project.parent.") + name] = parent[name].text();
  }

  void resolve_into(std::string& out, std::string_view text, int& steps, int depth) const {
    while (!text.empty() && out.size() < kMaxValue && ++steps < kMaxSteps) {
      const auto open = text.find("${");
      const auto close = open == text.npos ? open : text.find('}', open);
      if (close == text.npos) break;
      out += text.substr(0, open);
      const auto found = properties_.find(text.substr(open + 2, close - open - 2));
      if (found == properties_.end() || depth >= kMaxResolving) {
        out += text.substr(open, close - open + 1);
      } else {
        resolve_into(out, found->second, steps, depth + 1);
      }
      text.remove_prefix(close + 1);
    }
    out += text.substr(0, kMaxValue);
  }

  Extract& out_;
  const File& file_;
  Files& files_;
  std::vector<Pom> poms_;
  Properties properties_;
};

struct Managed {
  std::string version, scope;
};

class Effective {
 public:
  Effective(Extract& out, const File& file) : out_(out), file_(file) {}

  void read(const Model& model) {
    const auto root = model.poms().front().root();
    out_.root = model.resolved("${project.groupId}:${project.artifactId}");
    out_.root_version = model.resolved("${project.version}");
    manage(model);
    for (const auto& pom : model.poms())
      for (const auto item : pom.root()["dependencies"])
        if (item.key() == "dependency") dependency(model, pom, item);
    if (root.key() != "project")
      problem(out_, file_, root.line(),
              "it is no Maven project but a <" + std::string(root.key()) + ">");
  }

 private:
  // group:artifact, and what tells artifacts of one module apart.
  static std::string identity(const Model& model, Value item) {
    auto type = model.resolved(item["type"].text());
    if (type == "jar") type.clear();
    return coordinates(model, item) + ":" + type + ":" + model.resolved(item["classifier"].text());
  }
  static std::string coordinates(const Model& model, Value item) {
    return model.resolved(item["groupId"].text()) + ":" + model.resolved(item["artifactId"].text());
  }

  void manage(const Model& model) {
    std::vector<std::pair<const Pom*, Value>> imports;
    for (const auto& pom : model.poms()) {
      for (const auto item : pom.root()["dependencyManagement"]["dependencies"]) {
        if (item.key() != "dependency") continue;
        if (item["scope"].text() == "import") {
          imports.emplace_back(&pom, item);
        } else {
          managed_.try_emplace(identity(model, item),
                               Managed{model.resolved(item["version"].text()),
                                       model.resolved(item["scope"].text())});
        }
      }
    }
    for (const auto& [pom, item] : imports) import(coordinates(model, item));
  }

  void import(const std::string& module) {
    if (imported_.size() >= kMaxBoms || !imported_.insert(module).second) return;
    const auto& index = modules(file_.others);
    const auto found = index.find(module);
    if (found == index.end()) return;
    const auto* text = file_.others.text(found->second);
    Model bom(out_, file_, file_.others);
    if (text && bom.load(found->second, *text)) manage(bom);
  }

  void dependency(const Model& model, const Pom& pom, Value item) {
    const auto group = model.resolved(item["groupId"].text());
    const auto artifact = model.resolved(item["artifactId"].text());
    if (group.empty() || artifact.empty())
      return problem(out_, {pom.path, {}, file_.others}, item.line(),
                     "a dependency lacks its groupId or artifactId");
    const auto id = identity(model, item);
    if (!seen_.insert(id).second) return;  // the nearer one counts
    const auto managed = managed_.find(id);
    std::string version = model.resolved(item["version"].text());
    std::string scope = model.resolved(item["scope"].text());
    if (managed != managed_.end()) {
      if (version.empty()) version = managed->second.version;
      if (scope.empty()) scope = managed->second.scope;
    }
    Entry& entry =
        add_direct(out_, {pom.path, {}, file_.others}, Ecosystem::maven, group + ":" + artifact, {},
                   scope_of(scope, item["optional"].text() == "true"), item.line());
    ask_for(entry.package, version);
    if (version.find("${") != version.npos)
      problem(out_, {pom.path, {}, file_.others}, item.line(),
              "the version " + version + " of " + group + ":" + artifact +
                  " stands nowhere in the tree");
  }

  static Scope scope_of(std::string_view scope, bool optional) {
    if (scope == "test") return Scope::development;
    if (scope == "provided") return Scope::build;
    return optional ? Scope::optional : Scope::runtime;
  }

  Extract& out_;
  const File& file_;
  std::map<std::string, Managed> managed_;
  std::set<std::string> imported_, seen_;
};

}  // namespace

std::string java_version(std::string_view range) {
  if (range.starts_with('[') && range.ends_with(']') && range.find(',') == range.npos)
    range = trimmed(range.substr(1, range.size() - 2));
  if (range.empty() || range.find_first_of("[](),+$ ") != range.npos ||
      range.starts_with("latest."))
    return {};
  return std::string(range);
}

void ask_for(Package& package, std::string_view range) {
  package.range = range;
  package.version = java_version(range);
}

Extract parse_pom(const File& file) {
  Extract out;
  Model model(out, file, file.others);
  if (!model.load(file.path, file.text)) {
    usable(out, file, model.poms().front().document);
    return out;
  }
  Effective(out, file).read(model);
  return out;
}

}  // namespace gitaiops::scanner::parsers
