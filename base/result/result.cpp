#include "base/result/result.h"

#include <cerrno>
#include <cstring>

namespace gitaiops {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return "invalid argument";
    case Code::not_found:
      return "not found";
    case Code::already_exists:
      return "already exists";
    case Code::unauthenticated:
      return "unauthenticated";
    case Code::permission_denied:
      return "permission denied";
    case Code::resource_exhausted:
      return "resource exhausted";
    case Code::unavailable:
      return "unavailable";
    case Code::deadline_exceeded:
      return "deadline exceeded";
    case Code::cancelled:
      return "cancelled";
    case Code::data_loss:
      return "data loss";
    case Code::unimplemented:
      return "unimplemented";
    case Code::internal:
      return "internal error";
  }
  return "unknown";
}

std::string Error::to_string() const {
  std::string text = message_;
  for (const Error* e = cause_.get(); e; e = e->cause_.get()) text += ": " + e->message_;
  return text;
}

Error Error::within(std::string context) const& {
  Error outer(code_, std::move(context));
  outer.cause_ = std::make_shared<const Error>(*this);
  return outer;
}

namespace {
Code code_of(int errnum) {
  switch (errnum) {
    case ENOENT:
    case ESRCH:
      return Code::not_found;
    case EACCES:
    case EPERM:
      return Code::permission_denied;
    case EEXIST:
      return Code::already_exists;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Code::resource_exhausted;
    case EAGAIN:
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
      return Code::unavailable;
    case ETIMEDOUT:
      return Code::deadline_exceeded;
    case EIO:
      return Code::data_loss;
    case EINVAL:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return Code::invalid_argument;
    default:
      return Code::internal;
  }
}
}  // namespace

Error errno_error(int errnum, std::string_view what, std::string_view object) {
  std::string message(what);
  if (!object.empty()) message.append(" ").append(object);
  message.append(": ").append(std::strerror(errnum));
  return Error(code_of(errnum), std::move(message));
}

Error errno_error(std::string_view what, std::string_view object) {
  return errno_error(errno, what, object);
}

}  // namespace gitaiops
