// libcurl's multi-socket interface: curl says which sockets and which single timer it waits for
// (on_socket, on_timer), the loop waits, and tells curl what happened (curl_multi_socket_action),
// which never blocks. Tests: tests/unit/outgoing.
#include "base/outgoing/outgoing.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include <asio/posix/stream_descriptor.hpp>
#include <curl/curl.h>

#include "base/bytes/bytes.h"

namespace gitaiops {
namespace {

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDelete {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, EasyDelete>;
using Multi = std::unique_ptr<CURLM, MultiDelete>;
using List = std::unique_ptr<curl_slist, ListDelete>;

void start_curl_once() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK)
    std::abort();  // out of memory, or a libcurl that does not match its headers
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Where curl and we meet for one request. curl holds a pointer to it, so it does not move.
struct Transfer {
  List headers;
  std::string request_body;
  std::string error_text = std::string(CURL_ERROR_SIZE, '\0');
  std::size_t max_response_bytes = 0;
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
  bool too_large = false;
  std::function<bool(std::string_view)> sink;
  bool sink_full = false;
  OutgoingResponse response;
  CURLcode result = CURLE_OK;
  bool closed = false;  // Outgoing went away first
  Event done;
  Easy easy;  // the last, so that it goes first: it holds pointers to what is above
};

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.body_bytes += size * count;
  if (transfer.body_bytes > transfer.max_response_bytes) {
    transfer.too_large = true;
    return 0;
  }
  long status = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (!transfer.sink || status != 200) {
    transfer.response.body.append(bytes, size * count);
    return size * count;
  }
  transfer.sink_full = !transfer.sink({bytes, size * count});
  return transfer.sink_full ? 0 : size * count;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, size * count);
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > kOutgoingMaxHeaderBytes) {
    transfer.too_large = true;
    return 0;
  }
  // A new status line: what came before belonged to a redirect or an interim answer.
  if (line.starts_with("HTTP/")) transfer.response.headers.clear();
  if (const auto colon = line.find(':'); colon != line.npos && !line.starts_with("HTTP/"))
    transfer.response.headers.emplace_back(trimmed(line.substr(0, colon)),
                                           trimmed(line.substr(colon + 1)));
  return line.size();
}

Error error_of(const Transfer& transfer, const OutgoingRequest& request) {
  // The address without its query: that may hold what is nobody's business.
  const std::string where = request.method + " " + request.url.substr(0, request.url.find('?'));
  std::string why = transfer.error_text.c_str();
  if (why.empty()) why = curl_easy_strerror(transfer.result);
  if (transfer.too_large)
    return {Code::resource_exhausted, where + ": the answer is larger than " +
                                          std::to_string(request.max_response_bytes) + " bytes"};
  if (transfer.sink_full) return {Code::data_loss, where + ": the answer could not be kept"};
  switch (transfer.result) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Code::deadline_exceeded, where + ": " + why};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {
          Code::unauthenticated,
          where + ": " + why + " (if the server has its own authority, name its file as ca_file)"};
    case CURLE_SSL_CACERT_BADFILE:
      return {Code::invalid_argument, where + ": the CA file cannot be read: " + why};
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Code::invalid_argument, where + ": " + why};
    case CURLE_TOO_MANY_REDIRECTS:
      return {Code::invalid_argument, where + ": " + why};
    default:
      return {Code::unavailable, where + ": " + why};
  }
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

}  // namespace

std::string_view OutgoingResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (same_name(key, name)) return value;
  return {};
}

class Outgoing::Engine : public std::enable_shared_from_this<Engine> {
 public:
  Engine(asio::any_io_executor executor, OutgoingOptions options)
      : executor_(std::move(executor)), options_(std::move(options)), timer_(executor_) {
    start_curl_once();
    multi_.reset(curl_multi_init());
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Engine::on_socket);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Engine::on_timer);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  }

  ~Engine() {
    // curl still calls back while it closes its connections.
    multi_.reset();
    for (auto& [fd, watch] : watches_) watch->stop();
  }

  Status start(Transfer& transfer, const OutgoingRequest& request);
  void forget(Transfer& transfer) {
    curl_multi_remove_handle(multi_.get(), transfer.easy.get());
    running_.erase(&transfer);
  }
  void close() {
    timer_.cancel();
    for (auto* transfer : running_) {
      transfer->closed = true;
      transfer->done.set();
    }
  }

 private:
  // One socket of curl's. The descriptor stays curl's: it is released, never closed, here.
  struct Watch {
    explicit Watch(const asio::any_io_executor& executor) : descriptor(executor) {}
    asio::posix::stream_descriptor descriptor;
    int wanted = 0;        // CURL_POLL_IN | CURL_POLL_OUT
    bool reading = false;  // a wait is under way
    bool writing = false;
    bool stopped = false;
    void stop() {
      stopped = true;
      if (descriptor.is_open()) descriptor.release();
    }
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* user, void*) {
    static_cast<Engine*>(user)->watch(fd, what);
    return 0;
  }
  static int on_timer(CURLM*, long milliseconds, void* user) {
    static_cast<Engine*>(user)->set_timer(milliseconds);
    return 0;
  }

  void watch(curl_socket_t fd, int what);
  void wait(curl_socket_t fd, const std::shared_ptr<Watch>& watch);
  void set_timer(long milliseconds);
  void act(curl_socket_t fd, int events);

  asio::any_io_executor executor_;
  OutgoingOptions options_;
  asio::steady_timer timer_;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::unordered_set<Transfer*> running_;
  Multi multi_;
};

