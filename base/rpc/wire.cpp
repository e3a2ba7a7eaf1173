#include "base/rpc/wire.h"

#include <mutex>
#include <utility>

#include <grpc/support/log.h>
#include <grpcpp/create_channel.h>

#include "base/log/log.h"
#include "gitaiops/enrollment/v1/enrollment.grpc.pb.h"

namespace gitaiops::rpc {
namespace {

constexpr std::pair<Code, grpc::StatusCode> kCodes[] = {
    {Code::invalid_argument, grpc::StatusCode::INVALID_ARGUMENT},
    {Code::not_found, grpc::StatusCode::NOT_FOUND},
    {Code::already_exists, grpc::StatusCode::ALREADY_EXISTS},
    {Code::unauthenticated, grpc::StatusCode::UNAUTHENTICATED},
    {Code::permission_denied, grpc::StatusCode::PERMISSION_DENIED},
    {Code::resource_exhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {Code::unavailable, grpc::StatusCode::UNAVAILABLE},
    {Code::deadline_exceeded, grpc::StatusCode::DEADLINE_EXCEEDED},
    {Code::cancelled, grpc::StatusCode::CANCELLED},
    {Code::data_loss, grpc::StatusCode::DATA_LOSS},
    {Code::unimplemented, grpc::StatusCode::UNIMPLEMENTED},
    {Code::internal, grpc::StatusCode::INTERNAL},
};

}  // namespace

namespace {

// Debian's gRPC 1.51 aborts now and then (in grpc_cq_internal_unref) when the last user of its
// callback threads goes while they still poll: about one `enroll` in fifty. One call on a channel
// that leads nowhere keeps them for the process's life.
void keep_callback_threads() {
  struct Anchor {
    std::shared_ptr<grpc::Channel> channel =
        grpc::CreateCustomChannel("", nullptr, {});  // no credentials: every call fails
    std::unique_ptr<enrollment::v1::EnrollmentService::Stub> stub =
        enrollment::v1::EnrollmentService::NewStub(channel);
    grpc::ClientContext context;
    enrollment::v1::RenewRequest request;
    enrollment::v1::RenewResponse response;
  };
  static auto* const anchor = std::make_unique<Anchor>().release();
  anchor->stub->async()->Renew(&anchor->context, &anchor->request, &anchor->response,
                               [](const grpc::Status&) {});
}

}  // namespace

void prepare_process() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function([](gpr_log_func_args* line) {
      log::debug("grpc", {{"message", line->message}, {"file", line->file}, {"line", line->line}});
    });
    keep_callback_threads();
  });
}

grpc::Status to_grpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  for (const auto& [ours, theirs] : kCodes) {
    if (ours == status.error().code()) return {theirs, status.error().to_string()};
  }
  return {grpc::StatusCode::INTERNAL, status.error().to_string()};
}

Error from_grpc(const grpc::Status& status) {
  if (status.ok()) return Error(Code::cancelled, "the other side closed the stream");
  for (const auto& [ours, theirs] : kCodes) {
    if (theirs == status.error_code()) return Error(ours, status.error_message());
  }
  return Error(Code::internal, "gRPC status " + std::to_string(status.error_code()) + ": " +
                                   status.error_message());
}

}  // namespace gitaiops::rpc
