#include "bench/agents.h"

#include <cstdio>
#include <cstdlib>

#include <asio/io_context.hpp>
#include <sys/resource.h>

#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "base/tls/tls.h"
#include "controller/enrollment/enrollment.h"
#include "controller/store/store.h"

namespace gitaiops::bench {
namespace {

constexpr int64_t kHour = 3600 * kMicrosPerSecond;

[[noreturn]] void give_up(const Error& error) {
  std::printf("error: %s\n", error.to_string().c_str());
  std::exit(2);
}

Task<Status> enroll(store::Store& store, std::size_t count, std::vector<std::string>& ids) {
  const auto now = system_clock().now();
  store::EnrollmentToken token;
  token.id = "bench";
  token.secret_sha256 = "bench";
  token.expires_at = now + kHour;
  token.uses_left = static_cast<int64_t>(count);
  token.scope = store::everything();
  CO_RETURN_IF_ERROR(co_await store.add_enrollment_token(token));
  for (std::size_t i = 0; i < count; ++i) {
    store::Agent agent;
    agent.id = crypto::uuid7(now);
    agent.host_name = "host-" + std::to_string(i);
    ids.push_back(agent.id);
    const auto enrolled = co_await store.enroll_agent("bench", std::move(agent), now);
    if (!enrolled.ok()) co_return enrolled.error();
  }
  co_return Status();
}

}  // namespace

Identities make_agents(const std::filesystem::path& folder, std::size_t count) {
  log::configure(log::Level::warning, log::Format::text);
  const auto state = folder / "state";
  std::filesystem::create_directory(state);
  std::filesystem::permissions(state, std::filesystem::perms::owner_all);
  const auto keyring = enrollment::Keyring::open({state, {"127.0.0.1"}}, system_clock());
  if (!keyring.ok()) give_up(keyring.error());
  auto store = store::open_sqlite({state / "controller.db"}, system_clock());
  if (!store.ok()) give_up(store.error());
  std::vector<std::string> ids;
  Status enrolled;
  asio::io_context loop;
  spawn(loop.get_executor(), "enrol",
        [](store::Store& s, std::size_t n, std::vector<std::string>& out, Status& status)
            -> Task<void> { status = co_await enroll(s, n, out); }(**store, count, ids, enrolled));
  loop.run();
  if (!enrolled.ok()) give_up(enrolled.error());
  Identities out;
  out.key_pem = *tls::make_key();
  out.ca_pem = keyring->bundle_pem();
  const auto request = *tls::make_request(out.key_pem);
  const auto now = system_clock().now();
  for (const auto& id : ids)
    out.certificates.push_back(
        *keyring->authority().sign_agent(request, id, {now + -kHour, now + 12 * kHour}, 1));
  return out;
}

std::shared_ptr<rpc::ClientSession> open_stream(asio::any_io_executor executor,
                                                const Identities& identities, std::size_t agent,
                                                const std::string& address) {
  auto session = rpc::connect(std::move(executor), {address, identities.ca_pem, identities.key_pem,
                                                    identities.certificates[agent]});
  fleet::v1::ConnectRequest first;
  auto& hello = *first.mutable_hello();
  hello.set_protocol_minor(rpc::kProtocolMinor);
  hello.set_agent_version(GITAIOPS_VERSION);
  hello.set_epoch(agent + 1);
  hello.set_host_name("host-" + std::to_string(agent));
  hello.set_now_us(system_clock().now().value);
  [[maybe_unused]] const auto sent = session->write(std::move(first));
  return session;
}

void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace gitaiops::bench
