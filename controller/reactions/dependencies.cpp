// What a merge request changes in what its project depends on, from the newest inventories of its
// own refs and of its target branch.
#include "controller/dependencies/dependencies.h"

#include <algorithm>

#include "controller/reactions/decide.h"
#include "controller/reactions/reactions.h"

namespace gitaiops::reactions {
namespace {

using queue::Verdict;

constexpr std::size_t kMostNotes = 100;  // of one project that are brought up to date

// GitLab ran the pipeline on the result of the merge: what the target has is in it.
bool is_merged(const std::string& ref) {
  return merge_request_of_ref(ref) && !ref.ends_with("/head");
}

// The name that most people know it by.
std::string known_name(const store::Found& found) {
  if (found.advisory.starts_with("CVE-")) return found.advisory;
  const auto cve = std::ranges::find_if(
      found.aliases, [](const std::string& alias) { return alias.starts_with("CVE-"); });
  return cve == found.aliases.end() ? found.advisory : *cve;
}

std::vector<note::Vulnerable> told(const std::vector<store::Found>& found) {
  std::vector<note::Vulnerable> out;
  for (const auto& one : found)
    out.push_back({one.package, one.version, one.fixed, known_name(one), one.summary, one.severity,
                   one.known_exploited, one.path});
  return out;
}

// Those of `found` that stood, or did not, where the branch began.
std::vector<store::Found> those(std::vector<store::Found> found, const std::vector<bool>& stood,
                                bool wanted) {
  std::vector<store::Found> out;
  for (std::size_t i = 0; i < std::min(found.size(), stood.size()); ++i)
    if (stood[i] == wanted) out.push_back(std::move(found[i]));
  return out;
}

note::Dependencies told_of(const dependencies::Comparison& comparison,
                           const std::vector<std::string>& reasons, const store::Matched& source,
                           const gitlab::MergeRequest& merge_request) {
  note::Dependencies out;
  out.target_branch = merge_request.target_branch;
  auto added = told(comparison.added);
  for (std::size_t i = 0; i < added.size(); ++i) {
    added[i].reason = reasons[i];
    (reasons[i].empty() ? out.added : out.accepted).push_back(std::move(added[i]));
  }
  out.removed = told(comparison.removed);
  const auto& head = merge_request.head_pipeline;
  if (source.commit_sha != merge_request.sha && !(head && head->sha == source.commit_sha))
    out.commit = source.commit_sha;
  return out;
}

}  // namespace

Task<Result<std::optional<store::Matched>>> Reactions::source_of(gitlab::Gitlab& gitlab,
                                                                 store::MergeRequestKey key,
                                                                 gitlab::MergeRequest merge_request,
                                                                 gitlab::Project target) {
  using Source = std::optional<store::Matched>;
  std::string path = target.path;
  if (merge_request.source_project_id != target.id) {
    const auto source = co_await gitlab.project(std::to_string(merge_request.source_project_id));
    const bool hidden = !source.ok() && (source.error().code() == Code::not_found ||
                                         source.error().code() == Code::permission_denied);
    if (!source.ok() && !hidden) co_return source.error();
    path = hidden ? std::string() : source->path;
  }
  auto refs =
      dependencies::refs_of_merge_request(path, merge_request.source_branch, target.path, key.iid);
  CO_ASSIGN_OR_RETURN(auto newest, co_await store_.vulnerabilities().newest_match(
                                       store::everything(), key.instance, std::move(refs)));
  if (!newest || newest->project_path == target.path) co_return newest;
  // From another project only what its agent was allowed to say here.
  const auto job = co_await store_.job_by_key(store::everything(), key.instance, newest->job_id);
  if (!job.ok() && job.error().code() != Code::not_found) co_return job.error();
  const bool allowed = job.ok() && job->gitlab && job->gitlab->merge_request == key;
  co_return allowed ? std::move(newest) : Source();
}

Task<Result<bool>> Reactions::matching_pends(store::MergeRequestKey key,
                                             gitlab::MergeRequest merge_request,
                                             gitlab::Project ran_in) {
  if (!options_.matching || !options_.matching()) co_return false;
  const auto& pipeline = *merge_request.head_pipeline;
  auto& store = store_.vulnerabilities();
  CO_ASSIGN_OR_RETURN(const auto newest,
                      co_await store.inventory_of_commit(key.instance, ran_in.path, pipeline.sha));
  if (!newest) co_return false;
  auto refs = dependencies::refs_of_merge_request(ran_in.path, merge_request.source_branch,
                                                  ran_in.path, key.iid);
  CO_ASSIGN_OR_RETURN(const auto matched, co_await store.newest_match(
                                              store::everything(), key.instance, std::move(refs)));
  co_return !matched || matched->n < *newest;
}

Task<Result<std::optional<note::Dependencies>>> Reactions::dependencies(
    gitlab::Gitlab& gitlab, store::MergeRequestKey key, gitlab::MergeRequest merge_request,
    gitlab::Project target) {
  using Told = std::optional<note::Dependencies>;
  if (merge_request.target_branch.empty()) co_return Told();
  CO_ASSIGN_OR_RETURN(const auto source, co_await source_of(gitlab, key, merge_request, target));
  if (!source) co_return Told();
  auto& store = store_.vulnerabilities();
  std::vector<store::RefOf> branch;
  branch.push_back({target.path, merge_request.target_branch});
  CO_ASSIGN_OR_RETURN(const auto before,
                      co_await store.newest_match(store::everything(), key.instance, branch));
  auto changed =
      dependencies::compare(before ? before->found : std::vector<store::Found>(), source->found);
  if (!before) {
    const auto reasons = accepted_in(key.instance, target.path, changed.added);
    auto out = told_of(changed, reasons, *source, merge_request);
    out.target_known = false;
    co_return Told(std::move(out));
  }
  std::optional<int64_t> base;
  if (!merge_request.base_sha.empty() && !is_merged(source->ref)) {
    CO_ASSIGN_OR_RETURN(base, co_await store.inventory_of_commit(key.instance, target.path,
                                                                 merge_request.base_sha));
  }
  if (base) {
    // A branch that has not followed its target neither brings what the target got rid of
    // meanwhile, nor ends what the target got meanwhile.
    CO_ASSIGN_OR_RETURN(const auto added_stood, co_await store.stood_in(*base, changed.added));
    CO_ASSIGN_OR_RETURN(const auto removed_stood, co_await store.stood_in(*base, changed.removed));
    changed.added = those(std::move(changed.added), added_stood, false);
    changed.removed = those(std::move(changed.removed), removed_stood, true);
  }
  const auto reasons = accepted_in(key.instance, target.path, changed.added);
  auto out = told_of(changed, reasons, *source, merge_request);
  CO_ASSIGN_OR_RETURN(const auto packages,
                      co_await store.package_changes(base.value_or(before->n), source->n));
  out.packages_added = packages.added;
  out.packages_removed = packages.removed;
  out.packages_changed = packages.changed;
  co_return Told(std::move(out));
}

std::vector<std::string> Reactions::accepted_in(const std::string& instance,
                                                const std::string& project,
                                                const std::vector<store::Found>& found) const {
  if (!options_.accepted) return std::vector<std::string>(found.size());
  return options_.accepted->reasons(instance, project, found, clock_.now());
}

// Whether something in the job's checkout may be worth a note, should it be new.
Task<Result<bool>> Reactions::has_vulnerabilities(store::Job job, std::string ref) {
  std::vector<store::RefOf> refs;
  refs.push_back({job.project_path, std::move(ref)});
  CO_ASSIGN_OR_RETURN(const auto matched,
                      co_await store_.vulnerabilities().newest_match(
                          store::everything(), job.key.instance, std::move(refs)));
  co_return matched&& std::ranges::any_of(matched->found, [&](const store::Found& found) {
    return found.severity >= options_.least_severity || found.known_exploited;
  });
}

Task<Verdict> Reactions::refresh_notes(store::Work work) {
  Verdict out;
  const auto about = read_refresh_notes(work.payload);
  const auto instance = about ? instances_.find(about->instance) : instances_.end();
  if (!about || instance == instances_.end()) co_return out;  // there is no note to keep
  const auto noted = co_await store_.vulnerabilities().noted_merge_requests(
      about->instance, about->project, kMostNotes);
  if (!noted.ok()) {
    out.what = queue::Failed{noted.error()};
    co_return out;
  }
  gitlab::Gitlab& gitlab = *instance->second;
  for (const auto& key : *noted) {
    const auto merge_request = co_await gitlab.merge_request(key.project_id, key.iid);
    if (!merge_request.ok()) {
      if (merge_request.error().code() == Code::not_found) continue;
      out.what = queue::Failed{merge_request.error(), gitlab.wait_hint()};
      out.outcome.follow_up.clear();
      co_return out;
    }
    if (merge_request->state != "opened") continue;
    out.outcome.follow_up.push_back(update_note_work(key, clock_.now()));
  }
  co_return out;
}

}  // namespace gitaiops::reactions
