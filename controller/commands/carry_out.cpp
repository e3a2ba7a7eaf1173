// What each command leads to: values for the outcome and an answer; nothing is done at GitLab here.
#include <algorithm>

#include "base/crypto/crypto.h"
#include "controller/commands/asked.h"
#include "controller/commands/commands.h"
#include "controller/commands/decide.h"

namespace gitaiops::commands {
namespace {

constexpr std::string_view kNotThere =
    "These jobs run in another project, the source branch's; that takes the role Developer there, "
    "or more.\n";
constexpr int64_t kRetriesAnHour = 100;  // that people ask for, in each project

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool is_decided(const store::WorkOutcome& outcome, int64_t job) {
  return std::ranges::any_of(outcome.decisions,
                             [&](const auto& one) { return one.act.job_id == job; });
}

}  // namespace

Task<Result<std::optional<gitlab::Member>>> member_of(gitlab::Gitlab& gitlab, int64_t project,
                                                      int64_t user) {
  auto found = co_await gitlab.member(project, user);
  if (found.ok()) co_return std::optional(std::move(*found));
  if (found.error().code() == Code::not_found) co_return std::optional<gitlab::Member>();
  co_return found.error();
}

Task<Status> Commands::carry_out(Asked& asked, std::size_t index) {
  const Command command = asked.comment.commands[index];
  const std::string word(word_of(command.verb));
  const bool wrong = !command.mistake.empty();
  if (wrong) {
    asked.answers.push_back({command.mistake + "\n"});
  } else if (command.verb == Verb::retry) {
    CO_RETURN_IF_ERROR(co_await retry(asked, command.argument));
  } else if (command.verb == Verb::explain) {
    CO_RETURN_IF_ERROR(co_await explain(asked));
  } else if (command.verb == Verb::wrong_reviewer) {
    CO_RETURN_IF_ERROR(co_await wrong_reviewer(asked, command.argument));
  } else if (command.verb == Verb::reviewers) {
    Answer& answer = asked.answers.emplace_back();
    answer.reviewers = static_cast<bool>(options_.reviewers);
    answer.words = "Nobody is proposed here: the server does not look for reviewers.\n";
  } else if (command.verb == Verb::mute) {
    asked.mute = true;
    asked.answers.push_back(
        {"The note here stays as it is until somebody asks for `/gitaiops unmute`.\n"});
  } else if (command.verb == Verb::unmute) {
    asked.mute = false;
    asked.answers.push_back({"The note here is kept up to date again.\n"});
  } else {
    asked.answers.push_back({help_words()});
  }
  const std::string outcome = wrong ? "refused: its words are wrong" : "done";
  asked.outcome.audit.push_back(
      asked.audit("command." + word, asked.object(), outcome + ", " + asked.in_note()));
  if (options_.on_command) options_.on_command(word, wrong ? "refused" : "done");
  co_return Status();
}

Task<Status> Commands::look(Asked& asked) {
  if (asked.view) co_return Status();
  store::MergeRequestKey key{asked.place.instance, asked.place.project_id, asked.place.iid};
  CO_ASSIGN_OR_RETURN(asked.view, co_await options_.look(std::move(key), asked.merge_request));
  co_return Status();
}

// Each is an act of its own: identified by its job, so that nobody's wish retries a job twice.
Task<Status> Commands::retry(Asked& asked, std::string name) {
  CO_RETURN_IF_ERROR(co_await look(asked));
  const Chosen chosen = to_retry(*asked.view, name);
  // A fork's jobs may run in the fork, and her rights there are others.
  const int64_t where = chosen.jobs.empty() ? 0 : chosen.jobs.front()->project_id;
  if (where != 0 && where != asked.place.project_id) {
    CO_ASSIGN_OR_RETURN(const auto member,
                        co_await member_of(*asked.gitlab, where, asked.note.author_id));
    if (standing_of(member) != Standing::enough) {
      asked.answers.push_back({std::string(kNotThere)});
      co_return Status();
    }
  }
  Answer answer{chosen.words};
  for (const auto* job : chosen.jobs) {
    if (is_decided(asked.outcome, job->id)) continue;
    store::Decision& decision = asked.outcome.decisions.emplace_back();
    store::Act& act = decision.act;
    act.id = crypto::uuid7(asked.at);
    act.what = "job.retry";
    act.instance = asked.place.instance;
    act.project_id = job->project_id;
    act.sha = asked.merge_request.sha;
    act.job_name = job->name;
    act.category = "job " + std::to_string(job->id);
    act.project_path = job->project_id == asked.merge_request.project_id
                           ? asked.merge_request.project_path
                           : std::string();
    act.pipeline_id = job->pipeline_id;
    act.job_id = job->id;
    act.why = asked.in_note();
    act.at = asked.at;
    act.asked_by = asked.note.author;
    decision.audit =
        asked.audit(act.what, "job " + std::to_string(job->id) + " (" + job->name + ")",
                    "decided: " + asked.in_note());
    decision.audit.project_id = job->project_id;
    decision.work = {"act.do", act.id, R"({"act":")" + act.id + "\"}", asked.at};
    decision.since = asked.at + -kHour;
    decision.most = kRetriesAnHour;
    answer.retries.push_back({act.id, job->name});
  }
  asked.answers.push_back(std::move(answer));
  co_return Status();
}

