// command.reply: one short reply in the comment's discussion, once what it tells of is known.
#include "controller/commands/commands.h"
#include "controller/commands/decide.h"

namespace gitaiops::commands {
namespace {

using queue::Verdict;

constexpr int64_t kPatience = 60 * kMicrosPerSecond;  // for retries and for a history that is read
constexpr std::chrono::milliseconds kLookAgain{500};

std::string words_of(const reactions::Proposal& proposal) {
  note::View view;
  view.reviewers = proposal.reviewers;
  const auto said = note::reviewers()->contribute(view);
  if (!said.blocks.empty()) return said.blocks.front().shown;
  if (proposal.pending)
    return "The project's history is still being read; ask again in a few minutes.\n";
  return "Nobody can be proposed: none of those who know this code is a member with time.\n";
}

}  // namespace

struct Commands::Replying {
  Reply reply;
  gitlab::Gitlab* gitlab = nullptr;
  bool patient = true;  // what is not known yet is waited for
  std::vector<std::string> paragraphs = {};
};

Task<Verdict> Commands::reply(store::Work work) {
  auto payload = read_reply(work.payload);
  if (!payload) co_return Verdict{queue::GiveUp{"payload of command.reply cannot be read"}, {}};
  const auto instance = instances_.find(payload->place.instance);
  if (instance == instances_.end()) co_return Verdict();
  Replying replying{std::move(*payload), instance->second};
  replying.patient = clock_.now() - replying.reply.at < kPatience;
  const auto complete = co_await find_words(replying);
  if (!complete.ok())
    co_return Verdict{queue::Failed{complete.error(), replying.gitlab->wait_hint()}, {}};
  if (!*complete)
    co_return Verdict{queue::Again{kLookAgain, "what it tells of is not known yet"}, {}};
  co_return co_await write_reply(replying);
}

// False: something is not known yet.
Task<Result<bool>> Commands::find_words(Replying& replying) {
  const Place& place = replying.reply.place;
  for (const auto& answer : replying.reply.answers) {
    std::string words;
    for (const auto& retry : answer.retries) {
      const auto act = co_await store_.act(retry.act);
      if (!act.ok() && act.error().code() != Code::not_found) co_return act.error();
      if (act.ok() && act->state == "intended" && replying.patient) co_return false;
      words += commands::words_of(retry, act.ok() ? std::optional(*act) : std::nullopt);
    }
    if (answer.reviewers && options_.reviewers) {
      CO_ASSIGN_OR_RETURN(auto merge_request,
                          co_await replying.gitlab->merge_request(place.project_id, place.iid));
      const auto proposal = co_await options_.reviewers(place.instance, std::move(merge_request));
      if (proposal.pending && proposal.reviewers.empty() && replying.patient) co_return false;
      words += words_of(proposal);
    } else {
      words += (words.empty() || answer.words.empty() ? "" : "\n") + answer.words;
    }
    replying.paragraphs.push_back(std::move(words));
  }
  co_return true;
}

// A reply whose answer was lost is found in the discussion.
Task<Verdict> Commands::write_reply(Replying& replying) {
  const Place& place = replying.reply.place;
  gitlab::Gitlab& gitlab = *replying.gitlab;
  Verdict out;
  store::AuditRecord audit{.at = clock_.now(),
                           .actor = "reaction:commands",
                           .act = "command.reply",
                           .instance = place.instance,
                           .project_id = place.project_id,
                           .object = "note " + std::to_string(place.note) + " of merge request " +
                                     std::to_string(place.iid),
                           .outcome = "done"};
  const auto us = co_await gitlab.current_user();
  if (!us.ok()) co_return Verdict{queue::Failed{us.error(), gitlab.wait_hint()}, {}};
  const auto notes = co_await gitlab.discussion(place.project_id, place.iid, place.discussion);
  Status written = notes.ok() ? Status() : Status(notes.error());
  if (notes.ok() && std::ranges::find(*notes, place.note, &gitlab::Note::id) == notes->end())
    written = Error(Code::not_found, "its discussion does not have it any more");
  if (written.ok() && own_reply(*notes, us->id, place.note) == nullptr) {
    const auto made = co_await gitlab.reply(place.project_id, place.iid, place.discussion,
                                            compose(replying.paragraphs, place.note));
    if (!made.ok()) written = made.error();
  }
  if (!written.ok()) {
    const Code code = written.error().code();
    const bool for_good = code == Code::permission_denied || code == Code::not_found ||
                          code == Code::invalid_argument;
    if (!for_good) co_return Verdict{queue::Failed{written.error(), gitlab.wait_hint()}, {}};
    audit.outcome = "failed: " + written.error().to_string();
  }
  out.outcome.audit.push_back(std::move(audit));
  co_return out;
}

}  // namespace gitaiops::commands
