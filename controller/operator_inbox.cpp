// What an operator does with the audit trail, the events of GitLab and the work that was given up.
#include <ostream>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "controller/operator.h"

namespace gitaiops::controller {
namespace {

constexpr std::size_t kExportAtOnce = 1000;
constexpr std::size_t kReplayAtOnce = 200;
constexpr std::size_t kMostReplays = 100'000;

store::AuditRecord by_operator(std::string act, std::string object, UnixMicros now) {
  store::AuditRecord record;
  record.at = now;
  record.actor = "operator";
  record.act = std::move(act);
  record.object = std::move(object);
  record.outcome = "done";
  return record;
}

std::string time_of(UnixMicros at) {
  return to_rfc3339(at).substr(0, 19) + "Z";
}

Task<Status> check_noted(store::Store& store, std::string noted) {
  const auto colon = noted.find(':');
  const auto n = parse_int(std::string_view(noted).substr(0, colon));
  if (colon == std::string::npos || !n)
    co_return Error(Code::invalid_argument, "--noted takes N:HASH, as `audit verify` prints it");
  CO_ASSIGN_OR_RETURN(const auto records, co_await store.audit_from(*n, 1));
  if (records.empty() || records[0].n != *n)
    co_return Error(Code::data_loss, "record " + std::to_string(*n) +
                                         " is not there: its age is over, or it was taken out");
  if (records[0].hash != noted.substr(colon + 1))
    co_return Error(Code::data_loss, "record " + std::to_string(*n) +
                                         " has another hash than was noted: the trail was written "
                                         "anew");
  co_return Status();
}

}  // namespace

Task<Status> verify_audit(store::Store& store, std::string noted, std::ostream& out) {
  CO_ASSIGN_OR_RETURN(const auto verdict, co_await store.verify_audit());
  if (verdict.broken)
    co_return Error(Code::data_loss, "the audit trail is broken at record " +
                                         std::to_string(*verdict.broken) + ": " + verdict.why);
  if (!noted.empty()) CO_RETURN_IF_ERROR(co_await check_noted(store, std::move(noted)));
  if (verdict.records == 0) {
    out << "the audit trail is empty\n";
  } else {
    out << verdict.records << " records, " << verdict.first << " to " << verdict.last
        << ", are as they were written; the last is " << verdict.last << ":" << verdict.head
        << "\n";
  }
  co_return Status();
}

Task<Status> export_audit(store::Store& store, int64_t from, std::ostream& out) {
  for (;;) {
    CO_ASSIGN_OR_RETURN(const auto records, co_await store.audit_from(from, kExportAtOnce));
    for (const auto& r : records) {
      const nlohmann::ordered_json line = {{"n", r.n},
                                           {"at_us", r.at.value},
                                           {"at", to_rfc3339(r.at)},
                                           {"actor", r.actor},
                                           {"act", r.act},
                                           {"instance", r.instance},
                                           {"project_id", r.project_id},
                                           {"object", r.object},
                                           {"outcome", r.outcome},
                                           {"hash", r.hash}};
      out << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    }
    if (records.size() < kExportAtOnce) break;
    from = records.back().n + 1;
  }
  out.flush();
  if (!out) co_return Error(Code::resource_exhausted, "writing the export: the disk is full");
  co_return Status();
}

Task<Status> list_events(store::Store& store, std::string state, std::size_t limit,
                         std::ostream& out) {
  store::DeliveryFilter filter;
  if (!state.empty()) filter.state = state;
  store::PageRequest page;
  page.limit = limit;
  CO_ASSIGN_OR_RETURN(const auto events, co_await store.inbox().deliveries(filter, page));
  out << column("ID", 36) << column("TIME", 20) << column("GITLAB", 10) << column("TYPE", 14)
      << column("STATE", 10) << column("PROJECT", 24) << column("OBJECT", 20) << "DETAIL\n";
  for (const auto& e : events.items)
    out << column(e.id, 36) << column(time_of(e.received_at), 20) << column(e.instance, 10)
        << column(e.type, 14) << column(e.state, 10) << column(e.project_path, 24)
        << column(e.object, 20) << shown(e.detail) << "\n";
  if (events.items.empty()) out << "(nothing yet)\n";
  co_return Status();
}

Task<Status> show_event(store::Store& store, std::string id, std::ostream& out) {
  CO_ASSIGN_OR_RETURN(const auto e, co_await store.inbox().delivery(id));
  out << "event " << shown(e.id) << " of " << shown(e.instance) << " by " << e.source << " at "
      << time_of(e.received_at) << ": " << e.state << "\n";
  if (!e.detail.empty()) out << shown(e.detail) << "\n";
  out << shown(e.body) << "\n";
  co_return Status();
}

Task<Status> replay_event(store::Store& store, std::string id, const Clock& clock,
                          std::ostream& out) {
  auto record = by_operator("event.replay", "event " + id, clock.now());
  CO_RETURN_IF_ERROR(co_await store.inbox().replay_delivery(id, std::move(record)));
  out << "event " << shown(id) << " will be read again\n";
  co_return Status();
}

Task<Status> list_dead_letters(store::Store& store, std::size_t limit, const Clock& clock,
                               std::ostream& out) {
  store::PageRequest page;
  page.limit = limit;
  CO_ASSIGN_OR_RETURN(const auto letters, co_await store.inbox().dead_letters(page));
  out << column("ID", 6) << column("SINCE", 10) << column("WHAT", 14) << column("ABOUT", 40)
      << column("TRIES", 5) << "WHY\n";
  for (const auto& l : letters.items)
    out << column(std::to_string(l.id), 6) << column(age(clock.now(), l.at), 10)
        << column(l.kind, 14) << column(l.key, 40) << column(std::to_string(l.attempts), 5)
        << shown(l.why) << "\n";
  if (letters.items.empty()) out << "(none)\n";
  co_return Status();
}

Task<Status> replay_dead_letters(store::Store& store, std::string which, const Clock& clock,
                                 std::ostream& out) {
  std::vector<int64_t> ids;
  if (which == "all") {
    store::PageRequest page;
    page.limit = kReplayAtOnce;
    do {
      CO_ASSIGN_OR_RETURN(const auto letters, co_await store.inbox().dead_letters(page));
      for (const auto& letter : letters.items) ids.push_back(letter.id);
      page.after = letters.next;
    } while (!page.after.empty() && ids.size() < kMostReplays);
  } else {
    const auto id = parse_int(which);
    if (!id)
      co_return Error(
          Code::invalid_argument,
          "\"" + shown(which) + "\" is neither an ID that `dead-letters list` shows nor all");
    ids.push_back(*id);
  }
  std::size_t done = 0;
  for (const int64_t id : ids) {
    auto record = by_operator("work.replay", "dead letter " + std::to_string(id), clock.now());
    const Status replayed =
        co_await store.inbox().replay_dead_letter(id, std::move(record), clock.now());
    // Of all: somebody else may have been faster.
    if (!replayed.ok() && (which != "all" || replayed.error().code() != Code::not_found))
      co_return replayed;
    done += replayed.ok() ? 1 : 0;
  }
  out << done << (done == 1 ? " piece of work is" : " pieces of work are")
      << " in the queue again\n";
  co_return Status();
}

}  // namespace gitaiops::controller
