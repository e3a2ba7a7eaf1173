// One line of the runner's log, in either of its forms, taken apart. Pure.
//
// Text form: a level ("WARNING: ") and a message, padded to 50 columns, then two spaces and `
// key=value` pairs whose values are not quoted and whose keys the runner sorts. Colour codes may
// stand anywhere. Because a message or value may hold " word=" of somebody else's making, the pairs
// are the longest suffix whose keys ascend: what the runner wrote comes last.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock/clock.h"

namespace gitaiops::agent {

struct Record {
  std::string message;  // without level, padding and line ends
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<UnixMicros> time;  // JSON form: the runner's own, whole seconds

  const std::string* field(std::string_view name) const;
};

// Never fails: a line that is nothing gives an empty record.
Record parse_record(std::string_view line);

// A syslog line taken out of its envelope.
struct SyslogLine {
  std::string tag;   // "gitlab-runner"
  std::string text;  // with #033 and #012 (as rsyslog writes control characters) put back
  std::optional<UnixMicros> time;  // when the stamp names year and zone
};
// nullopt: no syslog prefix.
std::optional<SyslogLine> parse_syslog(std::string_view line);

std::string without_ansi(std::string_view text);

}  // namespace gitaiops::agent
