// The door between what an agent says and what the controller keeps. Every envelope is held against
// the contract's words (fleet.proto): text is made clean UTF-8, descriptive text is cut to its
// limit, a report above its size is trimmed in the written order, and what makes no sense is
// refused with the name of the field.
//
// A refused envelope must not stop the stream for ever: it is logged, counted and acknowledged, and
// not stored. Thread safety: valid_envelope and sanitise, any thread; Ingest, the loop's thread;
// counters(), any thread.
#pragma once

#include <atomic>
#include <string>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "controller/store/store.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::ingest {

constexpr std::size_t kMaxReportBytes = 64 << 10;

// Makes every string in the message, however deep, valid UTF-8 without control characters but \t
// and \n.
void sanitise(google::protobuf::Message& message);

// The envelope as it may be stored, or invalid_argument: "job_report.key.job_id: 0 is not a job".
Result<fleet::v1::Envelope> valid_envelope(fleet::v1::Envelope envelope);

// At most kMaxReportBytes serialised, cut in the order that fleet.proto writes down at JobReport;
// each step that was needed is named in `trimmed`. False when even that is not enough.
bool trim(fleet::v1::JobReport& report);

struct Counters {
  std::atomic<uint64_t> stored = 0;
  std::atomic<uint64_t> duplicates = 0;
  std::atomic<uint64_t> refused_invalid = 0;  // against the contract
  std::atomic<uint64_t> refused_scope = 0;    // of a project the agent may not speak for
  std::atomic<uint64_t> failed = 0;           // the store could not; the agent sends it again
};

class Ingest {
 public:
  Ingest(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Ok: the envelope need not be sent again; it is durable, was before, or is refused for good
  // (logged and counted). Otherwise the store's error: end the stream, the agent comes back with
  // the same envelope.
  Task<Status> take(std::string agent_id, uint64_t epoch, fleet::v1::Envelope envelope);

  const Counters& counters() const { return counters_; }

 private:
  store::Store& store_;
  const Clock& clock_;
  Counters counters_;
};

}  // namespace gitaiops::ingest
