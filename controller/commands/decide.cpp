#include "controller/commands/decide.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace gitaiops::commands {
namespace {

using nlohmann::json;

constexpr int64_t kHeardFor = 24 * 3600 * kMicrosPerSecond;

std::string marker(int64_t note) {
  return "<!-- gitaiops:reply v1 " + std::to_string(note) + " -->";
}

const json& at(const json& object, const char* key) {
  static const json null;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? null : *found;
}
std::string text(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}
int64_t number(const json& object, const char* key) {
  const json& value = at(object, key);
  return value.is_number_integer() ? value.get<int64_t>() : 0;
}

json to_json(const Place& place) {
  return {{"instance", place.instance},
          {"project", place.project_id},
          {"iid", place.iid},
          {"note", place.note},
          {"discussion", place.discussion}};
}

std::optional<Place> to_place(const json& j) {
  Place out{text(j, "instance"), number(j, "project"), number(j, "iid"), number(j, "note"),
            text(j, "discussion")};
  if (out.instance.empty() || out.project_id <= 0 || out.iid <= 0 || out.note <= 0)
    return std::nullopt;
  return out;
}

// Foreign names are cleaned where they are shown, so what is no UTF-8 may be replaced here.
std::string dump(const json& j) {
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Standing standing_of(const std::optional<gitlab::Member>& member) {
  if (!member || !member->active) return Standing::stranger;
  return member->access_level < gitlab::kDeveloper ? Standing::too_little : Standing::enough;
}

bool is_heard(const gitlab::Note& note, int64_t our_user, UnixMicros now) {
  return !note.system && !note.confidential && note.author_id > 0 && note.author_id != our_user &&
         now - note.created_at < kHeardFor;
}

std::vector<const note::JobView*> failed_jobs(const note::View& view) {
  std::vector<const note::JobView*> out;
  for (const auto& job : view.jobs)
    if (job.status == "failed") out.push_back(&job);
  std::ranges::sort(out, {}, &note::JobView::id);
  std::ranges::stable_partition(out, [](const auto* job) { return !job->allow_failure; });
  return out;
}

Chosen to_retry(const note::View& view, const std::string& name) {
  Chosen out;
  if (name.empty()) {
    out.jobs = failed_jobs(view);
    std::erase_if(out.jobs, [](const auto* job) { return job->allow_failure; });
    if (out.jobs.empty()) out.words = "No job that blocks the newest pipeline has failed.\n";
    if (out.jobs.size() > kMostRetries) {
      out.jobs.resize(kMostRetries);
      out.words = "That are the first " + std::to_string(kMostRetries) +
                  "; retry the others by name, or in GitLab.\n";
    }
    return out;
  }
  const note::JobView* newest = nullptr;
  for (const auto& job : view.jobs)
    if (job.name == name && (newest == nullptr || job.id > newest->id)) newest = &job;
  if (newest == nullptr) {
    out.words = "No job of the newest pipeline is called " + note::code_span(name) + ".\n";
  } else if (newest->status != "failed") {
    out.words = note::code_span(name) + " has not failed: GitLab says " +
                note::word(newest->status) + ".\n";
  } else {
    out.jobs.push_back(newest);
  }
  return out;
}

std::string words_of(const Answer::Retry& retry, const std::optional<store::Act>& act) {
  const std::string job = note::code_span(retry.job);
  if (!act) return "- " + job + " was not retried: it was asked for before, or too often.\n";
  if (act->state == "done") return "- " + job + " is retried.\n";
  if (act->state == "refused")
    return "- " + job + " was not retried: " + note::code_span(act->detail) + "\n";
  return "- " + job + " will be retried as soon as GitLab lets us.\n";
}

std::string help_words() {
  return "What can be asked for, each on a line of its own, by people with the role Developer or "
         "more:\n\n"
         "- `/gitaiops explain`: why the jobs failed, by a model where one is set up\n"
         "- `/gitaiops retry`: the jobs that failed once more; `/gitaiops retry JOB`: that one\n"
         "- `/gitaiops reviewers`: who could review this\n"
         "- `/gitaiops wrong-reviewer @NAME`: not that person\n"
         "- `/gitaiops mute`, `/gitaiops unmute`: whether the note here is kept up to date\n";
}

std::string compose(const std::vector<std::string>& paragraphs, int64_t note) {
  std::string out = marker(note) + "\n";
  bool first = true;
  for (const auto& one : paragraphs) {
    if (one.empty()) continue;
    if (!first) out += "\n";
    first = false;
    out += one;
    if (!one.ends_with('\n')) out += "\n";
  }
  return out;
}

const gitlab::Note* own_reply(const std::vector<gitlab::Note>& notes, int64_t our_user,
                              int64_t note) {
  const auto found = std::ranges::find_if(notes, [&](const gitlab::Note& one) {
    return one.author_id == our_user && one.body.starts_with(marker(note));
  });
  return found == notes.end() ? nullptr : &*found;
}

std::string Place::key() const {
  return instance + "/" + std::to_string(project_id) + "/" + std::to_string(note);
}

std::string payload_of(const Place& place) {
  return dump(to_json(place));
}

std::string payload_of(const Reply& reply) {
  json answers = json::array();
  for (const auto& one : reply.answers) {
    json retries = json::array();
    for (const auto& retry : one.retries)
      retries.push_back({{"act", retry.act}, {"job", retry.job}});
    answers.push_back({{"words", one.words}, {"retries", retries}, {"reviewers", one.reviewers}});
  }
  json out = to_json(reply.place);
  out["at"] = reply.at.value;
  out["answers"] = std::move(answers);
  return dump(out);
}

std::optional<Place> read_place(std::string_view payload) {
  return to_place(json::parse(payload, nullptr, false));
}

std::optional<Reply> read_reply(std::string_view payload) {
  const json j = json::parse(payload, nullptr, false);
  const auto place = to_place(j);
  if (!place || !at(j, "answers").is_array()) return std::nullopt;
  Reply out{*place, {number(j, "at")}, {}};
  for (const auto& one : at(j, "answers")) {
    Answer& answer = out.answers.emplace_back();
    answer.words = text(one, "words");
    answer.reviewers = at(one, "reviewers") == true;
    for (const auto& retry : at(one, "retries"))
      answer.retries.push_back({text(retry, "act"), text(retry, "job")});
  }
  return out;
}

}  // namespace gitaiops::commands
