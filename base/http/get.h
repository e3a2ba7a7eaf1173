// One GET over plain HTTP to an address of this machine or one named by its number: the runner's
// /debug/jobs/list, our own status page. For everything else there is base/outgoing.
//
// Thread safety: any thread with an executor of its own; the task resumes on its caller's executor.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::http {

struct Fetched {
  int status = 0;  // of any kind: a 404 is an answer, not an error
  std::string body;
};

// `host`: an IP address or "localhost" (tried as 127.0.0.1, then ::1); no name is ever looked up.
// `target`: "/path?query", visible ASCII. `timeout` covers everything from connecting to the last
// byte. Redirects are not followed.
//   invalid_argument    host or target is not of this form
//   unavailable         nobody listens, or the connection broke
//   deadline_exceeded   `timeout` ran out
//   resource_exhausted  the body is larger than `max_body` bytes
//   data_loss           the answer is not HTTP/1.x
Task<Result<Fetched>> get(std::string host, uint16_t port, std::string target,
                          std::chrono::milliseconds timeout, std::size_t max_body);

}  // namespace gitaiops::http
