#include <nlohmann/json.hpp>

#include "agent/status/render.h"

namespace gitaiops::agent {
namespace {

using Json = nlohmann::ordered_json;

Json time_or_null(UnixMicros time) {
  return time.value > 0 ? Json(to_rfc3339(time)) : Json(nullptr);
}

UnixMicros time_of(const Json& json) {
  return json.is_string() ? parse_rfc3339(json.get<std::string>()).value_or(UnixMicros{})
                          : UnixMicros{};
}

Json source_json(const StatusSnapshot::Source& source) {
  return {{"name", source.name},
          {"reads", source.reads},
          {"lines", source.lines},
          {"records", source.records},
          {"last_line_at", source.last_line ? time_or_null(*source.last_line) : Json(nullptr)},
          {"problem", source.problem},
          {"cure", source.cure}};
}

StatusSnapshot::Source source_from(const Json& json) {
  StatusSnapshot::Source source;
  source.name = json.value("name", "");
  source.reads = json.value("reads", "");
  source.lines = json.value("lines", uint64_t{0});
  source.records = json.value("records", uint64_t{0});
  if (const auto last = time_of(json.value("last_line_at", Json())); last.value > 0)
    source.last_line = last;
  source.problem = json.value("problem", "");
  source.cure = json.value("cure", "");
  return source;
}

StatusSnapshot snapshot_from(const Json& json) {
  StatusSnapshot s;
  s.version = json.at("version");
  s.uptime_us = json.value("uptime_s", int64_t{0}) * kMicrosPerSecond;
  s.link_state = json.value("link_state", "");
  s.link_detail = json.value("link_detail", "");
  s.controller = json.value("controller", "");
  s.certificate_not_after = time_of(json.value("certificate_not_after", Json()));
  s.runners = json.value("runners", std::vector<std::string>());
  s.open_jobs = json.value("jobs_open", uint64_t{0});
  s.jobs_reported = json.value("jobs_reported", uint64_t{0});
  s.withheld_traces = json.value("withheld_logs", uint64_t{0});
  s.withheld_trees = json.value("withheld_process_trees", uint64_t{0});
  s.explanations = json.value("explanations", std::vector<std::string>());
  s.spool_bytes = json.value("spool_bytes", uint64_t{0});
  s.spool_messages = json.value("spool_messages", uint64_t{0});
  s.spool_oldest_us = json.value("spool_oldest_s", int64_t{0}) * kMicrosPerSecond;
  s.spool_damaged = json.value("spool_damaged_files", uint64_t{0});
  s.dropped = json.value("dropped", uint64_t{0});
  s.disk_full = json.value("disk_full", false);
  s.observer_problem = json.value("observer_problem", "");
  for (const auto& source : json.value("sources", Json::array()))
    s.sources.push_back(source_from(source));
  return s;
}

}  // namespace

std::string to_json(const StatusSnapshot& s) {
  Json json = {{"version", s.version},
               {"uptime_s", s.uptime_us / kMicrosPerSecond},
               {"link_state", s.link_state},
               {"link_detail", s.link_detail},
               {"controller", s.controller},
               {"certificate_not_after", time_or_null(s.certificate_not_after)},
               {"observer_problem", s.observer_problem},
               {"runners", s.runners},
               {"jobs_open", s.open_jobs},
               {"jobs_reported", s.jobs_reported},
               {"withheld_logs", s.withheld_traces},
               {"withheld_process_trees", s.withheld_trees},
               {"explanations", s.explanations},
               {"spool_bytes", s.spool_bytes},
               {"spool_messages", s.spool_messages},
               {"spool_oldest_s", s.spool_oldest_us / kMicrosPerSecond},
               {"spool_damaged_files", s.spool_damaged},
               {"dropped", s.dropped},
               {"disk_full", s.disk_full},
               {"sources", Json::array()}};
  for (const auto& source : s.sources) json["sources"].push_back(source_json(source));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<StatusSnapshot> snapshot_from_json(const std::string& text) {
  try {
    return snapshot_from(Json::parse(text));
  } catch (const nlohmann::json::exception& e) {
    return Error(Code::data_loss, std::string("this is not the status of an agent: ") + e.what());
  }
}

}  // namespace gitaiops::agent