Task<Status> Commands::explain(Asked& asked) {
  CO_RETURN_IF_ERROR(co_await look(asked));
  const note::View& view = *asked.view;
  CO_ASSIGN_OR_RETURN(const auto muted,
                      co_await store_.commands().muted_by(asked.place.instance,
                                                          asked.place.project_id, asked.place.iid));
  const bool may_ask = options_.explain && view.wants("explanation") && view.quote_logs &&
                       muted.empty() && !asked.mute.value_or(false);
  const auto jobs = failed_jobs(view);
  Answer answer;
  if (jobs.empty()) answer.words = "No job of the newest pipeline has failed.\n";
  std::size_t questions = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto& job = *jobs[i];
    if (i < kMostExplained) answer.words += (i > 0 ? "\n" : "") + note::in_short(job);
    if (!may_ask || !job.report || job.explanation) continue;
    auto work = options_.explain(*job.report);
    if (!work) continue;
    asked.outcome.follow_up.push_back(std::move(*work));
    ++questions;
  }
  if (jobs.size() > kMostExplained)
    answer.words += "\n" + std::to_string(jobs.size() - kMostExplained) + " more failed.\n";
  if (questions > 0)
    answer.words += "\nA model is asked about " + std::to_string(questions) +
                    (questions == 1 ? " job" : " jobs") +
                    "; what it says comes into the note, if the day's budget allows.\n";
  asked.answers.push_back(std::move(answer));
  co_return Status();
}

Task<Status> Commands::wrong_reviewer(Asked& asked, std::string username) {
  CO_ASSIGN_OR_RETURN(const auto members, co_await asked.gitlab->members(asked.place.project_id));
  const auto found = std::ranges::find_if(members, [&](const gitlab::Member& one) {
    return lower(one.user.username) == lower(username);
  });
  if (found == members.end()) {
    asked.answers.push_back({note::code_span(username) + " is no member of this project.\n"});
    co_return Status();
  }
  store::WrongReviewer& told = asked.outcome.wrong_reviewers.emplace_back();
  told.instance = asked.place.instance;
  told.project_id = asked.place.project_id;
  told.iid = asked.place.iid;
  told.user_id = found->user.id;
  told.said_by = asked.note.author;
  told.at = asked.at;
  asked.answers.push_back(
      {note::code_span(found->user.username) + " is not proposed for this merge request again.\n"});
  co_return Status();
}

}  // namespace gitaiops::commands
