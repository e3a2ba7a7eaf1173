#include <atomic>
#include <mutex>
#include <set>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "base/io/files.h"
#include "base/rpc/stream.h"
#include "base/tls/tls.h"
#include "gitaiops/enrollment/v1/enrollment.grpc.pb.h"
#include "gitaiops/fleet/v1/fleet.grpc.pb.h"

namespace gitaiops::rpc {
namespace {

using enrollment::v1::EnrollmentService;
using fleet::v1::ConnectRequest;
using fleet::v1::ConnectResponse;
using fleet::v1::FleetService;

constexpr std::chrono::milliseconds kStopGrace{2000};  // for streams to close in order
constexpr std::chrono::milliseconds kCancelGrace{
    1000};  // then for gRPC to confirm that they are cancelled

Result<Peer> agent_of(const grpc::CallbackServerContext& context) {
  Peer peer{{}, {}, context.peer(), 0};
  const auto pem = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.empty()) return Error(Code::unauthenticated, "no client certificate");
  ASSIGN_OR_RETURN(const auto about, tls::facts({pem[0].data(), pem[0].size()}),
                   "the client certificate");
  auto id = tls::agent_id(about);
  if (!id.ok()) return Error(Code::unauthenticated, id.error().message());
  peer.agent_id = *std::move(id);
  peer.certificate_not_after = about.validity.not_after;
  peer.certificate_generation = about.generation;
  return peer;
}

// Every call that gRPC still waits for, so that a stop can end them all.
class Open {
 public:
  class Call {
   public:
    virtual ~Call() = default;
    virtual void stop(const Status& why) = 0;  // in order; on the executor
    virtual void abandon(
        const Status& why) = 0;  // at once; the executor runs no more, or never will
  };

  explicit Open(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  bool add(std::shared_ptr<Call> call) {
    const std::scoped_lock lock(mutex_);
    if (closed_) return false;
    calls_.insert(std::move(call));
    ++handlers_;
    return true;
  }
  // A call is over when gRPC is done with it and its handler has returned: what the handler uses
  // may go only then.
  void remove(const std::shared_ptr<Call>& call) {
    const std::scoped_lock lock(mutex_);
    calls_.erase(call);
    tell_when_empty();
  }
  void handler_returned() {
    const std::scoped_lock lock(mutex_);
    --handlers_;
    tell_when_empty();
  }
  std::set<std::shared_ptr<Call>> close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    tell_when_empty();
    return calls_;
  }
  std::shared_ptr<Event> empty() const { return empty_; }

  std::atomic<std::size_t> unary_running = 0;

 private:
  void tell_when_empty() {
    if (closed_ && calls_.empty() && handlers_ == 0) {
      asio::post(executor_, [empty = empty_] { empty->set(); });
    }
  }

  const asio::any_io_executor executor_;
  const std::shared_ptr<Event> empty_ = std::make_shared<Event>();  // only on the executor
  std::mutex mutex_;
  std::set<std::shared_ptr<Call>> calls_;  // guarded by mutex_
  std::size_t handlers_ = 0;               // guarded by mutex_
  bool closed_ = false;                    // guarded by mutex_
};

// ---- The stream ----

class ServerStream final : public Stream<ConnectRequest, ConnectResponse>, public Open::Call {
 public:
  ServerStream(asio::any_io_executor executor, Peer peer, grpc::CallbackServerContext* context,
               std::shared_ptr<Open> open)
      : Stream(std::move(executor), std::move(peer)),
        context_(context),
        open_(std::move(open)),
        reactor_(new Reactor) {}

  grpc::ServerBidiReactor<ConnectRequest, ConnectResponse>* bind() {
    reactor_->stream = std::static_pointer_cast<ServerStream>(shared_from_this());
    return reactor_;
  }

  void stop(const Status& why) override { close(why); }
  void abandon(const Status& why) override {
    if (!released()) finish_writing(why);
    cancel_call();
  }

