// What is particular to the implementation on SQLite.
#include "base/sqlite/sqlite.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

using gitaiops::testing::await;
using gitaiops::testing::TemporaryFolder;

TEST(SqliteStore, RefusesMemoryGarbageAndAnotherApplicationsFile) {
  const TemporaryFolder folder;
  const FakeClock clock;
  EXPECT_EQ(open_sqlite({":memory:"}, clock).error().code(), Code::invalid_argument);
  EXPECT_EQ(open_sqlite({""}, clock).error().code(), Code::invalid_argument);
  std::ofstream(folder / "garbage.db") << std::string(9000, 'x');
  EXPECT_EQ(open_sqlite({folder / "garbage.db"}, clock).error().code(), Code::data_loss);
  EXPECT_EQ(std::filesystem::file_size(folder / "garbage.db"), 9000u) << "not touched";
  static constexpr std::string_view kOther[] = {"CREATE TABLE other(x)"};
  sqlite::Options other;
  other.path = folder / "other.db";
  other.application_id = 1;
  other.migrations = kOther;
  ASSERT_TRUE(sqlite::Database::open(other).ok());
  EXPECT_EQ(open_sqlite({folder / "other.db"}, clock).error().code(), Code::data_loss);
}

// Two processes share the file: the command line beside the daemon.
TEST(SqliteStore, ASecondOpenerSeesAndIsSeen) {
  const TemporaryFolder folder;
  const FakeClock clock(kNow.value);
  const auto daemon = std::move(open_sqlite({folder / "store.db"}, clock)).value();
  const auto command = std::move(open_sqlite({folder / "store.db"}, clock)).value();
  EnrollmentToken token;
  token.id = "t";
  token.secret_sha256 = "h";
  token.expires_at = kNow + 1;
  ASSERT_TRUE(await(command->add_enrollment_token(token)).ok());
  Agent agent;
  agent.id = "a";
  ASSERT_TRUE(await(daemon->enroll_agent("h", agent, kNow)).ok());
  ASSERT_TRUE(await(command->revoke_agent("a", kNow, "operator")).ok());
  await(daemon->wait_event(1, std::chrono::hours(1)));
  EXPECT_EQ(await(daemon->events_after(1, 10))->at(0).type, "agent.revoked");
}

TEST(SqliteStore, HostSamplesAreKeptForADay) {
  const TemporaryFolder folder;
  const FakeClock clock;
  const auto store = std::move(open_sqlite({folder / "store.db"}, clock)).value();
  EnrollmentToken token;
  token.id = "t";
  token.secret_sha256 = "h";
  token.expires_at = kNow + 1;
  ASSERT_TRUE(await(store->add_enrollment_token(token)).ok());
  Agent agent;
  agent.id = "a";
  ASSERT_TRUE(await(store->enroll_agent("h", agent, kNow)).ok());
  for (int64_t hour = 0; hour <= 30; ++hour) {
    fleet::v1::Envelope e;
    e.set_seq(static_cast<uint64_t>(hour) + 1);
    e.mutable_host_samples()->set_at_us(hour);
    e.mutable_host_samples()->set_jobs_running(3);
    ASSERT_TRUE(await(store->accept("a", 1, e, kNow + hour * 3600 * kSecond)).ok());
  }
  ASSERT_TRUE(await(store->backup(folder / "copy.db")).ok());
  sqlite::Options copy;
  copy.path = folder / "copy.db";
  const auto raw =
      sqlite::Connection::open((folder / "copy.db").native(), sqlite::Connection::Mode::read_only);
  ASSERT_TRUE(raw.ok());
  auto rows =
      (*raw)->query("SELECT count(*), min(at), sum(jobs_running), count(load1) FROM host_samples");
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.integer(0), 25);
  EXPECT_EQ(rows.integer(1), 6);
  EXPECT_EQ(rows.integer(2), 75);
  EXPECT_EQ(rows.integer(3), 0) << "not measured is not 0";
}

}  // namespace
}  // namespace gitaiops::store
