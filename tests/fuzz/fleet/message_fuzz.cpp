// What an enrolled but hostile agent may send over its stream: refused, or a record that keeps the
// contract's limits, stays as it is when it is checked again, and can be told in a note.
#include <cstdio>
#include <cstdlib>

#include "controller/fleet/hello.h"
#include "controller/ingest/ingest.h"
#include "tests/fuzz/note/invariants.h"

using namespace gitaiops;

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void check_opening(const fleet::v1::ConnectRequest& first) {
  const auto opening = fleet::open_with(first, 3);
  if (opening.refused) return require(opening.refused->message().size() <= 512, "a long refusal");
  require(opening.minor >= 1 && opening.minor <= 3, "a minor that is not served");
  require(opening.hello.host_name().size() <= 253, "a long host name");
}

void check_note(const fleet::v1::JobReport& report) {
  note::JobView job;
  job.id = report.key().job_id();
  job.status = "failed";
  job.report = report;
  note::View view;
  view.place = "main/42/7";
  view.pipeline_status = "failed";
  view.jobs = {job, job};
  const auto broken = note::broken_rule(note::Composer().compose(view));
  require(!broken, broken ? broken->c_str() : "");
}

void check_envelope(const fleet::v1::Envelope& envelope) {
  const auto valid = ingest::valid_envelope(envelope);
  if (!valid.ok()) return require(valid.error().code() == Code::invalid_argument, "another code");
  require(valid->ByteSizeLong() <= ingest::kMaxReportBytes + 64, "too large");
  const auto again = ingest::valid_envelope(*valid);
  require(again.ok() && again->SerializeAsString() == valid->SerializeAsString(), "not settled");
  if (valid->has_job_report()) check_note(valid->job_report());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fleet::v1::ConnectRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  check_opening(request);
  if (request.has_envelope()) check_envelope(request.envelope());
  return 0;
}
