#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/sqlite/sqlite.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::sqlite {
namespace {

using testing::await;
using testing::TemporaryFolder;

constexpr std::string_view kSchema[] = {"CREATE TABLE t(k INTEGER PRIMARY KEY, v)"};
constexpr int32_t kOurs = 0x11223344;

std::unique_ptr<Database> open(const std::filesystem::path& path, std::size_t queue_limit = 1024) {
  Options options;
  options.path = path;
  options.application_id = kOurs;
  options.migrations = kSchema;
  options.queue_limit = queue_limit;
  auto db = Database::open(options);
  EXPECT_TRUE(db.ok()) << db.error().to_string();
  return std::move(db).value();
}

Task<Result<int64_t>> put(Database& db, int64_t k, std::string v) {
  return db.write([k, v](Connection& c) -> Result<int64_t> {
    c.run("INSERT INTO t VALUES(?, ?)", {k, v});
    return k;
  });
}

Result<int64_t> count(Database& db) {
  return await(db.read([](Connection& c) -> Result<int64_t> {
    return c.integer("SELECT count(*) FROM t").value_or(-1);
  }));
}

TEST(Database, KeepsEveryKindOfValue) {
  const TemporaryFolder folder;
  const auto db = open(folder / "sub/a.db");
  const std::string bytes("a\0b\xff", 4);
  ASSERT_TRUE(await(db->write([bytes](Connection& c) -> Status {
                c.run("INSERT INTO t VALUES(1, ?), (2, ?), (3, ?), (4, ?), (5, ?), (6, ?)",
                      {int64_t{-7}, 2.5, "tëxt", Blob{bytes}, std::optional<int64_t>(), Blob{""}});
                c.run("INSERT INTO t VALUES(7, ?)", {uint64_t{0xffff'ffff'ffff'fffe}});
                return {};
              })).ok());
  const auto seen = await(db->read([](Connection& c) -> Result<std::vector<std::string>> {
    std::vector<std::string> out;
    auto rows = c.query("SELECT v, typeof(v) FROM t ORDER BY k");
    while (rows.next()) out.push_back(rows.text(1) + ":" + rows.text(0));
    return out;
  }));
  EXPECT_EQ(*seen, (std::vector<std::string>{"integer:-7", "real:2.5", "text:tëxt", "blob:" + bytes,
                                             "null:", "blob:", "integer:-2"}));
}

TEST(Database, FilesAreClosedToOthers) {
  const TemporaryFolder folder;
  const auto db = open(folder / "sub/a.db");
  ASSERT_TRUE(await(put(*db, 1, "x")).ok());
  for (const auto& [name, mode] : std::vector<std::pair<std::string, mode_t>>{
           {"sub", 0700}, {"sub/a.db", 0600}, {"sub/a.db-wal", 0600}, {"sub/a.db-shm", 0600}}) {
    struct stat status{};
    ASSERT_EQ(::stat((folder / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, mode) << name;
  }
}

TEST(Database, SettingsAreWhatDurabilityNeeds) {
  const TemporaryFolder folder;
  const auto db = open(folder / "a.db");
  const auto setting = [&db](std::string name) {
    return *await(db->write([name](Connection& c) -> Result<std::string> {
      auto rows = c.query("PRAGMA " + name);
      return rows.next() ? rows.text(0) : "";
    }));
  };
  EXPECT_EQ(setting("journal_mode"), "wal");
  EXPECT_EQ(setting("synchronous"), "2");
  EXPECT_EQ(setting("auto_vacuum"), "2");
  EXPECT_EQ(setting("foreign_keys"), "1");
  EXPECT_EQ(setting("trusted_schema"), "0");
  EXPECT_EQ(setting("application_id"), std::to_string(kOurs));
  EXPECT_EQ(setting("user_version"), "1");
}

TEST(Database, AFailedClosureLeavesNothingAndItsNeighboursEverything) {
  const TemporaryFolder folder;
  const auto db = open(folder / "a.db");
  // The first closure holds the writer until the other three have queued: they are one batch.
  std::promise<void> queued;
  std::promise<Status> answers[3];
  db->write_later([&queued](Connection&) -> Status { return queued.get_future().wait(), Status(); },
                  [](Status) {});
  const auto later = [&](int i, Database::Step act) {
    db->write_later(std::move(act),
                    [&answers, i](Status s) { answers[i].set_value(std::move(s)); });
  };
  later(0, [](Connection& c) -> Status { return c.run("INSERT INTO t VALUES(1, 'a')"), Status(); });
  later(1, [](Connection& c) -> Status {
    c.run("INSERT INTO t VALUES(2, 'b')");
    c.run("INSERT INTO t VALUES(1, 'again')");
    c.run("INSERT INTO t VALUES(3, 'after a failure nothing runs')");
    return {};
  });
  later(2, [](Connection& c) -> Status { return c.run("INSERT INTO t VALUES(4, 'd')"), Status(); });
  queued.set_value();
  EXPECT_TRUE(answers[0].get_future().get().ok());
  const auto failed = answers[1].get_future().get();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::already_exists);
  EXPECT_TRUE(answers[2].get_future().get().ok());
  EXPECT_EQ(*count(*db), 2);
}

TEST(Database, AnErrorOfTheClosureUndoesIt) {
  const TemporaryFolder folder;
  const auto db = open(folder / "a.db");
  bool announced = false;
  const auto answer = await(db->write([&announced](Connection& c) -> Result<int64_t> {
    c.run("INSERT INTO t VALUES(1, 'a')");
    c.after_commit([&announced] { announced = true; });
    return Error(Code::permission_denied, "no");
  }));
  EXPECT_EQ(answer.error().code(), Code::permission_denied);
  EXPECT_EQ(*count(*db), 0);
  EXPECT_FALSE(announced);
}

TEST(Database, AnExceptionOrABadStatementIsAnErrorOfThatClosureOnly) {
  const TemporaryFolder folder;
  const auto db = open(folder / "a.db");
  EXPECT_EQ(await(db->write([](Connection&) -> Status { throw std::runtime_error("boom"); }))
                .error()
                .code(),
            Code::internal);
  EXPECT_EQ(await(db->read([](Connection& c) -> Status { return c.run("SELEKT"), Status(); }))
                .error()
                .code(),
            Code::internal);
  EXPECT_EQ(
      await(db->read([](Connection& c) -> Status { return c.run("DELETE FROM t"), Status(); }))
          .error()
          .code(),
      Code::permission_denied);
  EXPECT_TRUE(await(put(*db, 1, "fine")).ok());
}

TEST(Database, HooksRunOnlyForWhatWasCommittedBeforeTheCallerResumes) {
  const TemporaryFolder folder;
  const auto db = open(folder / "a.db");
  std::atomic<int> ran = 0;
  ASSERT_TRUE(await(db->write([&ran](Connection& c) -> Status {
                c.run("INSERT INTO t VALUES(1, 'a')");
                c.after_commit([&ran] { ++ran; });
                return {};
              })).ok());
  EXPECT_EQ(ran, 1);
}

TEST(Database, AFullQueueRefusesAndAClosedOneCancels) {
  const TemporaryFolder folder;
  std::promise<void> release;
  std::atomic<int> stored = 0;
  std::atomic<int> refused = 0;
  {
    const auto db = open(folder / "a.db", 2);
    std::promise<void> running;
    db->write_later(
        [&](Connection&) -> Status {
          running.set_value();
          release.get_future().wait();
          return {};
        },
        [](Status) {});
    running.get_future().wait();
    for (int i = 0; i < 5; ++i)
      db->write_later(
          [i](Connection& c) -> Status {
            return c.run("INSERT INTO t VALUES(?, '')", {i}), Status();
          },
          [&](Status s) {
            s.ok() ? ++stored : ++(s.error().code() == Code::resource_exhausted ? refused : stored);
          });
    EXPECT_EQ(refused, 3);
    release.set_value();
  }  // what was queued is finished before the end
  EXPECT_EQ(stored, 2);
  EXPECT_EQ(*count(*open(folder / "a.db")), 2);
}

TEST(Database, ManyThreadsWriteAndRead) {
  const TemporaryFolder folder;
  const auto db = open(folder / "a.db");
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&db, &failed, t] {
      for (int i = 0; i < 50; ++i) {
        if (!await(put(*db, t * 1000 + i, "v")).ok()) ++failed;
        // What has completed is seen by every later read.
        const auto seen = await(db->read([t](Connection& c) -> Result<int64_t> {
          return c.integer("SELECT count(*) FROM t WHERE k / 1000 = ?", {t}).value_or(-1);
        }));
        if (!seen.ok() || *seen != i + 1) ++failed;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(*count(*db), 200);
}

TEST(Database, ABackupIsWholeAndDoesNotOverwrite) {
  const TemporaryFolder folder;
  const auto db = open(folder / "a.db");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(await(put(*db, i, std::string(1000, 'x'))).ok());
  ASSERT_TRUE(await(db->backup(folder / "copy.db")).ok());
  EXPECT_EQ(await(db->backup(folder / "copy.db")).error().code(), Code::already_exists);
  EXPECT_FALSE(std::filesystem::exists(folder / "copy.db.part"));
  struct stat status{};
  ASSERT_EQ(::stat((folder / "copy.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(*count(*open(folder / "copy.db")), 100);
  EXPECT_FALSE(await(db->backup(folder / "no/such/folder.db")).ok());
}

TEST(Database, MigrationsRunOnceAndANewerSchemaIsRefused) {
  const TemporaryFolder folder;
  static constexpr std::string_view kTwo[] = {
      kSchema[0], "ALTER TABLE t ADD COLUMN w DEFAULT 'new'; UPDATE t SET w = 'old'"};
  ASSERT_TRUE(await(put(*open(folder / "a.db"), 1, "x")).ok());
  Options newer;
  newer.path = folder / "a.db";
  newer.application_id = kOurs;
  newer.migrations = kTwo;
  for (int round = 0; round < 2; ++round) {
    auto db = Database::open(newer);
    ASSERT_TRUE(db.ok()) << db.error().to_string();
    EXPECT_EQ(await((*db)->read([](Connection& c) -> Result<int64_t> {
                return c.integer("SELECT count(*) FROM t WHERE w = 'old'").value_or(-1);
              })).value(),
              1);
  }
  Options older = newer;
  older.migrations = kSchema;
  const auto refused = Database::open(older);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::unimplemented);
  EXPECT_NE(refused.error().to_string().find("newer version (schema 2, this program knows 1)"),
            std::string::npos);
}

TEST(Database, AFailedMigrationLeavesTheOldSchema) {
  const TemporaryFolder folder;
  static constexpr std::string_view kBroken[] = {kSchema[0],
                                                 "CREATE TABLE u(x); CREATE TABLE t(x)"};
  ASSERT_TRUE(await(put(*open(folder / "a.db"), 1, "x")).ok());
  Options broken;
  broken.path = folder / "a.db";
  broken.application_id = kOurs;
  broken.migrations = kBroken;
  EXPECT_FALSE(Database::open(broken).ok());
  EXPECT_EQ(*count(*open(folder / "a.db")), 1);
}

TEST(Database, ExclusiveMeansOneProcessAtATime) {
  const TemporaryFolder folder;
  Options options;
  options.path = folder / "a.db";
  options.exclusive = true;
  auto first = Database::open(options);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Database::open(options).error().code(), Code::unavailable);
  first = Error(Code::cancelled, "closed");
  EXPECT_TRUE(Database::open(options).ok());
}

TEST(Database, ALongWalIsFoldedIntoTheFile) {
  const TemporaryFolder folder;
  Options options;
  options.path = folder / "a.db";
  options.application_id = kOurs;
  options.migrations = kSchema;
  options.wal_bytes = 100'000;
  auto db = Database::open(options);
  ASSERT_TRUE(db.ok());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(await(put(**db, i, std::string(10'000, 'x'))).ok());
    ASSERT_LT(std::filesystem::file_size(folder / "a.db-wal"), 200'000u);
  }
  ASSERT_TRUE(await((*db)->checkpoint()).ok());
  EXPECT_EQ(std::filesystem::file_size(folder / "a.db-wal"), 0u);
  EXPECT_EQ((*db)->bytes(), std::filesystem::file_size(folder / "a.db"));
}

}  // namespace
}  // namespace gitaiops::sqlite
