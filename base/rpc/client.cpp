#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "base/rpc/stream.h"
#include "gitaiops/enrollment/v1/enrollment.grpc.pb.h"
#include "gitaiops/fleet/v1/fleet.grpc.pb.h"

namespace gitaiops::rpc {
namespace {

using enrollment::v1::EnrollmentService;
using fleet::v1::ConnectRequest;
using fleet::v1::ConnectResponse;
using fleet::v1::FleetService;

constexpr std::chrono::milliseconds kLookForStop{200};

std::shared_ptr<grpc::Channel> make_channel(const Target& target) {
  prepare_process();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE,
                   0);  // else a reader that stopped still lets megabytes be written
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kClientKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, static_cast<int>(kMaxMessageBytes));
  // Each attempt is a fresh connection with the keys of now, paced by the caller's own back-off.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  grpc::SslCredentialsOptions keys;
  keys.pem_root_certs = target.ca_pem;
  keys.pem_private_key = target.key_pem;
  keys.pem_cert_chain = target.certificate_pem;
  return grpc::CreateCustomChannel(target.address, grpc::SslCredentials(keys), arguments);
}

// Holds the call open (AddHold) until reads have ended: until then operations may be started from
// outside its callbacks.
class ClientStream final : public Stream<ConnectResponse, ConnectRequest> {
 public:
  ClientStream(asio::any_io_executor executor, const Target& target)
      : Stream(std::move(executor), Peer{}),
        channel_(make_channel(target)),
        stub_(FleetService::NewStub(channel_)) {}

  void start() {
    reactor_.stream = std::static_pointer_cast<ClientStream>(shared_from_this());
    stub_->async()->Connect(&context_, &reactor_);
    reactor_.AddHold();
    reactor_.StartCall();
    begin();
  }

 private:
  struct Reactor final : grpc::ClientBidiReactor<ConnectRequest, ConnectResponse> {
    void OnReadDone(bool ok) override { stream->post_read(ok); }
    void OnWriteDone(bool ok) override { stream->post_written(ok); }
    void OnDone(const grpc::Status& status) override {
      // The stream, and this reactor in it, may be gone as soon as this is posted.
      post_gone(std::move(stream), from_grpc(status));
    }
    std::shared_ptr<ClientStream> stream;
  };

  void start_read(ConnectResponse* into) override { reactor_.StartRead(into); }
  void start_write(const ConnectRequest* message) override { reactor_.StartWrite(message); }
  void finish_writing(const Status&) override { reactor_.StartWritesDone(); }
  void cancel_call() override { context_.TryCancel(); }
  void reads_ended() override {
    release();
    reactor_.RemoveHold();
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<FleetService::Stub> stub_;
  grpc::ClientContext context_;
  Reactor reactor_;
};

// One unary call; lives until gRPC's callback has run, even when the coroutine that waits is gone
// by then.
template <class Request, class Response>
struct Call {
  Call(const Target& target, Request message, std::chrono::milliseconds deadline)
      : stub(EnrollmentService::NewStub(make_channel(target))), request(std::move(message)) {
    context.set_deadline(std::chrono::system_clock::now() + deadline);
  }
  const std::unique_ptr<EnrollmentService::Stub> stub;
  grpc::ClientContext context;
  const Request request;
  Response response;
  grpc::Status status;
  Event done;
};

template <class Request, class Response>
Task<Result<Response>> finished(std::shared_ptr<Call<Request, Response>> call) {
  co_await call->done.wait();
  if (!call->status.ok()) co_return from_grpc(call->status);
  co_return std::move(call->response);
}

template <class C>
auto when_done(asio::any_io_executor executor, std::shared_ptr<C> call) {
  return [executor, call](grpc::Status status) {
    asio::post(executor, [call, status = std::move(status)] {
      call->status = status;
      call->done.set();
    });
  };
}

}  // namespace

std::shared_ptr<ClientSession> connect(asio::any_io_executor executor, const Target& target) {
  auto stream = std::make_shared<ClientStream>(std::move(executor), target);
  stream->start();
  return stream;
}

Task<Result<enrollment::v1::EnrollResponse>> enroll(Target target,
                                                    enrollment::v1::EnrollRequest request,
                                                    std::chrono::milliseconds deadline) {
  using C = Call<enrollment::v1::EnrollRequest, enrollment::v1::EnrollResponse>;
  const auto call = std::make_shared<C>(target, std::move(request), deadline);
  const auto executor = co_await asio::this_coro::executor;
  call->stub->async()->Enroll(&call->context, &call->request, &call->response,
                              when_done(executor, call));
  co_return co_await finished(call);
}

Task<Result<enrollment::v1::RenewResponse>> renew(Target target,
                                                  enrollment::v1::RenewRequest request,
                                                  std::chrono::milliseconds deadline,
                                                  const Event& stop) {
  using C = Call<enrollment::v1::RenewRequest, enrollment::v1::RenewResponse>;
  const auto call = std::make_shared<C>(target, std::move(request), deadline);
  const auto executor = co_await asio::this_coro::executor;
  call->stub->async()->Renew(&call->context, &call->request, &call->response,
                             when_done(executor, call));
  while (!call->done.is_set()) {
    co_await call->done.wait(kLookForStop);
    if (stop.is_set()) call->context.TryCancel();
  }
  co_return co_await finished(call);
}

}  // namespace gitaiops::rpc
