#include "controller/ingest/ingest.h"

#include "base/log/log.h"

namespace gitaiops::ingest {

Task<Status> Ingest::take(std::string agent_id, uint64_t epoch, fleet::v1::Envelope envelope) {
  const uint64_t seq = envelope.seq();
  auto valid = valid_envelope(std::move(envelope));
  if (!valid.ok()) {
    ++counters_.refused_invalid;
    log::warning("envelope refused: it is against the contract",
                 {{"agent", agent_id},
                  {"epoch", epoch},
                  {"seq", seq},
                  {"reason", valid.error().to_string()}});
    co_return Status();
  }
  const auto accepted = co_await store_.accept(agent_id, epoch, *std::move(valid), clock_.now());
  if (accepted.ok()) {
    ++(accepted->duplicate ? counters_.duplicates : counters_.stored);
    co_return Status();
  }
  const Code code = accepted.error().code();
  if (code == Code::permission_denied || code == Code::invalid_argument) {
    ++(code == Code::permission_denied ? counters_.refused_scope : counters_.refused_invalid);
    log::warning("envelope refused by the store", {{"agent", agent_id},
                                                   {"epoch", epoch},
                                                   {"seq", seq},
                                                   {"reason", accepted.error().to_string()}});
    co_return Status();
  }
  ++counters_.failed;
  co_return accepted.error();
}

}  // namespace gitaiops::ingest
