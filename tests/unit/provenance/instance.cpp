#include "tests/unit/provenance/instance.h"

#include <cstdlib>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

namespace gitaiops::scanner::provenance::testing {
namespace {

constexpr const char* kRekorHost = "rekor.example";
constexpr const char* kRekor2Host = "log2.rekor.example";

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

unsigned char* writable(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string from_bio(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

std::string number(uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return out;
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
  must(extension && X509_add_ext(certificate, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

void add_raw_extension(X509* certificate, const char* oid, const std::string& der) {
  ASN1_OBJECT* object = OBJ_txt2obj(oid, 1);
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>(der.data()),
                        static_cast<int>(der.size()));
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object, 0, value);
  must(extension && X509_add_ext(certificate, extension, -1) == 1, "raw extension");
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(object);
}

Certificate bare_certificate(EVP_PKEY* key, const char* name, X509* issuer, int64_t from,
                             int64_t to) {
  static int serial = 1;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), from);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), to);
  X509_set_pubkey(certificate.get(), key);
  if (*name)
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(),
                       X509_get_subject_name(issuer ? issuer : certificate.get()));
  return certificate;
}

constexpr int64_t kYear = 365 * 24 * 3600;

Certificate authority(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* issuer_key) {
  auto certificate = bare_certificate(key, name, issuer, kNow - kYear, kNow + kYear);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  must(X509_sign(certificate.get(), issuer_key, EVP_sha256()) > 0, "sign authority");
  return certificate;
}

std::string tbs(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_re_X509_tbs(certificate, &der);
  must(size > 0, "tbs");
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string der_utf8(const std::string& text) {
  must(text.size() < 128, "short text");
  return std::string("\x0c") + static_cast<char>(text.size()) + text;
}

std::string der_octets(const std::string& bytes) {
  must(bytes.size() < 256, "short octets");
  const std::string length = bytes.size() < 128 ? "" : "\x81";
  return "\x04" + length + static_cast<char>(bytes.size()) + bytes;
}

std::string leaf_hash(const std::string& body) {
  return sha256(std::string(1, '\0') + body);
}

std::string node(const std::string& left, const std::string& right) {
  return sha256(std::string(1, '\1') + left + right);
}

// RFC 6962 §2.1, by its recursive definition: another way than the code under test.
std::string tree_hash(const std::vector<std::string>& leaves, std::size_t from, std::size_t to) {
  if (to - from == 1) return leaf_hash(leaves[from]);
  std::size_t half = 1;
  while (half * 2 < to - from) half *= 2;
  return node(tree_hash(leaves, from, from + half), tree_hash(leaves, from + half, to));
}

std::vector<std::string> tree_path(const std::vector<std::string>& leaves, std::size_t index,
                                   std::size_t from, std::size_t to) {
  if (to - from == 1) return {};
  std::size_t half = 1;
  while (half * 2 < to - from) half *= 2;
  const bool left = index < from + half;
  auto path = left ? tree_path(leaves, index, from, from + half)
                   : tree_path(leaves, index, from + half, to);
  path.push_back(left ? tree_hash(leaves, from + half, to) : tree_hash(leaves, from, from + half));
  return path;
}

Json log_of(const char* host, EVP_PKEY* key) {
  return {
      {"baseUrl", std::string("https://") + host},
      {"hashAlgorithm", "SHA2_256"},
      {"publicKey",
       {{"rawBytes", base64(public_der(key))}, {"validFor", {{"start", "2023-01-01T00:00:00Z"}}}}},
      {"logId", {{"keyId", base64(sha256(public_der(key)))}}}};
}

Json chain_of(std::initializer_list<X509*> certificates) {
  Json list = Json::array();
  for (X509* certificate : certificates)
    list.push_back({{"rawBytes", base64(der_of(certificate))}});
  return {{"certificates", list}};
}

}  // namespace

