#include "controller/fleet/fleet.h"

#include <set>

#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "base/rpc/skew.h"
#include "controller/enrollment/enrollment.h"
#include "controller/fleet/hello.h"
#include "controller/fleet/stream.h"

namespace gitaiops::fleet {
namespace {

constexpr int64_t kOverloadedRetryAfter = 30 * kMicrosPerSecond;
constexpr int64_t kCommandLife = 30 * kMicrosPerSecond;
constexpr int64_t kCommandGrace = 2 * kMicrosPerSecond;  // for the answer "expired" to arrive
constexpr int64_t kLongestCommand = 3600 * kMicrosPerSecond;
constexpr uint32_t kMostLinesAround = 100;

void refuse(rpc::ServerSession& session, v1::Refusal refusal) {
  v1::ConnectResponse message;
  *message.mutable_refusal() = std::move(refusal);
  // A failed write means that nobody is there to be told.
  [[maybe_unused]] const auto sent = session.write(std::move(message));
  session.close({});
}

// The first message, or nothing when it did not come in time.
Task<Result<v1::ConnectRequest>> read_first(std::shared_ptr<rpc::ServerSession> session,
                                            int64_t limit_us) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(limit_us));
  timer.async_wait([session](const asio::error_code& stopped) {
    if (!stopped) session->cancel();
  });
  auto first = co_await session->read();
  timer.cancel();
  co_return first;
}

v1::Refusal revoked(bool known) {
  return refusal(v1::Refusal::REASON_REVOKED,
                 known ? "this agent was revoked; to let it in again, enrol it with a new token"
                       : "this controller does not know the agent; enrol it with a new token");
}

Error expired(UnixMicros at) {
  return Error(Code::unauthenticated,
               "the agent's certificate expired at " + to_rfc3339(at) + ": enrol again");
}

Status check_command(const v1::Command& command) {
  if (command.action_case() == v1::Command::ACTION_NOT_SET)
    return Error(Code::invalid_argument, "command: no action");
  if (!command.has_lines_around()) return {};
  const auto& lines = command.lines_around();
  if (lines.line() == 0)
    return Error(Code::invalid_argument, "lines_around.line: lines are counted from 1");
  if (lines.before() > kMostLinesAround || lines.after() > kMostLinesAround) {
    return Error(Code::invalid_argument, "lines_around: at most 100 lines before and after");
  }
  return {};
}

}  // namespace

Fleet::Fleet(Options options, store::Store& store, ingest::Ingest& ingest, const Clock& clock)
    : options_(std::move(options)), store_(store), ingest_(ingest), clock_(clock) {}
Fleet::~Fleet() = default;

Task<void> Fleet::serve(std::shared_ptr<rpc::ServerSession> session) {
  const rpc::Peer peer = session->peer();
  const auto first = co_await read_first(session, options_.hello_timeout_us);
  if (!first.ok()) co_return;
  const auto opening = open_with(*first, options_.protocol_minor);
  const auto deny = [&](v1::Refusal why) {
    ++counters_.refused;
    log::warning("agent refused",
                 {{"agent", peer.agent_id}, {"peer", peer.address}, {"reason", why.message()}});
    refuse(*session, std::move(why));
  };
  if (opening.refused) co_return deny(*opening.refused);
  const UnixMicros now = clock_.now();
  if (peer.certificate_not_after <= now)
    co_return session->close(expired(peer.certificate_not_after));

  const auto agent = co_await store_.agent(peer.agent_id);
  if (!agent.ok() && agent.error().code() != Code::not_found) {
    co_return deny(refusal(v1::Refusal::REASON_OVERLOADED,
                           "the controller cannot read its store at the moment",
                           kOverloadedRetryAfter));
  }
  if (!agent.ok() || agent->revoked_at) co_return deny(revoked(agent.ok()));
  const auto clone = co_await find_clone(peer, opening.hello.host_name(), now);
  if (!clone.ok() || *clone) {
    co_return deny(clone.ok() ? refusal(v1::Refusal::REASON_REVOKED, **clone)
                              : refusal(v1::Refusal::REASON_OVERLOADED,
                                        "the controller cannot read its store at the moment",
                                        kOverloadedRetryAfter));
  }
  const auto high_water = co_await store_.high_water(peer.agent_id, opening.hello.epoch());
  if (!high_water.ok()) {
    co_return deny(refusal(v1::Refusal::REASON_OVERLOADED,
                           "the controller cannot read its store at the moment",
                           kOverloadedRetryAfter));
  }
  if (streams_.size() >= options_.max_agents && !streams_.contains(peer.agent_id)) {
    co_return deny(refusal(v1::Refusal::REASON_OVERLOADED,
                           "this controller serves as many agents as it may",
                           kOverloadedRetryAfter));
  }

  Stream::Facts facts;
  facts.agent_id = peer.agent_id;
  facts.epoch = opening.hello.epoch();
  facts.credit = options_.credit;
  facts.certificate_not_after = peer.certificate_not_after;
  facts.version = opening.hello.agent_version();
  facts.observation = opening.hello.observation();
  facts.host_name = opening.hello.host_name();
  if (opening.hello.now_us() != 0)
    facts.clock_skew_us = rpc::told_time(opening.hello.now_us()) - now;
  const auto stream =
      std::make_shared<Stream>(session, std::move(facts), ingest_, counters_, options_.on_baseline);
  auto& place = streams_[peer.agent_id];
  if (place) {
    ++counters_.replaced;
    log::warning("a newer stream of the same agent replaces the open one",
                 {{"agent", peer.agent_id}, {"peer", peer.address}});
    place->refuse(
        refusal(v1::Refusal::REASON_DUPLICATE,
                "another connection with this agent's identity was opened; if that is another "
                "host, enrol each by itself"),
        Error(Code::already_exists, "another connection with this agent's identity was opened"));
  }
  place = stream;
  ++counters_.opened;
  counters_.connected = static_cast<int64_t>(streams_.size());
  log::info("agent connected", {{"agent", peer.agent_id},
                                {"host", opening.hello.host_name()},
                                {"version", opening.hello.agent_version()},
                                {"peer", peer.address}});

  v1::Welcome welcome;
  welcome.set_protocol_minor(opening.minor);
  welcome.set_controller_version(options_.version);
  welcome.set_high_water_seq(*high_water);
  welcome.set_credit(options_.credit);
  welcome.set_now_us(now.value);
  stream->welcome(std::move(welcome));
  co_await stream->run();

  log::info("agent disconnected", {{"agent", peer.agent_id}});
  const auto found = streams_.find(peer.agent_id);
  if (found != streams_.end() && found->second == stream) streams_.erase(found);
  counters_.connected = static_cast<int64_t>(streams_.size());
}

