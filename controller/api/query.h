// The query string of a list, read strictly: an unknown or repeated name is an error that says
// which and what was meant.
//
// Thread safety: pure functions.
#pragma once

#include "base/http/message.h"
#include "base/result/result.h"
#include "controller/store/store.h"
#include "engines/scanner/ecosystem.h"

namespace gitaiops::api {

struct JobQuery {
  store::JobFilter filter;
  store::PageRequest page;
  bool count = false;  // the caller wants the total, too
};

// invalid_argument names the parameter and what it takes.
Result<JobQuery> parse_job_query(const http::Request& request);

struct FailureQuery {
  store::FailureFilter filter;
  store::PageRequest page;
};
struct ModelUseQuery {
  store::ModelUseFilter filter;
  store::PageRequest page;
};
Result<ModelUseQuery> parse_model_use_query(const http::Request& request);
Result<FailureQuery> parse_failure_query(const http::Request& request);
Result<store::PageRequest> parse_page_query(const http::Request& request);

struct AuditQuery {
  store::AuditFilter filter;
  store::PageRequest page;
};
Result<AuditQuery> parse_audit_query(const http::Request& request);

struct DeliveryQuery {
  store::DeliveryFilter filter;
  store::PageRequest page;
};
Result<DeliveryQuery> parse_delivery_query(const http::Request& request);

struct LinesQuery {
  uint64_t line = 0;
  uint32_t before = 20, after = 20;  // at most 100
};
Result<LinesQuery> parse_lines_query(const http::Request& request);

// "/reviewers?project=grp/demo&path=lib/a.c&path=lib/b.c"
struct ReviewerQuery {
  std::string instance;            // empty: not said
  std::string project;             // "group/project"
  std::vector<std::string> paths;  // at least one, at most 100
};
Result<ReviewerQuery> parse_reviewer_query(const http::Request& request);

// Who uses a package: "/packages?ecosystem=Maven&name=org.x:y&versions=[,2.17)", or in place of the
// two "purl=pkg:maven/org.x/y"; of its version nothing is asked.
struct PackageQuery {
  scanner::Ecosystem ecosystem = scanner::Ecosystem::npm;
  std::string name;
  std::string versions;  // a range in the ecosystem's own words; empty: all
  store::PageRequest page;
};
Result<PackageQuery> parse_package_query(const http::Request& request);

struct VulnerabilityQuery {
  store::VulnerabilityFilter filter;
  store::PageRequest page;
};
Result<VulnerabilityQuery> parse_vulnerability_query(const http::Request& request);

// "/merge_requests?project=grp/demo&risk=medium": of that risk or a higher one.
struct MergeRequestQuery {
  store::TriageFilter filter;
  store::PageRequest page;
};
Result<MergeRequestQuery> parse_merge_request_query(const http::Request& request);

// A bill of material: of the newest commit, or the newest of a ref, or that commit.
struct BillQuery {
  store::InventoryFilter filter;
  std::string format = "cyclonedx";  // or "cyclonedx-1.5", "spdx"
};
Result<BillQuery> parse_bill_query(const http::Request& request);

struct RefQuery {
  store::InventoryFilter filter;
};
Result<RefQuery> parse_ref_query(const http::Request& request);

struct ChangesQuery {
  std::string from, to;  // refs
};
Result<ChangesQuery> parse_changes_query(const http::Request& request);

// The same list from `next` on: "/api/v1/jobs?outcome=failed&after=…".
std::string next_target(const http::Request& request, std::string_view next);
// As a Link of the answer; nothing when `next` is empty.
void link_next(http::Response& response, const http::Request& request, const std::string& next);

}  // namespace gitaiops::api