 private:
  struct Reactor final : grpc::ServerBidiReactor<ConnectRequest, ConnectResponse> {
    void OnReadDone(bool ok) override { stream->post_read(ok); }
    void OnWriteDone(bool ok) override { stream->post_written(ok); }
    void OnCancel() override {
      stream->post_end(Error(Code::cancelled, "the connection was lost or the call cancelled"));
    }
    void OnDone() override {
      const std::unique_ptr<Reactor> self(this);
      stream->context_gone();
      const auto open = stream->open_;
      open->remove(stream);
      post_gone(std::move(stream), Error(Code::cancelled, "the stream is over"));
    }
    std::shared_ptr<ServerStream> stream;
  };

  void start_read(ConnectRequest* into) override { reactor_->StartRead(into); }
  void start_write(const ConnectResponse* message) override { reactor_->StartWrite(message); }
  void finish_writing(const Status& why) override {
    release();
    reactor_->Finish(to_grpc(why));
  }
  void reads_ended() override {
    on_end(Error(Code::cancelled, "the other side closed the stream"));
  }
  // The context belongs to gRPC and dies with OnDone. Recursive: cancelling may run OnDone on this
  // very thread.
  void cancel_call() override {
    const std::scoped_lock lock(context_mutex_);
    if (context_) context_->TryCancel();
  }
  void context_gone() {
    const std::scoped_lock lock(context_mutex_);
    context_ = nullptr;
  }

  std::recursive_mutex context_mutex_;
  grpc::CallbackServerContext* context_;  // guarded by context_mutex_
  const std::shared_ptr<Open> open_;
  Reactor* const reactor_;  // deletes itself in OnDone; not touched once released
};

struct RefusedStream final : grpc::ServerBidiReactor<ConnectRequest, ConnectResponse> {
  explicit RefusedStream(const Status& why) { Finish(to_grpc(why)); }
  void OnDone() override { delete this; }
};

class FleetAdapter final : public FleetService::CallbackService {
 public:
  FleetAdapter(asio::any_io_executor executor, ConnectHandler handler, std::shared_ptr<Open> open)
      : executor_(std::move(executor)), handler_(std::move(handler)), open_(std::move(open)) {}

  grpc::ServerBidiReactor<ConnectRequest, ConnectResponse>* Connect(
      grpc::CallbackServerContext* context) override {
    auto peer = agent_of(*context);
    if (!peer.ok()) return new RefusedStream(peer.error());
    const auto stream = std::make_shared<ServerStream>(executor_, *std::move(peer), context, open_);
    auto* reactor = stream->bind();
    if (!open_->add(stream)) {
      stream->abandon(Error(Code::unavailable, "the controller is stopping"));
      return reactor;
    }
    asio::post(executor_, [open = open_, handler = handler_, executor = executor_, stream] {
      stream->begin();
      spawn(executor, "fleet stream", run(open, handler, stream));
    });
    return reactor;
  }

 private:
  static Task<void> run(std::shared_ptr<Open> open, ConnectHandler handler,
                        std::shared_ptr<ServerStream> stream) {
    co_await handler(stream);
    stream->close({});
    open->handler_returned();
  }

  const asio::any_io_executor executor_;
  const ConnectHandler handler_;
  const std::shared_ptr<Open> open_;
};

// ---- The unary calls ----

// Finishes the call exactly once, whoever is first: the handler, or a stop.
template <class Response>
class UnaryCall final : public Open::Call {
 public:
  UnaryCall(grpc::ServerUnaryReactor* reactor, Response* response)
      : reactor_(reactor), response_(response) {}
  void finish(Result<Response> result) {
    auto* reactor = reactor_.exchange(nullptr);
    if (!reactor) return;
    if (result.ok()) *response_ = *std::move(result);
    reactor->Finish(result.ok() ? grpc::Status::OK : to_grpc(result.error()));
  }
  void stop(const Status& why) override { finish(why.error()); }
  void abandon(const Status& why) override { finish(why.error()); }

