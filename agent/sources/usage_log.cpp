#include "agent/sources/usage_log.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxLine = 256 << 10;
constexpr std::size_t kMaxValue = 512;

const json& at(const json& object, const char* key) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string text(const json& value) {
  return value.is_string() ? truncate_utf8(to_utf8(value.get_ref<const std::string&>()), kMaxValue)
                           : "";
}

std::optional<int64_t> positive(const json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return std::nullopt;
  const auto number = value.get<int64_t>();
  return number > 0 ? std::optional(number) : std::nullopt;
}

std::string outcome_of(std::string_view status) {
  if (status == "success" || status == "passed") return "passed";
  if (status == "canceled" || status == "cancelled" || status == "canceling") return "canceled";
  return status == "failed" ? "failed" : "";
}

}  // namespace

Status parse_usage_record(std::string_view line, const InstanceMap& instances, UnixMicros seen,
                          int64_t late_us, uint64_t order, std::vector<Fact>& out) {
  if (line.size() > kMaxLine)
    return Error(Code::invalid_argument, "the line is longer than a record can be");
  const auto record = json::parse(line, nullptr, false);
  const auto& job = at(record, "job");
  const auto& runner = at(record, "runner");
  const auto id = positive(at(job, "id"));
  if (!id) return Error(Code::invalid_argument, "not a usage record: it has no job.id");
  const auto outcome = outcome_of(text(at(job, "status")));
  if (outcome.empty())
    return Error(Code::invalid_argument, "not a usage record: job.status is unknown");
  ASSIGN_OR_RETURN(const auto place, instances.locate(text(at(job, "url"))));

  const auto emit = [&](Field field, std::string value) {
    if (!value.empty())
      out.push_back({{place.instance, *id},
                     field,
                     std::move(value),
                     Source::usage_log,
                     seen,
                     order,
                     late_us});
  };
  const auto& project = at(job, "project");
  const auto path = text(at(project, "full_path"));
  emit(Field::project_path, path.empty() ? place.project_path : path);
  if (const auto project_id = positive(at(project, "id")))
    emit(Field::project_id, std::to_string(*project_id));
  emit(Field::runner_short, text(at(runner, "id")));
  emit(Field::runner_name, text(at(runner, "name")));
  emit(Field::runner_system_id, text(at(runner, "system_id")));
  emit(Field::executor, text(at(runner, "executor")));
  emit(Field::failure_reason, text(at(job, "failure_reason")));
  if (const auto& seconds = at(job, "duration_seconds"); seconds.is_number())
    if (const double s = seconds.get<double>(); s >= 0 && s < 1e8)
      emit(Field::duration_us, std::to_string(std::llround(s * 1e6)));
  if (const auto started = parse_rfc3339(text(at(job, "started_at"))))
    emit(Field::received_at, std::to_string(started->value));
  const auto finished = parse_rfc3339(text(at(job, "finished_at")));
  emit(Field::finished_at, std::to_string(finished ? finished->value : seen.value));
  emit(Field::outcome, outcome);
  return {};
}

}  // namespace gitaiops::agent
