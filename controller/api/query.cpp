#include "controller/api/query.h"

#include <algorithm>
#include <array>

#include "base/bytes/bytes.h"

namespace gitaiops::api {
namespace {

constexpr std::size_t kMaxPage = 200;
constexpr std::size_t kMaxValue = 1024;  // bytes of one parameter: longer than any path of GitLab's
constexpr std::array<std::string_view, 4> kOutcomes = {"passed", "failed", "canceled", "unknown"};

Error wrong(std::string_view name, std::string_view expected) {
  return {Code::invalid_argument,
          "the parameter '" + std::string(name) + "' takes " + std::string(expected)};
}

template <class T>
using Setter = Status (*)(JobQuery&, std::string_view name, const T& value);

template <auto Member>
Status set_text(JobQuery& query, std::string_view, const std::string& value) {
  query.filter.*Member = value;
  return {};
}

template <auto Member>
Status set_number(JobQuery& query, std::string_view name, const std::string& value) {
  const auto number = parse_int(value);
  if (!number || *number <= 0) return wrong(name, "a positive whole number");
  query.filter.*Member = *number;
  return {};
}

template <auto Member>
Status set_time(JobQuery& query, std::string_view name, const std::string& value) {
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

Status set_limit(JobQuery& query, std::string_view name, const std::string& value) {
  const auto limit = parse_uint(value);
  if (!limit || *limit == 0 || *limit > kMaxPage)
    return wrong(name, "a number from 1 to " + std::to_string(kMaxPage));
  query.page.limit = *limit;
  return {};
}

Status set_after(JobQuery& query, std::string_view, const std::string& value) {
  query.page.after = value;
  return {};
}

Status set_count(JobQuery& query, std::string_view name, const std::string& value) {
  if (value != "true" && value != "false") return wrong(name, "true or false");
  query.count = value == "true";
  return {};
}

struct Parameter {
  std::string_view name;
  Setter<std::string> set;
};

using Filter = store::JobFilter;
constexpr Parameter kParameters[] = {
    {"instance", set_text<&Filter::instance>},
    {"project", set_text<&Filter::project_path>},
    {"project_id", set_number<&Filter::project_id>},
    {"outcome", set_outcome},
    {"category", set_text<&Filter::category>},
    {"owner", set_text<&Filter::owner>},
    {"agent", set_text<&Filter::agent_id>},
    {"job_id", set_number<&Filter::job_id>},
    {"pipeline_id", set_number<&Filter::pipeline_id>},
    {"finished_after", set_time<&Filter::finished_after>},
    {"finished_before", set_time<&Filter::finished_before>},
    {"after", set_after},
    {"limit", set_limit},
    {"count", set_count},
};

Error unknown(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& parameter : kParameters) names.push_back(parameter.name);
  const auto meant = nearest(name, names);
  return {Code::invalid_argument,
          "unknown parameter '" + truncate_utf8(to_utf8(name), 64) + "'" +
              (meant ? "; did you mean '" + std::string(*meant) + "'?" : "")};
}

}  // namespace

Result<JobQuery> parse_job_query(const http::Request& request) {
  JobQuery query;
  for (const auto& [name, value] : request.query) {
    const auto known =
        std::find_if(std::begin(kParameters), std::end(kParameters),
                     [&name = name](const Parameter& parameter) { return parameter.name == name; });
    if (known == std::end(kParameters)) return unknown(name);
    if (request.query.count(name) > 1)
      return Error(Code::invalid_argument, "the parameter '" + name + "' is given twice");
    if (value.empty() || value.size() > kMaxValue)
      return wrong(name, "1 to " + std::to_string(kMaxValue) + " bytes");
    RETURN_IF_ERROR(known->set(query, name, value));
  }
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

}  // namespace gitaiops::api
