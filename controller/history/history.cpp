#include "controller/history/history.h"

#include <algorithm>
#include <cctype>

#include <asio/co_spawn.hpp>
#include <asio/thread_pool.hpp>
#include <sys/stat.h>

#include "base/log/log.h"
#include "controller/history/workshop.h"

namespace gitaiops::history {
namespace {

constexpr std::size_t kMostWaiting = 64;
constexpr std::size_t kMostKnown = 512;
constexpr std::size_t kMostPeople = 64;   // projects whose members are remembered
constexpr std::size_t kMostLoads = 4096;  // people whose load is
constexpr std::size_t kSuggested = 3;
constexpr std::size_t kMostReviews =
    20'000;  // merge requests of a project whose reviewers are known
constexpr int64_t kReviewsBack = 120ll * 24 * 3600 * kMicrosPerSecond;  // asked for at first
constexpr std::size_t kMostAsked = 12;  // people whose status is asked for one answer

constexpr std::size_t kDescription = 4 << 10;  // of a merge request: no more of it is read
constexpr double kHourUs = 3600.0 * kMicrosPerSecond;
constexpr std::size_t kMostGroups = 5;  // that own one entry

int level_of(std::string_view role) {
  if (role == "developer") return 30;
  return role == "maintainer" ? 40 : 50;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string key_of(const Question& question) {
  std::string key = question.instance + "\n" + std::to_string(question.project_id) + "\n" +
                    std::to_string(question.iid) + "\n" + std::to_string(question.author.id);
  for (const auto& path : question.paths) key += "\n" + path;
  return key;
}

bool is_bot(const gitlab::User& user) {
  const bool made = user.username.starts_with("project_") || user.username.starts_with("group_");
  return (made && user.username.find("_bot") != std::string::npos) ||
         triage::is_machine(triage::Signature{user.username, ""}) ||
         triage::is_machine(triage::Signature{user.name, ""});
}

}  // namespace

struct History::Asked {
  std::string key;
  Question question;
  bool triage = false;  // else who could review
  Event done;
};

// Who may be proposed, before anybody asks whether she has time.
struct History::Candidate {
  gitlab::User user;
  std::string reason, place;
  std::set<std::size_t> owns;  // of the entries that have to approve
};

struct History::People {
  int64_t at = 0;
  std::vector<gitlab::Member> members;  // who may review
};

// The thread is joined when this goes; `stop` ends the git that runs.
struct History::Pool {
  std::atomic<bool> stop = false;
  asio::thread_pool threads{1};
};

History::History(Options options, std::map<std::string, Source> sources, const Clock& clock)
    : options_(std::move(options)),
      sources_(std::move(sources)),
      clock_(clock),
      pool_(std::make_unique<Pool>()),
      workshop_(std::make_unique<Workshop>(options_, pool_->stop)) {}

History::~History() {
  pool_->stop = true;
  pool_->threads.join();
}

Result<std::unique_ptr<History>> History::open(Options options,
                                               std::map<std::string, Source> sources,
                                               const Clock& clock) {
  if (::mkdir(options.folder.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error("make", options.folder.string());
  return std::unique_ptr<History>(new History(std::move(options), std::move(sources), clock));
}

void History::stop() {
  stopping_ = true;
  pool_->stop = true;
  wake_.set();
}

Task<void> History::run() {
  while (!stopping_) {
    if (queue_.empty()) {
      wake_.reset();
      co_await wake_.wait();
      continue;
    }
    auto next = queue_.front();
    queue_.pop_front();
    co_await work_on(next);
    waiting_.erase(next->key);
    next->done.set();
  }
  for (const auto& [key, asked] : waiting_) asked->done.set();
  waiting_.clear();
}

Task<void> History::work_on(std::shared_ptr<Asked> asked) {
  const auto& question = asked->question;
  const auto source = sources_.at(question.instance);
  const int64_t now_s = clock_.now().value / kMicrosPerSecond;
  using Outcome = std::optional<Result<Workshop::Found>>;
  const auto reviews = co_await reviews_of(question);
  auto work = [](Workshop* workshop, std::shared_ptr<Asked> one, Source from,
                 std::shared_ptr<const Reviews> told, int64_t now) -> Task<Outcome> {
    co_return one->triage ? workshop->assess(one->question, from, *told, now)
                          : workshop->answer(one->question, from, *told, now);
  }(workshop_.get(), asked, source, reviews, now_s);
  auto outcome =
      co_await asio::co_spawn(pool_->threads.get_executor(), std::move(work), asio::use_awaitable);
  ++counters_.fetches;
  if (!(*outcome).ok()) {
    if (!stopping_) put_off(question, (*outcome).error());
    co_return;
  }
  auto& found = (*outcome).value();
  counters_.evicted += found.swept.removed;
  counters_.bytes = found.swept.bytes;
  counters_.trained += found.trained ? 1 : 0;
  if (asked->triage) {
    if (assessed_.size() >= kMostKnown) assessed_.clear();
    if (found.assessment) assessed_[asked->key] = std::move(*found.assessment);
    co_return;
  }
  if (known_.size() >= kMostKnown) known_.clear();
  auto known = std::make_shared<Known>();
  known->sha = question.sha;
  known->at = clock_.steady().value;
  known->people = std::move(found.people);
  known->owned = std::move(found.owned);
  known_[asked->key] = std::move(known);
}

void History::put_off(const Question& question, const Error& why) {
  ++counters_.failed;
  failed_[{question.instance, question.project_id}] =
      clock_.steady().value +
      std::chrono::duration_cast<std::chrono::microseconds>(options_.failed_wait).count();
  log::warning("a project's history cannot be read; it is tried again later",
               {{"instance", question.instance},
                {"project", question.project_path},
                {"why", why.to_string()}});
}

// What GitLab told, and what changed since. Without an answer the history speaks alone.
Task<std::shared_ptr<const History::Reviews>> History::reviews_of(Question question) {
  const std::pair key(question.instance, question.project_id);
  auto reviews = std::make_shared<Reviews>();
  if (const auto found = reviews_.find(key); found != reviews_.end()) *reviews = *found->second;
  const auto now = clock_.now();
  const auto after = std::max(reviews->upto, now + -kReviewsBack);
  const auto changed = co_await sources_.at(question.instance)
                           .gitlab->changed_merge_requests(question.project_id, after, now);
  if (!changed.ok()) co_return reviews;
  for (const auto& one : *changed) {
    reviews->upto = std::max(reviews->upto, one.updated_at);
    if (one.state != "merged" || reviews->by_merge_request.size() >= kMostReviews) continue;
    Reviews::One told;
    told.author = one.author;
    if (one.created_at.value > 0 && one.merged_at > one.created_at)
      told.hours = static_cast<double>(one.merged_at - one.created_at) / kHourUs;
    for (const auto& user : one.reviewers)
      if (!is_bot(user)) told.reviewers.push_back(user);
    reviews->by_merge_request[one.iid] = std::move(told);
    if (!one.sha.empty()) reviews->by_head[one.sha] = one.iid;
  }
  if (reviews_.size() >= kMostPeople) reviews_.clear();
  reviews_[key] = reviews;
  co_return reviews;
}

std::shared_ptr<History::Asked> History::ask(const std::string& key, Question question,
                                             bool triage) {
  if (const auto found = waiting_.find(key); found != waiting_.end()) return found->second;
  const auto failed = failed_.find({question.instance, question.project_id});
  if (failed != failed_.end() && clock_.steady().value < failed->second) return nullptr;
  if (stopping_ || queue_.size() >= kMostWaiting) return nullptr;
  auto asked = std::make_shared<Asked>();
  asked->key = key;
  asked->question = std::move(question);
  asked->triage = triage;
  queue_.push_back(asked);
  waiting_[key] = asked;
  wake_.set();
  return asked;
}

Task<Result<Answer>> History::reviewers(Question question) {
  if (!sources_.contains(question.instance))
    co_return Error(Code::not_found, "no GitLab \"" + question.instance + "\" is configured");
  if (question.default_branch.empty()) co_return Answer();  // an empty repository
  const auto key = key_of(question);
  const auto usable = [&]() -> std::shared_ptr<const Known> {
    const auto found = known_.find(key);
    return found == known_.end() ? nullptr : found->second;
  };
  auto known = usable();
  const auto fresh_us =
      std::chrono::duration_cast<std::chrono::microseconds>(options_.fresh).count();
  bool pending = false;
  if (!known || known->sha != question.sha || clock_.steady().value - known->at > fresh_us) {
    const auto asked = ask(key, question, false);
    if (asked) {
      pending = !co_await asked->done.wait(options_.patience);
      known = usable();
    }
  }
  Answer answer;
  answer.pending = pending;
  if (known) {
    CO_ASSIGN_OR_RETURN(answer.reviewers, co_await eligible(question, known));
  }
  co_return answer;
}

Task<Result<Question>> History::question_of(std::string instance,
                                            gitlab::MergeRequest merge_request) {
  const auto source = sources_.find(instance);
  if (source == sources_.end())
    co_return Error(Code::not_found, "no GitLab \"" + instance + "\" is configured");
  CO_ASSIGN_OR_RETURN(const auto project, co_await source->second.gitlab->project(
                                              std::to_string(merge_request.project_id)));
  Question question;
  question.instance = instance;
  question.project_id = project.id;
  question.project_path = project.path;
  question.default_branch = project.default_branch;
  question.iid = merge_request.iid;
  question.sha = merge_request.sha;
  question.target_branch = merge_request.target_branch;
  question.title = std::move(merge_request.title);
  question.description = std::move(merge_request.description);
  question.labels = std::move(merge_request.labels);
  question.author = merge_request.author;
  for (const auto& user : merge_request.reviewers) question.asked.insert(user.id);
  co_return question;
}

Task<Result<Answer>> History::reviewers_of(std::string instance,
                                           gitlab::MergeRequest merge_request) {
  if (merge_request.state != "opened") co_return Answer();
  CO_ASSIGN_OR_RETURN(auto question,
                      co_await question_of(std::move(instance), std::move(merge_request)));
  auto answer = co_await reviewers(std::move(question));
  co_return answer;
}

Task<Result<Assessed>> History::triage_of(std::string instance,
                                          gitlab::MergeRequest merge_request) {
  if (!options_.triage || merge_request.state != "opened") co_return Assessed();
  CO_ASSIGN_OR_RETURN(auto question,
                      co_await question_of(std::move(instance), std::move(merge_request)));
  if (question.default_branch.empty()) co_return Assessed();  // an empty repository
  question.description = question.description.substr(0, kDescription);
  auto key = key_of(question) + "\ntriage\n" + question.title + "\n" + question.description;
  for (const auto& label : question.labels) key += "\n" + label;
  const auto sha = question.sha;
  Assessed out;
  const auto remembered = assessed_.find(key);
  if (remembered != assessed_.end() && remembered->second.sha == sha) {
    out.known = remembered->second;
    co_return out;
  }
  const auto asked = ask(key, std::move(question), true);
  if (!asked) co_return out;
  out.pending = !co_await asked->done.wait(options_.patience);
  // Of a newer commit, perhaps, that was pushed meanwhile.
  if (const auto found = assessed_.find(key); !out.pending && found != assessed_.end())
    out.known = found->second;
  co_return out;
}

// `group`: its members instead of the project's.
Task<Result<std::shared_ptr<const History::People>>> History::people_of(std::string instance,
                                                                        int64_t project,
                                                                        std::string group) {
  const std::pair key(instance, group.empty() ? std::to_string(project) : "group " + group);
  const auto fresh_us =
      std::chrono::duration_cast<std::chrono::microseconds>(options_.fresh).count();
  if (const auto found = people_.find(key);
      found != people_.end() && clock_.steady().value - found->second->at <= fresh_us)
    co_return found->second;
  auto& gitlab = *sources_.at(instance).gitlab;
  auto asked = group.empty() ? gitlab.members(project) : gitlab.group_members(group);
  CO_ASSIGN_OR_RETURN(const auto members, co_await std::move(asked));
  auto people = std::make_shared<People>();
  people->at = clock_.steady().value;
  for (const auto& member : members)
    if (member.active && member.access_level >= gitlab::kDeveloper && !is_bot(member.user))
      people->members.push_back(member);
  if (people_.size() >= kMostPeople) people_.clear();
  people_[key] = people;
  co_return std::shared_ptr<const People>(people);
}

// Not away, and not asked for too much already. What GitLab does not say is no reason against.
Task<bool> History::has_time(gitlab::Gitlab& gitlab, std::string instance, int64_t user,
                             int64_t& open) {
  const std::pair key(instance, user);
  const auto fresh_us =
      std::chrono::duration_cast<std::chrono::microseconds>(options_.fresh).count();
  auto found = loads_.find(key);
  if (found == loads_.end() || clock_.steady().value - found->second.at > fresh_us) {
    Load load;
    load.at = clock_.steady().value;
    auto busy = co_await gitlab.is_busy(user);
    load.busy = busy.ok() && *busy;
    if (!load.busy) {
      auto waiting = co_await gitlab.open_reviews(user);
      load.open = waiting.ok() ? *waiting : 0;
    }
    if (loads_.size() >= kMostLoads) loads_.clear();
    found = loads_.insert_or_assign(key, load).first;
  }
  open = found->second.open;
  co_return !found->second.busy && open < options_.most_open_reviews;
}

// Which members an entry of CODEOWNERS means: by name, by role, or by membership of a group.
Task<std::set<int64_t>> History::owners_of(Question question, std::shared_ptr<const People> people,
                                           Owned owned) {
  std::set<int64_t> out;
  std::size_t groups = 0;
  for (const auto& owner : owned.owners) {
    bool named = false;
    for (const auto& member : people->members) {
      const bool by_role = owner.kind == triage::CodeOwner::Kind::role &&
                           member.access_level == level_of(owner.name);
      const bool by_name = owner.kind == triage::CodeOwner::Kind::account &&
                           same_word(owner.name, member.user.username);
      named = named || by_name;
      if (by_role || by_name) out.insert(member.user.id);
    }
    if (owner.kind != triage::CodeOwner::Kind::account || named || ++groups > kMostGroups) continue;
    const auto group = co_await people_of(question.instance, question.project_id, owner.name);
    if (!group.ok()) continue;  // a user who is gone, a group that is not ours to see
    for (const auto& member : group.value()->members)
      if (std::ranges::any_of(people->members, [&](const gitlab::Member& one) {
            return one.user.id == member.user.id;
          }))
        out.insert(member.user.id);
  }
  co_return out;
}

// Best first: those the history names, then owners it does not know.
Task<std::vector<History::Candidate>> History::candidates(Question question,
                                                          std::shared_ptr<const Known> known) {
  std::vector<Candidate> out;
  const auto people = co_await people_of(question.instance, question.project_id);
  if (!people.ok()) {
    log::warning("a project's members are not known now",
                 {{"project", question.project_path}, {"why", people.error().to_string()}});
    co_return out;
  }
  const auto& members = people.value()->members;
  std::set<int64_t> seen = {question.author.id};
  std::map<std::string, int64_t> by_email;
  for (const auto& one : known->people) {
    auto member = std::ranges::find_if(
        members, [&](const gitlab::Member& m) { return is_same(one.known, m.user); });
    if (member == members.end())
      member = std::ranges::find_if(
          members, [&](const gitlab::Member& m) { return is_likely(one.known, m.user); });
    if (member == members.end()) continue;
    for (const auto& email : one.known.emails) by_email.emplace(email, member->user.id);
    if (seen.insert(member->user.id).second)
      out.push_back({member->user, one.reason, one.place, {}});
  }
  for (std::size_t i = 0; i < known->owned.size(); ++i) {
    auto owners = co_await owners_of(question, people.value(), known->owned[i]);
    for (const auto& owner : known->owned[i].owners)
      if (const auto found = by_email.find(owner.name);
          owner.kind == triage::CodeOwner::Kind::email && found != by_email.end())
        owners.insert(found->second);
    for (const auto& member : members) {
      if (!owners.contains(member.user.id)) continue;
      if (seen.insert(member.user.id).second)
        out.push_back({member.user, "", known->owned[i].pattern, {}});
      const auto one = std::ranges::find_if(
          out, [&](const Candidate& c) { return c.user.id == member.user.id; });
      if (one != out.end()) one->owns.insert(i);  // the author owns, too, but is not among them
    }
  }
  co_return out;
}

// Whoever has to approve first, then by rank.
Task<Result<std::vector<Reviewer>>> History::eligible(Question question,
                                                      std::shared_ptr<const Known> known) {
  gitlab::Gitlab& gitlab = *sources_.at(question.instance).gitlab;
  auto candidates = co_await this->candidates(question, known);
  std::map<int64_t, std::set<int64_t>> wrong;  // merge requests, by user
  if (options_.wrong) {
    const auto told = co_await options_.wrong(question.instance, question.project_id);
    for (const auto& one : told) wrong[one.user_id].insert(one.iid);
  }
  std::erase_if(candidates, [&](const Candidate& one) {
    const auto found = wrong.find(one.user.id);
    if (found == wrong.end()) return false;
    return (question.iid > 0 && found->second.contains(question.iid)) ||
           (one.owns.empty() && found->second.size() >= kWrongTimes);
  });
  std::set<std::size_t> open_entries;
  for (const auto& one : candidates) open_entries.insert(one.owns.begin(), one.owns.end());
  std::vector<Reviewer> out;
  std::set<int64_t> done;
  std::size_t asked = 0;
  for (const bool only_owners : {true, false}) {
    for (const auto& one : candidates) {
      if (out.size() >= kSuggested || asked >= kMostAsked) break;
      const bool helps = std::ranges::any_of(
          one.owns, [&](std::size_t entry) { return open_entries.contains(entry); });
      if ((only_owners && !helps) || !done.insert(one.user.id).second) continue;
      ++asked;
      int64_t open = 0;
      const bool free = co_await has_time(gitlab, question.instance, one.user.id, open);
      if (!free) continue;
      for (const auto entry : one.owns) open_entries.erase(entry);
      Reviewer reviewer{one.user.username, one.user.name, one.reason, one.place};
      if (reviewer.reason.empty()) {
        reviewer.reason = "code owner of " + one.place;
      } else if (!one.owns.empty()) {
        reviewer.reason = "code owner, " + reviewer.reason;
      }
      if (question.asked.contains(one.user.id)) {
        reviewer.reason += ", asked already";
      } else if (open > 0) {
        reviewer.reason +=
            ", " + std::to_string(open) + (open == 1 ? " open review" : " open reviews");
      }
      out.push_back(std::move(reviewer));
    }
  }
  co_return out;
}

}  // namespace gitaiops::history
