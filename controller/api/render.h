// The store's values as the JSON of docs/openapi.yaml. What is not known is null in what every job
// has, and absent in what was measured (usage). Times are RFC 3339, durations seconds, sizes bytes.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/api/api.h"
#include "controller/dependencies/dependencies.h"
#include "controller/store/store.h"

namespace gitaiops::api {

std::string jobs_json(const store::Page<store::Job>& page, std::optional<int64_t> total);
// With runner, log, usage, diagnosis, GitLab's facts and what was seen before.
std::string job_json(const store::Job& job, const std::optional<store::SeenBefore>& seen);
std::string failures_json(const store::Page<store::Failure>& page);
std::string failure_json(const store::Failure& failure);  // with its occurrences
std::string lines_json(const fleet::v1::Excerpt& lines);
std::string hosts_json(const std::vector<store::Store::FailingHost>& hosts, const HostWatch& watch);
std::string reviewers_json(const Reviewers& reviewers);
std::string audit_json(const store::Page<store::AuditRecord>& page);
std::string events_json(const store::Page<store::Delivery>& page);
std::string event_json(const store::Delivery& delivery);  // with its body
std::string dead_letters_json(const store::Page<store::DeadLetter>& page);
std::string dead_letter_json(const store::DeadLetter& letter);
std::string packages_json(const store::Page<store::PackageUse>& page);
// `reasons`: of each why it does not count; empty: it counts.
using Reasons = std::vector<std::string>;
std::string vulnerabilities_json(const store::Page<store::Vulnerability>& page,
                                 const Reasons& reasons);
std::string changes_json(const store::Matched& from, const store::Matched& to,
                         const dependencies::Comparison& found, const Reasons& of_added,
                         const Reasons& of_removed, const store::PackageChanges& packages);
std::string note_json(const store::Note& note);
std::string agents_json(const std::vector<store::Agent>& agents);
std::string token_json(const store::ApiToken& token);
std::string status_json(std::string_view status);  // {"status": …}

}  // namespace gitaiops::api
