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

// ---- The chain of the audit trail (audit.h) ----

class AuditChain : public ::testing::Test {
 protected:
  AuditChain() { reopen(); }
  void reopen() {
    store.reset();
    auto opened = open_sqlite({folder / "controller.db"}, clock);
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store = std::move(*opened);
  }
  void write(int count, int64_t first_second = 0) {
    for (int i = 0; i < count; ++i) {
      AuditRecord record{kNow + (first_second + i) * kSecond,
                         "operator",
                         "agent.revoke",
                         "gl",
                         7,
                         "agent",
                         "done"};
      record.object += std::to_string(i);
      ASSERT_TRUE(await(store->add_audit(record)).ok());
    }
  }
  // As somebody with the file in his hands.
  void tamper(const std::string& sql) {
    store.reset();
    auto raw = sqlite::Connection::open((folder / "controller.db").native(),
                                        sqlite::Connection::Mode::read_write);
    ASSERT_TRUE(raw.ok());
    ASSERT_TRUE((*raw)->execute(sql).ok()) << sql;
    raw->reset();
    reopen();
  }
  AuditVerdict verdict() { return *await(store->verify_audit()); }

  gitaiops::testing::TemporaryFolder folder{gitaiops::testing::TemporaryFolder::Where::memory};
  FakeClock clock{kNow.value};
  std::unique_ptr<Store> store;
};

TEST_F(AuditChain, WhatWasWrittenIsWhole) {
  EXPECT_FALSE(verdict().broken) << "empty";
  write(5);
  const auto v = verdict();
  EXPECT_FALSE(v.broken) << v.why;
  EXPECT_EQ(v.records, 5);
  EXPECT_EQ(v.last, 5);
  EXPECT_EQ(v.head, await(store->audit(1))->front().hash);
}

// Made by hand: (printf '\0%.0s' $(seq 32); printf
// '1:1,16:1700000000000000,8:operator,12:agent.revoke,2:gl,1:7, 6:agent0,4:done,') | sha256sum, on
// one line.
TEST_F(AuditChain, AnybodyCanComputeIt) {
  write(1);
  EXPECT_EQ(await(store->audit(1))->front().hash,
            "6a3879ddcbe2dc0111a6ce1f29108973183d986dfbbe352e8e1e416375a403bf");
}

TEST_F(AuditChain, TheFirstRecordThatWasChangedIsNamed) {
  write(5);
  const std::string off = "DROP TRIGGER audit_stays;";
  tamper(off + "UPDATE audit SET outcome = 'failed' WHERE n = 3");
  EXPECT_EQ(verdict().broken, 3);
}

TEST_F(AuditChain, ARecordThatIsMissingOrMovedIsNoticed) {
  write(5);
  tamper("DELETE FROM audit WHERE n = 3");
  EXPECT_EQ(verdict().broken, 4) << "the first that does not follow";
}

TEST_F(AuditChain, TheEndCannotBeCutOff) {
  write(5);
  tamper("DELETE FROM audit WHERE n > 3");
  EXPECT_EQ(verdict().broken, 4);
}

TEST_F(AuditChain, ARecordCannotBeSlippedIn) {
  write(2);
  tamper(
      "INSERT INTO audit(at, actor, act, instance, project_id, object, outcome, hash) SELECT at, "
      "actor, act, instance, project_id, 'another', outcome, hash FROM audit WHERE n = 2");
  EXPECT_EQ(verdict().broken, 3);
}

TEST_F(AuditChain, OneThatIsWrittenIsNotChangedByMistake) {
  write(1);
  store.reset();
  auto raw = sqlite::Connection::open((folder / "controller.db").native(),
                                      sqlite::Connection::Mode::read_write);
  ASSERT_TRUE(raw.ok());
  EXPECT_FALSE((*raw)->execute("UPDATE audit SET outcome = 'x'").ok());
}

