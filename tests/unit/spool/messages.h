// Messages for the spool's tests.
#pragma once

#include "agent/spool/spool.h"

namespace gitaiops::agent::testing {

inline fleet::v1::Envelope started(int64_t job_id) {
  fleet::v1::Envelope envelope;
  envelope.mutable_job_started()->mutable_key()->set_job_id(job_id);
  return envelope;
}

inline fleet::v1::Envelope report(int64_t job_id, std::size_t bytes = 0) {
  fleet::v1::Envelope envelope;
  envelope.mutable_job_report()->mutable_key()->set_job_id(job_id);
  envelope.mutable_job_report()->add_notes(std::string(bytes, 'r'));
  return envelope;
}

inline fleet::v1::Envelope samples(int64_t at) {
  fleet::v1::Envelope envelope;
  envelope.mutable_host_samples()->set_at_us(at);
  return envelope;
}

inline SpoolBatch batch_of(fleet::v1::Envelope envelope) {
  SpoolBatch batch;
  batch.messages.push_back(std::move(envelope));
  return batch;
}

}  // namespace gitaiops::agent::testing
