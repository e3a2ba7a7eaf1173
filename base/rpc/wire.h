// Private to base/rpc: the two error vocabularies, and the numbers of the wire.
#pragma once

#include <chrono>

#include <grpcpp/support/status.h>

#include "base/result/result.h"

namespace gitaiops::rpc {

constexpr std::size_t kReadAhead = 8;
constexpr std::size_t kWriteQueue = 128;
constexpr std::chrono::milliseconds kCloseGrace{1000};
constexpr int kServerKeepaliveMs = 45'000;
constexpr int kClientKeepaliveMs = 40'000;
constexpr int kKeepaliveTimeoutMs = 15'000;
constexpr int kShortestPingMs =
    20'000;  // below the clients' period, or the server answers with GOAWAY
constexpr int kHandshakeTimeoutMs = 10'000;
constexpr std::size_t kMaxEnrollBytes = 8 << 10;
constexpr std::size_t kMaxUnaryCalls = 32;  // enrolments and renewals under way at once
constexpr int kEnrollConnectionIdleMs = 20'000;

// Before the first use of gRPC; idempotent. Its own words go to our log, at debug (a stranger's
// failed handshake is no news), and its callback threads are kept for the life of the process.
void prepare_process();

grpc::Status to_grpc(const Status& status);
Error from_grpc(const grpc::Status& status);

}  // namespace gitaiops::rpc
