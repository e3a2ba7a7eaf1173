// The real Gitlab: paths, paging, retries. What comes back is read in parse.cpp; when to hold back
// is host_gate's.
#include <algorithm>
#include <map>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "base/io/files.h"
#include "base/outgoing/host_gate.h"
#include "controller/gitlab/gitlab.h"
#include "controller/gitlab/parse.h"

namespace gitaiops::gitlab {
namespace {

constexpr int kMaxTries = 3;
constexpr int kPageSize = 100;
constexpr std::size_t kDiffsAtOnce = 20;  // they are long
static_assert(kMostDiffs % kDiffsAtOnce == 0);
constexpr int kMaxPages = kMostListed / kPageSize;
// Answers that are remembered with their ETag, so that GitLab need not send them again.
constexpr std::size_t kMostRemembered = 512;
constexpr std::size_t kLargestRemembered = 32 << 10;

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += static_cast<char>(c);
    } else {
      out += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return out;
}

std::string number(int64_t value) {
  return std::to_string(value);
}

Error error_of(const std::string& what, const OutgoingResponse& response) {
  std::string message = what + ": GitLab answers " + std::to_string(response.status);
  if (const std::string said = parse_message(response.body); !said.empty())
    message += " (" + said + ")";
  switch (response.status) {
    case 401:
      return {Code::unauthenticated, message + "; check the token file"};
    case 403:
      return {Code::permission_denied, message};
    case 404:
      return {Code::not_found, message};
    case 409:
      return {Code::already_exists, message};
    case 429:
      return {Code::resource_exhausted, message};
    default:
      break;
  }
  if (response.status >= 500) return {Code::unavailable, message};
  if (response.status >= 300 && response.status < 400)
    return {Code::invalid_argument, message + " and leads elsewhere; check the instance's url"};
  return {Code::invalid_argument, message};
}

// Where Link's rel="next" leads, below /api/v4: `<https://host/api/v4/projects/7/jobs?cursor=…>;
// rel="next", …`. Only what asks for the same as `path`; the host in it is never used, our token
// goes to ours alone. Empty: none.
std::string next_page(std::string_view link, std::string_view path) {
  for (const auto part : split(link, ',')) {
    if (part.find("rel=\"next\"") == part.npos) continue;
    const auto open = part.find('<'), close = part.find('>');
    if (open == part.npos || close == part.npos || close < open) return {};
    const auto url = part.substr(open + 1, close - open - 1);
    const auto below = url.find("/api/v4/");
    if (below == url.npos) return {};
    const auto target = url.substr(below + std::string_view("/api/v4").size());
    return target.substr(0, target.find('?')) == path.substr(0, path.find('?'))
               ? std::string(target)
               : std::string();
  }
  return {};
}

// For figures.
std::string_view result_of(const Result<OutgoingResponse>& response) {
  if (!response.ok() || response->status >= 500) return "error";
  if (response->status == 429) return "limited";
  return response->status < 300 ? "ok" : "refused";
}

class HttpGitlab final : public Gitlab {
 public:
  HttpGitlab(HttpOptions options, std::string token, Outgoing& outgoing, const Clock& clock)
      : options_(std::move(options)),
        token_(std::move(token)),
        outgoing_(outgoing),
        clock_(clock) {}

