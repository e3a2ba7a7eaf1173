// GitLab reads a bill only with gitlab:meta:schema_version, and makes findings only where the input
// file's path is known (docs.gitlab.com, CycloneDX property taxonomy).
#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "engines/scanner/outputs/sbom.h"

namespace gitaiops::scanner {
namespace {

using nlohmann::ordered_json;

ordered_json property(std::string_view name, std::string_view value) {
  return {{"name", name}, {"value", value}};
}

const std::string& input_file(const PackageSet& set) {
  return set.lock.empty() ? set.manifest : set.lock;
}

std::string_view language(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::npm:
      return "JavaScript";
    case Ecosystem::pypi:
      return "Python";
    case Ecosystem::maven:
      return "Java";
    case Ecosystem::go:
      return "Go";
    case Ecosystem::crates_io:
      return "Rust";
    case Ecosystem::packagist:
      return "PHP";
    case Ecosystem::rubygems:
      return "Ruby";
    case Ecosystem::nuget:
      return "C#";
    case Ecosystem::hex:
      return "Elixir";
    case Ecosystem::pub:
      return "Dart";
    case Ecosystem::conan:
      return "C++";
    case Ecosystem::cran:
      return "R";
    case Ecosystem::swift:
      return "Swift";
    default:
      return "";
  }
}

// CycloneDX takes hashes in hexadecimal, npm and NuGet write them in base64.
std::optional<std::string> base64_as_hex(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto value = kDigits.find(c);
    if (value == kDigits.npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes.push_back(static_cast<char>(bits >> have & 0xff));
  }
  return hex_encode(as_bytes(bytes));
}

ordered_json hashes(const Package& package) {
  struct Algorithm {
    std::string_view ours, theirs;
    std::size_t digits;
  };
  constexpr std::array kAlgorithms{Algorithm{"md5", "MD5", 32}, Algorithm{"sha1", "SHA-1", 40},
                                   Algorithm{"sha256", "SHA-256", 64},
                                   Algorithm{"sha384", "SHA-384", 96},
                                   Algorithm{"sha512", "SHA-512", 128}};
  auto out = ordered_json::array();
  for (const auto& sum : package.checksums) {
    const auto known = std::ranges::find(kAlgorithms, sum.algorithm, &Algorithm::ours);
    if (known == kAlgorithms.end()) continue;
    const bool hex = sum.value.size() == known->digits && hex_decode(sum.value);
    const auto value = hex ? std::optional(sum.value) : base64_as_hex(sum.value);
    if (value && value->size() == known->digits)
      out.push_back({{"alg", known->theirs}, {"content", *value}});
  }
  return out;
}

// What tells components of one document apart.
std::string reference(const PackageSet& set, const Package& package, uint32_t position) {
  return to_utf8(purl_of(package) + "#" + input_file(set) + ":" + std::to_string(position));
}

ordered_json component(const PackageSet& set, const Package& package, uint32_t position) {
  ordered_json out;
  out["type"] = "library";
  out["bom-ref"] = reference(set, package, position);
  const auto joint = package.name.rfind(package.ecosystem == Ecosystem::maven ? ':' : '/');
  const bool grouped = joint != std::string::npos && package.ecosystem != Ecosystem::go;
  if (grouped) out["group"] = package.name.substr(0, joint);
  out["name"] = grouped ? package.name.substr(joint + 1) : package.name;
  out["version"] = package.version;
  out["scope"] = package.scope == Scope::runtime    ? "required"
                 : package.scope == Scope::optional ? "optional"
                                                    : "excluded";
  if (auto sums = hashes(package); !sums.empty()) out["hashes"] = std::move(sums);
  out["purl"] = purl_of(package);
  auto& properties = out["properties"] = ordered_json::array();
  properties.push_back(property("gitlab:dependency_scanning:input_file:path", input_file(set)));
  properties.push_back(property("gitlab:dependency_scanning:package_manager:name", set.manager));
  properties.push_back(
      property("gitlab:dependency_scanning:language:name", language(set.ecosystem)));
  properties.push_back(
      property("gitlab:dependency_scanning:category",
               package.scope == Scope::development ? "development" : "production"));
  if (!package.range.empty()) properties.push_back(property("gitaiops:range", package.range));
  return out;
}

std::string document(std::span<const PackageSet> sets, CycloneDx version,
                     const SbomContext& context) {
  ordered_json out;
  const std::string_view spec = version == CycloneDx::v1_5 ? "1.5" : "1.6";
  out["$schema"] = "http://cyclonedx.org/schema/bom-" + std::string(spec) + ".schema.json";
  out["bomFormat"] = "CycloneDX";
  out["specVersion"] = spec;
  out["serialNumber"] = "urn:uuid:" + context.uuid;
  out["version"] = 1;
  auto& metadata = out["metadata"];
  metadata["timestamp"] = context.created;
  metadata["tools"]["components"] = {
      {{"type", "application"}, {"name", "gitaiops"}, {"version", context.tool_version}}};
  auto& properties = metadata["properties"] = ordered_json::array();
  properties.push_back(property("gitlab:meta:schema_version", "1"));
  if (sets.size() == 1) {
    const auto& set = sets.front();
    if (!set.root.empty())
      metadata["component"] = {{"type", "application"},
                               {"bom-ref", "root"},
                               {"name", set.root},
                               {"version", set.root_version}};
    properties.push_back(property("gitlab:dependency_scanning:input_file:path", input_file(set)));
    if (!set.manifest.empty())
      properties.push_back(property("gitlab:dependency_scanning:source_file:path", set.manifest));
    properties.push_back(property("gitlab:dependency_scanning:package_manager:name", set.manager));
    properties.push_back(
        property("gitlab:dependency_scanning:language:name", language(set.ecosystem)));
  }
  auto& components = out["components"] = ordered_json::array();
  auto& dependencies = out["dependencies"] = ordered_json::array();
  for (const auto& set : sets) {
    for (uint32_t i = 0; i < set.packages.size(); ++i) {
      components.push_back(component(set, set.packages[i], i));
      ordered_json edges = {{"ref", reference(set, set.packages[i], i)}};
      for (const uint32_t to : set.packages[i].depends_on)
        edges["dependsOn"].push_back(reference(set, set.packages[to], to));
      dependencies.push_back(std::move(edges));
    }
  }
  if (metadata.contains("component")) {
    ordered_json edges = {{"ref", "root"}};
    for (uint32_t i = 0; i < sets.front().packages.size(); ++i)
      if (sets.front().packages[i].direct)
        edges["dependsOn"].push_back(reference(sets.front(), sets.front().packages[i], i));
    dependencies.push_back(std::move(edges));
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string as_cyclonedx(const PackageSet& set, CycloneDx version, const SbomContext& context) {
  return document(std::span(&set, 1), version, context);
}

std::string as_cyclonedx(const Inventory& inventory, CycloneDx version,
                         const SbomContext& context) {
  return document(inventory.sets, version, context);
}

std::string cyclonedx_file_name(const PackageSet& set) {
  return "gl-sbom-" + std::string(purl_type(set.ecosystem)) + "-" + set.manager + ".cdx.json";
}

}  // namespace gitaiops::scanner
