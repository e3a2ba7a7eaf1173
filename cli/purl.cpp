#include "engines/scanner/purl.h"

#include <ostream>

#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace gitaiops::cli {
namespace {

int print(const Result<std::string>& text, const Terminal& terminal) {
  if (!text.ok()) {
    terminal.err << "gitaiops: " << text.error().to_string() << "\n";
    return kUsage;
  }
  terminal.out << *text << "\n";
  return kDone;
}

}  // namespace

int parse_purl(const std::string& text, const Terminal& terminal) {
  const auto purl = scanner::parse_purl(text);
  if (!purl.ok()) {
    terminal.err << "gitaiops: " << purl.error().to_string() << "\n";
    return kUsage;
  }
  const auto or_null = [](const std::string& part) {
    return part.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(part);
  };
  nlohmann::ordered_json out;
  out["type"] = purl->type;
  out["namespace"] = or_null(purl->name_space);
  out["name"] = purl->name;
  out["version"] = or_null(purl->version);
  if (purl->qualifiers.empty()) {
    out["qualifiers"] = nullptr;
  } else {
    out["qualifiers"] = purl->qualifiers;
  }
  out["subpath"] = or_null(purl->subpath);
  terminal.out << out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  return kDone;
}

int build_purl(const PurlOptions& options, const Terminal& terminal) {
  scanner::Purl purl{options.type, options.name_space, options.name, options.version,
                     {},           options.subpath};
  for (const auto& qualifier : options.qualifiers) {
    const auto equals = qualifier.find('=');
    if (equals == std::string::npos) {
      terminal.err << "gitaiops: a qualifier is key=value, not \"" << qualifier << "\"\n";
      return kUsage;
    }
    purl.qualifiers[qualifier.substr(0, equals)] = qualifier.substr(equals + 1);
  }
  return print(scanner::build_purl(std::move(purl)), terminal);
}

int validate_purl(const std::string& text, const Terminal& terminal) {
  return print(scanner::canonical_purl(text), terminal);
}

}  // namespace gitaiops::cli
