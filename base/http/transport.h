// A connection's bytes, plain or through TLS. Private to base/http.
//
// Thread safety: none; the executor of the socket.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include <asio/ip/tcp.hpp>

#include "base/io/io.h"
#include "base/result/result.h"

namespace gitaiops::http {

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Task<Status> open() = 0;  // the TLS handshake
  virtual Task<Result<std::size_t>> read(
      std::span<char> into) = 0;                           // 0: the peer has said its last
  virtual Task<Status> write(std::string_view bytes) = 0;  // all of it
  virtual Task<void> finish() = 0;                         // says that nothing more will be written
  virtual void cancel() = 0;                               // what is awaited ends with an error
  virtual void close() = 0;                                // the same, and for good
};

// Certificate chain and key, read once.
struct TlsContext;
Result<std::shared_ptr<TlsContext>> load_tls(const std::filesystem::path& certificate,
                                             const std::filesystem::path& key);

std::unique_ptr<Transport> plain_transport(asio::ip::tcp::socket socket);
std::unique_ptr<Transport> tls_transport(asio::ip::tcp::socket socket,
                                         std::shared_ptr<TlsContext> context);

}  // namespace gitaiops::http
