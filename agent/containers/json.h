// A strict JSON reader that goes over a text once and copies nothing but what is asked for: the
// state of a container holds secrets (its environment), which must not be left in memory.
//
// Usage: the value in front is taken by exactly one of the calls; a visitor does so for the member
// that it is called for, or the member is passed over. Any deviation from RFC 8259 makes failed()
// true, and every later call does nothing. Depth is bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gitaiops::agent {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  // Each member of the object in front; another kind of value is passed over. Names longer than
  // 256 bytes are passed over with their values.
  void object(const std::function<void(std::string_view name)>& visit);
  // Each element of the array in front.
  void array(const std::function<void()>& visit);
  // Nothing when it is of another kind, or longer than `max` bytes; valid UTF-8.
  std::optional<std::string> string(std::size_t max);
  std::optional<int64_t> integer();
  std::optional<bool> boolean();
  void skip();

  // Nothing but space is left, and nothing was wrong.
  bool complete();
  bool failed() const { return failed_; }

 private:
  void space();
  bool take(char expected);
  char front();
  bool word(std::string_view expected);
  // Passes over a string; writes it to `to`, unless null, as long as it is below `max` bytes.
  // False when it did not fit.
  bool text(std::string* to, std::size_t max);
  bool escape(std::string* to);
  std::optional<uint32_t> hex4();
  std::string_view number();
  void fail() { failed_ = true; }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

}  // namespace gitaiops::agent
