// The quiet line on earlier failures of the same kind.
#include "controller/note/markdown.h"
#include "controller/note/words.h"

namespace gitaiops::note {
namespace {

constexpr std::size_t kSeenSha = 8;
constexpr std::size_t kDate = 10;  // of RFC 3339

std::string counted(int64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string elsewhere(const Seen& seen) {
  if (seen.elsewhere_times == 0) return {};
  return counted(seen.elsewhere_times, "time") + " in " +
         counted(seen.elsewhere_projects, "other project");
}

}  // namespace

std::string seen_line(const Seen& seen) {
  std::string out;
  if (seen.flaky) out = "Flaky: this job passed on the same commit.";
  std::string times;
  if (seen.times > 0) {
    times = "Seen " + counted(seen.times, "time") + (seen.or_more ? " or more" : "") +
            " before in this project since " + to_rfc3339(seen.first_at).substr(0, kDate);
    if (const auto more = elsewhere(seen); !more.empty()) times += " and " + more;
    if (seen.cure == Seen::Cure::retry) times += ", last passed after a retry";
    if (seen.cure == Seen::Cure::change)
      times += ", last passed after a change" +
               (seen.sha.empty() ? "" : " (" + code_span(seen.sha.substr(0, kSeenSha)) + ")");
    times += ".";
  } else if (const auto more = elsewhere(seen); !more.empty()) {
    times = "New in this project, seen " + more + ".";
  }
  if (!times.empty()) out += (out.empty() ? "" : " ") + times;
  return out;
}

}  // namespace gitaiops::note
