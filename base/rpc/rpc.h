// The wire between agent and controller: typed sessions and calls over plain protobuf messages, on
// our own event loop. This is the only room that knows gRPC. Its threads only post to the executor;
// everything below runs on that executor, which must be a single-threaded loop (or a strand) and
// outlive what is made here.
//
// Limits (each a named constant in wire.h): a message of at most 80 KiB, 8 messages read ahead, 128
// queued for writing, one write in flight; keepalive on both sides, so that a dead peer ends a
// stream within about a minute. Compression is refused: it would let a small message become a large
// one.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock/clock.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "gitaiops/enrollment/v1/enrollment.pb.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::rpc {

// Revision 1.<minor> of the contract that this source tree speaks.
constexpr uint32_t kProtocolMinor = 1;
// The largest serialised message either side accepts: a report of 64 KiB and what surrounds it.
constexpr std::size_t kMaxMessageBytes = 80 << 10;

// Who is at the other end of a call on the mTLS listener: what the certificate says, verified
// against the trusted authorities.
struct Peer {
  std::string agent_id;  // empty on the enrolment listener
  UnixMicros certificate_not_after;
  std::string address;                  // "ipv4:192.0.2.7:51234", for people
  uint64_t certificate_generation = 0;  // see tls::CertificateFacts
};

// One bidirectional stream, of either side.
template <class In, class Out>
class Session {
 public:
  virtual ~Session() = default;
  // The next message, in order; after the last one, why the stream ended: `cancelled` when the
  // other side closed it in order, else its status (client) or what broke (server). One reader at a
  // time. Not reading is back-pressure.
  virtual Task<Result<In>> read() = 0;
  // Queues the message. resource_exhausted: the other side does not take what we send, end the
  // session; unavailable: over.
  virtual Status write(Out message) = 0;
  // Ends our side in order: what is queued goes out first, for at most a second. The client's
  // status never travels.
  virtual void close(Status why) = 0;
  // Ends it now; read() fails.
  virtual void cancel() = 0;
  virtual const Peer& peer() const = 0;  // of the server's sessions; empty at the client
};
using ServerSession = Session<fleet::v1::ConnectRequest, fleet::v1::ConnectResponse>;
using ClientSession = Session<fleet::v1::ConnectResponse, fleet::v1::ConnectRequest>;

// ---- Server ----

using ConnectHandler =
    std::function<Task<void>(std::shared_ptr<ServerSession>)>;  // the stream closes when it returns
using EnrollHandler = std::function<Task<Result<enrollment::v1::EnrollResponse>>(
    enrollment::v1::EnrollRequest, Peer)>;
using RenewHandler =
    std::function<Task<Result<enrollment::v1::RenewResponse>>(enrollment::v1::RenewRequest, Peer)>;

struct ListenOptions {
  std::string address;                     // "0.0.0.0:9443"; port 0 picks one
  std::filesystem::path key, certificate;  // certificate: leaf, then its CA (which agents pin)
  std::filesystem::path trusted;           // bundle that client certificates are verified against
  std::chrono::seconds reload{30};         // how often these files are looked at
  std::size_t memory_bytes = 512u << 20;   // what gRPC may hold for buffers of this listener
};

class Server {
 public:
  virtual ~Server() = default;  // on the loop's thread, or after it ended; ends every call
  virtual int port() const = 0;
  // Refuses new calls, closes the streams, and waits until gRPC is done with them and every handler
  // has returned, so that what the handlers use may go: at most about three seconds. Without it,
  // the loop must not run again after the destructor.
  virtual Task<void> stop() = 0;
};

// FleetService and EnrollmentService.Renew, mutual TLS: without a certificate of an agent, no call
// is ever seen by a handler.
Result<std::unique_ptr<Server>> serve_fleet(asio::any_io_executor executor, ListenOptions options,
                                            ConnectHandler connect, RenewHandler renew);
// EnrollmentService.Enroll for hosts that have no certificate yet. At most 32 calls at a time;
// `trusted` is not used.
Result<std::unique_ptr<Server>> serve_enrollment(asio::any_io_executor executor,
                                                 ListenOptions options, EnrollHandler enroll);

// ---- Client ----

struct Target {
  std::string address;  // "host:port"; the host must be named in the server's certificate. No proxy
                        // is used.
  std::string ca_pem;   // exactly these authorities are trusted
  std::string key_pem, certificate_pem;  // empty for enrolment
};

// Connects in the background; read() tells when that failed. A peer that never answers is the
// caller's to time out.
std::shared_ptr<ClientSession> connect(asio::any_io_executor executor, const Target& target);

Task<Result<enrollment::v1::EnrollResponse>> enroll(Target target,
                                                    enrollment::v1::EnrollRequest request,
                                                    std::chrono::milliseconds deadline);
// Ends with `cancelled` soon after `stop` is set.
Task<Result<enrollment::v1::RenewResponse>> renew(Target target,
                                                  enrollment::v1::RenewRequest request,
                                                  std::chrono::milliseconds deadline,
                                                  const Event& stop);

}  // namespace gitaiops::rpc