Key ec_key(const char* curve) {
  Key key(EVP_EC_gen(curve));
  must(key != nullptr, "key");
  return key;
}

Key ed25519_key() {
  Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  must(key != nullptr, "key");
  return key;
}

std::string public_pem(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key);
  return from_bio(bio);
}

std::string public_der(EVP_PKEY* key) {
  BIO* bio = BIO_new(BIO_s_mem());
  i2d_PUBKEY_bio(bio, key);
  return from_bio(bio);
}

std::string pem_of(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return from_bio(bio);
}

std::string der_of(X509* certificate) {
  BIO* bio = BIO_new(BIO_s_mem());
  i2d_X509_bio(bio, certificate);
  return from_bio(bio);
}

std::string base64(const std::string& bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(writable(out), reinterpret_cast<const unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string unbase64(const std::string& text) {
  std::string out(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(writable(out), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  must(size >= 0, "base64");
  out.resize(static_cast<std::size_t>(size) - (text.ends_with("==")  ? 2
                                               : text.ends_with('=') ? 1
                                                                     : 0));
  return out;
}

std::string sha256(const std::string& bytes) {
  std::string out(32, '\0');
  EVP_Digest(bytes.data(), bytes.size(), writable(out), nullptr, EVP_sha256(), nullptr);
  return out;
}

std::string hex(const std::string& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char c : bytes) out += {kDigits[c >> 4], kDigits[c & 15]};
  return out;
}

std::string sign(EVP_PKEY* key, const std::string& message) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const EVP_MD* hash = EVP_PKEY_is_a(key, "ED25519")  ? nullptr
                       : EVP_PKEY_get_bits(key) > 256 ? EVP_sha384()
                                                      : EVP_sha256();
  std::size_t size = 512;
  std::string out(size, '\0');
  must(EVP_DigestSignInit(context, nullptr, hash, nullptr, key) == 1 &&
           EVP_DigestSign(context, writable(out), &size,
                          reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1,
       "sign");
  EVP_MD_CTX_free(context);
  out.resize(size);
  return out;
}

Instance::Instance()
    : root_key_(ec_key("P-384")),
      intermediate_key_(ec_key("P-384")),
      ct_key_(ec_key()),
      rekor_key_(ec_key()),
      rekor_2_key_(ed25519_key()),
      tsa_key_(ec_key()),
      managed_key_(ec_key()),
      root_(authority(root_key_.get(), "Test root", nullptr, root_key_.get())),
      intermediate_(
          authority(intermediate_key_.get(), "Test intermediate", root_.get(), root_key_.get())),
      tsa_(bare_certificate(tsa_key_.get(), "Test TSA", root_.get(), kNow - kYear, kNow + kYear)) {
  add_extension(tsa_.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(tsa_.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(tsa_.get(), NID_ext_key_usage, "critical,timeStamping");
  must(X509_sign(tsa_.get(), root_key_.get(), EVP_sha256()) > 0, "sign TSA");
}

Json Instance::trusted_root() const {
  Json rekor_2 = log_of(kRekor2Host, rekor_2_key_.get());
  std::string raw_key(32, '\0');
  std::size_t size = raw_key.size();
  EVP_PKEY_get_raw_public_key(rekor_2_key_.get(), writable(raw_key), &size);
  // C2SP signed-note: the key id of an Ed25519 key.
  rekor_2["logId"]["keyId"] = base64(sha256(std::string(kRekor2Host) + "\n\x01" + raw_key));
  const Json valid = {{"start", "2023-01-01T00:00:00Z"}};
  return {{"mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
          {"tlogs", {log_of(kRekorHost, rekor_key_.get()), rekor_2}},
          {"ctlogs", {log_of("ct.example", ct_key_.get())}},
          {"certificateAuthorities",
           {{{"uri", "https://ca.example"},
             {"certChain", chain_of({intermediate_.get(), root_.get()})},
             {"validFor", valid}}}},
          {"timestampAuthorities",
           {{{"uri", "https://tsa.example"},
             {"certChain", chain_of({tsa_.get(), root_.get()})},
             {"validFor", valid}}}}};
}

Certificate Instance::leaf(EVP_PKEY* key, const LeafOptions& options) const {
  auto certificate = bare_certificate(key, "", intermediate_.get(), options.from, options.to);
  X509* made = certificate.get();
  add_extension(made, NID_basic_constraints, options.basic_constraints);
  add_extension(made, NID_key_usage, "critical,digitalSignature");
  add_extension(made, NID_ext_key_usage, options.extended_usage);
  const std::string subject = options.subject;
  add_extension(
      made, NID_subject_alt_name,
      ("critical," + std::string(subject.find(':') == subject.npos ? "email:" : "URI:") + subject)
          .c_str());
  add_raw_extension(made, "1.3.6.1.4.1.57264.1.8", der_utf8(options.issuer));
  add_raw_extension(made, "1.3.6.1.4.1.57264.1.12", der_utf8("https://ci.example/shop/cart"));
  add_raw_extension(made, "1.3.6.1.4.1.57264.1.13", der_utf8(std::string(40, 'c')));
  if (options.sct) {
    // The signature algorithm stands inside of what the CT log signs.
    must(X509_sign(made, intermediate_key_.get(), EVP_sha256()) > 0, "sign precertificate");
    const auto before = tbs(made);
    EVP_PKEY* issuer = options.sct_of_other_issuer ? root_key_.get() : intermediate_key_.get();
    const auto time = number(static_cast<uint64_t>(options.sct_time) * 1000, 8);
    const auto signature =
        sign(ct_key_.get(), number(0, 2) + time + number(1, 2) + sha256(public_der(issuer)) +
                                number(before.size(), 3) + before + number(0, 2));
    const auto sct = number(0, 1) + sha256(public_der(ct_key_.get())) + time + number(0, 2) +
                     number(0x0403, 2) + number(signature.size(), 2) + signature;
    const auto list = number(sct.size() + 2, 2) + number(sct.size(), 2) + sct;
    add_raw_extension(made, "1.3.6.1.4.1.11129.2.4.2", der_octets(list));
  }
  must(X509_sign(made, intermediate_key_.get(), EVP_sha256()) > 0, "sign leaf");
  return certificate;
}

std::string Instance::inclusion_checkpoint(const std::string& root_hash,
                                           const BundleOptions& options) const {
  EVP_PKEY* key = options.rekor_2 ? rekor_2_key_.get() : rekor_key_.get();
  const std::string host = options.rekor_2 ? kRekor2Host : kRekorHost;
  const auto text = (options.rekor_2 ? host : host + " - 4711") + "\n" +
                    std::to_string(options.tree_leaves) + "\n" + base64(root_hash) + "\n";
  const auto root = trusted_root();
  const auto id = unbase64(root["tlogs"][options.rekor_2 ? 1 : 0]["logId"]["keyId"]);
  return text + "\n\xe2\x80\x94 witness.example " + base64("abcd" + std::string(64, 'x')) +
         "\n\xe2\x80\x94 " + (options.checkpoint_name.empty() ? host : options.checkpoint_name) +
         " " + base64(id.substr(0, 4) + sign(key, text)) + "\n";
}

Json Instance::log_entry(const Json& body, const BundleOptions& options) const {
  constexpr std::size_t kIndex = 2;
  const auto root = trusted_root();
  std::vector<std::string> leaves;
  for (int i = 0; i < options.tree_leaves; ++i) leaves.push_back("entry " + std::to_string(i));
  leaves[kIndex] = body.dump();
  const auto root_hash = tree_hash(leaves, 0, leaves.size());
  Json hashes = Json::array();
  for (const auto& hash : tree_path(leaves, kIndex, 0, leaves.size()))
    hashes.push_back(base64(hash));
  const std::string id = root["tlogs"][options.rekor_2 ? 1 : 0]["logId"]["keyId"];
  const int64_t global_index = options.rekor_2 ? kIndex : 1002;
  Json entry = {{"logIndex", std::to_string(global_index)},
                {"logId", {{"keyId", id}}},
                {"kindVersion", {{"kind", body["kind"]}, {"version", body["apiVersion"]}}},
                {"canonicalizedBody", base64(body.dump())},
                {"inclusionProof",
                 {{"logIndex", std::to_string(kIndex)},
                  {"rootHash", base64(root_hash)},
                  {"treeSize", std::to_string(options.tree_leaves)},
                  {"hashes", hashes},
                  {"checkpoint", {{"envelope", inclusion_checkpoint(root_hash, options)}}}}}};
  if (!options.rekor_2) {
    const auto promised = "{\"body\":\"" + base64(body.dump()) +
                          "\",\"integratedTime\":" + std::to_string(options.integrated_time) +
                          ",\"logID\":\"" + hex(unbase64(id)) +
                          "\",\"logIndex\":" + std::to_string(global_index) + "}";
    entry["integratedTime"] = std::to_string(options.integrated_time);
    entry["inclusionPromise"] = {
        {"signedEntryTimestamp", base64(sign(rekor_key_.get(), promised))}};
  }
  return entry;
}

Json Instance::bundle(const std::string& artifact, const BundleOptions& options,
                      const LeafOptions& leaf_options) {
  const Key signer_key = ec_key();
  EVP_PKEY* key = options.managed_key ? managed_key_.get() : signer_key.get();
  const Certificate certificate = leaf(signer_key.get(), leaf_options);
  const bool envelope = !options.payload.empty();
  const auto& type = options.payload_type;
  const auto message = envelope ? "DSSEv1 " + std::to_string(type.size()) + " " + type + " " +
                                      std::to_string(options.payload.size()) + " " + options.payload
                                : artifact;
  const auto signature = sign(key, message);
  const auto verifier_pem = options.managed_key ? public_pem(key) : pem_of(certificate.get());
  Json body;
  if (options.rekor_2) {
    const Json verifier =
        options.managed_key
            ? Json{{"publicKey", {{"rawBytes", base64(public_der(key))}}}}
            : Json{{"x509Certificate", {{"rawBytes", base64(der_of(certificate.get()))}}}};
    body = {{"apiVersion", "0.0.2"},
            {"kind", "hashedrekord"},
            {"spec",
             {{"hashedRekordV002",
               {{"data", {{"algorithm", "SHA2_256"}, {"digest", base64(sha256(message))}}},
                {"signature", {{"content", base64(signature)}, {"verifier", verifier}}}}}}}};
  } else if (options.entry_kind == "dsse") {
    body = {{"apiVersion", "0.0.1"},
            {"kind", "dsse"},
            {"spec",
             {{"payloadHash", {{"algorithm", "sha256"}, {"value", hex(sha256(options.payload))}}},
              {"signatures",
               {{{"signature", base64(signature)}, {"verifier", base64(verifier_pem)}}}}}}};
  } else if (options.entry_kind == "intoto") {
    body = {{"apiVersion", "0.0.2"},
            {"kind", "intoto"},
            {"spec",
             {{"content",
               {{"envelope",
                 {{"payloadType", type},
                  {"signatures",
                   {{{"sig", base64(base64(signature))}, {"publicKey", base64(verifier_pem)}}}}}},
                {"payloadHash",
                 {{"algorithm", "sha256"}, {"value", hex(sha256(options.payload))}}}}}}}};
  } else {
    body = {
        {"apiVersion", "0.0.1"},
        {"kind", "hashedrekord"},
        {"spec",
         {{"data", {{"hash", {{"algorithm", "sha256"}, {"value", hex(sha256(message))}}}}},
          {"signature",
           {{"content", base64(signature)}, {"publicKey", {{"content", base64(verifier_pem)}}}}}}}};
  }
  if (options.body) options.body(body);
  Json material = {{"tlogEntries", {log_entry(body, options)}}};
  if (options.managed_key)
    material["publicKey"] = {{"hint", "test"}};
  else
    material["certificate"] = {{"rawBytes", base64(der_of(certificate.get()))}};
  if (options.timestamp || options.rekor_2)
    material["timestampVerificationData"]["rfc3161Timestamps"] = {
        {{"signedTimestamp", base64(timestamp(signature, options.timestamp_time,
                                              options.timestamp_embeds_certificate))}}};
  Json bundle = {{"mediaType", "application/vnd.dev.sigstore.bundle.v0.3+json"},
                 {"verificationMaterial", material}};
  if (envelope)
    bundle["dsseEnvelope"] = {{"payloadType", type},
                              {"payload", base64(options.payload)},
                              {"signatures", {{{"sig", base64(signature)}}}}};
  else
    bundle["messageSignature"] = {
        {"messageDigest", {{"algorithm", "SHA2_256"}, {"digest", base64(sha256(artifact))}}},
        {"signature", base64(signature)}};
  return bundle;
}

std::string Instance::timestamp(const std::string& bytes, int64_t time,
                                bool embed_certificate) const {
  const auto digest = sha256(bytes);
  TS_REQ* request = TS_REQ_new();
  TS_REQ_set_version(request, 1);
  X509_ALGOR* algorithm = X509_ALGOR_new();
  X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr);
  TS_MSG_IMPRINT* imprint = TS_MSG_IMPRINT_new();
  TS_MSG_IMPRINT_set_algo(imprint, algorithm);
  TS_MSG_IMPRINT_set_msg(imprint,
                         reinterpret_cast<unsigned char*>(const_cast<char*>(digest.data())),
                         static_cast<int>(digest.size()));
  TS_REQ_set_msg_imprint(request, imprint);
  TS_REQ_set_cert_req(request, embed_certificate ? 1 : 0);
  BIO* request_der = BIO_new(BIO_s_mem());
  i2d_TS_REQ_bio(request_der, request);

  TS_RESP_CTX* context = TS_RESP_CTX_new();
  static int64_t now = 0;
  now = time;
  TS_RESP_CTX_set_time_cb(
      context,
      [](TS_RESP_CTX*, void*, long* seconds, long* microseconds) {
        *seconds = static_cast<long>(now), *microseconds = 0;
        return 1;
      },
      nullptr);
  TS_RESP_CTX_set_signer_cert(context, tsa_.get());
  TS_RESP_CTX_set_signer_key(context, tsa_key_.get());
  TS_RESP_CTX_set_signer_digest(context, EVP_sha256());
  TS_RESP_CTX_set_ess_cert_id_digest(context, EVP_sha256());
  ASN1_OBJECT* policy = OBJ_txt2obj("1.2.3.4.1", 1);
  TS_RESP_CTX_set_def_policy(context, policy);
  TS_RESP_CTX_add_md(context, EVP_sha256());
  TS_RESP_CTX_set_serial_cb(
      context,
      [](TS_RESP_CTX*, void*) {
        ASN1_INTEGER* serial = ASN1_INTEGER_new();
        ASN1_INTEGER_set(serial, 7);
        return serial;
      },
      nullptr);
  TS_RESP* response = TS_RESP_create_response(context, request_der);
  must(response != nullptr, "timestamp");
  BIO* der = BIO_new(BIO_s_mem());
  i2d_TS_RESP_bio(der, response);
  TS_RESP_free(response);
  TS_RESP_CTX_free(context);
  ASN1_OBJECT_free(policy);
  BIO_free(request_der);
  X509_ALGOR_free(algorithm);
  TS_MSG_IMPRINT_free(imprint);
  TS_REQ_free(request);
  return from_bio(der);
}

}  // namespace gitaiops::scanner::provenance::testing
