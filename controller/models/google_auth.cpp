#include "controller/models/google_auth.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/crypto/signing.h"
#include "base/io/files.h"

namespace gitaiops::models {
namespace {

using nlohmann::json;

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr std::string_view kMetadataPath =
    "/computeMetadata/v1/instance/service-accounts/default/token";
constexpr int64_t kLifeSeconds = 3600;
constexpr int64_t kEarlyUs = 300 * kMicrosPerSecond;
constexpr std::size_t kLargestFile = 64 << 10;
constexpr std::size_t kLargestAnswer = 256 << 10;
constexpr std::chrono::seconds kTimeout{10};

std::string form_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_';
    if (plain) {
      out += static_cast<char>(c);
    } else {
      out += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return out;
}

std::string form(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out += (out.empty() ? "" : "&") + std::string(name) + "=" + form_encoded(value);
  return out;
}

std::string text_of(const json& value, const char* key) {
  return value.is_object() && value.contains(key) && value[key].is_string()
             ? value[key].get<std::string>()
             : "";
}

// What is in the credentials file, as far as it is used.
struct Credentials {
  enum class Kind { metadata, service_account, external_account };
  Kind kind = Kind::metadata;
  std::string client_email, private_key, key_id;
  std::string token_url;  // also of a service account
  std::string audience, subject_token_type, impersonation_url;
  std::filesystem::path subject_file;
  std::string subject_url, subject_field;  // an empty field: the whole text
  OutgoingHeaders subject_headers;
};

Error wrong(const std::string& what) {
  return {Code::invalid_argument, "the credentials file " + what};
}

Result<Credentials> service_account(const json& file) {
  Credentials out;
  out.kind = Credentials::Kind::service_account;
  out.client_email = text_of(file, "client_email");
  out.private_key = text_of(file, "private_key");
  out.key_id = text_of(file, "private_key_id");
  out.token_url = text_of(file, "token_uri");
  if (out.token_url.empty()) out.token_url = kTokenUrl;
  if (out.client_email.empty() || out.private_key.empty())
    return wrong("lacks client_email or private_key; make a new JSON key of the service account");
  if (!crypto::rsa_sha256_sign(out.private_key, "").ok())
    return wrong("has a private_key that is no RSA key in PEM");
  return out;
}

Result<Credentials> external_account(const json& file) {
  Credentials out;
  out.kind = Credentials::Kind::external_account;
  out.token_url = text_of(file, "token_url");
  out.audience = text_of(file, "audience");
  out.subject_token_type = text_of(file, "subject_token_type");
  out.impersonation_url = text_of(file, "service_account_impersonation_url");
  const json source = file.value("credential_source", json::object());
  out.subject_file = text_of(source, "file");
  out.subject_url = text_of(source, "url");
  if (source.is_object() && source.contains("headers") && source["headers"].is_object())
    for (const auto& [name, value] : source["headers"].items())
      if (value.is_string()) out.subject_headers.emplace_back(name, value.get<std::string>());
  const json format = source.is_object() ? source.value("format", json::object()) : json::object();
  if (text_of(format, "type") == "json")
    out.subject_field = text_of(format, "subject_token_field_name");
  if (out.token_url.empty() || out.audience.empty() || out.subject_token_type.empty())
    return wrong("lacks token_url, audience or subject_token_type");
  if (out.subject_file.empty() == out.subject_url.empty())
    return wrong("needs a credential_source with either file or url; others are not supported");
  return out;
}

Result<Credentials> read_credentials(const std::filesystem::path& path) {
  if (path.empty()) return Credentials();
  ASSIGN_OR_RETURN(const auto text, read_file(path, kLargestFile));
  const json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const std::string type = text_of(file, "type");
  if (type == "external_account") return external_account(file);
  if (type != "service_account")
    return wrong("is neither a service account's key nor an external_account in JSON");
  RETURN_IF_ERROR(read_secret_file(path, kLargestFile));
  return service_account(file);
}

// Never with the answer's body, which may hold what was sent.
Error refused(const std::string& what, const OutgoingResponse& response) {
  const std::string text = what + " answers " + std::to_string(response.status);
  if (response.status == 429 || response.status >= 500) return {Code::unavailable, text};
  const json body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  const std::string code = text_of(body, "error");  // "invalid_grant": RFC 6749, a closed list
  const bool plain = code.size() <= 40 && std::ranges::all_of(code, [](char c) {
                       return (c >= 'a' && c <= 'z') || c == '_';
                     });
  return {Code::unauthenticated, text + (plain && !code.empty() ? " (" + code + ")" : "") +
                                     "; check models.credentials_file"};
}

class Google final : public GoogleAuth {
 public:
  Google(GoogleAuthOptions options, Credentials credentials, Outgoing& outgoing, const Clock& clock)
      : options_(std::move(options)),
        credentials_(std::move(credentials)),
        outgoing_(outgoing),
        clock_(clock) {}