 private:
  std::atomic<grpc::ServerUnaryReactor*> reactor_;
  Response* const response_;
};

class EnrollmentAdapter final : public EnrollmentService::CallbackService {
 public:
  EnrollmentAdapter(asio::any_io_executor executor, EnrollHandler enroll, RenewHandler renew,
                    std::shared_ptr<Open> open)
      : executor_(std::move(executor)),
        enroll_(std::move(enroll)),
        renew_(std::move(renew)),
        open_(std::move(open)) {}

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context,
                                   const enrollment::v1::EnrollRequest* request,
                                   enrollment::v1::EnrollResponse* response) override {
    if (!enroll_)
      return refuse(
          context, Error(Code::unimplemented, "this is the fleet listener; enrolment has its own"));
    return start(context, Peer{{}, {}, context->peer(), 0}, *request, response, enroll_);
  }

  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  const enrollment::v1::RenewRequest* request,
                                  enrollment::v1::RenewResponse* response) override {
    if (!renew_)
      return refuse(
          context, Error(Code::unimplemented, "renewal is on the fleet listener, over mutual TLS"));
    auto peer = agent_of(*context);
    if (!peer.ok()) return refuse(context, peer.error());
    return start(context, *std::move(peer), *request, response, renew_);
  }

 private:
  static grpc::ServerUnaryReactor* refuse(grpc::CallbackServerContext* context, const Status& why) {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(to_grpc(why));
    return reactor;
  }

  template <class Request, class Response, class Handler>
  grpc::ServerUnaryReactor* start(grpc::CallbackServerContext* context, Peer peer, Request request,
                                  Response* response, const Handler& handler) {
    if (open_->unary_running.fetch_add(1) >= kMaxUnaryCalls) {
      open_->unary_running.fetch_sub(1);
      return refuse(context, Error(Code::resource_exhausted,
                                   "too many enrolments at once; try again in some seconds"));
    }
    auto* reactor = context->DefaultReactor();
    const auto call = std::make_shared<UnaryCall<Response>>(reactor, response);
    if (!open_->add(call)) {
      open_->unary_running.fetch_sub(1);
      call->finish(Error(Code::unavailable, "the controller is stopping"));
      return reactor;
    }
    asio::post(executor_, [open = open_, executor = executor_, handler, call,
                           peer = std::move(peer), request = std::move(request)] {
      spawn(executor, "enrolment call",
            run<Request, Response, Handler>(open, handler, call, request, peer));
    });
    return reactor;
  }

  template <class Request, class Response, class Handler>
  static Task<void> run(std::shared_ptr<Open> open, Handler handler,
                        std::shared_ptr<UnaryCall<Response>> call, Request request, Peer peer) {
    auto result = co_await handler(std::move(request), std::move(peer));
    open->unary_running.fetch_sub(1);
    call->finish(std::move(result));
    open->remove(call);
    open->handler_returned();
  }

  const asio::any_io_executor executor_;
  const EnrollHandler enroll_;
  const RenewHandler renew_;
  const std::shared_ptr<Open> open_;
};

// ---- The listener ----

std::shared_ptr<grpc::ServerCredentials> credentials(const ListenOptions& options, bool mutual) {
  namespace ssl = grpc::experimental;
  const auto every = static_cast<unsigned>(std::max<int64_t>(1, options.reload.count()));
  ssl::TlsServerCredentialsOptions tls(std::make_shared<ssl::FileWatcherCertificateProvider>(
      options.key, options.certificate, mutual ? options.trusted.string() : std::string(), every));
  tls.watch_identity_key_cert_pairs();
  if (mutual) {
    tls.watch_root_certs();
    tls.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    // Names of hosts mean nothing for an agent: its identity is the URI that agent_of() reads.
    tls.set_certificate_verifier(std::make_shared<ssl::NoOpCertificateVerifier>());
  }
  return ssl::TlsServerCredentials(tls);
}

void set_limits(grpc::ServerBuilder& builder, const ListenOptions& options) {
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kServerKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kShortestPingMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 4);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT,
                             0);  // a second controller on the port is an error, not a lottery
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  grpc::ResourceQuota quota;
  quota.Resize(options.memory_bytes);
  builder.SetResourceQuota(quota);
}

