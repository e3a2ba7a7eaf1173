// EPSS (FIRST) and the catalogue of known exploited vulnerabilities (CISA).
#include <cmath>

#include <simdjson.h>

#include "base/bytes/bytes.h"
#include "engines/scanner/advisories/builder.h"

namespace gitaiops::scanner {
namespace {

constexpr double kScale = 65535;

std::optional<uint16_t> share(std::string_view text) {
  const auto value = parse_double(trimmed(text));
  if (!value || !(*value >= 0 && *value <= 1)) return std::nullopt;
  return static_cast<uint16_t>(std::lround(*value * kScale));
}

}  // namespace

Status IndexBuilder::add_epss(std::string_view csv) {
  std::size_t line_number = 0;
  bool header = false;
  while (!csv.empty()) {
    const auto end = std::min(csv.find('\n'), csv.size());
    const auto line = trimmed(csv.substr(0, end));
    csv.remove_prefix(std::min(end + 1, csv.size()));
    ++line_number;
    if (line.starts_with('#')) {
      constexpr std::string_view kDate = "score_date:";
      if (const auto at = line.find(kDate); at != line.npos)
        epss_date_ = line.substr(at + kDate.size(), 10);
      continue;
    }
    if (line.empty()) continue;
    if (!header) {
      header = line == "cve,epss,percentile";
      if (!header)
        return Error(Code::invalid_argument, "line " + std::to_string(line_number) +
                                                 ": \"cve,epss,percentile\" should stand here");
      continue;
    }
    const auto fields = split(line, ',');
    const auto score = fields.size() == 3 ? share(fields[1]) : std::nullopt;
    const auto percentile = fields.size() == 3 ? share(fields[2]) : std::nullopt;
    if (!score || !percentile || !fields[0].starts_with("CVE-"))
      return Error(Code::invalid_argument,
                   "line " + std::to_string(line_number) + ": not a CVE and two shares");
    epss_.insert_or_assign(std::string(fields[0]), Epss{*score, *percentile});
    ++counts_.epss;
  }
  if (!header) return Error(Code::invalid_argument, "no EPSS scores in it");
  return {};
}

Status IndexBuilder::add_kev(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (const auto problem = parser.parse(json.data(), json.size()).get(root))
    return Error(Code::invalid_argument, simdjson::error_message(problem));
  simdjson::dom::array all;
  if (root["vulnerabilities"].get_array().get(all) != simdjson::SUCCESS)
    return Error(Code::invalid_argument, "no \"vulnerabilities\": not CISA's catalogue");
  std::string_view text;
  if (root["dateReleased"].get_string().get(text) == simdjson::SUCCESS)
    kev_date_ = text.substr(0, 10);
  for (const auto one : all) {
    if (one["cveID"].get_string().get(text) != simdjson::SUCCESS) continue;
    const std::string cve(text);
    const bool ransomware =
        one["knownRansomwareCampaignUse"].get_string().get(text) == simdjson::SUCCESS &&
        text == "Known";
    exploited_[cve] = exploited_[cve] || ransomware;
    ++counts_.kev;
  }
  return {};
}

}  // namespace gitaiops::scanner