TEST_F(AuditChain, RetentionTakesTheOldestAndTheRestStaysWhole) {
  write(500);
  Retention retention;
  retention.older_than = kNow + 300 * kSecond;
  ASSERT_TRUE(await(store->sweep(retention)).ok());
  const auto v = verdict();
  EXPECT_FALSE(v.broken) << v.why;
  EXPECT_EQ(v.first, 301);
  EXPECT_EQ(v.records, 200);
  retention.older_than = kNow + 3600 * kSecond;
  ASSERT_TRUE(await(store->sweep(retention)).ok());
  EXPECT_FALSE(verdict().broken);
  write(1, 7200);
  EXPECT_FALSE(verdict().broken);
  EXPECT_EQ(verdict().last, 501) << "numbers go on";
}

TEST_F(AuditChain, AClockThatWentBackLosesNothingInTheMiddle) {
  write(3, 100);
  write(3, 0);  // earlier
  Retention retention;
  retention.older_than = kNow + 50 * kSecond;
  ASSERT_TRUE(await(store->sweep(retention)).ok());
  EXPECT_FALSE(verdict().broken);
  EXPECT_EQ(verdict().records, 6) << "only a beginning goes";
}

// Records of before the chain: as the upgrade finds them.
TEST_F(AuditChain, OldRecordsBecomeItsBeginning) {
  write(4);
  tamper(
      "DROP TRIGGER audit_stays; UPDATE audit SET hash = NULL; DELETE FROM audit WHERE n < 3;"
      "UPDATE audit_head SET hash = zeroblob(32), chained = 0");
  const auto v = verdict();
  EXPECT_FALSE(v.broken) << v.why;
  EXPECT_EQ(v.records, 2);
  write(1, 10);
  EXPECT_EQ(verdict().last, 5);
  tamper("UPDATE audit SET hash = NULL WHERE n = 4");
  EXPECT_EQ(verdict().broken, 4) << "once, not whenever a hash is missing";
}

// A mutating act whose record cannot be committed does not happen.
TEST_F(AuditChain, NoActWithoutItsRecord) {
  EnrollmentToken token;
  token.id = "t";
  token.secret_sha256 = "h";
  token.expires_at = kNow + 3600 * kSecond;
  token.scope = everything();
  token.created_at = kNow;
  ASSERT_TRUE(await(store->add_enrollment_token(token)).ok());
  Agent agent;
  agent.id = "a";
  ASSERT_TRUE(await(store->enroll_agent("h", agent, kNow)).ok());
  ASSERT_TRUE(await(store->advance("c", 0, {{"k", "x", "", kNow}})).ok());
  const auto work = *await(store->lease(kNow, 3600 * kSecond));
  ASSERT_TRUE(await(store->give_up(*work, "why", {})).ok());
  ASSERT_TRUE(await(store->advance("c", 0, {{"job.retry", "y", "", kNow}})).ok());
  tamper("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no room'); END");

  EXPECT_FALSE(await(store->revoke_agent("a", kNow, "operator")).ok());
  EXPECT_FALSE(await(store->agent("a"))->revoked_at);
  const AuditRecord record{kNow, "operator", "work.replay", "", 0, "", "done"};
  EXPECT_FALSE(await(store->inbox().replay_dead_letter(1, record, kNow)).ok());
  EXPECT_EQ(await(store->queue_stats())->dead, 1);

  const auto retry = *await(store->lease(kNow, kSecond));
  ASSERT_TRUE(retry);
  WorkOutcome outcome;
  Decision d;
  d.act.id = "act-1";
  d.act.what = "job.retry";
  d.audit = record;
  d.work = {"act.do", "act-1", "{}", kNow};
  d.most = 5;
  outcome.decisions = {d};
  EXPECT_FALSE(await(store->finish(*retry, outcome)).ok());
  EXPECT_EQ(await(store->act("act-1")).error().code(), Code::not_found)
      << "it is not decided, so nobody does it";
}

}  // namespace
}  // namespace gitaiops::store