// gRPC keeps to itself why it could not listen: the kernel says it again.
std::string why_not(const std::string& address) {
  const auto at = tls::parse_host_port(address);
  asio::error_code error;
  const auto ip = asio::ip::make_address(at.ok() ? at->host : "", error);
  if (error) return "not an IP address with a port";
  const asio::ip::tcp::endpoint endpoint(ip, at->port);
  asio::io_context loop;
  asio::ip::tcp::acceptor probe(loop);
  probe.open(endpoint.protocol(), error);
  if (!error) probe.bind(endpoint, error);
  return error ? error.message() : "gRPC does not say why";
}

class Listener final : public Server {
 public:
  Listener(asio::any_io_executor executor, ConnectHandler connect, EnrollHandler enroll,
           RenewHandler renew)
      : open_(std::make_shared<Open>(executor)),
        mutual_(connect != nullptr),
        fleet_(executor, std::move(connect), open_),
        enrollment_(executor, std::move(enroll), std::move(renew), open_) {}

  Status listen(const ListenOptions& options) {
    prepare_process();
    grpc::ServerBuilder builder;
    set_limits(builder, options);
    builder.SetMaxReceiveMessageSize(
        static_cast<int>(mutual_ ? kMaxMessageBytes : kMaxEnrollBytes));
    if (!mutual_)
      builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kEnrollConnectionIdleMs);
    builder.AddListeningPort(options.address, credentials(options, mutual_), &port_);
    if (mutual_) builder.RegisterService(&fleet_);
    builder.RegisterService(&enrollment_);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0) {
      return Error(Code::unavailable,
                   "listening on " + options.address + ": " + why_not(options.address));
    }
    return {};
  }

  ~Listener() override {
    if (!server_) return;
    for (const auto& call : open_->close()) call->abandon(stopping());
    server_->Shutdown(std::chrono::system_clock::now());
  }

  int port() const override { return port_; }

  Task<void> stop() override {
    if (!server_) co_return;
    const auto empty = open_->empty();
    for (const auto& call : open_->close()) call->stop(stopping());
    if (!co_await empty->wait(kStopGrace)) {
      for (const auto& call : open_->close()) call->abandon(stopping());
      co_await empty->wait(kCancelGrace);
    }
    server_->Shutdown(std::chrono::system_clock::now() + kCancelGrace);
    server_.reset();
  }

 private:
  static Status stopping() { return Error(Code::unavailable, "the controller is stopping"); }

  const std::shared_ptr<Open> open_;
  const bool mutual_;
  FleetAdapter fleet_;
  EnrollmentAdapter enrollment_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

Result<std::unique_ptr<Server>> serve(asio::any_io_executor executor, const ListenOptions& options,
                                      ConnectHandler connect, EnrollHandler enroll,
                                      RenewHandler renew) {
  // gRPC would start with files that do not fit together and then fail every handshake.
  ASSIGN_OR_RETURN(const auto key, read_secret_file(options.key));
  ASSIGN_OR_RETURN(const auto certificate, read_file(options.certificate));
  RETURN_IF_ERROR(tls::check_key_matches(key, certificate), options.certificate.string());
  auto listener = std::make_unique<Listener>(std::move(executor), std::move(connect),
                                             std::move(enroll), std::move(renew));
  RETURN_IF_ERROR(listener->listen(options));
  return std::unique_ptr<Server>(std::move(listener));
}

}  // namespace

Result<std::unique_ptr<Server>> serve_fleet(asio::any_io_executor executor, ListenOptions options,
                                            ConnectHandler connect, RenewHandler renew) {
  ASSIGN_OR_RETURN(const auto trusted, read_file(options.trusted));
  if (auto bundle = tls::split_bundle(trusted); !bundle.ok())
    return bundle.error().within(options.trusted.string());
  return serve(std::move(executor), options, std::move(connect), {}, std::move(renew));
}

Result<std::unique_ptr<Server>> serve_enrollment(asio::any_io_executor executor,
                                                 ListenOptions options, EnrollHandler enroll) {
  return serve(std::move(executor), options, {}, std::move(enroll), {});
}

}  // namespace gitaiops::rpc
