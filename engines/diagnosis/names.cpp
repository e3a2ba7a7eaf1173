#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::unknown:
      return "unknown";
    case Outcome::passed:
      return "passed";
    case Outcome::failed:
      return "failed";
    case Outcome::canceled:
      return "canceled";
  }
  return "unknown";
}

std::string_view to_string(Retry retry) {
  switch (retry) {
    case Retry::never:
      return "never";
    case Retry::once:
      return "once";
    case Retry::backoff:
      return "backoff";
    case Retry::elsewhere:
      return "elsewhere";
  }
  return "never";
}

}  // namespace gitaiops::diagnosis
