#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "base/tls/openssl.h"
#include "base/tls/tls.h"

namespace gitaiops::tls {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

Status wait_for(int fd, short events, Deadline deadline, std::string_view what) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return Error(Code::deadline_exceeded, std::string(what) + ": no answer in time");
    pollfd waiting{fd, events, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return errno_error(what);
  }
}

Result<Fd> connected(const addrinfo& address, Deadline deadline) {
  Fd fd(socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
               address.ai_protocol));
  if (!fd) return errno_error("socket");
  if (connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return errno_error("connect");
  RETURN_IF_ERROR(wait_for(fd.get(), POLLOUT, deadline, "connect"));
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return errno_error(error, "connect");
  return fd;
}

Result<Fd> connect_any(const std::string& host, uint16_t port, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
      error != 0) {
    return Error(Code::unavailable, "resolving " + host + ": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, Freed<freeaddrinfo>> owner(list);
  Result<Fd> last = Error(Code::unavailable, "no address");
  for (const addrinfo* at = list; at && !last.ok(); at = at->ai_next)
    last = connected(*at, deadline);
  return last;
}

Status handshake(SSL* ssl, int fd, Deadline deadline) {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(ssl);
    if (done == 1) return {};
    const int why = SSL_get_error(ssl, done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
      RETURN_IF_ERROR(
          wait_for(fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, "TLS handshake"));
      continue;
    }
    return openssl_error(Code::unavailable,
                         "TLS handshake: the other side does not speak TLS or hung up");
  }
}

}  // namespace

Result<std::vector<std::string>> fetch_peer_chain(const std::string& host, uint16_t port,
                                                  std::chrono::milliseconds timeout) {
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  const std::string where = host + ":" + std::to_string(port);
  ASSIGN_OR_RETURN(const auto fd, connect_any(host, port, deadline), where);

  const std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return openssl_error(Code::internal, "starting TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);  // the caller compares pins
  const std::unique_ptr<SSL, Freed<SSL_free>> ssl(SSL_new(context.get()));
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  if (!ssl || SSL_set_fd(ssl.get(), fd.get()) != 1 ||
      SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1 ||
      SSL_set_alpn_protos(ssl.get(), kHttp2, sizeof kHttp2) != 0) {
    return openssl_error(Code::internal, "starting TLS");
  }
  RETURN_IF_ERROR(handshake(ssl.get(), fd.get(), deadline), where);

  std::vector<std::string> chain;
  const STACK_OF(X509)* presented = SSL_get_peer_cert_chain(ssl.get());
  for (int i = 0; i < sk_X509_num(presented); ++i)
    chain.push_back(to_pem(sk_X509_value(presented, i)));
  if (chain.empty())
    return Error(Code::unavailable, where + ": the server presented no certificate");
  return chain;
}

}  // namespace gitaiops::tls
