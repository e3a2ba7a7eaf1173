// Python: what pip, pipenv, poetry, uv and pdm read and write.
#pragma once

#include "engines/scanner/parsers/extract.h"

namespace gitaiops::scanner::parsers {

// pip's requirements files, with -r and -c inside the tree.
Extract parse_requirements(const File& file);
Extract parse_pipfile(const File& file);
Extract parse_pipfile_lock(const File& file);
// PEP 621 and 735, poetry's, pdm's and uv's own tables.
Extract parse_pyproject(const File& file);
Extract parse_poetry_lock(const File& file);
Extract parse_uv_lock(const File& file);
Extract parse_pdm_lock(const File& file);
// PEP 751.
Extract parse_pylock(const File& file);

// A dependency specifier of PEP 508: "name[extra] >=1,<2 ; marker" or "name @ url".
struct Requirement {
  std::string_view name, range, url, marker;
};
std::optional<Requirement> requirement(std::string_view text);
// "==1.2" and "===1.2" alone are one version.
std::optional<std::string_view> pinned(std::string_view range);
// By what Python packages find each other.
std::string python_key(std::string_view name);
// Adds what a specifier asks for; false when it is none.
bool add_requirement(Extract& out, const File& file, std::string_view text, Scope scope,
                     uint32_t line);

}  // namespace gitaiops::scanner::parsers
