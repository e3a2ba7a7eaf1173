#include "engines/scanner/advisories/osv.h"

#include <algorithm>

#include <simdjson.h>

namespace gitaiops::scanner {
namespace {

namespace dom = simdjson::dom;

std::string_view text_of(dom::element element) {
  std::string_view text;
  return element.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::string_view field(dom::object object, std::string_view name) {
  dom::element element;
  return object[name].get(element) == simdjson::SUCCESS ? text_of(element) : std::string_view();
}

// Empty when there is none.
dom::array array_in(dom::object object, std::string_view name, bool* found = nullptr) {
  dom::array out;
  const bool there = object[name].get_array().get(out) == simdjson::SUCCESS;
  if (found) *found = there;
  return out;
}

template <class Each>
void for_each_object(dom::object object, std::string_view name, const Each& each) {
  bool found = false;
  const auto array = array_in(object, name, &found);
  if (!found) return;
  for (const auto element : array) {
    dom::object inner;
    if (element.get_object().get(inner) == simdjson::SUCCESS) each(inner);
  }
}

std::vector<std::string> texts(dom::object object, std::string_view name) {
  std::vector<std::string> out;
  bool found = false;
  const auto array = array_in(object, name, &found);
  if (!found) return out;
  for (const auto element : array)
    if (const auto text = text_of(element); !text.empty()) out.emplace_back(text);
  return out;
}

std::optional<dom::object> object_in(dom::object object, std::string_view name) {
  dom::object out;
  if (object[name].get_object().get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

// The vector of the newest CVSS version; the level from words where no vector tells it.
OsvSeverity read_severity(dom::object object) {
  OsvSeverity out;
  std::string_view best;  // "CVSS_V4" comes after "CVSS_V3" comes after "CVSS_V2"
  const auto consider = [&](std::string_view type, std::string_view vector) {
    const auto score = cvss_score(vector);
    if (!score || type <= best) return;
    best = type;
    out.vector = vector;
    out.score = score->base;
    out.level = severity_of(score->base);
  };
  for_each_object(object, "severity", [&](dom::object severity) {
    const auto type = field(severity, "type");
    if (type.starts_with("CVSS_V")) consider(type, field(severity, "score"));
  });
  if (const auto own = object_in(object, "database_specific")) {
    if (best.empty()) consider("CVSS", field(*own, "cvss"));  // RustSec
    if (out.score < 0)
      if (const auto level = severity_of(field(*own, "severity"))) out.level = *level;
  }
  return out;
}

std::vector<OsvRange> read_ranges(dom::object object, std::string_view name) {
  std::vector<OsvRange> out;
  for_each_object(object, name, [&](dom::object range) {
    const auto type = field(range, "type");
    if (type != "SEMVER" && type != "ECOSYSTEM") return;
    OsvRange events;
    for_each_object(range, "events", [&](dom::object event) {
      static constexpr std::pair<std::string_view, EventKind> kKinds[] = {
          {"introduced", EventKind::introduced},
          {"fixed", EventKind::fixed},
          {"last_affected", EventKind::last_affected},
          {"limit", EventKind::limit}};
      for (const auto& [word, kind] : kKinds)
        if (const auto version = field(event, word); !version.empty())
          events.push_back({kind, std::string(version)});
    });
    if (!events.empty()) out.push_back(std::move(events));
  });
  return out;
}

Informational informational_of(std::string_view word) {
  if (word == "unmaintained") return Informational::unmaintained;
  if (word == "unsound") return Informational::unsound;
  return word.empty() ? Informational::no : Informational::notice;
}

std::string_view last_part(std::string_view name, std::string_view joint) {
  const auto at = name.rfind(joint);
  return at == name.npos ? name : name.substr(at + joint.size());
}

// Go: {"imports": [{"path", "symbols": ["Type.Method", …]}]}. What is not exported cannot be named
// from elsewhere; a package of which only such parts are affected is meant as a whole.
std::vector<AffectedSymbols> go_symbols(dom::object own) {
  std::vector<AffectedSymbols> out;
  for_each_object(own, "imports", [&](dom::object import) {
    AffectedSymbols one{std::string(field(import, "path")), {}};
    for (const auto& symbol : texts(import, "symbols")) {
      const auto name = last_part(symbol, ".");
      if (!name.empty() && name.front() >= 'A' && name.front() <= 'Z') one.names.emplace_back(name);
    }
    if (!one.path.empty()) out.push_back(std::move(one));
  });
  return out;
}

// RustSec: {"affects": {"functions": ["crate::Type::method", …]}}.
std::vector<AffectedSymbols> rust_symbols(dom::object own) {
  std::vector<AffectedSymbols> out;
  const auto affects = object_in(own, "affects");
  if (!affects) return out;
  for (const auto& function : texts(*affects, "functions")) {
    const auto crate = std::string_view(function).substr(0, function.find("::"));
    const auto known = std::find_if(out.begin(), out.end(),
                                    [&](const AffectedSymbols& one) { return one.path == crate; });
    auto& one = known == out.end() ? out.emplace_back() : *known;
    one.path = crate;
    if (crate.size() < function.size()) one.names.emplace_back(last_part(function, "::"));
  }
  return out;
}

std::optional<OsvAffected> read_affected(dom::object entry) {
  const auto package = object_in(entry, "package");
  if (!package) return std::nullopt;
  const auto ecosystem = ecosystem_of(field(*package, "ecosystem"));
  const auto name = field(*package, "name");
  if (!ecosystem || name.empty()) return std::nullopt;
  OsvAffected out;
  out.ecosystem = *ecosystem;
  out.name = name;
  out.ranges = read_ranges(entry, "ranges");
  out.versions = texts(entry, "versions");
  out.severity = read_severity(entry);
  if (const auto own = object_in(entry, "ecosystem_specific")) {
    out.custom_ranges = read_ranges(*own, "custom_ranges");
    if (*ecosystem == Ecosystem::go) out.symbols = go_symbols(*own);
    if (*ecosystem == Ecosystem::crates_io) out.symbols = rust_symbols(*own);
  }
  if (const auto own = object_in(entry, "database_specific"))
    out.informational = informational_of(field(*own, "informational"));
  return out;
}

}  // namespace

struct OsvReader::Parser {
  dom::parser dom;
};

OsvReader::OsvReader() : parser_(std::make_unique<Parser>()) {}
OsvReader::~OsvReader() = default;

Result<OsvRecord> OsvReader::read(std::string_view json) {
  dom::element root;
  if (const auto problem = parser_->dom.parse(json.data(), json.size()).get(root))
    return Error(Code::invalid_argument, simdjson::error_message(problem));
  dom::object record;
  if (root.get_object().get(record) != simdjson::SUCCESS)
    return Error(Code::invalid_argument, "not a JSON object");
  OsvRecord out;
  out.id = field(record, "id");
  if (out.id.empty()) return Error(Code::invalid_argument, "no \"id\": not an OSV record");
  out.modified = field(record, "modified");
  out.withdrawn = !field(record, "withdrawn").empty();
  out.aliases = texts(record, "aliases");
  out.summary = field(record, "summary");
  out.severity = read_severity(record);
  bool has_affected = false;
  array_in(record, "affected", &has_affected);
  if (!has_affected && !out.withdrawn)
    return Error(Code::invalid_argument, "no \"affected\": nothing can be matched");
  for_each_object(record, "affected", [&](dom::object entry) {
    if (auto affected = read_affected(entry))
      out.affected.push_back(std::move(*affected));
    else
      ++out.unknown_ecosystems;
  });
  return out;
}

}  // namespace gitaiops::scanner
