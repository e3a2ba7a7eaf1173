// Any bytes in a webhook's place: an Error, or values that have what the router relies on; and what
// is routed is always settled with a state and a reason.
#include <cstdlib>

#include "base/bytes/bytes.h"
#include "controller/webhooks/event.h"
#include "controller/webhooks/route.h"
#include "controller/webhooks/signature.h"

using namespace gitaiops;
using namespace gitaiops::webhooks;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const auto event = read_event(body);
  if (event.ok()) {
    require(!event->word.empty() && event->word.size() <= 1024);
    require(event->number >= 0 && event->project_id >= 0 && event->builds.size() <= kMostBuilds);
    for (const auto& build : event->builds) require(build.id > 0);
    require(to_utf8(event->ref) == event->ref);
  }
  store::Delivery delivery;
  delivery.body = body;
  const auto settled = route(std::move(delivery), {}, {}, UnixMicros{1});
  require(settled.delivery.state == "done" || !settled.delivery.detail.empty());
  require(settled.delivery.state != "waiting");
  require(event.ok() || settled.delivery.state == "unreadable");

  Secrets secrets;
  require(add_secret(secrets, "token").ok());
  http::Headers headers;
  headers.add("X-Gitlab-Token", body);
  require((verify(secrets, headers, body, UnixMicros{1}) == Verdict::token) == (body == "token"));
  return 0;
}
