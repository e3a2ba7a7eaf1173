// Errors are values. A function that can fail returns Result<T>: a T, or an Error that says what
// went wrong, in words for the person who will read it, and why (the cause chain). Exceptions are
// for bugs and stop at third-party borders.
//
//   Result<Config> load(const Path& p) {
//     ASSIGN_OR_RETURN(auto text, read_file(p), "reading the configuration");
//     …
//   }
//
// Thread safety: values; share as you would share a std::string.
#pragma once

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace gitaiops {

// The few kinds a caller acts upon differently. Everything else is in the message.
enum class Code {
  invalid_argument,    // the input is wrong; trying again will not help
  not_found,           //
  already_exists,      //
  unauthenticated,     // we do not know who speaks
  permission_denied,   // we know, and they may not
  resource_exhausted,  // a bound was reached (queue, disk, rate)
  unavailable,         // try again later
  deadline_exceeded,   // a named timeout ran out
  cancelled,           // we are shutting down, or the caller gave up
  data_loss,           // bytes on disk or wire are not what was written
  unimplemented,       // the other side is too old or too new
  internal,            // a bug or an unexpected answer of a library
};

std::string_view to_string(Code code);

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const { return code_; }
  // This level's words only, without the cause.
  const std::string& message() const { return message_; }
  // "reading the configuration: agent.toml: No such file or directory"
  std::string to_string() const;

  // Puts words before the error, keeping its code: `return error.within("opening the spool")`.
  Error within(std::string context) const&;

 private:
  Code code_;
  std::string message_;
  std::shared_ptr<const Error> cause_;
};

// The error for the current errno: `return errno_error("open", path)` → "open /x: Permission
// denied".
Error errno_error(std::string_view what, std::string_view object = {});
Error errno_error(int errnum, std::string_view what, std::string_view object = {});

// A T or an Error. Reading the value of a failed result is a bug and aborts, in release builds too.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return check(), *std::get_if<0>(&state_); }
  const T& value() const& { return check(), *std::get_if<0>(&state_); }
  T&& value() && { return check(), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    if (ok()) std::abort();
    return *std::get_if<1>(&state_);
  }
  T value_or(T other) && { return ok() ? std::move(*this).value() : std::move(other); }

 private:
  void check() const {
    if (!ok()) std::abort();
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  void value() const {
    if (error_) std::abort();
  }
  const Error& error() const {
    if (!error_) std::abort();
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

namespace result_detail {
inline Error within(const Error& e) {
  return e;
}
inline Error within(const Error& e, std::string context) {
  return e.within(std::move(context));
}
}  // namespace result_detail

}  // namespace gitaiops

#define GITAIOPS_CAT_(a, b) a##b
#define GITAIOPS_CAT(a, b) GITAIOPS_CAT_(a, b)
#define GITAIOPS_TRY_(ret, tmp, decl, expr, ...)                                                \
  auto tmp = (expr);                                                                            \
  if (!tmp.ok()) ret ::gitaiops::result_detail::within(tmp.error() __VA_OPT__(, ) __VA_ARGS__); \
  decl = std::move(tmp).value()

// ASSIGN_OR_RETURN(auto x, f(), "optional context"); the CO_ forms are for coroutines.
#define ASSIGN_OR_RETURN(decl, expr, ...) \
  GITAIOPS_TRY_(return, GITAIOPS_CAT(try_, __COUNTER__), decl, expr __VA_OPT__(, ) __VA_ARGS__)
#define CO_ASSIGN_OR_RETURN(decl, expr, ...) \
  GITAIOPS_TRY_(co_return, GITAIOPS_CAT(try_, __COUNTER__), decl, expr __VA_OPT__(, ) __VA_ARGS__)
#define RETURN_IF_ERROR(expr, ...)                                                             \
  do {                                                                                         \
    if (auto try_status = (expr); !try_status.ok())                                            \
      return ::gitaiops::result_detail::within(try_status.error() __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
#define CO_RETURN_IF_ERROR(expr, ...)                                                             \
  do {                                                                                            \
    if (auto try_status = (expr); !try_status.ok())                                               \
      co_return ::gitaiops::result_detail::within(try_status.error() __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
