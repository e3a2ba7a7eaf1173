// Carries the spool to the controller: one gRPC stream over mTLS, credits and acknowledgements by
// sequence, reconnect with jittered exponential back-off, resume after the controller's high-water
// mark. Renews the certificate at two thirds of its life. Runs until cancelled.
//
// Thread safety: belongs to the loop's thread; status() is a value copy, any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "agent/spool/spool.h"
#include "base/clock/clock.h"
#include "base/io/io.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

struct UplinkOptions {
  std::string controller;  // "host:port" of the fleet listener
  std::filesystem::path
      identity_dir;  // key.pem, cert.pem, ca.pem, identity.json, as written by enroll()
  std::string host_name;
  std::string agent_version;
  std::vector<std::string> features;
  int64_t min_backoff_us = 1 * kMicrosPerSecond;
  int64_t max_backoff_us = 60 * kMicrosPerSecond;
};

struct UplinkStatus {
  enum class State { idle, connecting, connected, refused, waiting } state = State::idle;
  std::string detail;  // last error or refusal, in words for the operator
  uint64_t acknowledged_seq = 0;
  UnixMicros certificate_not_after;
  int64_t clock_skew_us = 0;  // controller minus agent, at the last Welcome
};

// Answers a command; runs on the loop. Idempotence by id is the uplink's: a repeated id gets the
// remembered result.
using CommandHandler = std::function<Task<fleet::v1::CommandResult>(fleet::v1::Command)>;
using RemoteConfigHandler = std::function<void(const fleet::v1::RemoteConfig&)>;
using BaselineHandler = std::function<void(const fleet::v1::Baseline&)>;

class Uplink {
 public:
  static std::unique_ptr<Uplink> make(UplinkOptions options, Spool& spool, const Clock& clock,
                                      std::function<std::string()> observation,
                                      CommandHandler on_command, RemoteConfigHandler on_config,
                                      BaselineHandler on_baseline = {});
  virtual ~Uplink() = default;
  virtual Task<void> run() = 0;
  virtual void stop() = 0;  // run() returns within a second
  virtual UplinkStatus status() const = 0;
  // Forgotten when there is no stream, or a full one: nothing waits for the answer.
  virtual void ask(fleet::v1::BaselineRequest request) = 0;
};

// One enrolment: pins the CA, makes the key, asks for the certificate, writes the identity folder
// (0700, files 0600).
struct EnrollOptions {
  std::string controller;  // "host:port" of the enrolment listener
  std::string token;
  std::string
      ca_pin;  // "sha256:<64 hex>" of the CA's SubjectPublicKeyInfo; usually part of the token text
  std::filesystem::path identity_dir;
  std::string host_name;
  std::string agent_version;
};
struct Enrolled {
  std::string agent_id;
  UnixMicros not_after;
  std::vector<std::string> instances, project_globs;
};
// Blocking; for the command `enroll`.
Result<Enrolled> enroll(const EnrollOptions& options, const Clock& clock);

}  // namespace gitaiops::agent
