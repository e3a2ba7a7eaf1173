#include <algorithm>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

// `*` matches any run of characters; linear in practice, |pattern| · |text| at worst.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// SQLite's GLOB knows ? and [ too; ours are plain characters.
std::string to_glob(std::string_view pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '?' || c == '[') {
      out += '[';
      out += c;
      out += ']';
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

bool allows(const Scope& scope, std::string_view instance, std::string_view project_path) {
  return std::any_of(scope.begin(), scope.end(), [&](const ProjectGlob& glob) {
    return matches(glob.instance, instance) && matches(glob.path, project_path);
  });
}

ScopeClause::ScopeClause(const Scope& scope)
    : everything_(std::any_of(scope.begin(), scope.end(), [](const ProjectGlob& g) {
        return g.instance == "*" && g.path == "*";
      })) {
  Scope globs;
  for (const auto& g : scope) globs.push_back({to_glob(g.instance), to_glob(g.path)});
  glob_ = scope_to_json(globs);
}

std::string ScopeClause::sql(std::string_view alias) const {
  // The placeholder stands in both, so that a query binds the same values whatever the scope.
  if (everything_) return "(? IS NOT NULL)";
  const auto of = alias.empty() ? std::string() : std::string(alias) + ".";
  return "((" + of + "instance, " + of +
         "project_path) IN (SELECT p.instance, p.path FROM projects p WHERE EXISTS ("
         "SELECT 1 FROM json_each(?) s WHERE p.instance GLOB s.value->>0 AND p.path GLOB "
         "s.value->>1)))";
}

}  // namespace gitaiops::store
