#include "controller/api/query.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/bytes/bytes.h"
#include "engines/scanner/cvss/cvss.h"
#include "engines/scanner/purl.h"
#include "engines/scanner/versions/versions.h"

namespace gitaiops::api {
namespace {

constexpr std::size_t kMaxPage = 200;
constexpr std::size_t kMaxValue = 1024;  // bytes of one parameter: longer than any path of GitLab's
constexpr uint64_t kMaxLine = 1ull << 40;
constexpr uint64_t kMaxLinesAround = 100;
constexpr std::array<std::string_view, 3> kBillFormats = {"cyclonedx", "cyclonedx-1.5", "spdx"};
constexpr std::array<std::string_view, 4> kOutcomes = {"passed", "failed", "canceled", "unknown"};

Error wrong(std::string_view name, std::string_view expected) {
  return {Code::invalid_argument,
          "the parameter '" + std::string(name) + "' takes " + std::string(expected)};
}

template <class Query>
using Setter = Status (*)(Query&, std::string_view name, const std::string& value);

template <class Query, auto Member>
Status set_text(Query& query, std::string_view, const std::string& value) {
  query.filter.*Member = value;
  return {};
}

template <class Query, auto Member>
Status set_number(Query& query, std::string_view name, const std::string& value) {
  const auto number = parse_int(value);
  if (!number || *number <= 0) return wrong(name, "a positive whole number");
  query.filter.*Member = *number;
  return {};
}

template <class Query, auto Member>
Status set_time(Query& query, std::string_view name, const std::string& value) {
  const auto time = parse_rfc3339(value);
  if (!time)
    return wrong(name,
                 "a time by RFC 3339, such as 2026-11-22T13:00:00Z (a + of an offset as %2B)");
  query.filter.*Member = *time;
  return {};
}

Status set_outcome(JobQuery& query, std::string_view name, const std::string& value) {
  if (std::find(kOutcomes.begin(), kOutcomes.end(), value) == kOutcomes.end()) {
    return wrong(name, "passed, failed, canceled or unknown");
  }
  query.filter.outcome = value;
  return {};
}

Status set_limit(store::PageRequest& page, std::string_view name, const std::string& value) {
  const auto limit = parse_uint(value);
  if (!limit || *limit == 0 || *limit > kMaxPage)
    return wrong(name, "a number from 1 to " + std::to_string(kMaxPage));
  page.limit = *limit;
  return {};
}

Status set_after(store::PageRequest& page, std::string_view, const std::string& value) {
  page.after = value;
  return {};
}

template <class Query>
Status set_page_limit(Query& query, std::string_view name, const std::string& value) {
  return set_limit(query.page, name, value);
}

template <class Query>
Status set_page_after(Query& query, std::string_view name, const std::string& value) {
  return set_after(query.page, name, value);
}

Status set_flaky(FailureQuery& query, std::string_view name, const std::string& value) {
  if (value != "true" && value != "false") return wrong(name, "true or false");
  query.filter.flaky = value == "true";
  return {};
}

Status set_ecosystem(PackageQuery& query, std::string_view name, const std::string& value) {
  const auto ecosystem = scanner::ecosystem_of(value);
  if (!ecosystem)
    return wrong(name, "an ecosystem as OSV names it, such as npm, PyPI, Maven, Go or crates.io");
  query.ecosystem = *ecosystem;
  return {};
}

struct PurlPackage {
  scanner::Ecosystem ecosystem = scanner::Ecosystem::npm;
  std::string name;
};

// The package that a package URL names, whatever its version.
Result<PurlPackage> package_of(std::string_view name, const std::string& value) {
  const auto purl = scanner::parse_purl(value);
  if (!purl.ok())
    return wrong(name,
                 "a package URL such as pkg:npm/%40scope/name (" + purl.error().message() + ")");
  for (int i = 0; i <= static_cast<int>(scanner::Ecosystem::hackage); ++i) {
    const auto ecosystem = static_cast<scanner::Ecosystem>(i);
    if (scanner::purl_type(ecosystem) != purl->type) continue;
    const std::string joint = ecosystem == scanner::Ecosystem::maven ? ":" : "/";
    return PurlPackage{
        ecosystem, purl->name_space.empty() ? purl->name : purl->name_space + joint + purl->name};
  }
  return wrong(name,
               "a package URL of an ecosystem that is scanned, which " + purl->type + " is not");
}

Status set_package_purl(PackageQuery& query, std::string_view name, const std::string& value) {
  ASSIGN_OR_RETURN(auto package, package_of(name, value));
  query.ecosystem = package.ecosystem;
  query.name = std::move(package.name);
  return {};
}

Status set_vulnerable_purl(VulnerabilityQuery& query, std::string_view name,
                           const std::string& value) {
  ASSIGN_OR_RETURN(auto package, package_of(name, value));
  query.filter.ecosystem = scanner::osv_name(package.ecosystem);
  query.filter.package = std::move(package.name);
  return {};
}

Status set_vulnerable_ecosystem(VulnerabilityQuery& query, std::string_view name,
                                const std::string& value) {
  PackageQuery known;
  RETURN_IF_ERROR(set_ecosystem(known, name, value));
  query.filter.ecosystem = scanner::osv_name(known.ecosystem);
  return {};
}

Status set_severity(VulnerabilityQuery& query, std::string_view name, const std::string& value) {
  const auto severity = scanner::severity_of(value);
  if (!severity || *severity < scanner::Severity::low)
    return wrong(name, "low, medium, high or critical");
  query.filter.least_severity = static_cast<int>(*severity);
  return {};
}

template <auto Member>
Status set_package_text(PackageQuery& query, std::string_view, const std::string& value) {
  query.*Member = value;
  return {};
}

Status set_line(LinesQuery& query, std::string_view name, const std::string& value) {
  const auto line = parse_uint(value);
  if (!line || *line == 0 || *line > kMaxLine) return wrong(name, "a line's number, from 1");
  query.line = *line;
  return {};
}

Status set_format(BillQuery& query, std::string_view name, const std::string& value) {
  if (std::ranges::find(kBillFormats, value) == kBillFormats.end())
    return wrong(name, "cyclonedx, cyclonedx-1.5 or spdx");
  query.format = value;
  return {};
}

template <auto Member>
Status set_side(ChangesQuery& query, std::string_view, const std::string& value) {
  query.*Member = value;
  return {};
}

template <auto Member>
Status set_lines(LinesQuery& query, std::string_view name, const std::string& value) {
  const auto lines = parse_uint(value);
  if (!lines || *lines > kMaxLinesAround)
    return wrong(name, "a number from 0 to " + std::to_string(kMaxLinesAround));
  query.*Member = static_cast<uint32_t>(*lines);
  return {};
}

Status set_count(JobQuery& query, std::string_view name, const std::string& value) {
  if (value != "true" && value != "false") return wrong(name, "true or false");
  query.count = value == "true";
  return {};
}

template <class Query>
struct Parameter {
  std::string_view name;
  Setter<Query> set;
};

using Filter = store::JobFilter;
constexpr Parameter<JobQuery> kParameters[] = {
    {"instance", set_text<JobQuery, &Filter::instance>},
    {"project", set_text<JobQuery, &Filter::project_path>},
    {"project_id", set_number<JobQuery, &Filter::project_id>},
    {"outcome", set_outcome},
    {"category", set_text<JobQuery, &Filter::category>},
    {"owner", set_text<JobQuery, &Filter::owner>},
    {"agent", set_text<JobQuery, &Filter::agent_id>},
    {"job_id", set_number<JobQuery, &Filter::job_id>},
    {"pipeline_id", set_number<JobQuery, &Filter::pipeline_id>},
    {"finished_after", set_time<JobQuery, &Filter::finished_after>},
    {"finished_before", set_time<JobQuery, &Filter::finished_before>},
    {"after", set_page_after<JobQuery>},
    {"limit", set_page_limit<JobQuery>},
    {"count", set_count},
};

using OfFailures = store::FailureFilter;
constexpr Parameter<FailureQuery> kFailureParameters[] = {
    {"instance", set_text<FailureQuery, &OfFailures::instance>},
    {"project", set_text<FailureQuery, &OfFailures::project_path>},
    {"category", set_text<FailureQuery, &OfFailures::category>},
    {"owner", set_text<FailureQuery, &OfFailures::owner>},
    {"flaky", set_flaky},
    {"after", set_page_after<FailureQuery>},
    {"limit", set_page_limit<FailureQuery>},
};

// "2026-11-23"
template <std::optional<int64_t> store::ModelUseFilter::* field>
Status set_day(ModelUseQuery& query, std::string_view name, const std::string& value) {
  constexpr int64_t kDay = 24 * 3600 * kMicrosPerSecond;
  const auto day = parse_rfc3339(value + "T00:00:00Z");
  if (!day) return wrong(name, "a day such as 2026-11-23");
  query.filter.*field = day->value / kDay;
  return {};
}

using OfModelUse = store::ModelUseFilter;
constexpr Parameter<ModelUseQuery> kModelUseParameters[] = {
    {"instance", set_text<ModelUseQuery, &OfModelUse::instance>},
    {"project", set_text<ModelUseQuery, &OfModelUse::project_path>},
    {"from", set_day<&OfModelUse::from_day>},
    {"to", set_day<&OfModelUse::to_day>},
    {"after", set_page_after<ModelUseQuery>},
    {"limit", set_page_limit<ModelUseQuery>},
};

using OfAudit = store::AuditFilter;
constexpr Parameter<AuditQuery> kAuditParameters[] = {
    {"actor", set_text<AuditQuery, &OfAudit::actor>},
    {"act", set_text<AuditQuery, &OfAudit::act>},
    {"instance", set_text<AuditQuery, &OfAudit::instance>},
    {"project_id", set_number<AuditQuery, &OfAudit::project_id>},
    {"text", set_text<AuditQuery, &OfAudit::text>},
    {"at_after", set_time<AuditQuery, &OfAudit::after>},
    {"at_before", set_time<AuditQuery, &OfAudit::before>},
    {"after", set_page_after<AuditQuery>},
    {"limit", set_page_limit<AuditQuery>},
};

using OfDeliveries = store::DeliveryFilter;
constexpr Parameter<DeliveryQuery> kDeliveryParameters[] = {
    {"instance", set_text<DeliveryQuery, &OfDeliveries::instance>},
    {"state", set_text<DeliveryQuery, &OfDeliveries::state>},
    {"type", set_text<DeliveryQuery, &OfDeliveries::type>},
    {"source", set_text<DeliveryQuery, &OfDeliveries::source>},
    {"after", set_page_after<DeliveryQuery>},
    {"limit", set_page_limit<DeliveryQuery>},
};

constexpr Parameter<store::PageRequest> kPageParameters[] = {{"after", set_after},
                                                             {"limit", set_limit}};

constexpr Parameter<PackageQuery> kPackageParameters[] = {
    {"ecosystem", set_ecosystem},
    {"name", set_package_text<&PackageQuery::name>},
    {"purl", set_package_purl},
    {"versions", set_package_text<&PackageQuery::versions>},
    {"after", set_page_after<PackageQuery>},
    {"limit", set_page_limit<PackageQuery>},
};

Status set_risk(MergeRequestQuery& query, std::string_view name, const std::string& value) {
  for (const auto level : {triage::Level::low, triage::Level::medium, triage::Level::high})
    if (to_string(level) == value) query.filter.least_risk = level;
  return query.filter.least_risk ? Status() : wrong(name, "low, medium or high");
}
using OfTriages = store::TriageFilter;
constexpr Parameter<MergeRequestQuery> kMergeRequestParameters[] = {
    {"instance", set_text<MergeRequestQuery, &OfTriages::instance>},
    {"project", set_text<MergeRequestQuery, &OfTriages::project_path>},
    {"risk", set_risk},
    {"after", set_page_after<MergeRequestQuery>},
    {"limit", set_page_limit<MergeRequestQuery>},
};

using OfVulnerabilities = store::VulnerabilityFilter;
constexpr Parameter<VulnerabilityQuery> kVulnerabilityParameters[] = {
    {"instance", set_text<VulnerabilityQuery, &OfVulnerabilities::instance>},
    {"project", set_text<VulnerabilityQuery, &OfVulnerabilities::project_path>},
    {"ref", set_text<VulnerabilityQuery, &OfVulnerabilities::ref>},
    {"severity", set_severity},
    {"advisory", set_text<VulnerabilityQuery, &OfVulnerabilities::advisory>},
    {"ecosystem", set_vulnerable_ecosystem},
    {"package", set_text<VulnerabilityQuery, &OfVulnerabilities::package>},
    {"purl", set_vulnerable_purl},
    {"after", set_page_after<VulnerabilityQuery>},
    {"limit", set_page_limit<VulnerabilityQuery>},
};

using OfInventories = store::InventoryFilter;
constexpr Parameter<BillQuery> kBillParameters[] = {
    {"ref", set_text<BillQuery, &OfInventories::ref>},
    {"sha", set_text<BillQuery, &OfInventories::commit_sha>},
    {"format", set_format},
};
constexpr Parameter<RefQuery> kRefParameters[] = {
    {"ref", set_text<RefQuery, &OfInventories::ref>},
};
constexpr Parameter<ChangesQuery> kChangesParameters[] = {
    {"from", set_side<&ChangesQuery::from>},
    {"to", set_side<&ChangesQuery::to>},
};

constexpr Parameter<LinesQuery> kLinesParameters[] = {
    {"line", set_line},
    {"before", set_lines<&LinesQuery::before>},
    {"after", set_lines<&LinesQuery::after>},
};

template <class Query>
Error unknown(std::string_view name, std::span<const Parameter<Query>> parameters) {
  std::vector<std::string_view> names;
  for (const auto& parameter : parameters) names.push_back(parameter.name);
  const auto meant = nearest(name, names);
  return {Code::invalid_argument,
          "unknown parameter '" + truncate_utf8(to_utf8(name), 64) + "'" +
              (meant ? "; did you mean '" + std::string(*meant) + "'?" : "")};
}

template <class Query>
Result<Query> parse(const http::Request& request, std::span<const Parameter<Query>> parameters) {
  Query query;
  for (const auto& [name, value] : request.query) {
    const auto known = std::find_if(
        parameters.begin(), parameters.end(),
        [&name = name](const Parameter<Query>& parameter) { return parameter.name == name; });
    if (known == parameters.end()) return unknown(name, parameters);
    if (request.query.count(name) > 1)
      return Error(Code::invalid_argument, "the parameter '" + name + "' is given twice");
    if (value.empty() || value.size() > kMaxValue)
      return wrong(name, "1 to " + std::to_string(kMaxValue) + " bytes");
    RETURN_IF_ERROR(known->set(query, name, value));
  }
  return query;
}

// A package URL says both, so it cannot stand beside either.
Status check_purl_alone(const http::Request& request, std::string_view name) {
  if (!request.query.contains("purl")) return {};
  if (!request.query.contains("ecosystem") && !request.query.contains(std::string(name))) return {};
  return Error(Code::invalid_argument, "the parameter 'purl' stands in place of 'ecosystem' and '" +
                                           std::string(name) + "', not beside them");
}

}  // namespace

Result<JobQuery> parse_job_query(const http::Request& request) {
  return parse<JobQuery>(request, kParameters);
}

Result<FailureQuery> parse_failure_query(const http::Request& request) {
  return parse<FailureQuery>(request, kFailureParameters);
}

Result<ModelUseQuery> parse_model_use_query(const http::Request& request) {
  return parse<ModelUseQuery>(request, kModelUseParameters);
}

// The one query whose parameter may be given more than once.
Result<ReviewerQuery> parse_reviewer_query(const http::Request& request) {
  constexpr std::size_t kMostPaths = 100;
  constexpr std::array<std::string_view, 3> kNames = {"instance", "project", "path"};
  ReviewerQuery query;
  for (const auto& [name, value] : request.query) {
    if (value.empty() || value.size() > kMaxValue)
      return wrong(name, "1 to " + std::to_string(kMaxValue) + " bytes");
    if (name == "path") {
      query.paths.push_back(value);
      continue;
    }
    if (name != "instance" && name != "project") {
      const auto meant = nearest(name, kNames);
      return Error(Code::invalid_argument,
                   "unknown parameter '" + truncate_utf8(to_utf8(name), 64) + "'" +
                       (meant ? "; did you mean '" + std::string(*meant) + "'?" : ""));
    }
    if (request.query.count(name) > 1)
      return Error(Code::invalid_argument, "the parameter '" + name + "' is given twice");
    (name == "instance" ? query.instance : query.project) = value;
  }
  if (query.project.find('/') == std::string::npos)
    return wrong("project", "a project's path, such as group/project; it must be given");
  if (query.paths.empty() || query.paths.size() > kMostPaths)
    return wrong("path", "a file's path from the repository's root; 1 to 100 of them are given");
  return query;
}

Result<MergeRequestQuery> parse_merge_request_query(const http::Request& request) {
  return parse<MergeRequestQuery>(request, kMergeRequestParameters);
}

Result<VulnerabilityQuery> parse_vulnerability_query(const http::Request& request) {
  RETURN_IF_ERROR(check_purl_alone(request, "package"));
  return parse<VulnerabilityQuery>(request, kVulnerabilityParameters);
}

Result<PackageQuery> parse_package_query(const http::Request& request) {
  RETURN_IF_ERROR(check_purl_alone(request, "name"));
  ASSIGN_OR_RETURN(auto query, parse<PackageQuery>(request, kPackageParameters));
  if (!request.query.contains("ecosystem") && !request.query.contains("purl"))
    return wrong("ecosystem", "an ecosystem as OSV names it; it must be given");
  if (query.name.empty()) return wrong("name", "a package's name; it must be given");
  // "1.0" is in no range that cannot be read, whatever its ecosystem.
  if (!query.versions.empty() &&
      scanner::matches(query.ecosystem, "1.0", query.versions) == scanner::Match::invalid &&
      scanner::matches(query.ecosystem, "1.0.0", query.versions) == scanner::Match::invalid)
    return wrong("versions", "a range of versions as " +
                                 std::string(scanner::osv_name(query.ecosystem)) + " writes it");
  return query;
}

Result<BillQuery> parse_bill_query(const http::Request& request) {
  return parse<BillQuery>(request, kBillParameters);
}

Result<RefQuery> parse_ref_query(const http::Request& request) {
  return parse<RefQuery>(request, kRefParameters);
}

Result<ChangesQuery> parse_changes_query(const http::Request& request) {
  ASSIGN_OR_RETURN(const auto query, parse<ChangesQuery>(request, kChangesParameters));
  if (query.from.empty()) return wrong("from", "a ref, such as main; it must be given");
  if (query.to.empty()) return wrong("to", "a ref, such as a branch; it must be given");
  return query;
}

Result<AuditQuery> parse_audit_query(const http::Request& request) {
  return parse<AuditQuery>(request, kAuditParameters);
}

Result<DeliveryQuery> parse_delivery_query(const http::Request& request) {
  return parse<DeliveryQuery>(request, kDeliveryParameters);
}

Result<store::PageRequest> parse_page_query(const http::Request& request) {
  return parse<store::PageRequest>(request, kPageParameters);
}

Result<LinesQuery> parse_lines_query(const http::Request& request) {
  ASSIGN_OR_RETURN(const auto query, parse<LinesQuery>(request, kLinesParameters));
  if (query.line == 0) return wrong("line", "a line's number, from 1; it must be given");
  return query;
}

std::string next_target(const http::Request& request, std::string_view next) {
  std::string target = request.path + "?";
  for (const auto& [name, value] : request.query) {
    if (name != "after")
      target += http::percent_encode(name) + "=" + http::percent_encode(value) + "&";
  }
  return target + "after=" + http::percent_encode(next);
}

void link_next(http::Response& response, const http::Request& request, const std::string& next) {
  if (!next.empty())
    response.headers.add("Link", "<" + next_target(request, next) + ">; rel=\"next\"");
}

}  // namespace gitaiops::api
