#include "controller/history/workshop.h"

#include <algorithm>
#include <cctype>

#include "base/io/files.h"

namespace gitaiops::history {
namespace {

constexpr std::size_t kMostRanked = 60;       // of whom three are left who may and have time
constexpr std::size_t kMostOwned = 50;        // entries of CODEOWNERS of one change
constexpr std::size_t kMostOwnedPaths = 500;  // paths that are looked up in it
constexpr int kFailuresToStartAnew = 3;
constexpr uint64_t kLargestPack = uint64_t{4} << 30;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string without_end(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// What GitLab knows of a merge request's reviewers joins what its commit says. The address is the
// one that GitLab makes of a user, by which is_same() knows her again.
void complete(triage::Commit& commit, const gitlab::User& author,
              const std::vector<gitlab::User>& reviewers, triage::People& people) {
  const auto name_of = [&](const gitlab::User& user) {
    return people.name(
        people.add({user.name.empty() ? user.username : user.name,
                    std::to_string(user.id) + "-" + user.username + "@users.noreply.gitlab"}));
  };
  if (commit.author.empty() && author.id > 0) commit.author = name_of(author);
  for (const auto& user : reviewers) {
    const auto name = name_of(user);
    if (user.id != author.id && std::ranges::find(commit.reviewers, name) == commit.reviewers.end())
      commit.reviewers.push_back(name);
  }
}

}  // namespace

bool is_same(const triage::People::Known& known, const gitlab::User& user) {
  const auto name = lower(user.name), username = lower(user.username);
  if (name.find(' ') != std::string::npos &&
      std::ranges::any_of(known.names, [&](const auto& one) { return lower(one) == name; }))
    return true;
  const auto made = std::to_string(user.id) + "-" + username + "@users.noreply.";
  return std::ranges::any_of(known.emails,
                             [&](const auto& email) { return email.starts_with(made); });
}

bool is_likely(const triage::People::Known& known, const gitlab::User& user) {
  const auto username = lower(user.username);
  return !username.empty() && std::ranges::any_of(known.emails, [&](const auto& email) {
    return email.substr(0, email.find('@')) == username;
  });
}

std::string author_of(triage::People& people, const gitlab::User& user,
                      const std::vector<triage::Signature>& signed_by) {
  std::string out;
  for (const auto& [name, known] : people.known())
    if (user.id > 0 && is_same(known, user)) out = name;
  for (const auto& one : signed_by)
    if (const auto name = people.name(people.add(one)); out.empty()) out = name;
  if (!out.empty()) return out;
  for (const auto& [name, known] : people.known())
    if (user.id > 0 && is_likely(known, user)) out = name;
  return out;
}

Result<History::Workshop::Model*> History::Workshop::model_of(const Mirror& mirror,
                                                              const std::string& place,
                                                              const Question& question,
                                                              const Reviews& reviews) {
  ASSIGN_OR_RETURN(const auto tip, mirror.tip(question.default_branch), "the default branch");
  auto& found = models_.of(mirror, place, question.default_branch, tip);
  if (found.tip == tip) return &found;
  auto read =
      triage::read_repository(mirror.reader(), tip, {}, {found.tip, std::move(found.people)});
  if (!read.ok()) {
    models_.drop_last();
    return read.error();
  }
  for (std::size_t i = 0; i < read->commits.size(); ++i) {
    auto& commit = read->commits[i];
    const auto by_head = reviews.by_head.find(commit.id);
    const auto iid = by_head == reviews.by_head.end() ? read->merge_requests[i] : by_head->second;
    if (const auto told = reviews.by_merge_request.find(iid);
        told != reviews.by_merge_request.end())
      complete(commit, told->second.author, told->second.reviewers, read->people);
    found.reviewers.add(commit);
  }
  found.people = std::move(read->people);
  found.tip = tip;
  return &found;
}

std::vector<History::Ranked> History::Workshop::rank(Model& model, const Question& question,
                                                     const Mirror::Brought& brought,
                                                     int64_t now_s) const {
  // Whoever made the change does not review it.
  std::set<std::string> without;
  for (const auto& one : brought.authors) without.insert(model.people.name(model.people.add(one)));
  const auto author = author_of(model.people, question.author, brought.authors);
  std::vector<Ranked> out;
  for (auto& one : model.reviewers.suggest({author, brought.paths, now_s}, kMostRanked, without)) {
    const auto known = model.people.known().find(one.person);
    if (known != model.people.known().end())
      out.push_back({known->second, std::move(one.reason), std::move(one.place)});
  }
  return out;
}

// Whoever has to approve by the target's CODEOWNERS.
std::vector<History::Owned> History::Workshop::owned(const Mirror& mirror,
                                                     const std::string& target,
                                                     const std::vector<std::string>& paths) const {
  std::string text;
  for (const auto place : triage::CodeOwners::kPlaces) {
    text = mirror.small_file(target, std::string(place));
    if (!text.empty()) break;
  }
  const triage::CodeOwners file(text);
  std::vector<Owned> out;
  std::set<const triage::OwnerEntry*> seen;
  for (std::size_t i = 0; i < std::min(paths.size(), kMostOwnedPaths); ++i)
    for (const auto& [section, entry] : file.of(paths[i]))
      if (!section->optional && out.size() < kMostOwned && seen.insert(entry).second)
        out.push_back({entry->pattern, entry->owners});
  return out;
}

Result<Mirror> History::Workshop::mirror_of(const Question& question, const Source& source) const {
  ASSIGN_OR_RETURN(auto token, read_secret_file(source.token_file), "the token");
  return Mirror(shelf_.place(question.instance, question.project_id),
                {without_end(source.url) + "/" + question.project_path + ".git", std::move(token),
                 source.ca_file.string()},
                options_.triage ? Contents::all : Contents::none, options_.fetch_limit,
                std::min(options_.max_bytes, kLargestPack), stop_);
}

void History::Workshop::forget(const std::string& place) {
  models_.forget(place);
  pasts_.forget(place);
}

Status History::Workshop::bring_up_to_date(Mirror& mirror, const Question& question,
                                           Shelf::Swept& swept) {
  const auto folder = shelf_.place(question.instance, question.project_id);
  std::vector<std::string> branches = {question.default_branch};
  if (question.iid > 0) branches.push_back(question.target_branch);
  auto fetched = mirror.fetch(branches, question.iid);
  auto& failures = failures_[folder.string()];
  if (!fetched.ok()) {
    if (fetched.error().code() != Code::cancelled && ++failures >= kFailuresToStartAnew) {
      shelf_.remove(folder);
      forget(folder.string());
      failures = 0;
    }
    return fetched.error().within("fetching " + question.project_path);
  }
  failures = 0;
  shelf_.used(folder);
  swept = shelf_.sweep(options_.max_bytes, folder);
  return {};
}

Result<History::Workshop::Found> History::Workshop::answer(const Question& question,
                                                           const Source& source,
                                                           const Reviews& reviews, int64_t now_s) {
  ASSIGN_OR_RETURN(auto mirror, mirror_of(question, source));
  const auto place = shelf_.place(question.instance, question.project_id).string();
  Found found;
  RETURN_IF_ERROR(bring_up_to_date(mirror, question, found.swept));
  ASSIGN_OR_RETURN(auto* model, model_of(mirror, place, question, reviews));
  Mirror::Brought brought{question.paths, {}};
  std::string target = model->tip;
  if (question.iid > 0) {
    ASSIGN_OR_RETURN(const auto head, mirror.head(question.iid), "the merge request's head");
    ASSIGN_OR_RETURN(target, mirror.tip(question.target_branch), "the target branch");
    ASSIGN_OR_RETURN(brought, mirror.brought(target, head));
  }
  found.people = rank(*model, question, brought, now_s);
  found.owned = owned(mirror, target, brought.paths);
  return found;
}

}  // namespace gitaiops::history
