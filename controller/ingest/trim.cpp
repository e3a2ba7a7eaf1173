// The order of JobReport in fleet.proto; the agent does the same before it sends. Tested by
// tests/unit/fleet/ingest_test.cpp.
#include <functional>

#include "base/bytes/bytes.h"
#include "controller/ingest/ingest.h"

namespace gitaiops::ingest {
namespace {

using fleet::v1::Diagnosis;
using fleet::v1::JobReport;
using fleet::v1::Samples;

constexpr int kFewestSamples = 15;
constexpr int kCandidatesKept = 3;
constexpr int kFailingTestsKept = 20;
constexpr std::size_t kEvidenceKept = 2 << 10;
constexpr std::size_t kCandidateTextKept = 128;

void keep_every_second(google::protobuf::RepeatedField<int64_t>& values, bool sum) {
  int out = 0;
  for (int i = 0; i < values.size(); i += 2, ++out) {
    const int64_t a = values[i];
    const int64_t b = i + 1 < values.size() ? values[i + 1] : -1;
    // A gap (-1) stays one only if both are.
    values[out] = sum ? (a < 0 ? b : b < 0 ? a : a + b) : std::max(a, b);
  }
  values.Truncate(out);
}

bool halve(Samples& samples) {
  const int points =
      std::max({samples.cpu_us_size(), samples.memory_bytes_size(), samples.io_bytes_size()});
  if (points <= kFewestSamples) return false;
  keep_every_second(*samples.mutable_cpu_us(), true);
  keep_every_second(*samples.mutable_memory_bytes(), false);
  keep_every_second(*samples.mutable_io_bytes(), true);
  samples.set_interval_us(samples.interval_us() * 2);
  return true;
}

bool fits(const JobReport& report) {
  return report.ByteSizeLong() <= kMaxReportBytes;
}

template <class Repeated>
bool keep_first(Repeated* list, int count) {
  if (list->size() <= count) return false;
  list->DeleteSubrange(count, list->size() - count);
  return true;
}

bool cut_evidence(Diagnosis& diagnosis) {
  std::size_t room = kEvidenceKept;
  bool cut = false;
  for (auto& excerpt : *diagnosis.mutable_evidence()) {
    const auto text = truncate_utf8(excerpt.text(), room);
    cut = cut || text.size() != excerpt.text().size();
    excerpt.set_text(text);
    room -= std::min(room, text.size());
  }
  return cut;
}

bool cut_candidate_text(Diagnosis& diagnosis) {
  bool cut = false;
  for (auto& candidate : *diagnosis.mutable_candidates()) {
    if (candidate.line().text().size() <= kCandidateTextKept) continue;
    candidate.mutable_line()->set_text(truncate_utf8(candidate.line().text(), kCandidateTextKept));
    cut = true;
  }
  return cut;
}

void mark(JobReport& report, const char* step) {
  for (const auto& done : report.trimmed()) {
    if (done == step) return;
  }
  report.add_trimmed(step);
}

bool trim_samples(JobReport& report) {
  bool cut = false;
  while (!fits(report) && report.usage().has_samples() &&
         halve(*report.mutable_usage()->mutable_samples()))
    cut = true;
  return cut;
}

// The longest excerpt of the packet loses its second half, until the packet is at most half of what
// it was.
bool halve_packet(JobReport& report) {
  if (report.diagnosis().packet().empty()) return false;
  std::size_t total = 0;
  for (const auto& excerpt : report.diagnosis().packet()) total += excerpt.text().size();
  std::size_t room = total / 2;
  for (auto& excerpt : *report.mutable_diagnosis()->mutable_packet()) {
    excerpt.set_text(truncate_utf8(excerpt.text(), room));
    room -= std::min(room, excerpt.text().size());
  }
  return true;
}

bool drop_samples(JobReport& report) {
  if (!report.usage().has_samples()) return false;
  report.mutable_usage()->clear_samples();
  return true;
}

}  // namespace

bool trim(JobReport& report) {
  if (fits(report)) return true;
  struct Step {
    const char* name;
    std::function<bool()> cut;
    bool of_diagnosis;
  };
  auto diagnosis = [&] { return report.mutable_diagnosis(); };
  const Step steps[] = {
      {"samples", [&] { return trim_samples(report); }, false},
      {"packet", [&] { return halve_packet(report); }, true},
      {"candidates", [&] { return keep_first(diagnosis()->mutable_candidates(), kCandidatesKept); },
       true},
      {"failing_tests",
       [&] { return keep_first(diagnosis()->mutable_failing_tests(), kFailingTestsKept); }, true},
      {"evidence", [&] { return cut_evidence(*diagnosis()); }, true},
      {"candidate_text", [&] { return cut_candidate_text(*diagnosis()); }, true},
      {"packet_all", [&] { return keep_first(diagnosis()->mutable_packet(), 0); }, true},
      {"samples_all", [&] { return drop_samples(report); }, false},
  };
  for (const auto& step : steps) {
    if (fits(report)) return true;
    if (step.of_diagnosis && !report.has_diagnosis()) continue;
    if (step.cut()) mark(report, step.name);
  }
  if (!fits(report)) report.DiscardUnknownFields();
  return fits(report);
}

}  // namespace gitaiops::ingest
