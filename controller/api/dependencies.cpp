// What a project depends on, as documents that other programs read, and what changed from one of
// its refs to another.
#include "controller/dependencies/dependencies.h"

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"
#include "controller/api/query.h"
#include "controller/api/render.h"
#include "controller/api/service.h"
#include "engines/scanner/outputs/sbom.h"
#include "engines/scanner/reports/reports.h"

namespace gitaiops::api {
namespace {

using http::problem;
using http::Response;

constexpr std::size_t kSeconds = std::string_view("2026-01-31T12:00:00").size();  // of RFC 3339

// "2026-01-31T12:00:00", UTC.
std::string to_the_second(UnixMicros time) {
  return to_rfc3339(time).substr(0, kSeconds);
}

// In RFC 9562's form, the same for the same bill: from what it is about, not from chance.
std::string uuid_of(const store::Inventory& inventory, std::string_view format) {
  const std::string digest = crypto::sha256_hex(
      inventory.instance + "\n" + inventory.project_path + "\n" + inventory.commit_sha + "\n" +
      inventory.content_hash + "\n" + std::string(format));
  return digest.substr(0, 8) + "-" + digest.substr(8, 4) + "-8" + digest.substr(13, 3) + "-8" +
         digest.substr(17, 3) + "-" + digest.substr(20, 12);
}

std::string bill(const store::Inventory& inventory, const std::string& format) {
  const scanner::SbomContext context{to_the_second(inventory.received_at) + "Z",
                                     uuid_of(inventory, format), GITAIOPS_VERSION};
  const auto packages = dependencies::inventory_of(inventory.body);
  if (format == "spdx") return scanner::as_spdx(packages, context);
  const auto version =
      format == "cyclonedx-1.5" ? scanner::CycloneDx::v1_5 : scanner::CycloneDx::v1_6;
  return scanner::as_cyclonedx(packages, version, context);
}

std::string media_type(const std::string& format) {
  if (format == "spdx") return "application/spdx+json";
  return "application/vnd.cyclonedx+json; version=" +
         std::string(format == "cyclonedx-1.5" ? "1.5" : "1.6");
}

Response document(std::string body, const std::string& type) {
  Response response;
  response.headers.add("Content-Type", type);
  response.body = std::move(body);
  return response;
}

Response no_inventory(const Call& call, const Error& error) {
  if (error.code() != Code::not_found) return problem_of(call, error);
  return problem(404,
                 "no checkout of that project, ref and commit was read by an agent, or it is not "
                 "for this token");
}

}  // namespace

// The newest inventory that fits, in the token's scope.
Task<Result<store::Inventory>> Service::inventory_of(Call call, store::InventoryFilter filter) {
  const auto project = parse_int(call.parameters[1]);
  if (!project || *project <= 0)
    co_return Error(Code::invalid_argument, "project_id is a positive whole number");
  filter.instance = call.parameters[0];
  filter.project_id = *project;
  co_return co_await dependencies_.store.inventory(call.token.scope, std::move(filter));
}

Task<Response> Service::sbom(Call call) {
  const auto query = parse_bill_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto inventory = co_await inventory_of(call, query->filter);
  if (!inventory.ok()) co_return no_inventory(call, inventory.error());
  co_return document(bill(*inventory, query->format), media_type(query->format));
}

std::vector<std::string> Service::accepted_in(const std::string& instance,
                                              const std::string& project,
                                              const std::vector<store::Found>& found) const {
  if (!dependencies_.accepted) return std::vector<std::string>(found.size());
  return dependencies_.accepted->reasons(instance, project, found, dependencies_.clock.now());
}

// What was matched for a ref, or why nothing is known of it.
Task<Result<store::Matched>> Service::matched_of(Call call, store::Inventory inventory) {
  std::vector<store::RefOf> refs;
  refs.push_back({inventory.project_path, inventory.ref});
  auto matched = co_await dependencies_.store.vulnerabilities().newest_match(
      call.token.scope, inventory.instance, std::move(refs));
  if (!matched.ok()) co_return matched.error();
  if (!matched->has_value())
    co_return Error(Code::not_found,
                    "what the ref depends on was not matched against advisories yet");
  co_return std::move(**matched);
}

Task<Response> Service::dependency_scanning_report(Call call) {
  const auto query = parse_ref_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  const auto newest = co_await inventory_of(call, query->filter);
  if (!newest.ok()) co_return no_inventory(call, newest.error());
  const auto matched = co_await matched_of(call, *newest);
  if (!matched.ok() && matched.error().code() == Code::not_found)
    co_return problem(404, matched.error().message());
  if (!matched.ok()) co_return problem_of(call, matched.error());
  // The newest may have come after the last match.
  store::InventoryFilter of_match;
  of_match.commit_sha = matched->commit_sha;
  of_match.ref = matched->ref;
  const auto inventory = co_await inventory_of(call, std::move(of_match));
  if (!inventory.ok()) co_return no_inventory(call, inventory.error());
  const auto packages = dependencies::inventory_of(inventory->body);
  const auto time = to_the_second(matched->received_at);
  const auto reasons = accepted_in(inventory->instance, inventory->project_path, matched->found);
  co_return document(scanner::to_gitlab_report(
                         packages, dependencies::findings_of(packages, matched->found, reasons),
                         GITAIOPS_VERSION, {time, time}) +
                         "\n",
                     "application/json");
}

Task<Result<store::Matched>> Service::matched_ref(Call call, std::string ref) {
  store::InventoryFilter filter;
  filter.ref = std::move(ref);
  auto newest = co_await inventory_of(call, std::move(filter));
  if (!newest.ok()) co_return newest.error();
  co_return co_await matched_of(std::move(call), std::move(*newest));
}

Task<Response> Service::dependency_changes(Call call) {
  const auto query = parse_changes_query(call.request);
  if (!query.ok()) co_return problem_of(call, query.error());
  std::vector<std::string> refs;
  refs.push_back(query->from);
  refs.push_back(query->to);
  std::vector<store::Matched> sides;
  for (const auto& ref : refs) {
    auto matched = co_await matched_ref(call, ref);
    if (!matched.ok() && matched.error().code() == Code::not_found)
      co_return problem(404, "nothing is known of what " + truncate_utf8(to_utf8(ref), 200) +
                                 " depends on, or it is not for this token");
    if (!matched.ok()) co_return problem_of(call, matched.error());
    sides.push_back(std::move(*matched));
  }
  const auto packages =
      co_await dependencies_.store.vulnerabilities().package_changes(sides[0].n, sides[1].n);
  if (!packages.ok()) co_return problem_of(call, packages.error());
  const auto found = dependencies::compare(sides[0].found, sides[1].found);
  const auto added = accepted_in(call.parameters[0], sides[1].project_path, found.added);
  const auto removed = accepted_in(call.parameters[0], sides[0].project_path, found.removed);
  co_return http::json(200, changes_json(sides[0], sides[1], found, added, removed, *packages));
}

}  // namespace gitaiops::api
