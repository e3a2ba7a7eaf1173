#include "engines/scanner/provenance/keys.h"

#include <algorithm>
#include <array>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace gitaiops::scanner::provenance {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

using BioPtr = Owned<BIO, BIO_free_all>;
using KeyContextPtr = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContextPtr = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

std::array<int8_t, 256> reversed_alphabet() {
  std::array<int8_t, 256> values;
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
  return values;
}

Error refused(std::string what) {
  ERR_clear_error();
  return Error(Code::invalid_argument, std::move(what));
}

bool verified(EVP_PKEY* key, Hash hash, std::string_view digest, std::string_view signature,
              int padding) {
  const KeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) <= 0 ||
      (padding != 0 && EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) <= 0) ||
      EVP_PKEY_CTX_set_signature_md(context.get(), algorithm_of(hash)) <= 0)
    return false;
  return EVP_PKEY_verify(context.get(), octets(signature), signature.size(), octets(digest),
                         digest.size()) == 1;
}

}  // namespace

ErrorQueue::~ErrorQueue() {
  ERR_clear_error();
}

const EVP_MD* algorithm_of(Hash hash) {
  switch (hash) {
    case Hash::sha256:
      return EVP_sha256();
    case Hash::sha384:
      return EVP_sha384();
    case Hash::sha512:
      return EVP_sha512();
  }
  return nullptr;
}

std::string digest(Hash hash, std::string_view bytes) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
             algorithm_of(hash), nullptr);
  out.resize(size);
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  static const auto values = reversed_alphabet();
  std::string out;
  out.reserve(text.size() / 4 * 3);
  uint32_t group = 0;
  int filled = 0, padding = 0;
  bool ended = false;  // by padding: only line ends may follow
  for (const char c : text) {
    if (c == '\r' || c == '\n') continue;
    if (ended) return std::nullopt;
    if (c == '=') {
      if (filled < 2 || ++padding > 2) return std::nullopt;
      group <<= 6;
    } else {
      const int value = values[static_cast<unsigned char>(c)];
      if (value < 0 || padding > 0) return std::nullopt;
      group = group << 6 | static_cast<uint32_t>(value);
    }
    if (++filled < 4) continue;
    for (int i = 0; i < 3 - padding; ++i)
      out.push_back(static_cast<char>(group >> (16 - 8 * i) & 0xff));
    // What the padding covers must be zero, else two texts would mean the same bytes.
    if (padding > 0 && (group & (padding == 1 ? 0xffu : 0xffffu)) != 0) return std::nullopt;
    group = 0, filled = 0, ended = padding > 0;
  }
  return filled == 0 ? std::optional(std::move(out)) : std::nullopt;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const std::size_t here = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out.push_back(k <= here ? kAlphabet[group >> (18 - 6 * k) & 0x3f] : '=');
  }
  return out;
}

Status accepted(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return {};
  if (EVP_PKEY_is_a(key, "RSA")) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits >= kRsaBitsMin && bits <= kRsaBitsMax) return {};
    return refused("an RSA key of " + std::to_string(bits) + " bits is not accepted");
  }
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_is_a(key, "EC") &&
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                     &size) == 1) {
    const std::string_view name(group.data(), size);
    if (name == "prime256v1" || name == "secp384r1" || name == "secp521r1") return {};
    return refused("a key on curve " + std::string(name) + " is not accepted");
  }
  return refused("the key is of a kind that is not accepted");
}

Result<KeyPtr> key_from_der(std::string_view der) {
  const unsigned char* at = octets(der);
  KeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key) {
    at = octets(der);
    key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())));
  }
  if (!key || at != octets(der) + der.size()) return refused("the public key is no valid DER");
  RETURN_IF_ERROR(accepted(key.get()));
  return key;
}

Result<PemBlock> first_pem_block(std::string_view pem) {
  const BioPtr source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  const bool read = source && PEM_read_bio(source.get(), &name, &header, &data, &size) == 1;
  PemBlock block;
  if (read) {
    block.label = name;
    block.der.assign(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  if (!read) return refused("no PEM block");
  return block;
}

Result<KeyPtr> key_from_pem(std::string_view pem) {
  ASSIGN_OR_RETURN(const auto block, first_pem_block(pem));
  if (block.label != "PUBLIC KEY" && block.label != "RSA PUBLIC KEY")
    return refused("a PEM block \"PUBLIC KEY\" is needed, this is \"" + to_utf8(block.label) +
                   "\"");
  return key_from_der(block.der);
}

std::string spki_der(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string out;
  if (size > 0) out.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

Hash hash_for(EVP_PKEY* key) {
  if (!EVP_PKEY_is_a(key, "EC")) return Hash::sha256;
  const int bits = EVP_PKEY_get_bits(key);
  return bits > 384 ? Hash::sha512 : bits > 256 ? Hash::sha384 : Hash::sha256;
}

Result<CertificatePtr> certificate_from_der(std::string_view der) {
  const unsigned char* at = octets(der);
  CertificatePtr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate || at != octets(der) + der.size())
    return refused("the certificate is no valid DER");
  EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  if (!key) return refused("the certificate's key cannot be read");
  RETURN_IF_ERROR(accepted(key), "certificate");
  return certificate;
}

std::string certificate_der(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  std::string out;
  if (size > 0) out.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool is_ed25519(EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "ED25519") == 1;
}

bool digest_signed_by(EVP_PKEY* key, Hash hash, std::string_view digest,
                      std::string_view signature) {
  if (is_ed25519(key)) return false;
  if (!EVP_PKEY_is_a(key, "RSA")) return verified(key, hash, digest, signature, 0);
  return verified(key, hash, digest, signature, RSA_PKCS1_PADDING) ||
         verified(key, hash, digest, signature, RSA_PKCS1_PSS_PADDING);
}

bool signed_by(EVP_PKEY* key, Hash hash, std::string_view message, std::string_view signature) {
  if (!is_ed25519(key)) return digest_signed_by(key, hash, digest(hash, message), signature);
  const DigestContextPtr context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                          message.size()) == 1;
}

}  // namespace gitaiops::scanner::provenance
