#include "controller/webhooks/webhooks.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/log/log.h"
#include "controller/webhooks/route.h"
#include "controller/webhooks/signature.h"

namespace gitaiops::webhooks {
namespace {

constexpr std::size_t kUnprovenBytes = 64 << 10;
constexpr std::size_t kLongestDeliveryKey = 200;
constexpr std::size_t kLongestType = 100;
constexpr int64_t kReadSecretsEvery = kMicrosPerSecond;
constexpr int64_t kWarnEvery = 60 * kMicrosPerSecond;
constexpr std::size_t kReadAtOnce = 256;
constexpr int64_t kReadBytesAtOnce = 16 << 20;
constexpr std::chrono::milliseconds kIdle{1000};
constexpr std::chrono::seconds kStoreTrouble{1};
constexpr const char* kRetryAfter = "5";

std::string header(const http::Request& request, std::string_view name) {
  return std::string(request.headers.get(name).value_or(""));
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

// The same for each time GitLab sends one delivery. What was signed comes before what was not.
std::string idempotency_key(const http::Request& request, bool is_signed) {
  std::string key = is_signed ? header(request, "webhook-id") : header(request, "Idempotency-Key");
  if (key.empty()) key = header(request, is_signed ? "Idempotency-Key" : "webhook-id");
  if (!key.empty() && key.size() <= kLongestDeliveryKey && printable(key)) return "key:" + key;
  // Older GitLabs: X-Gitlab-Event-UUID is shared by hooks that set each other off, so it is not
  // enough.
  return "sha256:" + crypto::sha256_hex(header(request, "X-Gitlab-Webhook-UUID") + "\n" + key +
                                        "\n" + request.body);
}

Result<Secrets> read_secrets(const std::vector<std::filesystem::path>& files) {
  Secrets secrets;
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(const auto text, read_secret_file(file), "a webhook's secret");
    RETURN_IF_ERROR(add_secret(secrets, text), file.string());
  }
  return secrets;
}

}  // namespace

Status check_secret_file(const std::filesystem::path& file) {
  const auto secrets = read_secrets({file});
  return secrets.ok() ? Status() : Status(secrets.error());
}

struct Webhooks::Instance {
  std::vector<std::filesystem::path> files;
  Secrets secrets;
  SteadyMicros read_at, warned_at;
  int64_t refused = 0;  // since the last warning
};

Webhooks::Webhooks(Options options, store::Inbox& inbox, const Clock& clock)
    : options_(std::move(options)), inbox_(inbox), clock_(clock) {}
Webhooks::~Webhooks() = default;

Result<std::unique_ptr<Webhooks>> Webhooks::make(Options options, store::Inbox& inbox,
                                                 const Clock& clock) {
  std::unique_ptr<Webhooks> made(new Webhooks(std::move(options), inbox, clock));
  for (const auto& [id, files] : made->options_.secrets) {
    if (files.empty()) continue;
    auto instance = std::make_unique<Instance>();
    instance->files = files;
    ASSIGN_OR_RETURN(instance->secrets, read_secrets(files), "gitlab \"" + id + "\"");
    instance->read_at = clock.steady();
    instance->warned_at = clock.steady() + -kWarnEvery;
    made->instances_[id] = std::move(instance);
  }
  return made;
}

// A storm of refusals makes one warning a minute, and GitLab will switch the hook off: somebody
// must know.
void Webhooks::refuse(const std::string& instance, Instance& of, std::string_view why,
                      const http::Request& request) {
  ++of.refused;
  if (options_.on_request) options_.on_request(instance, why);
  if (clock_.steady() - of.warned_at < kWarnEvery) return;
  log::warning("a webhook was refused",
               {{"instance", instance},
                {"why", why},
                {"from", request.peer},
                {"refused_since_last_told", of.refused},
                {"cure",
                 "compare the hook's secret with gitlab.webhook_secret_files; GitLab "
                 "switches off a hook that is refused"}});
  of.warned_at = clock_.steady();
  of.refused = 0;
}

// A secret that was changed a moment ago is not known yet; what is small gets through to where
// files are read again.
std::size_t Webhooks::body_limit(const std::string& instance, const http::Headers& headers) const {
  const auto found = instances_.find(instance);
  const bool known =
      found != instances_.end() && promising(found->second->secrets, headers, clock_.now());
  return known ? options_.max_bytes : std::min(kUnprovenBytes, options_.max_bytes);
}

http::Response Webhooks::overloaded(const std::string& instance) {
  if (options_.on_request) options_.on_request(instance, "overloaded");
  auto response = http::problem(503, "events cannot be written down now; try again shortly");
  response.headers.add("Retry-After", kRetryAfter);
  return response;
}

Task<http::Response> Webhooks::take(std::string instance, http::Request request) {
  const auto found = instances_.find(instance);
  if (found == instances_.end()) {
    if (options_.on_request) options_.on_request("none", "refused");
    co_return http::problem(404, "no [[gitlab]] of that id takes webhooks");
  }
  Instance& of = *found->second;
  auto verdict = verify(of.secrets, request.headers, request.body, clock_.now());
  const bool proven = verdict == Verdict::signed_ || verdict == Verdict::token;
  if (!proven && clock_.steady() - of.read_at >= kReadSecretsEvery) {
    // The secret may have been changed under us; a half-written file leaves the old ones.
    of.read_at = clock_.steady();
    auto fresh = read_secrets(of.files);
    if (fresh.ok()) {
      of.secrets = std::move(*fresh);
      verdict = verify(of.secrets, request.headers, request.body, clock_.now());
    }
  }
  switch (verdict) {
    case Verdict::signed_:
    case Verdict::token:
      break;
    case Verdict::late:
      refuse(instance, of, "late", request);
      co_return http::problem(401, "signed too long ago, or by a clock that is wrong");
    case Verdict::forged:
      refuse(instance, of, "forged", request);
      co_return http::problem(401, "the secret is not the one configured here");
    case Verdict::unproven:
      refuse(instance, of, "unproven", request);
      co_return http::problem(401, "neither a token nor a signature");
  }
  if (in_flight_ >= options_.max_in_flight) co_return overloaded(instance);

  store::Delivery delivery;
  delivery.id = crypto::uuid7(clock_.now());
  delivery.instance = instance;
  delivery.key = idempotency_key(request, verdict == Verdict::signed_);
  delivery.source = "webhook";
  delivery.type = truncate_utf8(to_utf8(header(request, "X-Gitlab-Event")), kLongestType);
  delivery.priority = priority_of(delivery.type);
  delivery.received_at = clock_.now();
  delivery.body = std::move(request.body);
  ++in_flight_;
  const auto stored = co_await inbox_.accept_delivery(std::move(delivery));
  --in_flight_;
  if (!stored.ok()) {
    log::error("an event of GitLab was not written down; GitLab is asked to send it again",
               {{"instance", instance}, {"error", stored.error().to_string()}});
    co_return overloaded(instance);
  }
  if (options_.on_request) options_.on_request(instance, *stored ? "stored" : "known");
  co_return http::Response();
}

// ---- The router ----

Task<void> Webhooks::run() {
  while (!stopping_.is_set()) {
    const auto read = co_await read_some();
    if (!read.ok()) {
      log::error("events of GitLab cannot be read", {{"error", read.error().to_string()}});
      co_await stopping_.wait(kStoreTrouble);
    } else if (*read == 0) {
      co_await inbox_.wait_delivery(kIdle);
    }
  }
}

Task<Result<std::size_t>> Webhooks::read_some() {
  CO_ASSIGN_OR_RETURN(auto waiting,
                      co_await inbox_.waiting_deliveries(kReadAtOnce, kReadBytesAtOnce));
  if (waiting.empty()) co_return std::size_t{0};
  const UnixMicros now = clock_.now();
  std::vector<store::Settled> settled;
  std::vector<std::pair<std::string, std::string>> told;
  for (auto& delivery : waiting) {
    settled.push_back(route(std::move(delivery), options_.fetch, options_.command, now));
    const auto& made = settled.back().delivery;
    told.emplace_back(made.type, made.state);
    if (made.type == "access_token" && made.state == "done")
      log::warning(
          "GitLab warns of an access token",
          {{"instance", made.instance}, {"project", made.project_path}, {"what", made.detail}});
  }
  const std::size_t count = settled.size();
  CO_RETURN_IF_ERROR(co_await inbox_.settle_deliveries(std::move(settled)));
  if (options_.on_settled)
    for (const auto& [type, state] : told)
      options_.on_settled(state == "done" ? std::string_view(type) : "other", state);
  co_return count;
}

}  // namespace gitaiops::webhooks
