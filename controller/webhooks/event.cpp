#include "controller/webhooks/event.h"

#include <simdjson.h>

#include "base/bytes/bytes.h"

namespace gitaiops::webhooks {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kLargest = 64 << 20;
constexpr std::size_t kLongestWord = 1024;

// The member, or nothing: absent, null and not-in-an-object are one to us.
simdjson::simdjson_result<element> at(const simdjson::simdjson_result<element>& parent,
                                      std::string_view key) {
  return parent.get_object().at_key(key);
}
std::string text(const simdjson::simdjson_result<element>& parent, std::string_view key) {
  std::string_view value;
  if (at(parent, key).get_string().get(value) != simdjson::SUCCESS) return {};
  return truncate_utf8(to_utf8(value), kLongestWord);
}
int64_t number(const simdjson::simdjson_result<element>& parent, std::string_view key) {
  int64_t value = 0;
  if (at(parent, key).get_int64().get(value) != simdjson::SUCCESS) return 0;
  return value > 0 ? value : 0;  // GitLab's ids are
}
bool flag(const simdjson::simdjson_result<element>& parent, std::string_view key) {
  bool value = false;
  return at(parent, key).get_bool().get(value) == simdjson::SUCCESS && value;
}

int64_t first_of(int64_t a, int64_t b) {
  return a != 0 ? a : b;
}
std::string first_of(std::string a, std::string b) {
  return a.empty() ? b : a;
}

Kind kind_of(std::string_view word) {
  static constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"merge_request", Kind::merge_request},
      {"push", Kind::push},
      {"tag_push", Kind::tag_push},
      {"pipeline", Kind::pipeline},
      {"build", Kind::job},
      {"job", Kind::job},
      {"note", Kind::note},
      {"issue", Kind::issue},
      {"work_item", Kind::issue},
      {"deployment", Kind::deployment},
      {"release", Kind::release},
      {"access_token", Kind::access_token},
  };
  for (const auto& [name, kind] : kKinds)
    if (name == word) return kind;
  return Kind::unknown;
}

// GitLab's other kinds, which nothing here reacts to.
bool is_system(std::string_view word) {
  static constexpr std::string_view kStarts[] = {
      "project_", "user_", "group_", "subgroup_", "key_", "repository_", "gitlab_subscription_"};
  for (const auto start : kStarts)
    if (word.starts_with(start)) return true;
  return false;
}

void read_merge_request(const simdjson::simdjson_result<element>& root, HookEvent& e) {
  const auto a = at(root, "object_attributes");
  e.number = number(a, "iid");
  e.project_id = first_of(number(a, "target_project_id"), e.project_id);
  e.action = text(a, "action");
  e.state = text(a, "state");
  e.ref = text(a, "source_branch");
  e.sha = text(at(a, "last_commit"), "id");
  e.old_sha = text(a, "oldrev");
  e.system = flag(a, "system");
  e.merge_request = e.number;
  e.merge_request_project = e.project_id;
}

void read_pipeline(const simdjson::simdjson_result<element>& root, HookEvent& e) {
  const auto a = at(root, "object_attributes");
  const auto merge_request = at(root, "merge_request");
  e.number = number(a, "id");
  e.state = text(a, "status");
  e.ref = text(a, "ref");
  e.sha = text(a, "sha");
  e.merge_request = number(merge_request, "iid");
  e.merge_request_project = number(merge_request, "target_project_id");
  simdjson::dom::array builds;
  if (at(root, "builds").get_array().get(builds) != simdjson::SUCCESS) return;
  for (element one : builds) {
    if (e.builds.size() == kMostBuilds) break;
    const simdjson::simdjson_result<element> build(std::move(one));
    if (const auto id = number(build, "id"); id != 0)
      e.builds.push_back({id, text(build, "status")});
  }
}

