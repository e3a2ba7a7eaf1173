#include "base/http/transport.h"

#include <asio/ssl/context.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/write.hpp>

#include "base/io/files.h"

namespace gitaiops::http {

using asio::ip::tcp;

struct TlsContext {
  asio::ssl::context context{asio::ssl::context::tls_server};
};

namespace {

constexpr std::size_t kMaxPem = 1 << 20;

Error error_of(const asio::error_code& error) {
  return {error == asio::error::operation_aborted ? Code::cancelled : Code::unavailable,
          error.message()};
}

// Plain and TLS streams are awaited alike; only opening and finishing differ.
template <class Stream>
class StreamTransport : public Transport {
 public:
  template <class... Args>
  explicit StreamTransport(Args&&... args) : stream_(std::forward<Args>(args)...) {}

  Task<Result<std::size_t>> read(std::span<char> into) override {
    asio::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    const auto count =
        co_await stream_.async_read_some(asio::buffer(into.data(), into.size()), token);
    // A TLS peer that leaves without saying so has ended too: HTTP's own framing tells whether a
    // message is whole.
    if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
      co_return std::size_t{0};
    if (error) co_return error_of(error);
    co_return count;
  }

  Task<Status> write(std::string_view bytes) override {
    asio::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_write(stream_, asio::buffer(bytes), token);
    if (error) co_return error_of(error);
    co_return Status{};
  }

  void cancel() override {
    asio::error_code ignored;
    socket().cancel(ignored);
  }
  void close() override {
    asio::error_code ignored;
    socket().close(ignored);
  }

 protected:
  auto& socket() { return stream_.lowest_layer(); }
  Stream stream_;
};

class PlainTransport final : public StreamTransport<tcp::socket> {
 public:
  using StreamTransport::StreamTransport;
  Task<Status> open() override { co_return Status{}; }
  Task<void> finish() override {
    asio::error_code ignored;
    socket().shutdown(tcp::socket::shutdown_send, ignored);
    co_return;
  }
};

class TlsTransport final : public StreamTransport<asio::ssl::stream<tcp::socket>> {
 public:
  TlsTransport(tcp::socket socket, std::shared_ptr<TlsContext> context)
      : StreamTransport(std::move(socket), context->context), context_(std::move(context)) {}

  Task<Status> open() override {
    asio::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await stream_.async_handshake(asio::ssl::stream_base::server, token);
    if (error) co_return error_of(error);
    co_return Status{};
  }
  Task<void> finish() override {
    asio::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await stream_.async_shutdown(token);
  }

 private:
  std::shared_ptr<TlsContext> context_;
};

}  // namespace

Result<std::shared_ptr<TlsContext>> load_tls(const std::filesystem::path& certificate,
                                             const std::filesystem::path& key) {
  ASSIGN_OR_RETURN(const auto chain, read_file(certificate, kMaxPem),
                   "reading the TLS certificate");
  ASSIGN_OR_RETURN(const auto secret, read_secret_file(key, kMaxPem), "reading the TLS key");
  auto tls = std::make_shared<TlsContext>();
  auto& context = tls->context;
  asio::error_code error;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                          asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                      error);
  if (error) return Error(Code::internal, "setting up TLS: " + error.message());
  context.use_certificate_chain(asio::buffer(chain), error);
  if (error)
    return Error(Code::invalid_argument,
                 certificate.string() + ": not a PEM certificate: " + error.message());
  context.use_private_key(asio::buffer(secret), asio::ssl::context::pem, error);
  if (error) {
    return Error(Code::invalid_argument, key.string() + ": not the PEM key of " +
                                             certificate.string() + ": " + error.message());
  }
  return tls;
}

std::unique_ptr<Transport> plain_transport(tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

std::unique_ptr<Transport> tls_transport(tcp::socket socket, std::shared_ptr<TlsContext> context) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

}  // namespace gitaiops::http
