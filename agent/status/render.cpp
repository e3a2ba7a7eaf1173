#include "agent/status/render.h"

#include <algorithm>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

// One thing the reader may want to know. The text and the page show the same rows, so that they
// cannot differ.
struct Row {
  std::string label;
  std::string value;
  bool attention = false;            // somebody should look
  std::vector<std::string> details;  // a line each
};

// Foreign words on one line, safe for a terminal.
std::string plain(std::string_view text) {
  auto line = to_utf8(text);
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

std::string duration(int64_t micros) {
  const auto minutes = micros / kMicrosPerSecond / 60;
  if (minutes < 1) return std::to_string(micros / kMicrosPerSecond) + " s";
  if (minutes < 60) return std::to_string(minutes) + " min";
  if (minutes < 48 * 60)
    return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
  return std::to_string(minutes / 60 / 24) + " days";
}

std::string size(uint64_t bytes) {
  if (bytes < 10 << 10) return std::to_string(bytes) + " B";
  if (bytes < 10 << 20) return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes >> 20) + " MiB";
}

std::string count(uint64_t number, const std::string& one, const std::string& many) {
  return std::to_string(number) + " " + (number == 1 ? one : many);
}

Row link_row(const StatusSnapshot& s) {
  Row row{"Controller",
          s.link_state + (s.controller.empty() ? "" : " (" + s.controller + ")"),
          s.link_state != "connected",
          {}};
  if (!s.link_detail.empty()) row.details.push_back(s.link_detail);
  return row;
}

Row withheld_row(const StatusSnapshot& s) {
  const bool any = s.withheld_traces + s.withheld_trees > 0;
  return {"Withheld",
          count(s.withheld_traces, "log", "logs") + ", " +
              count(s.withheld_trees, "process tree", "process trees") +
              (any ? ": it was not certain whose they are" : ""),
          any, s.explanations};
}

Row spool_row(const StatusSnapshot& s) {
  Row row{"Spool",
          size(s.spool_bytes) + ", " + count(s.spool_messages, "message waits", "messages wait"),
          false,
          {}};
  if (s.dropped > 0)
    row.details.push_back(count(s.dropped, "record was", "records were") +
                          " dropped for lack of room");
  if (s.disk_full)
    row.details.push_back("the disk is full; free some space and the agent goes on by itself");
  if (s.spool_damaged > 0)
    row.details.push_back(count(s.spool_damaged, "damaged file was", "damaged files were") +
                          " set aside beside it (*.damaged-*); check the disk, then delete them");
  row.attention = !row.details.empty();
  if (s.spool_messages > 0)
    row.details.push_back("the oldest waits for " + duration(s.spool_oldest_us));
  return row;
}

Row source_row(const StatusSnapshot::Source& source) {
  Row row{"Source", source.name, !source.problem.empty(), {}};
  if (!source.reads.empty()) row.details.push_back("reads " + source.reads);
  row.details.push_back(count(source.lines, "line", "lines") + ", " +
                        std::to_string(source.records) + " about jobs" +
                        (source.last_line ? ", last at " + to_rfc3339(*source.last_line) : ""));
  if (!source.problem.empty()) row.details.push_back("problem: " + source.problem);
  if (!source.cure.empty()) row.details.push_back("cure: " + source.cure);
  return row;
}

std::vector<Row> rows_of(const StatusSnapshot& s) {
  std::vector<Row> rows;
  rows.push_back({"Agent", s.version + ", up " + duration(s.uptime_us), false, {}});
  rows.push_back(link_row(s));
  const bool certified = s.certificate_not_after.value > 0;
  rows.push_back({"Certificate",
                  certified ? "valid until " + to_rfc3339(s.certificate_not_after) : "none",
                  !certified,
                  {}});
  rows.push_back({"Observer",
                  s.observer_problem.empty() ? "answers" : s.observer_problem,
                  !s.observer_problem.empty(),
                  {}});
  rows.push_back({"Runners", s.runners.empty() ? "none seen" : std::to_string(s.runners.size()),
                  s.runners.empty(), s.runners});
  rows.push_back(
      {"Jobs",
       std::to_string(s.open_jobs) + " open, " + std::to_string(s.jobs_reported) + " reported",
       false,
       {}});
  rows.push_back(withheld_row(s));
  rows.push_back(spool_row(s));
  for (const auto& source : s.sources) rows.push_back(source_row(source));
  return rows;
}

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : plain(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

constexpr std::string_view kPageHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="15">
<title>GitAIOps agent</title>
<style>
:root { color-scheme: light dark; --line: #d0d0d0; --mark: #b35900; --soft: #555; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --mark: #ffb454; --soft: #aaa; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); }
th { width: 9rem; font-weight: 600; }
td { overflow-wrap: anywhere; }
ul { margin: .25rem 0 0; padding-left: 1.2rem; color: var(--soft); }
.attention { color: var(--mark); font-weight: 600; }
</style>
</head>
<body>
<h1>GitAIOps agent</h1>
<table>
)";
constexpr std::string_view kPageFoot = R"(</table>
<p><a href="/status.json">as JSON</a> · <a href="/metrics">for Prometheus</a></p>
</body>
</html>
)";

}  // namespace

