// Who may be an agent: the controller's own authority on disk, the tokens that let a host in, and
// certificates for them.
//
// Folder `pki` (0700, every file 0600) in the state folder: ca.key, ca.pem; server.key, server.pem
// (leaf, then the CA that agents pin); trusted/*.pem, further authorities while one replaces
// another (rotate_authority); ca-bundle.pem, made of ca.pem and those. What is missing is made; a
// server certificate is made anew at two thirds of its life, or when its names change. Thread
// safety: the loop's thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "base/rpc/rpc.h"
#include "base/tls/tls.h"
#include "controller/store/store.h"

namespace gitaiops::enrollment {

constexpr int64_t kHour = 3600 * kMicrosPerSecond;
constexpr int64_t kDay = 24 * kHour;

struct Options {
  std::filesystem::path state_dir;  // the controller's; the keys are in its folder `pki`
  std::vector<std::string>
      server_names;  // DNS names and IP addresses agents reach this controller by; at least one
  int64_t certificate_life_us = 7 * kDay;  // of an agent; 1 hour to 90 days
  int64_t server_certificate_life_us = 30 * kDay;
};

struct Files {
  std::filesystem::path key, certificate, trusted;
};

// The authority and the server's certificate, in files.
class Keyring {
 public:
  // permission_denied: the folder or a file in it is open to others. Waits for another process that
  // is in here.
  static Result<Keyring> open(const Options& options, const Clock& clock);

  const tls::Authority& authority() const { return authority_; }
  // Every CA that agents and controller trust from now on.
  const std::string& bundle_pem() const { return bundle_pem_; }
  Files files() const;
  // Reads again what `ca rotate` may have changed, and makes the server's certificate anew when it
  // is due or another authority signs now; true when it did. gRPC reads the files again by itself.
  Result<bool> refresh(UnixMicros now);

 private:
  Result<bool> take_over(UnixMicros now);
  Result<bool> refresh_server_certificate(UnixMicros now);
  explicit Keyring(tls::Authority authority) : authority_(std::move(authority)) {}
  Options options_;
  std::filesystem::path folder_;
  tls::Authority authority_;
  std::string bundle_pem_;
};

// The text for a person of a token with this secret (43 characters of base64url: 32 random bytes):
// the secret and the authority's pin in one string, see base/rpc/enrollment_token.h. Makes the
// authority when there is none yet. What the store keeps of it is crypto::sha256_hex(secret).
Result<std::string> token_text(const std::filesystem::path& state_dir, std::string_view secret,
                               const Clock& clock);

// One step of replacing the authority, beside a running service or without one. Three steps, each
// at its time, so that no agent meets a certificate it cannot check: (1) a next authority is made
// and trusted, and agents learn of it with their next certificate; (2) when all have, it signs; (3)
// when all certificates of the previous one have ended, that is forgotten.
struct Rotation {
  enum class Step { announced, switched, finished } step = Step::announced;
  std::string pin;          // of the authority that is new
  UnixMicros next_step_at;  // not of finished
};
// `longest_life_us`: of any agent's certificate. unavailable: too early for the next step, and the
// message says until when and why. `at_once`: the step now, whatever the time: for a stolen key.
Result<Rotation> rotate_authority(const std::filesystem::path& state_dir, int64_t longest_life_us,
                                  bool at_once, const Clock& clock);

// The authority as one text to keep in a safe place: its key, and every certificate that is
// trusted. not_found: there is none.
Result<std::string> export_authority(const std::filesystem::path& state_dir);
// Puts such a text back. already_exists: there is another authority; nothing is changed.
Status import_authority(const std::filesystem::path& state_dir, std::string_view text);

// "build-1 (192.0.2.7)", from a host's name for itself and rpc::Peer::address; either may be empty.
std::string holder_name(const std::string& host, std::string address);
// Names both holders of a cloned identity, and the cures.
std::string describe_clone(const store::Agent& agent);

class Enrollment {
 public:
  // Checks the options; the keyring, store and clock must outlive it.
  static Result<std::unique_ptr<Enrollment>> make(Options options, Keyring& keyring,
                                                  store::Store& store, const Clock& clock);

  // Both sign for the life that the agent's token asked for, else the options'.
  // unauthenticated: unknown, expired, used up or revoked token, and the message says which.
  // invalid_argument: a bad request, or a host whose clock is off by more than 5 minutes; the token
  // is not used then.
  Task<Result<gitaiops::enrollment::v1::EnrollResponse>> enroll(
      gitaiops::enrollment::v1::EnrollRequest request, rpc::Peer peer);
  // permission_denied: the agent is revoked or not known here, or a copy of it renewed before.
  Task<Result<gitaiops::enrollment::v1::RenewResponse>> renew(
      gitaiops::enrollment::v1::RenewRequest request, rpc::Peer peer);

  // Keeps the keyring fresh until stop().
  Task<void> run();
  void stop() { stopping_.set(); }

 private:
  Enrollment(Options options, Keyring& keyring, store::Store& store, const Clock& clock)
      : options_(std::move(options)), keyring_(keyring), store_(store), clock_(clock) {}
  Result<gitaiops::enrollment::v1::Certificate> certify(const store::Agent& agent,
                                                        std::string_view request_der,
                                                        uint64_t generation) const;

  const Options options_;
  Keyring& keyring_;
  store::Store& store_;
  const Clock& clock_;
  Event stopping_;
};

}  // namespace gitaiops::enrollment
