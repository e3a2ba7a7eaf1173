// What anyone on the network may send before he is known: a certificate request; and certificates,
// as DER within PEM and as any text. A refusal says why; what is read has the facts we promise.
#include <cstdlib>

#include "base/crypto/crypto.h"
#include "base/tls/tls.h"

using namespace gitaiops;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_certificate(std::string_view pem) {
  const auto facts = tls::facts(pem);
  if (!facts.ok()) return require(!facts.error().message().empty());
  require(facts->fingerprint.size() == 64 && facts->pin.starts_with("sha256:"));
  if (const auto id = tls::agent_id(*facts); id.ok())
    require(facts->uris.at(0) == tls::agent_uri(*id));
  (void)tls::check_signed_by(pem, pem);
}

std::string as_pem(std::string_view der) {
  constexpr std::size_t kLine = 64;
  const auto text = crypto::base64_encode(der);
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += kLine) pem += text.substr(at, kLine) + '\n';
  return pem + "-----END CERTIFICATE-----\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)tls::check_request(bytes);
  check_certificate(as_pem(bytes));
  check_certificate(bytes);
  if (const auto parts = tls::split_bundle(bytes); parts.ok()) {
    require(!parts->empty());
    for (const auto& part : *parts) check_certificate(part);
  }
  if (const auto place = tls::parse_host_port(bytes); place.ok())
    require(place->port != 0 && !place->host.empty());
  return 0;
}
