// How risky and large a merge request is, by what the project's changes were like.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "base/log/log.h"
#include "controller/history/workshop.h"

namespace gitaiops::history {
namespace {

// Whose lines are counted: the newest, which tell most of what is usual and take some seconds.
constexpr triage::ReadBounds kPastBounds = {.most_commits = 20'000, .lines = true};
constexpr std::size_t kNewCommits = 200;  // and a tenth of those there were: learnt anew
constexpr const char* kModelFile = "gitaiops-risk";
constexpr std::size_t kLargestModel = 32 << 20;

bool is_draft(std::string_view title) {
  return title.size() >= 6 && (title.starts_with("Draft:") || title.starts_with("draft:"));
}

triage::Change change_of(const Question& question, Mirror::Counted counted, int64_t now_s) {
  triage::Change change;
  change.time_s = now_s;
  change.title = is_draft(question.title)
                     ? std::string(trimmed(std::string_view(question.title).substr(6)))
                     : question.title;
  change.description = question.description;
  change.labels = question.labels;
  for (auto& file : counted.files) {
    change.files.push_back(std::move(file.path));
    change.lines.push_back({file.added, file.deleted});
  }
  change.added_text = std::move(counted.text);
  return change;
}

int64_t lines_of(const triage::Commit& commit) {
  int64_t out = 0;
  for (const auto& one : commit.lines) out += one.added + one.deleted;
  return out;
}

bool has_grown(std::size_t trained_at, std::size_t commits) {
  const auto apart = trained_at > commits ? trained_at - commits : commits - trained_at;
  return apart >= std::max(kNewCommits, trained_at / 10);
}

// "of 1200 commits", then the model's text.
struct Kept {
  std::size_t trained_at = 0;
  triage::risk::Model model;
};
std::optional<Kept> kept_model(const std::filesystem::path& file) {
  const auto text = read_file(file, kLargestModel);
  if (!text.ok()) return std::nullopt;
  const auto end = text->find('\n');
  const auto first = std::string_view(*text).substr(0, end);
  if (end == text->npos || !first.starts_with("of ") || !first.ends_with(" commits"))
    return std::nullopt;
  const auto count = parse_uint(first.substr(3, first.size() - 3 - 8));
  auto model = triage::risk::Model::read(std::string_view(*text).substr(end + 1));
  if (!count || !model.ok()) return std::nullopt;
  return Kept{static_cast<std::size_t>(*count), std::move(*model)};
}

}  // namespace

Result<History::Workshop::Past*> History::Workshop::past_of(const Mirror& mirror,
                                                            const std::string& place,
                                                            const Question& question,
                                                            const Reviews& reviews) {
  ASSIGN_OR_RETURN(const auto tip, mirror.tip(question.default_branch), "the default branch");
  auto& found = pasts_.of(mirror, place, question.default_branch, tip);
  if (found.tip == tip) return &found;
  auto read = triage::read_repository(mirror.reader(), tip, kPastBounds,
                                      {found.tip, std::move(found.people)});
  if (!read.ok()) {
    pasts_.drop_last();
    return read.error();
  }
  for (std::size_t i = 0; i < read->commits.size(); ++i) {
    const auto& commit = read->commits[i];
    found.history.add(commit);
    const auto by_head = reviews.by_head.find(commit.id);
    const auto iid = by_head == reviews.by_head.end() ? read->merge_requests[i] : by_head->second;
    const auto told = reviews.by_merge_request.find(iid);
    if (told != reviews.by_merge_request.end() && told->second.hours > 0 && !commit.lines.empty())
      found.history.add(triage::ReviewTime{lines_of(commit), told->second.hours});
  }
  found.people = std::move(read->people);
  found.tip = tip;
  return &found;
}

// A model that cannot be kept is learnt again after a restart, no more.
Status History::Workshop::learn(Past& past, int64_t now_s, bool& trained) const {
  const auto file = std::filesystem::path(past.place) / kModelFile;
  const auto commits = past.history.commits();
  if (!past.model) {
    if (auto kept = kept_model(file)) {
      past.trained_at = kept->trained_at;
      past.model = std::move(kept->model);
    }
  }
  if (past.model && !has_grown(past.trained_at, commits)) return {};
  past.model = triage::risk_model(past.history, now_s);
  past.trained_at = commits;
  trained = true;
  return write_file_atomic(file,
                           "of " + std::to_string(commits) + " commits\n" + past.model->to_text());
}

Result<History::Workshop::Found> History::Workshop::assess(const Question& question,
                                                           const Source& source,
                                                           const Reviews& reviews, int64_t now_s) {
  ASSIGN_OR_RETURN(auto mirror, mirror_of(question, source));
  const auto place = shelf_.place(question.instance, question.project_id).string();
  Found found;
  RETURN_IF_ERROR(bring_up_to_date(mirror, question, found.swept));
  ASSIGN_OR_RETURN(auto* past, past_of(mirror, place, question, reviews));
  if (const auto kept = learn(*past, now_s, found.trained); !kept.ok())
    log::warning("a risk model cannot be kept", {{"why", kept.error().to_string()}});
  // What is wrong with one merge request says nothing of the project.
  const auto head = mirror.head(question.iid);
  const auto target = mirror.tip(question.target_branch);
  auto counted = head.ok() && target.ok() ? mirror.counted(*target, *head)
                                          : Result<Mirror::Counted>(Mirror::Counted{});
  if (!head.ok() || !target.ok() || !counted.ok()) {
    const auto& why = !head.ok() ? head.error() : !target.ok() ? target.error() : counted.error();
    log::warning("a merge request cannot be compared with its project",
                 {{"instance", question.instance},
                  {"project", question.project_path},
                  {"merge_request", question.iid},
                  {"why", why.to_string()}});
    return found;
  }
  const auto author = author_of(past->people, question.author, counted->authors);
  auto change = change_of(question, std::move(*counted), now_s);
  change.author = author;
  found.assessment =
      Assessment{*head, triage::triage(change, past->history, *past->model, *options_.triage),
                 past->model->basis()};
  return found;
}

}  // namespace gitaiops::history