void Outgoing::Engine::watch(curl_socket_t fd, int what) {
  auto& slot = watches_[fd];
  if (what == CURL_POLL_REMOVE) {
    if (slot) slot->stop();
    watches_.erase(fd);
    return;
  }
  if (!slot) {
    slot = std::make_shared<Watch>(executor_);
    asio::error_code error;
    slot->descriptor.assign(fd, error);
    if (error) {  // no epoll slot left: curl's timer ends the transfer
      watches_.erase(fd);
      return;
    }
  }
  slot->wanted = what;
  wait(fd, slot);
}

void Outgoing::Engine::wait(curl_socket_t fd, const std::shared_ptr<Watch>& watch) {
  const auto arm = [&](int poll, int event, bool Watch::* under_way,
                       asio::posix::descriptor_base::wait_type type) {
    if (!(watch->wanted & poll) || (*watch).*under_way) return;
    (*watch).*under_way = true;
    watch->descriptor.async_wait(type, [self = weak_from_this(), watch, fd, poll, event,
                                        under_way](const asio::error_code& error) {
      (*watch).*under_way = false;
      const auto engine = self.lock();
      if (!engine || watch->stopped || !(watch->wanted & poll)) return;
      engine->act(fd, error ? CURL_CSELECT_ERR : event);
      if (!watch->stopped && !error) engine->wait(fd, watch);
    });
  };
  arm(CURL_POLL_IN, CURL_CSELECT_IN, &Watch::reading, asio::posix::descriptor_base::wait_read);
  arm(CURL_POLL_OUT, CURL_CSELECT_OUT, &Watch::writing, asio::posix::descriptor_base::wait_write);
}

void Outgoing::Engine::set_timer(long milliseconds) {
  timer_.cancel();
  if (milliseconds < 0) return;
  // Even a time of 0 goes through the loop: curl must not be called from its own callback.
  timer_.expires_after(std::chrono::milliseconds(milliseconds));
  timer_.async_wait([self = weak_from_this()](const asio::error_code& error) {
    if (const auto engine = self.lock(); engine && !error) engine->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void Outgoing::Engine::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, events, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->result = message->data.result;
    transfer->done.set();
  }
}

Status Outgoing::Engine::start(Transfer& transfer, const OutgoingRequest& request) {
  transfer.easy.reset(curl_easy_init());
  CURL* easy = transfer.easy.get();
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    if (auto* longer = curl_slist_append(list, line.c_str())) list = longer;
  };
  for (const auto& [name, value] : request.headers) {
    if (has_line_break(name) || has_line_break(value)) {
      curl_slist_free_all(list);
      return Error{Code::invalid_argument, "a request header contains a line break"};
    }
    add(name + ": " + value);
  }
  add("Expect:");  // no extra round trip before large bodies
  transfer.headers.reset(list);
  transfer.max_response_bytes = request.max_response_bytes;
  transfer.request_body = request.body;
  transfer.sink = request.on_body;

  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(transfer.request_body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.request_body.data());
  }
  // libcurl sends a request again by itself when a reused connection breaks before the answer: for
  // a POST that may have been done that would be twice.
  if (request.method == "POST") curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  if (request.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  // A redirect never leads from a protected to an unprotected connection.
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
                   request.url.starts_with("http://") ? "http,https" : "https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.max_redirects > 0 ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(request.max_redirects));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  if (!options_.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  if (const CURLMcode code = curl_multi_add_handle(multi_.get(), easy); code != CURLM_OK)
    return Error{Code::internal, std::string("libcurl: ") + curl_multi_strerror(code)};
  running_.insert(&transfer);
  return {};
}

Outgoing::Outgoing(asio::any_io_executor executor, OutgoingOptions options)
    : engine_(std::make_shared<Engine>(std::move(executor), std::move(options))) {}

Outgoing::~Outgoing() {
  engine_->close();
}

Task<Result<OutgoingResponse>> Outgoing::send(OutgoingRequest request) {
  // Whatever ends this coroutine (answer, error, cancellation, the loop's end) takes the transfer
  // out of curl first.
  struct InFlight {
    std::shared_ptr<Engine> engine;
    Transfer transfer;
    bool started = false;
    ~InFlight() {
      if (started) engine->forget(transfer);
    }
  } flight;
  flight.engine = engine_;
  CO_RETURN_IF_ERROR(flight.engine->start(flight.transfer, request));
  flight.started = true;
  const bool finished = co_await flight.transfer.done.wait();
  if (!finished || flight.transfer.closed)
    co_return Error{
        Code::cancelled,
        request.method + " " + request.url.substr(0, request.url.find('?')) + ": cancelled"};
  if (flight.transfer.result != CURLE_OK) co_return error_of(flight.transfer, request);
  long status = 0;
  curl_easy_getinfo(flight.transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
  flight.transfer.response.status = static_cast<int>(status);
  co_return std::move(flight.transfer.response);
}

}  // namespace gitaiops
