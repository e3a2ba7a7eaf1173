// What GitLab tells by itself (webhooks) and what was found by asking it (the reconciler):
// deliveries, kept as they came, for a while; what is known to have been told, so that what was
// lost can be noticed; and the work that was given up. Part of store.h, whose rules hold here as
// well; include that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::store {

struct AuditRecord;
struct PageRequest;
template <class T>
struct Page;

// One event as it came.
struct Delivery {
  std::string id;  // UUIDv7
  std::string instance;
  std::string key;     // of idempotency; unique within its instance while the delivery is kept
  std::string source;  // "webhook", "reconciler"
  std::string type;    // GitLab's word: "merge_request", "Pipeline Hook" until it was read
  int priority = 1;    // 0 first
  UnixMicros received_at;
  std::string state = "waiting";  // then "done", "ignored", "unreadable"
  std::string detail = {};        // what came of it, for people
  int64_t project_id = 0;         // as are these, only once it was read
  std::string project_path = {};
  std::string object = {};  // "merge request 7"
  int64_t bytes = 0;        // of the body
  std::string body = {};    // raw; lists leave it out
};

struct DeliveryFilter {
  std::optional<std::string> instance, state, type, source;
};

// A state that GitLab has told of: of "merge_request" 7 the word "opened <sha>", of "pipeline" 42
// "failed".
struct Told {
  std::string kind;
  int64_t number = 0;
  std::string word;
};

struct NewWork {
  std::string kind;        // "job.resolve", "note.update"
  std::string unique_key;  // at most one waiting item of this kind and key; a second put moves
                           // not_before earlier
  std::string payload;     // JSON, small
  UnixMicros not_before;
  int priority = 1;  // 0 goes first, 2 last; what has waited for 5 minutes goes before all
};

// Work about a job.
struct JobWork {
  int64_t job_id = 0;
  std::string kind, unique_key, payload;
  UnixMicros not_before;
  int priority = 1;
};

// What came of reading a delivery, written in one transaction with what it leads to.
struct Settled {
  Delivery delivery;  // id, state, detail, type, project and object are kept
  UnixMicros at;
  std::vector<Told> told = {};
  // Jobs that are over: one that was reported and waits for GitLab's word gets the event
  // "job.told".
  std::vector<int64_t> ended_jobs = {};
  // For a job that nobody reported.
  std::vector<JobWork> fetches = {};
  std::vector<NewWork> work = {};
  // A merge request at this commit: its failed jobs that found none get "job.told", and
  // "merge_request.changed" is told of where a note stands, or where it was triaged.
  int64_t merge_request_project = 0, merge_request_iid = 0;
  std::string sha = {};
};

struct DeadLetter {
  int64_t id = 0;
  std::string kind, key, payload, why;
  int attempts = 0;
  UnixMicros at;
};

// A project that GitLab is asked about.
struct Place {
  int64_t project_id = 0;
  std::string project_path;
  UnixMicros upto;  // 0: never asked
};

class Inbox {
 public:
  virtual ~Inbox() = default;

  // -- deliveries --
  // False: one of this key is here already.
  virtual Task<Result<bool>> accept_delivery(Delivery delivery) = 0;
  // Those that wait, by priority, then as they came, with their bodies: at most `limit`, and no
  // more after `bytes`.
  virtual Task<Result<std::vector<Delivery>>> waiting_deliveries(std::size_t limit,
                                                                 int64_t bytes) = 0;
  virtual Task<Result<int64_t>> count_waiting_deliveries() = 0;
  virtual Task<Status> settle_deliveries(std::vector<Settled> settled) = 0;
  // Returns when one waits, or after `limit`; sooner is no harm.
  virtual Task<void> wait_delivery(std::chrono::microseconds limit) = 0;
  virtual Task<Result<Page<Delivery>>> deliveries(DeliveryFilter filter, PageRequest page) = 0;
  virtual Task<Result<Delivery>> delivery(std::string id) = 0;
  // It waits again, with the audit record; not_found.
  virtual Task<Status> replay_delivery(std::string id, AuditRecord audit) = 0;

  // -- reconciling --
  // Projects of an instance that had jobs or deliveries since then, the longest unasked first.
  virtual Task<Result<std::vector<Place>>> places(std::string instance, UnixMicros since,
                                                  std::size_t limit) = 0;
  // Which of these states nobody told us of.
  virtual Task<Result<std::vector<Told>>> untold(std::string instance, int64_t project_id,
                                                 std::vector<Told> states) = 0;
  // Keeps what was found and how far was asked; how many were new.
  virtual Task<Result<int64_t>> keep_found(std::string instance, Place place,
                                           std::vector<Delivery> found) = 0;

  // -- dead letters --
  virtual Task<Result<Page<DeadLetter>>> dead_letters(PageRequest page) = 0;  // newest first
  virtual Task<Result<DeadLetter>> dead_letter(int64_t id) = 0;
  // Back into the queue with no attempts counted, and the audit record; not_found.
  virtual Task<Status> replay_dead_letter(int64_t id, AuditRecord audit, UnixMicros now) = 0;
};

}  // namespace gitaiops::store
