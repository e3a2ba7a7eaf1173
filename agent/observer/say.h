// The observer's own log: one line an event on standard error, in the two forms that base/log has,
// without its library. Never a secret, never a job's text.
//
// Thread safety: one thread; also between fork and exec.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace gitaiops::agent {

struct Said {
  std::string_view key;
  std::variant<int64_t, std::string> value;
};

void say_in_json(bool json);
void say(std::string_view level, std::string_view message, std::initializer_list<Said> fields = {});

}  // namespace gitaiops::agent