std::string to_text(const StatusSnapshot& snapshot) {
  constexpr std::size_t kLabel = 13;
  std::string text;
  for (const auto& row : rows_of(snapshot)) {
    text += row.label + std::string(kLabel - std::min(kLabel - 1, row.label.size()), ' ') +
            plain(row.value);
    text += row.attention ? "  (!)\n" : "\n";
    for (const auto& detail : row.details)
      text += std::string(kLabel, ' ') + "- " + plain(detail) + "\n";
  }
  return text;
}

std::string to_html(const StatusSnapshot& snapshot) {
  std::string page(kPageHead);
  for (const auto& row : rows_of(snapshot)) {
    page += "<tr><th scope=\"row\">" + escaped(row.label) + "</th><td>";
    page += row.attention ? "<span class=\"attention\">" + escaped(row.value) + "</span>"
                          : escaped(row.value);
    if (!row.details.empty()) {
      page += "<ul>";
      for (const auto& detail : row.details) page += "<li>" + escaped(detail) + "</li>";
      page += "</ul>";
    }
    page += "</td></tr>\n";
  }
  return page += kPageFoot;
}

void to_metrics(const StatusSnapshot& s, metrics::Registry& registry) {
  const auto set = [&](std::string_view name, auto value) {
    registry.gauge(name).set(static_cast<double>(value));
  };
  registry.gauge("gitaiops_agent_info").set(1, {s.version});
  set("gitaiops_agent_uptime_seconds", s.uptime_us / kMicrosPerSecond);
  set("gitaiops_agent_connected", s.link_state == "connected");
  set("gitaiops_agent_certificate_expiry_timestamp_seconds",
      s.certificate_not_after.value / kMicrosPerSecond);
  set("gitaiops_agent_observer_up", s.observer_problem.empty());
  set("gitaiops_agent_runners", s.runners.size());
  set("gitaiops_agent_jobs_open", s.open_jobs);
  registry.counter("gitaiops_agent_jobs_reported_total")
      .raise_to(static_cast<double>(s.jobs_reported));
  auto withheld = registry.counter("gitaiops_agent_withheld_total");
  withheld.raise_to(static_cast<double>(s.withheld_traces), {"log"});
  withheld.raise_to(static_cast<double>(s.withheld_trees), {"process_tree"});
  set("gitaiops_agent_spool_bytes", s.spool_bytes);
  set("gitaiops_agent_spool_messages", s.spool_messages);
  set("gitaiops_agent_spool_oldest_age_seconds", s.spool_oldest_us / kMicrosPerSecond);
  set("gitaiops_agent_spool_disk_full", s.disk_full);
  set("gitaiops_agent_spool_damaged_files", s.spool_damaged);
  registry.counter("gitaiops_agent_dropped_total").raise_to(static_cast<double>(s.dropped));
  auto up = registry.gauge("gitaiops_agent_source_up");
  auto last = registry.gauge("gitaiops_agent_source_last_line_timestamp_seconds");
  up.clear();  // a source may have gone
  last.clear();
  for (const auto& source : s.sources) {
    registry.counter("gitaiops_agent_source_lines_total")
        .raise_to(static_cast<double>(source.lines), {source.name});
    registry.counter("gitaiops_agent_source_records_total")
        .raise_to(static_cast<double>(source.records), {source.name});
    up.set(source.problem.empty(), {source.name});
    if (source.last_line)
      last.set(static_cast<double>(source.last_line->value) / kMicrosPerSecond, {source.name});
  }
}

}  // namespace gitaiops::agent
