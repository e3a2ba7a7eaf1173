// Access tokens for Google's APIs, of whoever the operator configured:
//   a service account's key file   RFC 7523: a token signed with RS256, exchanged at
//   oauth2.googleapis.com workload identity federation   "external_account" file: a token of
//   another party (a file or an
//                                  address) exchanged at sts.googleapis.com, then, where the file
//                                  says so, for one of a service account
//   no file                        the machine's own account, by the metadata server of Google
//   Cloud
//
// A token is kept until 5 minutes before it expires; those who ask meanwhile wait for the one
// request under way. Keys and tokens are never logged and go to Google's hosts alone (https, no
// redirects), whatever a file says. Private to this folder. Thread safety: one executor.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/outgoing/outgoing.h"
#include "base/result/result.h"

namespace gitaiops::models {

struct GoogleAuthOptions {
  std::filesystem::path credentials_file;  // empty: the metadata server
  std::string metadata_url = "http://169.254.169.254";
  // For tests: besides Google's hosts, addresses that begin with this are allowed.
  std::string allowed_besides = {};
};

class GoogleAuth {
 public:
  virtual ~GoogleAuth() = default;
  // unauthenticated: they refused us; unavailable, deadline_exceeded: later again;
  // invalid_argument: the credentials file.
  virtual Task<Result<std::string>> token() = 0;
  // The token was not accepted (401): the next one is a new one.
  virtual void forget() = 0;
};

// invalid_argument: what is wrong with the file. A service account's key must be closed to others.
Result<std::unique_ptr<GoogleAuth>> open_google_auth(GoogleAuthOptions options, Outgoing& outgoing,
                                                     const Clock& clock);

Status check_google_credentials(const std::filesystem::path& file);

// Whether a token or key may be sent there: https://SERVICE.googleapis.com or a regional one of it,
// SERVICE one of oauth2, sts, iamcredentials.
bool is_google_token_host(std::string_view url);

}  // namespace gitaiops::models