  Task<Result<Project>> project(std::string id_or_path) override {
    Call call{.path = "/projects/" + percent_encoded(id_or_path)};
    call.remember = true;
    return ask<Project>(std::move(call), parse_project);
  }
  Task<Result<Job>> job(int64_t project, int64_t id) override {
    return get<Job>("/projects/" + number(project) + "/jobs/" + number(id), parse_job);
  }
  Task<Result<Pipeline>> pipeline(int64_t project, int64_t id) override {
    return get<Pipeline>("/projects/" + number(project) + "/pipelines/" + number(id),
                         parse_pipeline);
  }
  Task<Result<std::vector<Job>>> pipeline_jobs(int64_t project, int64_t pipeline) override {
    return list<Job>("/projects/" + number(project) + "/pipelines/" + number(pipeline) +
                         "/jobs?include_retried=false",
                     parse_jobs);
  }
  Task<Result<std::vector<Job>>> all_pipeline_jobs(int64_t project, int64_t pipeline) override {
    return list<Job>("/projects/" + number(project) + "/pipelines/" + number(pipeline) +
                         "/jobs?include_retried=true",
                     parse_jobs);
  }
  Task<Result<std::vector<Job>>> failed_jobs(int64_t project) override {
    return get<std::vector<Job>>(
        "/projects/" + number(project) + "/jobs?scope[]=failed&per_page=" + number(kPageSize),
        parse_jobs);
  }
  Task<Result<Trace>> trace(int64_t project, int64_t job, std::size_t max_bytes) override {
    Call call{.path = "/projects/" + number(project) + "/jobs/" + number(job) + "/trace"};
    call.accept = "*/*";
    call.max_bytes = max_bytes;
    CO_ASSIGN_OR_RETURN(auto response, co_await this->call(std::move(call)));
    Trace out;
    out.text = std::move(response.body);
    const auto range = std::string(response.header("Content-Range"));
    const auto total = parse_uint(std::string_view(range).substr(range.rfind('/') + 1));
    if (response.status == 206 && (!total || *total > out.text.size())) out.whole = false;
    if (out.text.size() > max_bytes) {
      out.text.resize(max_bytes);
      out.whole = false;
    }
    co_return out;
  }
  Task<Result<File>> file(int64_t project, std::string path, std::size_t max_bytes) override {
    Call call{.path = "/projects/" + number(project) + "/repository/files/" +
                      percent_encoded(path) + "/raw?ref=HEAD"};
    call.accept = "*/*";
    call.remember = true;
    auto response = co_await this->call(std::move(call));
    const bool endless = !response.ok() && response.error().code() == Code::internal;
    if (endless || (response.ok() && response->body.size() > max_bytes)) co_return File{"", false};
    if (!response.ok()) co_return response.error();
    co_return File{std::move(response->body)};
  }
  Task<Result<Job>> retry_job(int64_t project, int64_t job) override {
    return ask<Job>({.method = "POST",
                     .path = "/projects/" + number(project) + "/jobs/" + number(job) + "/retry",
                     .repeatable = false},
                    parse_job);
  }
  Task<Result<std::vector<Runner>>> project_runners(int64_t project) override {
    return list<Runner>("/projects/" + number(project) + "/runners?", parse_runners);
  }
  Task<Result<Runner>> pause_runner(int64_t runner) override {
    return ask<Runner>(
        {.method = "PUT", .path = "/runners/" + number(runner), .body = "{\"paused\":true}"},
        parse_runner);
  }
  Task<Result<std::vector<Bridge>>> pipeline_bridges(int64_t project, int64_t pipeline) override {
    return list<Bridge>(
        "/projects/" + number(project) + "/pipelines/" + number(pipeline) + "/bridges?",
        parse_bridges);
  }
  Task<Result<MergeRequest>> merge_request(int64_t project, int64_t iid) override {
    return get<MergeRequest>("/projects/" + number(project) + "/merge_requests/" + number(iid),
                             parse_merge_request);
  }
  Task<Result<MergeRequest>> change_labels(int64_t project, int64_t iid,
                                           std::vector<std::string> add,
                                           std::vector<std::string> remove) override {
    return ask<MergeRequest>(
        {.method = "PUT",
         .path = "/projects/" + number(project) + "/merge_requests/" + number(iid),
         .body = labels_json(add, remove)},
        parse_merge_request);
  }
  Task<Result<std::vector<MergeRequest>>> opened_merge_requests(
      int64_t project, std::string source_branch) override {
    return list<MergeRequest>(
        "/projects/" + number(project) +
            "/merge_requests?state=opened&source_branch=" + percent_encoded(source_branch),
        parse_merge_requests);
  }
  Task<Result<std::vector<MergeRequest>>> merge_requests_of_commit(int64_t project,
                                                                   std::string sha) override {
    return list<MergeRequest>("/projects/" + number(project) + "/repository/commits/" +
                                  percent_encoded(sha) + "/merge_requests?",
                              parse_merge_requests);
  }
  Task<Result<std::vector<MergeRequest>>> changed_merge_requests(int64_t project, UnixMicros after,
                                                                 UnixMicros before) override {
    return list<MergeRequest>(
        "/projects/" + number(project) + "/merge_requests?state=all" + changed(after, before),
        parse_merge_requests);
  }
  Task<Result<std::vector<Pipeline>>> changed_pipelines(int64_t project, UnixMicros after,
                                                        UnixMicros before) override {
    return list<Pipeline>(
        "/projects/" + number(project) + "/pipelines?scope=finished" + changed(after, before),
        parse_pipelines);
  }
  Task<Result<std::vector<FileDiff>>> diffs(int64_t project, int64_t iid) override {
    std::vector<FileDiff> out;
    for (int page = 1; out.size() < kMostDiffs; ++page) {
      CO_ASSIGN_OR_RETURN(auto some, co_await get<std::vector<FileDiff>>(
                                         "/projects/" + number(project) + "/merge_requests/" +
                                             number(iid) + "/diffs?per_page=" +
                                             std::to_string(kDiffsAtOnce) + "&page=" + number(page),
                                         parse_diffs));
      const bool last = some.size() < kDiffsAtOnce;
      std::ranges::move(some, std::back_inserter(out));
      if (last) break;
    }
    co_return out;
  }
  Task<Result<std::optional<UnixMicros>>> token_expiry() override {
    return get<std::optional<UnixMicros>>("/personal_access_tokens/self", parse_token_expiry);
  }
  Task<Result<User>> current_user() override {
    if (!user_) {
      CO_ASSIGN_OR_RETURN(user_, co_await get<User>("/user", parse_user));
    }
    co_return *user_;
  }
  Task<Result<std::vector<Member>>> members(int64_t project) override {
    return list<Member>("/projects/" + number(project) + "/members/all?", parse_members);
  }
  Task<Result<Member>> member(int64_t project, int64_t user) override {
    return get<Member>("/projects/" + number(project) + "/members/all/" + number(user),
                       parse_member);
  }
  Task<Result<std::vector<Member>>> group_members(std::string path) override {
    return list<Member>("/groups/" + percent_encoded(path) + "/members/all?", parse_members);
  }
  Task<Result<bool>> is_busy(int64_t user) override {
    return get<bool>("/users/" + number(user) + "/status", parse_busy);
  }
  Task<Result<int64_t>> open_reviews(int64_t user) override {
    return get<int64_t>("/merge_requests?scope=all&state=opened&reviewer_id=" + number(user) +
                            "&per_page=" + number(kPageSize),
                        parse_length);
  }
  Task<Result<std::vector<Note>>> notes(int64_t project, int64_t iid) override {
    return list<Note>(notes_path(project, iid) + "?sort=asc&order_by=created_at", parse_notes);
  }
  Task<Result<Note>> note(int64_t project, int64_t iid, int64_t id) override {
    return get<Note>(notes_path(project, iid) + "/" + number(id), parse_note);
  }
  Task<Result<Note>> create_note(int64_t project, int64_t iid, std::string body) override {
    return ask<Note>({.method = "POST",
                      .path = notes_path(project, iid),
                      .body = note_json(body),
                      .repeatable = false},
                     parse_note);
  }
  Task<Result<Note>> update_note(int64_t project, int64_t iid, int64_t id,
                                 std::string body) override {
    return ask<Note>({.method = "PUT",
                      .path = notes_path(project, iid) + "/" + number(id),
                      .body = note_json(body)},
                     parse_note);
  }
  Task<Result<std::vector<Note>>> discussion(int64_t project, int64_t iid,
                                             std::string id) override {
    return get<std::vector<Note>>(discussion_path(project, iid, id), parse_discussion);
  }
  Task<Result<Note>> reply(int64_t project, int64_t iid, std::string discussion,
                           std::string body) override {
    return ask<Note>({.method = "POST",
                      .path = discussion_path(project, iid, discussion) + "/notes",
                      .body = note_json(body),
                      .repeatable = false},
                     parse_note);
  }
  Task<Result<std::vector<CommitStatus>>> commit_statuses(int64_t project, std::string sha,
                                                          int64_t pipeline,
                                                          std::string name) override {
    return list<CommitStatus>(
        "/projects/" + number(project) + "/repository/commits/" + percent_encoded(sha) +
            "/statuses?pipeline_id=" + number(pipeline) + "&name=" + percent_encoded(name),
        parse_commit_statuses);
  }
  Task<Result<CommitStatus>> set_commit_status(int64_t project, std::string sha, int64_t pipeline,
                                               CommitStatus status) override {
    return ask<CommitStatus>(
        {.method = "POST",
         .path = "/projects/" + number(project) + "/statuses/" + percent_encoded(sha),
         .body = commit_status_json(status, pipeline),
         .repeatable = false},
        parse_commit_status);
  }
  Task<Result<std::vector<StatusCheck>>> status_checks(int64_t project, int64_t iid) override {
    return list<StatusCheck>(
        "/projects/" + number(project) + "/merge_requests/" + number(iid) + "/status_checks?",
        parse_status_checks);
  }
  Task<Status> answer_status_check(int64_t project, int64_t iid, std::string sha, int64_t check,
                                   bool passed) override {
    Call request{.method = "POST",  // named: GCC 12 destroys it twice within the co_await
                 .path = "/projects/" + number(project) + "/merge_requests/" + number(iid) +
                         "/status_check_responses",
                 .body = status_check_json(sha, check, passed)};
    const auto response = co_await call(std::move(request));
    co_return response.ok() ? Status() : Status(response.error());
  }
  std::chrono::microseconds wait_hint() const override {
    return std::chrono::microseconds(gate_.wait_us(clock_.steady()));
  }