  Task<Result<std::string>> token() override {
    while (fetching_) {
      const bool ended = co_await fetched_.wait(4 * kTimeout);
      if (!ended) co_return Error(Code::deadline_exceeded, "waiting for an access token");
      if (failure_) co_return *failure_;
    }
    if (!token_.empty() && clock_.now() < refresh_at_) co_return token_;
    fetching_ = true;
    failure_.reset();
    fetched_.reset();
    const Busy busy(*this);  // whatever happens: cancelled, too
    auto made = co_await fetch();
    if (!made.ok()) {
      failure_ = made.error();
      co_return made.error();
    }
    token_ = made->token;
    refresh_at_ = clock_.now() + std::max<int64_t>(made->life_us - kEarlyUs, kMicrosPerSecond);
    co_return token_;
  }
  void forget() override { token_.clear(); }

 private:
  struct Made {
    std::string token;
    int64_t life_us = 0;
  };
  struct Busy {
    explicit Busy(Google& google) : owner(google) {}
    ~Busy() {
      owner.fetching_ = false;
      owner.fetched_.set();
    }
    Google& owner;
  };

  Status allow(std::string_view url) const {
    if (is_google_token_host(url)) return {};
    if (!options_.allowed_besides.empty() && url.starts_with(options_.allowed_besides)) return {};
    return Error(Code::invalid_argument,
                 "the credentials file names an address that is not Google's for tokens");
  }

  Task<Result<json>> post(std::string what, std::string url, std::string body,
                          OutgoingHeaders headers) {
    CO_RETURN_IF_ERROR(allow(url));
    OutgoingRequest request{.method = "POST", .url = std::move(url)};
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.total_timeout = kTimeout;
    request.max_response_bytes = kLargestAnswer;
    auto response = co_await outgoing_.send(std::move(request));
    if (!response.ok()) co_return response.error().within(what);
    if (response->status != 200) co_return refused(what, *response);
    co_return json::parse(response->body, nullptr, /*allow_exceptions=*/false);
  }

