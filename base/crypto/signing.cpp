#include "base/crypto/signing.h"

#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace gitaiops::crypto {
namespace {

constexpr std::size_t kSignatureBytes = 64;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// No pass phrase is asked for: nobody may be there to answer.
int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

Key read_key(std::string_view pem, bool is_private, int kind = EVP_PKEY_ED25519) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(is_private ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr)
                     : PEM_read_bio_PUBKEY(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  return key && EVP_PKEY_get_base_id(key.get()) == kind ? std::move(key) : nullptr;
}

}  // namespace

Result<std::string> ed25519_sign(std::string_view private_pem, std::string_view message) {
  const Key key = read_key(private_pem, true);
  if (!key) return Error(Code::invalid_argument, "not a private Ed25519 key in PEM");
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     octets(message), message.size()) != 1 ||
      size != kSignatureBytes)
    return Error(Code::internal, "OpenSSL could not sign");
  return signature;
}

Status ed25519_verify(std::string_view pem, std::string_view message, std::string_view signature) {
  Key key = read_key(pem, false);
  if (!key) key = read_key(pem, true);
  if (!key) return Error(Code::invalid_argument, "not an Ed25519 key in PEM");
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                       message.size()) == 1;
  ERR_clear_error();
  if (!good) return Error(Code::data_loss, "the signature is not this key's");
  return {};
}

Result<std::string> rsa_sha256_sign(std::string_view private_pem, std::string_view message) {
  const Key key = read_key(private_pem, true, EVP_PKEY_RSA);
  if (!key) return Error(Code::invalid_argument, "not a private RSA key in PEM");
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())), '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     octets(message), message.size()) != 1)
    return Error(Code::internal, "OpenSSL could not sign");
  signature.resize(size);
  return signature;
}

}  // namespace gitaiops::crypto