 private:
  struct Call {
    std::string method = "GET";
    std::string path;  // below /api/v4
    std::string body = {};
    bool repeatable = true;  // doing it twice is the same as once
    std::string_view accept = "application/json";
    std::size_t max_bytes = 0;  // 0: all of it, as far as that is bearable
    bool remember = false;      // asked often, changes seldom
  };
  template <class T>
  using Parse = Result<T> (*)(std::string_view);

  static std::string notes_path(int64_t project, int64_t iid) {
    return "/projects/" + number(project) + "/merge_requests/" + number(iid) + "/notes";
  }

  static std::string discussion_path(int64_t project, int64_t iid, const std::string& id) {
    return "/projects/" + number(project) + "/merge_requests/" + number(iid) + "/discussions/" +
           percent_encoded(id);
  }

  Task<Result<OutgoingResponse>> call(Call call);
  Task<Result<OutgoingResponse>> send_once(Call call);
  bool token_changed();
  void recall(const std::string& path, OutgoingResponse& response);

  template <class T>
  Task<Result<T>> ask(Call call, Parse<T> parse) {
    const std::string what = call.method + " " + call.path;
    CO_ASSIGN_OR_RETURN(const auto response, co_await this->call(std::move(call)));
    auto value = parse(response.body);
    if (!value.ok()) co_return value.error().within(what);
    co_return value;
  }
  template <class T>
  Task<Result<T>> get(std::string path, Parse<T> parse) {
    Call call{.path = std::move(path)};
    return ask<T>(std::move(call), parse);
  }
  static std::string changed(UnixMicros after, UnixMicros before) {
    return "&updated_after=" + percent_encoded(to_rfc3339(after)) +
           "&updated_before=" + percent_encoded(to_rfc3339(before)) +
           "&order_by=updated_at&sort=asc";
  }
  // `path` has a query already. All pages: the next one is where Link says, be it by number or by
  // key, or, without Link, expected after a full one.
  template <class T>
  Task<Result<std::vector<T>>> list(std::string path, Parse<std::vector<T>> parse) {
    if (!path.ends_with('?')) path += '&';
    std::vector<T> all;
    std::string announced;
    for (int page = 1; page <= kMaxPages; ++page) {
      Call call{.path = path + "per_page=" + number(kPageSize) + "&page=" + number(page)};
      if (!announced.empty()) call.path = announced;
      CO_ASSIGN_OR_RETURN(const auto response, co_await this->call(std::move(call)));
      auto items = parse(response.body);
      if (!items.ok()) co_return items.error().within("GET " + path);
      const bool full = items->size() >= kPageSize;
      std::ranges::move(*items, std::back_inserter(all));
      const auto link = response.header("Link");
      if (link.empty() ? !full : link.find("rel=\"next\"") == link.npos) break;
      announced = next_page(link, path);
    }
    co_return all;
  }

