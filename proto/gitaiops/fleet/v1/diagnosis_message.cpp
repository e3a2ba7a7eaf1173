#include "gitaiops/fleet/v1/diagnosis_message.h"

#include "base/bytes/bytes.h"

namespace gitaiops::fleet::v1 {
namespace {

constexpr std::size_t kTextMax = 512;
constexpr std::size_t kCommandMax = 512;
constexpr int kFailingTestsMax = 100;

void fill(Line& to, const diagnosis::Line& from) {
  to.set_line(from.line);
  to.set_offset(from.offset);
  to.set_text(truncate_utf8(from.text, kTextMax));
}

void fill(Excerpt& to, const diagnosis::Excerpt& from) {
  to.set_first_line(from.first_line);
  to.set_last_line(from.last_line);
  to.set_text(from.text);
}

}  // namespace

Diagnosis message_of(const diagnosis::Diagnosis& d) {
  Diagnosis m;
  m.set_schema("gitaiops.diagnosis/1");
  m.set_phase(d.phase);
  m.set_command(truncate_utf8(d.command, kCommandMax));
  if (d.signal) m.set_signal(*d.signal);
  m.set_category(d.category);
  m.set_owner(d.owner);
  if (d.retry) m.set_retry(std::string(to_string(*d.retry)));
  m.set_confidence(d.confidence);
  if (d.root_cause) fill(*m.mutable_root_cause(), *d.root_cause);
  for (const auto& candidate : d.candidates) {
    auto& to = *m.add_candidates();
    fill(*to.mutable_line(), candidate.line);
    to.set_category(candidate.category);
    to.set_score(candidate.score);
  }
  for (const auto& excerpt : d.evidence) fill(*m.add_evidence(), excerpt);
  for (const auto& excerpt : d.packet) fill(*m.add_packet(), excerpt);
  for (const auto& test : d.failing_tests) {
    if (m.failing_tests_size() == kFailingTestsMax) break;
    auto& to = *m.add_failing_tests();
    to.set_name(truncate_utf8(test.name, kTextMax));
    to.set_file(truncate_utf8(test.file, kTextMax));
    if (test.line) to.set_line(*test.line);
  }
  m.set_fingerprint(d.fingerprint);
  m.set_redacted(d.redacted);
  m.mutable_minhash()->Add(d.minhash.begin(), d.minhash.end());
  return m;
}

}  // namespace gitaiops::fleet::v1
