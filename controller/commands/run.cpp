// command.run: whose comment it is, and whether its commands are carried out at all.
#include "controller/commands/asked.h"
#include "controller/commands/commands.h"
#include "controller/commands/decide.h"

namespace gitaiops::commands {
namespace {

using queue::Verdict;

constexpr std::string_view kTooLittle = "That takes the role Developer in this project, or more.\n";

// What only a person can change goes to the dead letters and the audit trail.
Verdict after(const Error& error, std::chrono::microseconds wait, store::AuditRecord what) {
  Verdict out;
  const bool for_good = error.code() == Code::permission_denied ||
                        error.code() == Code::not_found || error.code() == Code::invalid_argument;
  if (!for_good) {
    out.what = queue::Failed{error, wait};
    return out;
  }
  what.outcome = "failed: " + error.to_string();
  out.what = queue::GiveUp{what.object + ": " + error.to_string()};
  out.outcome.audit.push_back(std::move(what));
  return out;
}

}  // namespace

store::NewWork work_for(const std::string& instance, int64_t project_id, int64_t merge_request,
                        int64_t note, const std::string& discussion, UnixMicros now) {
  const Place place{instance, project_id, merge_request, note, discussion};
  return {std::string(kRun), place.key(), payload_of(place), now, 0};
}

Commands::Commands(store::Store& store, const Clock& clock,
                   std::map<std::string, gitlab::Gitlab*> instances, Options options)
    : store_(store),
      clock_(clock),
      instances_(std::move(instances)),
      options_(std::move(options)) {}

void Commands::attach(queue::Worker& worker) {
  worker.handle(std::string(kRun), [this](store::Work work) { return run(std::move(work)); });
  worker.handle(std::string(kReply), [this](store::Work work) { return reply(std::move(work)); });
}

Task<Verdict> Commands::run(store::Work work) {
  const auto place = read_place(work.payload);
  if (!place) co_return Verdict{queue::GiveUp{"payload of command.run cannot be read"}, {}};
  const auto instance = instances_.find(place->instance);
  if (instance == instances_.end()) co_return Verdict();  // not configured any more
  const auto known =
      co_await store_.commands().was_commanded(place->instance, place->project_id, place->note);
  if (!known.ok()) co_return Verdict{queue::Failed{known.error()}, {}};
  if (*known) co_return Verdict();

  Asked asked;
  asked.place = *place;
  asked.gitlab = instance->second;
  asked.at = clock_.now();
  auto note = co_await asked.gitlab->note(place->project_id, place->iid, place->note);
  if (!note.ok()) {
    if (note.error().code() == Code::not_found) co_return Verdict();  // deleted meanwhile
    co_return after(note.error(), asked.gitlab->wait_hint(),
                    asked.audit("command.read", asked.object(), ""));
  }
  asked.note = std::move(*note);
  const auto us = co_await asked.gitlab->current_user();
  if (!us.ok()) co_return Verdict{queue::Failed{us.error(), asked.gitlab->wait_hint()}, {}};
  if (!is_heard(asked.note, us->id, asked.at)) co_return Verdict();
  asked.comment = read(asked.note.body);
  if (asked.comment.commands.empty()) co_return Verdict();
  co_return co_await carry_out_all(asked);
}

Task<Verdict> Commands::carry_out_all(Asked& asked) {
  gitlab::Gitlab& gitlab = *asked.gitlab;
  const auto project = asked.place.project_id;
  const auto lately = co_await store_.commands().commands_of(
      asked.place.instance, asked.note.author_id, asked.at + -kHour);
  if (!lately.ok()) co_return Verdict{queue::Failed{lately.error()}, {}};
  if (*lately + static_cast<int64_t>(asked.comment.commands.size()) > kMostAnHour)
    co_return refused(asked, "limited",
                      "more commands than " + std::to_string(kMostAnHour) + " within an hour", "");
  const auto member = co_await member_of(gitlab, project, asked.note.author_id);
  if (!member.ok())
    co_return after(member.error(), gitlab.wait_hint(),
                    asked.audit("command.read", asked.object(), ""));
  const auto standing = standing_of(*member);
  if (standing == Standing::stranger)
    co_return refused(asked, "silent", "no active member of the project", "");
  if (standing == Standing::too_little)
    co_return refused(asked, "refused", "no developer of the project", std::string(kTooLittle));

  auto merge_request = co_await gitlab.merge_request(project, asked.place.iid);
  if (!merge_request.ok())
    co_return after(merge_request.error(), gitlab.wait_hint(),
                    asked.audit("command.read", asked.object(), ""));
  asked.merge_request = std::move(*merge_request);
  for (std::size_t i = 0; i < asked.comment.commands.size(); ++i) {
    const Status done = co_await carry_out(asked, i);
    if (!done.ok())
      co_return after(done.error(), gitlab.wait_hint(),
                      asked.audit("command.read", asked.object(), ""));
  }
  if (asked.comment.more)
    asked.answers.push_back(
        {"No more than " + std::to_string(kMostCommands) + " commands of one comment are read.\n"});
  co_return finished(asked);
}

// Nothing is done but to remember that, and to say so where there are words for it.
Verdict Commands::refused(Asked& asked, std::string_view outcome, std::string why,
                          std::string words) {
  for (const auto& command : asked.comment.commands)
    if (options_.on_command) options_.on_command(word_of(command.verb), outcome);
  asked.outcome = {};
  asked.outcome.audit.push_back(
      asked.audit("command.refuse", asked.object(), why + ", " + asked.in_note()));
  asked.answers.clear();
  if (!words.empty()) asked.answers.push_back({std::move(words)});
  // Who asks too often is not to wait longer for it.
  if (outcome == "limited") asked.comment.commands.clear();
  return finished(asked);
}

Verdict Commands::finished(Asked& asked) {
  Verdict out;
  out.outcome = std::move(asked.outcome);
  store::Commanded& kept = out.outcome.commanded.emplace();
  kept.instance = asked.place.instance;
  kept.project_id = asked.place.project_id;
  kept.iid = asked.place.iid;
  kept.note_id = asked.place.note;
  kept.user_id = asked.note.author_id;
  kept.username = asked.note.author;
  kept.commands = static_cast<int64_t>(asked.comment.commands.size());
  kept.at = asked.at;
  kept.mute = asked.mute;
  if (asked.answers.empty() || asked.place.discussion.empty()) return out;
  const Reply reply{asked.place, asked.at, std::move(asked.answers)};
  out.outcome.follow_up.push_back(
      {std::string(kReply), asked.place.key(), payload_of(reply), asked.at, 0});
  return out;
}

}  // namespace gitaiops::commands