  HttpOptions options_;
  std::string token_;
  Outgoing& outgoing_;
  const Clock& clock_;
  HostGate gate_;
  std::optional<User> user_;
  struct Remembered {
    std::string etag, body;
  };
  std::map<std::string, Remembered> remembered_;  // by path
};

// The token was rotated under us: the file holds another one now.
bool HttpGitlab::token_changed() {
  auto token = read_secret_file(options_.token_file);
  if (!token.ok() || *token == token_) return false;
  token_ = std::move(*token);
  user_.reset();
  remembered_.clear();  // another token may see other things
  return true;
}

// One request over the wire; tells the gate how it went.
Task<Result<OutgoingResponse>> HttpGitlab::send_once(Call call) {
  const std::string what = call.method + " " + call.path;
  switch (gate_.ask(clock_.steady())) {
    case HostGate::Answer::rate_limited:
      co_return Error{Code::resource_exhausted, what + ": GitLab asked us to wait"};
    case HostGate::Answer::broken:
      co_return Error{Code::unavailable, what + ": GitLab has not answered lately"};
    case HostGate::Answer::pass:
      break;
  }
  OutgoingRequest request{.method = call.method, .url = options_.url + "/api/v4" + call.path};
  request.total_timeout = options_.request_timeout;
  request.headers = {{"PRIVATE-TOKEN", token_}, {"Accept", std::string(call.accept)}};
  if (call.max_bytes > 0) {
    request.headers.emplace_back("Range", "bytes=0-" + std::to_string(call.max_bytes - 1));
    // A server that gives no parts sends all of it; that is taken as far as it is bearable.
    request.max_response_bytes = std::max(4 * call.max_bytes, kOutgoingMaxResponseBytes);
    request.total_timeout = 6 * options_.request_timeout;
  }
  if (!call.body.empty()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::move(call.body);
  }
  const auto known = call.remember ? remembered_.find(call.path) : remembered_.end();
  if (known != remembered_.end()) request.headers.emplace_back("If-None-Match", known->second.etag);
  const auto begun = clock_.steady();
  auto response = co_await outgoing_.send(std::move(request));
  if (options_.on_request && (response.ok() || response.error().code() != Code::cancelled))
    options_.on_request(result_of(response), clock_.steady() - begun);
  if (!response.ok()) {
    const Code code = response.error().code();
    if (code == Code::cancelled) {
      gate_.abandoned();
    } else if (code == Code::resource_exhausted) {
      gate_.succeeded();  // it did answer, at length
      co_return Error{Code::internal, response.error().to_string()};
    } else {
      gate_.failed(clock_.steady());
    }
    co_return response.error();
  }
  if (response->status == 429) {
    gate_.limited(clock_.steady(), demanded_wait_us(*response, clock_.now()));
  } else if (response->status >= 500) {
    gate_.failed(clock_.steady());
  } else {
    gate_.succeeded();
    if (const auto wait = used_up_us(*response, clock_.now())) gate_.limited(clock_.steady(), wait);
  }
  if (call.remember) recall(call.path, *response);
  if (response->status < 200 || response->status >= 300) co_return error_of(what, *response);
  co_return response;
}

// An answer that is as it was is the one we have; a new one is kept.
void HttpGitlab::recall(const std::string& path, OutgoingResponse& response) {
  const auto known = remembered_.find(path);
  if (response.status == 304 && known != remembered_.end()) {
    response.status = 200;
    response.body = known->second.body;
    return;
  }
  const auto etag = response.header("ETag");
  if (response.status != 200 || etag.empty() || response.body.size() > kLargestRemembered) {
    if (known != remembered_.end()) remembered_.erase(known);
    return;
  }
  if (remembered_.size() >= kMostRemembered) remembered_.clear();
  remembered_[path] = {std::string(etag), response.body};
}

Task<Result<OutgoingResponse>> HttpGitlab::call(Call call) {
  bool token_was_read_again = false;
  for (int tries = 1;; ++tries) {
    Call once = call;
    auto response = co_await send_once(std::move(once));
    if (response.ok()) co_return response;
    const Code code = response.error().code();
    if (code == Code::unauthenticated && !token_was_read_again && token_changed()) {
      token_was_read_again = true;
      continue;
    }
    const bool passing = code == Code::unavailable || code == Code::deadline_exceeded;
    if (!passing || !call.repeatable || tries >= kMaxTries || wait_hint().count() > 0 ||
        !gate_.spend_retry())
      co_return response;
    // Half to all of the step, so that a fleet that failed together does not come back together.
    const auto step = std::chrono::microseconds(options_.first_retry) * (1 << (tries - 1));
    const auto wait = step / 2 + step * static_cast<int64_t>(crypto::random_u64() % 1000) / 2000;
    if (!co_await sleep_for(wait))
      co_return Error{Code::cancelled, call.method + " " + call.path + ": cancelled"};
  }
}

}  // namespace

Result<std::unique_ptr<Gitlab>> open_http(HttpOptions options, Outgoing& outgoing,
                                          const Clock& clock) {
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!options.url.starts_with("https://") && !options.url.starts_with("http://"))
    return Error{Code::invalid_argument, "gitlab \"" + options.id +
                                             "\": url must start with https:// or http://, not \"" +
                                             options.url + "\""};
  ASSIGN_OR_RETURN(auto token, read_secret_file(options.token_file),
                   "the token of gitlab \"" + options.id + "\"");
  return std::unique_ptr<Gitlab>(
      std::make_unique<HttpGitlab>(std::move(options), std::move(token), outgoing, clock));
}

}  // namespace gitaiops::gitlab
