// Field by field, the words of fleet.proto. Descriptive text that is too long is cut; what would
// lie or mislead is refused.
#include <cmath>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "base/bytes/bytes.h"
#include "controller/ingest/ingest.h"

namespace gitaiops::ingest {
namespace {

using namespace fleet::v1;  // NOLINT: this file is about nothing else

constexpr int64_t kEarliest = 1'000'000'000'000'000;  // 2001: before any GitLab
constexpr int64_t kLatest = 4'102'444'800'000'000;    // 2100
constexpr int64_t kLongest = 366ll * 24 * 3600 * kMicrosPerSecond;
// No measure is larger; sums of them stay far from overflow, and every reader of JSON has them
// exact.
constexpr int64_t kMaxMeasure = int64_t{1} << 53;
constexpr int kMaxSamples = 120;
constexpr std::size_t kMaxSamplesBytes = 8 << 10;
constexpr std::size_t kMaxEvidence = 8 << 10;
constexpr std::size_t kMaxPacket = 16 << 10;
constexpr std::size_t kMaxLine = 512;
constexpr int kMinhash = 128;
constexpr int kMaxTemplates = 4096;

Error wrong(std::string field, std::string why) {
  return Error(Code::invalid_argument, field + ": " + std::move(why));
}

void cut(std::string* text, std::size_t limit) {
  if (text->size() > limit) *text = truncate_utf8(*text, limit);
}

template <class Repeated>
void keep(Repeated* list, int count) {
  if (list->size() > count) list->DeleteSubrange(count, list->size() - count);
}

void keep(google::protobuf::RepeatedField<uint64_t>* list, int count) {
  if (list->size() > count) list->Truncate(count);
}

Status check_time(const std::string& field, int64_t micros) {
  if (micros >= kEarliest && micros <= kLatest) return {};
  return wrong(field,
               std::to_string(micros) + " is not a time between 2001 and 2100 in microseconds");
}

Status check_optional_time(const std::string& field, int64_t micros) {
  return micros == 0 ? Status() : check_time(field, micros);
}

Status check_ratio(const std::string& field, double value) {
  if (value >= 0 && value <= 1) return {};  // false for NaN
  return wrong(field, "is not between 0 and 1");
}

Status check_key(const std::string& field, JobKey& key) {
  if (key.instance().empty() || key.instance().size() > 64)
    return wrong(field + ".instance", "must have 1 to 64 bytes");
  if (key.job_id() <= 0)
    return wrong(field + ".job_id", std::to_string(key.job_id()) + " is not a job");
  if (key.project_id() < 0) return wrong(field + ".project_id", "is negative");
  if (key.project_path().size() > 512)
    return wrong(field + ".project_path", "is longer than 512 bytes");
  if (key.project_id() == 0 && key.project_path().empty()) {
    return wrong(field, "names no project: neither project_id nor project_path");
  }
  return {};
}

void clean_runner(Runner& runner) {
  // Longer than GitLab's short form, it may be the token itself: that must not be kept, not even a
  // part.
  if (runner.short_token().size() > 32) runner.clear_short_token();
  cut(runner.mutable_system_id(), 64);
  cut(runner.mutable_name(), 256);
  cut(runner.mutable_executor(), 64);
  cut(runner.mutable_version(), 64);
}

bool is_uuid7(std::string_view id) {
  if (id.size() != 36 || id[14] != '7') return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');
    if (dash ? id[i] != '-' : !hex) return false;
  }
  return true;
}

// ---- Usage ----

Status check_points(const std::string& field,
                    const google::protobuf::RepeatedField<int64_t>& values, int points) {
  if (!values.empty() && values.size() != points)
    return wrong(field, "has another number of points than its siblings");
  for (const int64_t value : values) {
    if (value < -1 || value > kMaxMeasure)
      return wrong(field, std::to_string(value) + " is neither a measure nor a gap (-1)");
  }
  return {};
}

Status check_samples(const std::string& field, const Samples& samples) {
  const int points =
      std::max({samples.cpu_us_size(), samples.memory_bytes_size(), samples.io_bytes_size()});
  if (points > kMaxSamples)
    return wrong(field, std::to_string(points) + " points, at most 120 are allowed");
  if (points > 0 && (samples.interval_us() <= 0 || samples.interval_us() > kLongest)) {
    return wrong(field + ".interval_us", "must be positive and at most a year");
  }
  if (points > 0) RETURN_IF_ERROR(check_time(field + ".start_us", samples.start_us()));
  RETURN_IF_ERROR(check_points(field + ".cpu_us", samples.cpu_us(), points));
  RETURN_IF_ERROR(check_points(field + ".memory_bytes", samples.memory_bytes(), points));
  return check_points(field + ".io_bytes", samples.io_bytes(), points);
}

Status check_usage(const std::string& field, JobReport& report) {
  Usage& usage = *report.mutable_usage();
  const std::pair<const char*, const Measure*> measures[] = {
      {"cpu_us", &usage.cpu_us()},
      {"memory_peak_bytes", &usage.memory_peak_bytes()},
      {"io_read_bytes", &usage.io_read_bytes()},
      {"io_write_bytes", &usage.io_write_bytes()},
      {"processes_peak", &usage.processes_peak()},
      {"oom_kills", &usage.oom_kills()}};
  for (const auto& [name, measure] : measures) {
    if (measure->value() < 0 || measure->value() > kMaxMeasure)
      return wrong(field + "." + name, std::to_string(measure->value()) + " is not a measure");
  }
  cut(usage.mutable_withheld_reason(), 256);
  if (!usage.has_samples()) return {};
  RETURN_IF_ERROR(check_samples(field + ".samples", usage.samples()));
  if (usage.samples().ByteSizeLong() > kMaxSamplesBytes) {
    usage.clear_samples();
    report.add_trimmed("samples_all");
  }
  return {};
}

// ---- Diagnosis ----

void clean_excerpts(google::protobuf::RepeatedPtrField<Excerpt>& excerpts, std::size_t room) {
  for (auto& excerpt : excerpts) {
    cut(excerpt.mutable_text(), room);
    room -= std::min(room, excerpt.text().size());
  }
}

Status check_span(const std::string& field,
                  const google::protobuf::RepeatedPtrField<Excerpt>& excerpts) {
  for (const auto& excerpt : excerpts) {
    if (excerpt.first_line() == 0 || excerpt.last_line() < excerpt.first_line()) {
      return wrong(field, "lines " + std::to_string(excerpt.first_line()) + " to " +
                              std::to_string(excerpt.last_line()));
    }
  }
  return {};
}

Status check_diagnosis(const std::string& field, Diagnosis& diagnosis) {
  for (auto* word :
       {diagnosis.mutable_schema(), diagnosis.mutable_phase(), diagnosis.mutable_category(),
        diagnosis.mutable_owner(), diagnosis.mutable_retry()}) {
    cut(word, 64);
  }
  cut(diagnosis.mutable_fingerprint(), 256);
  cut(diagnosis.mutable_command(), kMaxLine);
  RETURN_IF_ERROR(check_ratio(field + ".confidence", diagnosis.confidence()));
  if (diagnosis.has_root_cause()) {
    if (diagnosis.root_cause().line() == 0)
      return wrong(field + ".root_cause.line", "lines are counted from 1");
    cut(diagnosis.mutable_root_cause()->mutable_text(), kMaxLine);
  }
  keep(diagnosis.mutable_candidates(), 10);
  for (auto& candidate : *diagnosis.mutable_candidates()) {
    RETURN_IF_ERROR(check_ratio(field + ".candidates.score", candidate.score()));
    if (candidate.line().line() == 0)
      return wrong(field + ".candidates.line", "lines are counted from 1");
    cut(candidate.mutable_line()->mutable_text(), kMaxLine);
    cut(candidate.mutable_category(), 64);
  }
  RETURN_IF_ERROR(check_span(field + ".evidence", diagnosis.evidence()));
  RETURN_IF_ERROR(check_span(field + ".packet", diagnosis.packet()));
  clean_excerpts(*diagnosis.mutable_evidence(), kMaxEvidence);
  clean_excerpts(*diagnosis.mutable_packet(), kMaxPacket);
  keep(diagnosis.mutable_failing_tests(), 100);
  for (auto& test : *diagnosis.mutable_failing_tests()) {
    cut(test.mutable_name(), 512);
    cut(test.mutable_file(), 512);
  }
  // A similarity of another make cannot be compared.
  if (diagnosis.minhash_size() != kMinhash) diagnosis.clear_minhash();
  return {};
}

// ---- Payloads ----

Status check_report(JobReport& report) {
  if (!is_uuid7(report.report_id()))
    return wrong("job_report.report_id", "is not a UUID of version 7");
  RETURN_IF_ERROR(check_key("job_report.key", *report.mutable_key()));
  if (report.has_runner()) clean_runner(*report.mutable_runner());
  if (report.outcome() == OUTCOME_UNSPECIFIED) return wrong("job_report.outcome", "is missing");
  if (!Outcome_IsValid(report.outcome()))
    report.set_outcome(OUTCOME_UNKNOWN);  // a word of a later revision
  cut(report.mutable_failure_reason(), 64);
  RETURN_IF_ERROR(check_optional_time("job_report.received_at_us", report.received_at_us()));
  RETURN_IF_ERROR(check_time("job_report.finished_at_us", report.finished_at_us()));
  if (report.wall_us() < 0 || report.wall_us() > kLongest) {
    return wrong("job_report.wall_us",
                 std::to_string(report.wall_us()) + " is not a duration of at most a year");
  }
  if (report.has_log()) cut(report.mutable_log()->mutable_reason(), 256);
  if (report.has_usage()) RETURN_IF_ERROR(check_usage("job_report.usage", report));
  // No log text of a passed job leaves the host; if it did, it goes no further.
  if (report.outcome() == OUTCOME_PASSED) report.clear_diagnosis();
  if (report.has_diagnosis())
    RETURN_IF_ERROR(check_diagnosis("job_report.diagnosis", *report.mutable_diagnosis()));
  keep(report.mutable_trimmed(), 16);
  for (auto& step : *report.mutable_trimmed()) cut(&step, 32);
  keep(report.mutable_notes(), 8);
  for (auto& note : *report.mutable_notes()) cut(&note, 256);
  if (!trim(report)) return wrong("job_report", "is larger than 64 KiB and cannot be trimmed");
  return {};
}

Status check_started(JobStarted& started) {
  RETURN_IF_ERROR(check_key("job_started.key", *started.mutable_key()));
  if (started.has_runner()) clean_runner(*started.mutable_runner());
  return check_optional_time("job_started.received_at_us", started.received_at_us());
}

Status check_host(const HostSamples& host) {
  RETURN_IF_ERROR(check_time("host_samples.at_us", host.at_us()));
  if (!(host.load1() >= 0) || std::isinf(host.load1()))
    return wrong("host_samples.load1", "is not a load");
  if (host.has_cpu_busy_ratio())
    RETURN_IF_ERROR(check_ratio("host_samples.cpu_busy_ratio", host.cpu_busy_ratio()));
  if (host.memory_total_bytes() < 0) return wrong("host_samples.memory_total_bytes", "is negative");
  if (host.memory_available_bytes() < 0)
    return wrong("host_samples.memory_available_bytes", "is negative");
  if (host.builds_disk_free_bytes() < 0)
    return wrong("host_samples.builds_disk_free_bytes", "is negative");
  return {};
}

// ---- Inventories ----

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// What is packed in it is unpacked and read once, where it is stored.
Status check_inventory(InventoryReport& report) {
  RETURN_IF_ERROR(check_key("inventory_report.key", *report.mutable_key()));
  if (!is_uuid7(report.report_id())) return wrong("inventory_report.report_id", "is no UUIDv7");
  if (!is_hex(report.commit_sha(), 40) && !is_hex(report.commit_sha(), 64))
    return wrong("inventory_report.commit_sha", "is no commit");
  if (!is_hex(report.content_hash(), 64))
    return wrong("inventory_report.content_hash", "is no SHA-256");
  if (report.inventory_zstd().empty()) return wrong("inventory_report.inventory_zstd", "is empty");
  keep(report.mutable_trimmed(), 8);
  for (auto& step : *report.mutable_trimmed()) cut(&step, 32);
  return check_time("inventory_report.taken_at_us", report.taken_at_us());
}

Status check_payload(Envelope& envelope) {
  switch (envelope.payload_case()) {
    case Envelope::kJobStarted:
      return check_started(*envelope.mutable_job_started());
    case Envelope::kJobReport:
      return check_report(*envelope.mutable_job_report());
    case Envelope::kHostSamples:
      return check_host(envelope.host_samples());
    case Envelope::kPassedTemplates:
      keep(envelope.mutable_passed_templates()->mutable_templates(), kMaxTemplates);
      return check_key("passed_templates.key", *envelope.mutable_passed_templates()->mutable_key());
    case Envelope::kInventoryReport:
      return check_inventory(*envelope.mutable_inventory_report());
    case Envelope::PAYLOAD_NOT_SET:
      break;
  }
  return wrong("payload", "is missing, or of a kind this controller does not know");
}

}  // namespace

void sanitise(google::protobuf::Message& message) {
  using google::protobuf::FieldDescriptor;
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        sanitise(field->is_repeated() ? *reflection->MutableRepeatedMessage(&message, field, i)
                                      : *reflection->MutableMessage(&message, field));
      } else if (field->type() == FieldDescriptor::TYPE_STRING && field->is_repeated()) {
        reflection->SetRepeatedString(&message, field, i,
                                      to_utf8(reflection->GetRepeatedString(message, field, i)));
      } else if (field->type() == FieldDescriptor::TYPE_STRING) {
        reflection->SetString(&message, field, to_utf8(reflection->GetString(message, field)));
      }
    }
  }
}

Result<Envelope> valid_envelope(Envelope envelope) {
  if (envelope.seq() == 0) return wrong("seq", "sequence numbers start at 1");
  RETURN_IF_ERROR(check_optional_time("spooled_at_us", envelope.spooled_at_us()));
  sanitise(envelope);
  RETURN_IF_ERROR(check_payload(envelope));
  if (envelope.payload_case() != Envelope::kJobReport &&
      envelope.ByteSizeLong() > kMaxReportBytes) {
    return wrong("envelope", "is larger than 64 KiB");
  }
  return envelope;
}

}  // namespace gitaiops::ingest