void read_job(const simdjson::simdjson_result<element>& root, HookEvent& e) {
  e.number = number(root, "build_id");
  e.name = text(root, "build_name");
  e.state = text(root, "build_status");
  e.ref = text(root, "ref");
  e.sha = text(root, "sha");
  e.pipeline_id = first_of(number(root, "pipeline_id"), number(at(root, "commit"), "id"));
}

constexpr std::string_view kCommand = "/gitaiops";

// Whether it is worth reading the comment: some line begins with our word, quoted or not.
bool has_command(std::string_view body) {
  for (auto at = body.find(kCommand); at != body.npos; at = body.find(kCommand, at + 1)) {
    auto before = body.substr(0, at);
    while (before.ends_with(' ')) before.remove_suffix(1);
    if (before.empty() || before.ends_with('\n') || before.ends_with('\r')) return true;
  }
  return false;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
}

void read_note(const simdjson::simdjson_result<element>& root, HookEvent& e) {
  const auto a = at(root, "object_attributes");
  const auto merge_request = at(root, "merge_request");
  e.number = number(a, "id");
  e.action = text(a, "action");
  e.system = flag(a, "system");
  e.merge_request = number(merge_request, "iid");
  e.merge_request_project = number(merge_request, "target_project_id");
  std::string_view body;
  if (at(a, "note").get_string().get(body) == simdjson::SUCCESS) e.commands = has_command(body);
  e.discussion = text(a, "discussion_id");
  if (!is_hex(e.discussion)) e.discussion.clear();
}

void read_rest(const simdjson::simdjson_result<element>& root, HookEvent& e) {
  const auto a = at(root, "object_attributes");
  switch (e.kind) {
    case Kind::merge_request:
      return read_merge_request(root, e);
    case Kind::pipeline:
      return read_pipeline(root, e);
    case Kind::job:
      return read_job(root, e);
    case Kind::note:
      return read_note(root, e);
    case Kind::push:
    case Kind::tag_push:
      e.ref = text(root, "ref");
      e.sha = text(root, "after");
      e.old_sha = text(root, "before");
      return;
    case Kind::issue:
      e.number = number(a, "iid");
      e.action = text(a, "action");
      e.state = text(a, "state");
      return;
    case Kind::deployment:
      e.number = number(root, "deployment_id");
      e.state = text(root, "status");
      e.ref = text(root, "ref");
      return;
    case Kind::release:
      e.name = text(root, "tag");
      e.action = text(root, "action");
      return;
    case Kind::access_token:
      e.name = text(a, "name");
      e.expires_at = text(a, "expires_at");
      return;
    case Kind::system:
    case Kind::unknown:
      return;
  }
}

}  // namespace

Result<HookEvent> read_event(std::string_view body) {
  simdjson::dom::parser parser(kLargest);
  if (parser.allocate(std::max<std::size_t>(body.size(), 256), kDeepest) != simdjson::SUCCESS)
    return Error(Code::invalid_argument, "the payload is too large to be read");
  const simdjson::padded_string padded(body);
  const auto root = parser.parse(padded);
  if (root.error() != simdjson::SUCCESS)
    return Error(Code::invalid_argument,
                 std::string("the payload is not JSON: ") + simdjson::error_message(root.error()));
  if (!root.is_object()) return Error(Code::invalid_argument, "the payload is not a JSON object");
  HookEvent e;
  const std::string object_kind = text(root, "object_kind"), event_name = text(root, "event_name");
  e.word = first_of(object_kind, event_name);
  if (e.word.empty())
    return Error(Code::invalid_argument, "the payload names neither object_kind nor event_name");
  e.kind = kind_of(e.word);
  if (e.kind == Kind::unknown && is_system(e.word)) e.kind = Kind::system;
  const auto project = at(root, "project");
  e.project_id = first_of(number(root, "project_id"), number(project, "id"));
  e.project_path =
      first_of(text(project, "path_with_namespace"), text(root, "path_with_namespace"));
  read_rest(root, e);
  return e;
}

}  // namespace gitaiops::webhooks
