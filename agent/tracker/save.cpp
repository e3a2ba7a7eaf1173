// The tracker's memory across a restart: one JSON object, version 1. Traces and trees are not in
// it, they are observed anew.
//   {"v":1,"rank":R,"jobs":[{job}],"past":[{job}]}
// Unknown members are ignored, missing ones mean "not known": so an older or a little newer agent
// can read it. Steady times are not saved; waits begin again at the restart.
#include <nlohmann/json.hpp>

#include "agent/tracker/state.h"

namespace gitaiops::agent {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kPastInFull = 128;
constexpr std::size_t kMaxSaved = 64 << 20;
constexpr int64_t kMaxNumber = int64_t{1} << 60;

int64_t number(const json& object, const char* key, int64_t otherwise = 0) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return otherwise;
  if (found->is_number_unsigned() && found->get<uint64_t>() > static_cast<uint64_t>(kMaxNumber))
    return otherwise;
  const auto value = found->get<int64_t>();
  return value < -kMaxNumber || value > kMaxNumber ? otherwise : value;
}

uint64_t rank(const json& object, const char* key) {
  const auto value = number(object, key);
  return value > 0 ? static_cast<uint64_t>(value) : 0;
}

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool flag(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

const json& list(const json& object, const char* key) {
  static const json kEmpty = json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : kEmpty;
}

JobRef ref_of(const json& object) {
  return {text(object, "instance"), number(object, "job")};
}
bool valid(const JobRef& ref) {
  return !ref.instance.empty() && ref.job_id > 0;
}

json to_json(const OpenJob& job) {
  json facts = json::array();
  for (std::size_t i = 0; i < FoldedFacts::kFields; ++i)
    if (const auto* value = job.facts.value(static_cast<Field>(i)))
      facts.push_back({to_string(static_cast<Field>(i)), to_string(value->source), value->text});
  json object = {
      {"instance", job.ref.instance}, {"job", job.ref.job_id}, {"facts", std::move(facts)}};
  if (job.announced.rank != 0) {
    object["announced"] = job.announced.rank;
    object["at_us"] = job.announced.at_us;
    object["late_us"] = job.announced.late_us;
  }
  if (job.ended) object["ended"] = job.ended_rank;  // 0: the runner's log has not told it
  if (job.told) object["told"] = true;
  if (job.strangers) object["strangers"] = true;
  return object;
}

json to_json(const Between& b) {
  return json::array({b.from, b.until});
}

// Nothing saved: never.
Between between(const json& object, const char* key) {
  const auto& pair = list(object, key);
  const auto bound = [](const json& value) -> int64_t {
    if (!value.is_number_integer() || value > kMaxNumber || value < -kMaxNumber) return -1;
    return value.get<int64_t>();
  };
  return pair.size() == 2 ? Between{bound(pair[0]), bound(pair[1])} : Between{0, -1};
}

json to_json(const PastJob& job) {
  json object = {{"instance", job.ref.instance},     {"job", job.ref.job_id},
                 {"runner", job.runner_short},       {"project", job.project},
                 {"announced", job.announced.rank},  {"at_us", job.announced.at_us},
                 {"late_us", job.announced.late_us}, {"ended", job.ended_rank},
                 {"born_us", to_json(job.born)},     {"end_us", to_json(job.end)},
                 {"freed_us", to_json(job.freed)}};
  if (job.sum) object["sum"] = to_string(*job.sum);
  if (job.trace) object["trace"] = {job.trace->device, job.trace->inode, job.trace->birth_ns};
  if (job.strangers) object["strangers"] = true;
  if (job.slots) object["slots"] = *job.slots;
  return object;
}

// By the names, so that the numbers behind them may change.
template <class E>
std::optional<E> named(const std::string& name, int count) {
  for (int i = 0; i < count; ++i)
    if (to_string(static_cast<E>(i)) == name) return static_cast<E>(i);
  return std::nullopt;
}

Announcement announcement(const json& object) {
  return {rank(object, "announced"), number(object, "at_us"),
          std::max<int64_t>(0, number(object, "late_us"))};
}

std::optional<OpenJob> open_job(const json& object) {
  if (!object.is_object() || !valid(ref_of(object))) return std::nullopt;
  OpenJob job;
  job.ref = ref_of(object);
  for (const auto& fact : list(object, "facts")) {
    if (!fact.is_array() || fact.size() < 3 || !fact[0].is_string() || !fact[1].is_string() ||
        !fact[2].is_string())
      continue;
    const auto field = named<Field>(fact[0].get<std::string>(), FoldedFacts::kFields);
    const auto source = named<Source>(fact[1].get<std::string>(), 6);
    if (field && source) job.facts.fold(*field, fact[2].get<std::string>(), *source);
  }
  job.announced = announcement(object);
  job.ended = object.contains("ended");
  job.ended_rank = rank(object, "ended");
  job.told = flag(object, "told");
  job.strangers = flag(object, "strangers");
  return job;
}

std::optional<PastJob> past_job(const json& object) {
  if (!object.is_object() || !valid(ref_of(object))) return std::nullopt;
  PastJob job;
  job.ref = ref_of(object);
  job.runner_short = text(object, "runner");
  job.project = text(object, "project");
  job.announced = announcement(object);
  job.ended_rank = rank(object, "ended");
  job.born = between(object, "born_us");
  job.end = between(object, "end_us");
  job.freed = between(object, "freed_us");
  job.sum = parse_trace_sum(text(object, "sum"));
  if (const auto& trace = list(object, "trace");
      trace.size() == 3 && trace[0].is_number_unsigned() && trace[1].is_number_unsigned() &&
      trace[2].is_number_integer())
    job.trace =
        TraceId{trace[0].get<uint64_t>(), trace[1].get<uint64_t>(), trace[2].get<int64_t>()};
  job.strangers = flag(object, "strangers");
  if (object.contains("slots")) {
    job.slots.emplace();
    for (const auto& slot : list(object, "slots"))
      if (slot.is_number_integer()) job.slots->push_back(slot.get<int>());
  }
  return job;
}

}  // namespace

