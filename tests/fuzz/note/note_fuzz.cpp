// Foreign text of every kind into a note: whatever the log, job names, test names, paths and
// reasons are, the note keeps its rules (invariants.h). The input is cut into fields at 0x1F; a
// field's first byte says where it goes.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/note/invariants.h"

namespace gitaiops::note {
namespace {

void put(JobView& job, fleet::v1::JobReport& report, unsigned char where, std::string text) {
  auto& d = *report.mutable_diagnosis();
  switch (where % 16) {
    case 0:
      job.name = std::move(text);
      break;
    case 1:
      job.failure_reason = std::move(text);
      break;
    case 2:
      job.web_url = "https://gitlab.example/" + text;
      break;
    case 3:
      d.set_category(text);
      break;
    case 4:
      d.set_command(text);
      break;
    case 5: {
      auto& excerpt = *d.add_evidence();
      excerpt.set_first_line(where);
      excerpt.set_last_line(where + 1 + text.size() / 8);
      excerpt.set_text(text);
      break;
    }
    case 6:
      d.add_failing_tests()->set_name(text);
      break;
    case 7:
      d.add_failing_tests()->set_file(text);
      break;
    case 8:
      d.mutable_root_cause()->set_text(text);
      break;
    case 9:
      d.mutable_root_cause()->set_line(text.size());
      break;
    case 10:
      report.add_notes(text);
      break;
    case 11:
      report.mutable_log()->set_reason(text);
      break;
    case 12:
      report.mutable_log()->set_availability(fleet::v1::LogFacts::AVAILABILITY_PARTIAL);
      break;
    case 13:
      d.set_owner(text.size() % 2 ? "test" : text);
      break;
    case 14:
      job.web_url = std::move(text);
      break;
    default:
      report.mutable_usage()->mutable_cpu_us()->set_value(static_cast<int64_t>(text.size())
                                                          << (where % 60));
      break;
  }
}

}  // namespace
}  // namespace gitaiops::note

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gitaiops;
  using namespace gitaiops::note;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  View view{.place = "main/42/7", .pipeline_status = "failed", .jobs = {}};
  JobView job{.id = 1,
              .name = "unit",
              .status = "failed",
              .failure_reason = "",
              .web_url = "",
              .allow_failure = false,
              .report = std::nullopt};
  fleet::v1::JobReport report;
  const auto add = [&] {
    job.id = static_cast<int64_t>(view.jobs.size()) + 1;
    job.report = report;
    view.jobs.push_back(job);
  };
  for (const auto field : split(input, '\x1f')) {
    if (field.empty() || view.jobs.size() > 40) {
      continue;
    } else if (field[0] == 'N') {  // the next job
      add();
      job.allow_failure = field.size() % 3 == 2;
    } else if (field[0] == 'P') {
      view.place = field.substr(1);
    } else if (field[0] == 'A') {  // an act by itself
      const std::string text(field.substr(1));
      view.acts.push_back({text, text, field.size() % 2 ? "refused" : "done", text, text, false});
    } else if (field[0] == 'S') {  // what was seen before
      job.seen.emplace().times = static_cast<int64_t>(field.size());
      job.seen->cure = Seen::Cure::change;
      job.seen->sha = std::string(field.substr(1));
    } else if (field[0] == 'R') {  // who could review it; half of the text is a folder
      const std::string text(field.substr(1));
      view.reviewers.push_back({text, text, "gave 1 of " + text, text.substr(text.size() / 2)});
    } else if (field[0] == 'D') {  // a vulnerability that is new, or gone
      const std::string text(field.substr(1));
      auto& changes = view.dependencies ? *view.dependencies : view.dependencies.emplace();
      changes.target_branch = changes.commit = text;
      changes.target_known = field.size() % 5 != 4;
      (field.size() % 3 ? changes.added : changes.removed)
          .push_back({text, text, field.size() % 7 ? text : "", text, text,
                      static_cast<int>(field.size() % 6), field.size() % 11 == 0,
                      std::vector<std::string>(field.size() % 8, text)});
    } else if (field[0] == 'T') {  // what the change is like, by rules of a team
      const std::string text(field.substr(1));
      auto& t = view.triage ? *view.triage : view.triage.emplace();
      t.risk = triage::Risk{
          triage::Level::high, 100.0 * static_cast<double>(field.size()), 0.5, true, {text}};
      t.size = triage::Size{};
      t.required_reviews.push_back({text, {text}, {text}});
    } else if (field[0] == 'L') {  // what a model would look at
      const std::string text(field.substr(1));
      auto& reading = view.reading ? *view.reading : view.reading.emplace();
      reading.model = text;
      reading.sure = field.size() % 2 == 0;
      reading.points.push_back({text, static_cast<int64_t>(field.size()), field.size() % 3 == 0,
                                text, field.size() % 5 ? text : ""});
    } else if (field[0] == 'M') {  // a mistake in the project's file
      view.mistakes.emplace_back(field.substr(1));
    } else if (field[0] == 'G') {
      view.guidelines.push_back({std::string(field.substr(1)), std::string(field.substr(1))});
    } else if (field[0] == 'U') {
      view.unwanted.emplace(field.substr(1));
      view.has_note = true;
    } else if (field[0] == 'Q') {
      view.quote_logs = !view.quote_logs;
    } else {
      put(job, report, static_cast<unsigned char>(field[0]), std::string(field.substr(1)));
    }
  }
  add();
  if (const auto broken = broken_rule(Composer().compose(view))) {
    std::fprintf(stderr, "%s\n", broken->c_str());
    std::abort();
  }
  return 0;
}