  static Result<Made> made_of(const json& body, const std::string& what) {
    Made out;
    out.token = text_of(body, "access_token");
    const bool timed =
        body.is_object() && body.contains("expires_in") && body["expires_in"].is_number_integer();
    out.life_us =
        (timed ? std::clamp<int64_t>(body["expires_in"].get<int64_t>(), 0, 86'400) : kLifeSeconds) *
        kMicrosPerSecond;
    if (out.token.empty()) return Error(Code::unavailable, what + " gave no access_token");
    return out;
  }

  Task<Result<Made>> fetch() {
    switch (credentials_.kind) {
      case Credentials::Kind::metadata:
        return from_metadata();
      case Credentials::Kind::service_account:
        return by_key();
      default:
        return by_federation();
    }
  }

  Task<Result<Made>> from_metadata() {
    OutgoingRequest request{.url = options_.metadata_url + std::string(kMetadataPath)};
    request.headers = {{"Metadata-Flavor", "Google"}};
    request.total_timeout = kTimeout;
    request.max_response_bytes = kLargestAnswer;
    auto response = co_await outgoing_.send(std::move(request));
    if (!response.ok()) co_return response.error().within("the metadata server");
    if (response->header("Metadata-Flavor") != "Google")
      co_return Error(Code::unavailable, "what answers at the metadata server's address is not it");
    if (response->status != 200) co_return refused("the metadata server", *response);
    co_return made_of(json::parse(response->body, nullptr, false), "the metadata server");
  }

  Task<Result<Made>> by_key() {
    const int64_t now = clock_.now().value / kMicrosPerSecond;
    json head = {{"alg", "RS256"}, {"typ", "JWT"}};
    if (!credentials_.key_id.empty()) head["kid"] = credentials_.key_id;
    const json claims = {{"iss", credentials_.client_email},
                         {"scope", kScope},
                         {"aud", credentials_.token_url},
                         {"iat", now},
                         {"exp", now + kLifeSeconds}};
    const std::string signed_part =
        crypto::base64url_encode(head.dump()) + "." + crypto::base64url_encode(claims.dump());
    CO_ASSIGN_OR_RETURN(const auto signature,
                        crypto::rsa_sha256_sign(credentials_.private_key, signed_part));
    const std::string assertion = signed_part + "." + crypto::base64url_encode(signature);
    std::string body = form(
        {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}});
    OutgoingHeaders headers;
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    CO_ASSIGN_OR_RETURN(const auto answer,
                        co_await post("Google's token endpoint", credentials_.token_url,
                                      std::move(body), std::move(headers)));
    co_return made_of(answer, "Google's token endpoint");
  }

  Task<Result<std::string>> subject_token() {
    std::string text;
    if (!credentials_.subject_file.empty()) {
      CO_ASSIGN_OR_RETURN(text, read_file(credentials_.subject_file, kLargestFile),
                          "the credential source");
    } else {
      OutgoingRequest request{.url = credentials_.subject_url};
      request.headers = credentials_.subject_headers;
      request.total_timeout = kTimeout;
      request.max_response_bytes = kLargestAnswer;
      auto response = co_await outgoing_.send(std::move(request));
      if (!response.ok()) co_return response.error().within("the credential source");
      if (response->status != 200) co_return refused("the credential source", *response);
      text = std::move(response->body);
    }
    if (!credentials_.subject_field.empty())
      text = text_of(json::parse(text, nullptr, false), credentials_.subject_field.c_str());
    text = std::string(trimmed(text));
    if (text.empty()) co_return Error(Code::unavailable, "the credential source gave no token");
    co_return text;
  }

  Task<Result<Made>> by_federation() {
    CO_ASSIGN_OR_RETURN(const auto subject, co_await subject_token());
    std::string body =
        form({{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
              {"audience", credentials_.audience},
              {"scope", kScope},
              {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
              {"subject_token", subject},
              {"subject_token_type", credentials_.subject_token_type}});
    OutgoingHeaders headers;
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    CO_ASSIGN_OR_RETURN(
        const auto exchanged,
        co_await post("Google's token exchange", credentials_.token_url, std::move(body), headers));
    CO_ASSIGN_OR_RETURN(auto federated, made_of(exchanged, "Google's token exchange"));
    if (credentials_.impersonation_url.empty()) co_return federated;
    headers[0].second = "application/json";
    headers.emplace_back("Authorization", "Bearer " + federated.token);
    const json ask = {{"scope", json::array({kScope})},
                      {"lifetime", std::to_string(kLifeSeconds) + "s"}};
    CO_ASSIGN_OR_RETURN(const auto answer,
                        co_await post("Google's service account credentials",
                                      credentials_.impersonation_url, ask.dump(), headers));
    Made out{text_of(answer, "accessToken"), kLifeSeconds * kMicrosPerSecond};
    if (const auto end = parse_rfc3339(text_of(answer, "expireTime")))
      out.life_us = std::clamp<int64_t>(*end - clock_.now(), 0, out.life_us);
    if (out.token.empty())
      co_return Error(Code::unavailable, "Google's service account credentials gave no token");
    co_return out;
  }

  const GoogleAuthOptions options_;
  const Credentials credentials_;
  Outgoing& outgoing_;
  const Clock& clock_;
  std::string token_;
  UnixMicros refresh_at_;
  bool fetching_ = false;
  Event fetched_;
  std::optional<Error> failure_;  // of the last request, for those who waited for it
};

}  // namespace

bool is_google_token_host(std::string_view url) {
  constexpr std::string_view kScheme = "https://", kDomain = ".googleapis.com";
  if (!url.starts_with(kScheme)) return false;
  url.remove_prefix(kScheme.size());
  auto host = url.substr(0, url.find_first_of("/?#"));
  if (!host.ends_with(kDomain)) return false;
  host.remove_suffix(kDomain.size());
  const auto labels = split(host, '.');
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  for (const auto label : labels)
    if (label.empty() || !std::ranges::all_of(label, plain)) return false;
  constexpr std::string_view kServices[] = {"oauth2", "sts", "iamcredentials"};
  return labels.size() <= 3 && std::ranges::find(kServices, labels[0]) != std::end(kServices) &&
         (labels.size() < 3 || labels[2] == "rep");
}

Status check_google_credentials(const std::filesystem::path& file) {
  RETURN_IF_ERROR(read_credentials(file));
  return {};
}

Result<std::unique_ptr<GoogleAuth>> open_google_auth(GoogleAuthOptions options, Outgoing& outgoing,
                                                     const Clock& clock) {
  ASSIGN_OR_RETURN(auto credentials, read_credentials(options.credentials_file));
  auto made = std::make_unique<Google>(std::move(options), std::move(credentials), outgoing, clock);
  return std::unique_ptr<GoogleAuth>(std::move(made));
}

}  // namespace gitaiops::models