// One identity on two hosts: who comes with an older certificate than was seen is told to go; where
// both have the same one, the newer connection replaces the other as always, and it is said.
Task<Result<std::optional<std::string>>> Fleet::find_clone(rpc::Peer peer, std::string host,
                                                           UnixMicros now) {
  store::Holder holder{peer.certificate_generation, enrollment::holder_name(host, peer.address)};
  const auto open = streams_.find(peer.agent_id);
  holder.contested = open != streams_.end() && open->second->facts.host_name != host;
  const bool contested = holder.contested;
  CO_ASSIGN_OR_RETURN(const auto agent,
                      co_await store_.agent_held(peer.agent_id, std::move(holder), now));
  const bool older = peer.certificate_generation < agent.generation;
  if (!older && !contested) co_return std::nullopt;
  const auto why = enrollment::describe_clone(agent);
  log::error("an agent's identity is held twice", {{"agent", agent.id}, {"holders", why}});
  co_return older ? std::optional(why) : std::nullopt;
}

Task<void> Fleet::run() {
  // Not `do … while (!co_await …)`: gcc 12 miscompiles an await in that place.
  for (bool stopped = false; !stopped;) {
    co_await check_streams();
    stopped = co_await stopping_.wait(std::chrono::microseconds(options_.check_interval_us));
  }
}

Task<void> Fleet::check_streams() {
  if (streams_.empty()) co_return;
  const auto agents = co_await store_.agents();
  if (!agents.ok()) {
    log::error("revocations cannot be read", {{"reason", agents.error().to_string()}});
    co_return;
  }
  std::map<std::string, bool> allowed;
  for (const auto& agent : *agents) allowed[agent.id] = !agent.revoked_at;

  const UnixMicros now = clock_.now();
  std::vector<std::shared_ptr<Stream>> seen;
  for (const auto& [id, stream] : std::map(streams_)) {
    if (stream->ended_by_check) continue;  // its end takes a moment
    const auto known = allowed.find(id);
    if (known == allowed.end() || !known->second) {
      stream->ended_by_check = true;
      ++counters_.ended_by_check;
      stream->refuse(revoked(known != allowed.end()),
                     Error(Code::permission_denied, "the agent was revoked"));
    } else if (stream->facts.certificate_not_after <= now) {
      stream->ended_by_check = true;
      ++counters_.ended_by_check;
      const auto why = expired(stream->facts.certificate_not_after);
      stream->refuse(refusal(v1::Refusal::REASON_REVOKED, why.message()), why);
    } else if (stream->seen_written.value == 0 ||
               clock_.steady() - stream->seen_written >= options_.seen_interval_us) {
      seen.push_back(stream);
    }
  }
  for (const auto& stream : seen) {
    stream->seen_written = clock_.steady() + 1;  // 0 means never
    const auto& facts = stream->facts;
    const auto stored =
        co_await store_.agent_seen(facts.agent_id, now, facts.version, facts.observation,
                                   facts.clock_skew_us, facts.certificate_not_after);
    if (!stored.ok())
      log::warning("last seen could not be stored",
                   {{"agent", facts.agent_id}, {"reason", stored.error().to_string()}});
  }
}

Task<Result<v1::CommandResult>> Fleet::command(std::string agent_id, v1::Command command) {
  const UnixMicros now = clock_.now();
  if (command.id().empty()) command.set_id(crypto::uuid7(now));
  if (command.expires_at_us() == 0) command.set_expires_at_us((now + kCommandLife).value);
  CO_RETURN_IF_ERROR(check_command(command));
  const int64_t left = UnixMicros{command.expires_at_us()} - now;
  if (left <= 0 || left > kLongestCommand)
    co_return Error(Code::invalid_argument, "command.expires_at_us: must be within the next hour");
  const auto found = streams_.find(agent_id);
  if (found == streams_.end())
    co_return Error(Code::unavailable, "agent " + agent_id + " is not connected");
  const auto stream = found->second;
  co_return co_await stream->command(std::move(command),
                                     std::chrono::microseconds(left + kCommandGrace));
}

std::vector<std::string> Fleet::connected() const {
  std::vector<std::string> ids;
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  return ids;
}

}  // namespace gitaiops::fleet