std::string Tracker::save() const {
  json object = {{"v", kVersion},
                 {"rank", state_->last_rank},
                 {"jobs", json::array()},
                 {"past", json::array()}};
  for (const auto& [ref, job] : state_->jobs) object["jobs"].push_back(to_json(job));
  // Long after its report only its name matters: its late facts are to be ignored.
  auto left = state_->past.size();
  for (const auto& job : state_->past)
    object["past"].push_back(left-- > kPastInFull
                                 ? json{{"instance", job.ref.instance}, {"job", job.ref.job_id}}
                                 : to_json(job));
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Status Tracker::restore(std::string_view saved) {
  if (saved.size() > kMaxSaved)
    return Error(Code::invalid_argument, "the saved tracker state is too large");
  const auto object = json::parse(saved, nullptr, false);
  if (!object.is_object() || !object.contains("v"))
    return Error(Code::invalid_argument, "the saved tracker state is not one of ours");
  if (number(object, "v") < 1)
    return Error(Code::invalid_argument, "the saved tracker state has no version");
  if (number(object, "v") > kVersion)
    return Error(Code::unimplemented, "the saved tracker state is of a newer agent (version " +
                                          std::to_string(number(object, "v")) + ")");
  auto fresh = std::make_unique<State>(state_->options);
  fresh->last_rank = rank(object, "rank");
  for (const auto& entry : list(object, "past"))
    if (auto job = past_job(entry)) {
      fresh->last_rank = std::max({fresh->last_rank, job->announced.rank, job->ended_rank});
      if (!fresh->past_refs.contains(job->ref)) fresh->remember(std::move(*job));
    }
  for (const auto& entry : list(object, "jobs")) {
    auto job = open_job(entry);
    if (!job || fresh->past_refs.contains(job->ref) ||
        fresh->jobs.size() >= fresh->options.max_jobs)
      continue;
    fresh->last_rank = std::max({fresh->last_rank, job->announced.rank, job->ended_rank});
    fresh->jobs.emplace(job->ref, std::move(*job));
  }
  fresh->adopt = true;
  state_ = std::move(fresh);
  return {};
}

}  // namespace gitaiops::agent
