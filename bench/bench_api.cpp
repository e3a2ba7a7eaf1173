// The REST list of jobs with a million jobs stored: the newest page, pages far down, and the
// filters people use.
//   GITAIOPS_BENCH_JOBS  how many (1000000)
#include <cstdio>
#include <map>

#include <asio/io_context.hpp>

#include "base/crypto/crypto.h"
#include "base/log/log.h"
#include "base/outgoing/outgoing.h"
#include "base/sqlite/connection.h"
#include "bench/bench.h"
#include "controller/store/store.h"

namespace gitaiops::bench {
namespace {

constexpr int kRequests = 200;  // of each kind
constexpr const char* kSecret = "bench";

store::Scope projects_of_one_team() {
  return {{"main", "team7/*"}};
}

Task<bool> add_token(store::Store& store, std::string secret, store::Scope scope) {
  store::ApiToken token;
  token.id = secret;
  token.name = secret;
  token.secret_sha256 = crypto::sha256_hex(secret);
  token.verbs = {"read"};
  token.scope = std::move(scope);
  token.created_at = system_clock().now();
  token.expires_at = token.created_at + 86'400 * kMicrosPerSecond;
  const auto added = co_await store.add_api_token(token);
  co_return added.ok();
}

std::string report() {
  fleet::v1::JobReport report;
  report.set_report_id("0190b1e2-0000-7000-8000-000000000101");
  report.set_outcome(fleet::v1::OUTCOME_FAILED);
  report.mutable_key()->set_instance("main");
  report.mutable_diagnosis()->set_category("test_failure");
  report.mutable_diagnosis()->set_owner("test");
  report.mutable_diagnosis()->add_evidence()->set_text(std::string(300, 'e'));
  return report.SerializeAsString();
}

// As if the agents had reported them: 1,000 projects, one in five failed.
Status add_jobs(sqlite::Connection& c, int64_t count) {
  c.run(
      "INSERT INTO projects(instance, path, project_id) WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL "
      "SELECT n + 1 FROM i WHERE n < 1000) SELECT 'main', 'team' || (n % 50) || '/project' || n, n "
      "FROM i");
  c.run(
      "INSERT INTO jobs(id, instance, project_id, job_id, project_path, agent_id, received_at, "
      "finished_at, outcome, category, owner, report) WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL "
      "SELECT n + 1 FROM i WHERE n < ?1) "
      "SELECT printf('0190b1e2-0000-7000-8000-%012x', n), 'main', n % 1000 + 1, n, "
      "'team' || ((n % 1000 + 1) % 50) || '/project' || (n % 1000 + 1), 'agent' || (n % 200), "
      "?2 + n * 1000000, ?2 + n * 1000000, CASE WHEN n % 5 = 0 THEN 'failed' ELSE 'passed' END, "
      "CASE WHEN n % 5 = 0 THEN 'test_failure' END, CASE WHEN n % 5 = 0 THEN 'test' END, ?3 FROM i",
      {count, system_clock().now().value - count * kMicrosPerSecond, sqlite::Blob{report()}});
  return c.take_failure();
}

bool prepare(const std::filesystem::path& state, int64_t jobs) {
  std::filesystem::create_directory(state);
  std::filesystem::permissions(state, std::filesystem::perms::owner_all);
  bool good = false;
  {
    asio::io_context loop;
    const auto store = store::open_sqlite({state / "controller.db"}, system_clock());
    if (!store.ok()) return false;
    const auto add = [](store::Store& s, bool& out) -> Task<void> {
      out = co_await add_token(s, kSecret, store::everything());
      const bool second = co_await add_token(s, "team", projects_of_one_team());
      out = out && second;
    };
    spawn(loop.get_executor(), "tokens", add(**store, good));
    loop.run();
  }
  const auto c = sqlite::Connection::open((state / "controller.db").string(),
                                          sqlite::Connection::Mode::read_write);
  if (!c.ok() || !good) return false;
  good = (*c)->execute("BEGIN").ok() && add_jobs(**c, jobs).ok() && (*c)->execute("COMMIT").ok() &&
         (*c)->execute("PRAGMA wal_checkpoint(TRUNCATE)").ok();
  return good;
}

struct Timing {
  std::vector<double> ms;
  int failed = 0;
};

Task<void> ask(Outgoing* web, std::string url, std::string token, Timing* timing) {
  for (int i = 0; i < kRequests; ++i) {
    OutgoingRequest request{.url = url};
    request.headers = {{"Authorization", "Bearer " + token}};
    const double begun = seconds_now();
    const auto answer = co_await web->send(std::move(request));
    timing->ms.push_back((seconds_now() - begun) * 1000);
    if (!answer.ok() || answer->status != 200) ++timing->failed;
  }
}

Task<void> next_page(Outgoing* web, std::string url, std::string* next) {
  OutgoingRequest request{.url = std::move(url)};
  request.headers = {{"Authorization", std::string("Bearer ") + kSecret}};
  const auto answer = co_await web->send(std::move(request));
  if (!answer.ok()) co_return;
  const auto at = answer->body.find("\"next\":");
  if (at == std::string::npos) co_return;
  const auto from = answer->body.find('"', at + 7) + 1;
  *next = answer->body.substr(from, answer->body.find('"', from) - from);
}

void measure() {
  const auto jobs = setting("GITAIOPS_BENCH_JOBS", 1'000'000);
  const Folder folder;
  log::configure(log::Level::warning, log::Format::text);
  const double begun = seconds_now();
  if (!prepare(folder.path() / "state", jobs)) {
    std::printf("error: the store could not be made\n");
    return;
  }
  fact("making a store of " + std::to_string(jobs) + " jobs", seconds_now() - begun, "s");
  const double starting = seconds_now();
  const Controller controller(folder.path());
  fact("starting on it, every page checked", seconds_now() - starting, "s");
  asio::io_context loop;
  Outgoing web(loop.get_executor());
  const auto run = [&loop](Task<void> task) {
    loop.restart();
    spawn(loop.get_executor(), "bench", std::move(task));
    loop.run();
  };
  const std::string list = controller.api() + "/api/v1/jobs?limit=50";
  std::string next;
  run(next_page(&web, controller.api() + "/api/v1/jobs?limit=200", &next));
  const auto now = system_clock().now();
  const std::string past = to_rfc3339(now + -jobs / 2 * kMicrosPerSecond),
                    tomorrow = to_rfc3339(now + 86'400 * kMicrosPerSecond);
  const struct {
    const char* what;
    std::string url, token;
  } kinds[] = {
      {"newest page", list, kSecret},
      {"page by cursor", list + "&after=" + next, kSecret},
      {"failed ones", list + "&outcome=failed", kSecret},
      {"of one project", list + "&instance=main&project=team7/project7", kSecret},
      {"of one agent", list + "&agent=agent77", kSecret},
      {"a category that no job has", list + "&category=out_of_memory", kSecret},
      {"ended before a day in the past", list + "&finished_before=" + past, kSecret},
      {"ended after tomorrow", list + "&finished_after=" + tomorrow, kSecret},
      {"failed ones of a time", list + "&outcome=failed&finished_before=" + past, kSecret},
      {"of one agent and a time", list + "&agent=agent77&finished_before=" + past, kSecret},
      {"of one project's number", list + "&project_id=7", kSecret},
      {"of a project that is not there", list + "&project_id=7777", kSecret},
      {"of a pipeline that is not there", list + "&pipeline_id=7", kSecret},
      {"one job by its number", list + "&job_id=77", kSecret},
      {"what a team may see", list, "team"},
      {"what a team may see of a time", list + "&finished_before=" + past, "team"}};
  for (const auto& kind : kinds) {
    Timing timing;
    run(ask(&web, kind.url, kind.token, &timing));
    row(std::string("REST job list, p99, ") + kind.what, quantile(timing.ms, 0.99), "ms", 50,
        Better::lower);
    if (timing.failed > 0) std::printf("error: %d of %d failed\n", timing.failed, kRequests);
  }
}

}  // namespace
}  // namespace gitaiops::bench

int main() {
  gitaiops::bench::measure();
  return gitaiops::bench::verdict();
}
