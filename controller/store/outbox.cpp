#include <algorithm>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {
namespace {

// The highest number ever given, also when its event was swept since.
uint64_t newest_event(Connection& c) {
  return static_cast<uint64_t>(
      c.integer("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").value_or(0));
}

}  // namespace

void SqliteStore::append_event(Connection& c, const Event& event) {
  c.run("INSERT INTO outbox(type, instance, project_id, subject, at) VALUES(?, ?, ?, ?, ?)",
        {event.type, event.instance, event.project_id, event.subject, event.at});
  c.after_commit([this] { events_.notify(); });
}

Task<Result<std::vector<Event>>> SqliteStore::events_after(uint64_t number, std::size_t limit) {
  return database_->read([number, limit](Connection& c) -> Result<std::vector<Event>> {
    std::vector<Event> out;
    auto rows = c.query(
        "SELECT number, type, instance, project_id, subject, at FROM outbox WHERE number > ? ORDER "
        "BY number LIMIT ?",
        {number, limit});
    while (rows.next())
      out.push_back({static_cast<uint64_t>(rows.integer(0)), rows.text(1), rows.text(2),
                     rows.integer(3), rows.text(4), rows.time(5)});
    return out;
  });
}

Task<Result<uint64_t>> SqliteStore::cursor(std::string consumer) {
  return database_->read([consumer](Connection& c) -> Result<uint64_t> {
    return static_cast<uint64_t>(
        c.integer("SELECT number FROM cursors WHERE consumer = ?", {consumer}).value_or(0));
  });
}

Task<Status> SqliteStore::advance(std::string consumer, uint64_t upto, std::vector<NewWork> work) {
  return database_->write([this, consumer, upto, work](Connection& c) -> Status {
    if (upto > newest_event(c))
      return Error(Code::invalid_argument, "there is no event " + std::to_string(upto) + " yet");
    // Never backwards: an event that was handled is not handled again because somebody was slow.
    c.run("INSERT INTO cursors VALUES(?1, ?2) ON CONFLICT DO UPDATE SET number = max(number, ?2)",
          {consumer, upto});
    for (const auto& item : work) put_work(c, item);
    return {};
  });
}

Task<void> SqliteStore::wait_event(uint64_t number, std::chrono::microseconds limit) {
  using std::chrono::microseconds;
  const auto until =
      std::chrono::steady_clock::now() + std::min<microseconds>(limit, std::chrono::hours(24));
  for (;;) {
    const auto seen = events_.version();
    auto look = [](Connection& c) -> Result<uint64_t> { return newest_event(c); };
    const auto newest = co_await database_->read(std::move(look));
    const auto left =
        std::chrono::duration_cast<microseconds>(until - std::chrono::steady_clock::now());
    if ((newest.ok() && *newest > number) || left.count() <= 0) co_return;
    co_await events_.wait(seen, std::min<microseconds>(left, kOtherProcesses));
  }
}

}  // namespace gitaiops::store
