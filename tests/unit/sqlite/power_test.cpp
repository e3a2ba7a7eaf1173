// Every acknowledged write survives every cut of power, whole.
#include "tests/unit/sqlite/power.h"

#include <random>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/sqlite/sqlite.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::sqlite {
namespace {

using testing::await;
using testing::TemporaryFolder;
namespace power = testing::power;

constexpr std::string_view kSchema[] = {
    "CREATE TABLE t(k INTEGER PRIMARY KEY, v); CREATE TABLE twin(k INTEGER PRIMARY KEY, v)"};

Options options_for(const std::filesystem::path& path) {
  Options options;
  options.path = path;
  options.application_id = 0x11223344;
  options.migrations = kSchema;
  options.wal_bytes = 64 << 10;  // many checkpoints
  options.readers = 1;
  return options;
}

// Writes numbered pairs until the power fails; the highest number whose write was acknowledged.
int64_t write_until_cut(Database& db, int64_t first) {
  int64_t acknowledged = first - 1;
  for (int64_t k = first; !power::is_cut(); ++k) {
    auto pair = [k](Connection& c) -> Status {
      const std::string bytes(static_cast<std::size_t>(k * 37 % 9000), static_cast<char>(k));
      c.run("INSERT INTO t VALUES(?, ?)", {k, Blob{bytes}});
      c.run("INSERT INTO twin SELECT * FROM t WHERE k = ?", {k});
      if (k % 50 == 0) c.run("DELETE FROM t WHERE k < ?", {k - 40});
      if (k % 50 == 0) c.run("DELETE FROM twin WHERE k < ?", {k - 40});
      if (k % 50 == 0) c.run("PRAGMA incremental_vacuum");
      return {};
    };
    if (await(db.write(std::move(pair))).ok()) acknowledged = k;
  }
  return acknowledged;
}

TEST(Power, AcknowledgedWritesSurviveEveryCutWhole) {
  power::install();
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const auto path = folder / "a.db";
  std::mt19937 random(7);
  int64_t last = 0;
  for (uint32_t round = 0; round < 300; ++round) {
    power::cut_after(random() % 400);
    {
      const auto db = Database::open(options_for(path));
      if (db.ok()) last = std::max(last, write_until_cut(**db, last + 1));
    }
    power::restore(round);
    const auto db = Database::open(options_for(path));
    ASSERT_TRUE(db.ok()) << round << ": " << db.error().to_string();
    auto look = [](Connection& c) -> Result<int64_t> {
      EXPECT_EQ(c.integer("SELECT count(*) FROM t JOIN twin USING (k) WHERE t.v = twin.v"),
                c.integer("SELECT count(*) FROM (SELECT k FROM t UNION SELECT k FROM twin)"));
      return c.integer("SELECT max(k) FROM t").value_or(0);
    };
    const auto highest = await((*db)->read(std::move(look)));
    ASSERT_TRUE(highest.ok()) << highest.error().to_string();
    ASSERT_GE(*highest, last) << "round " << round << ": an acknowledged write is gone";
    last = *highest;
  }
  EXPECT_GT(last, 1000) << "there was something to lose";
}

// The disk does forget: without syncing, acknowledged rows are lost or the file is broken.
TEST(Power, WhatIsNotSyncedIsForgotten) {
  power::install();
  int lost = 0;
  for (uint32_t round = 0; round < 20; ++round) {
    const TemporaryFolder folder(TemporaryFolder::Where::memory);
    const std::string path = (folder / "a.db").native();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db,
                           "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
                           "CREATE TABLE t(k); INSERT INTO t VALUES(1);",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    power::cut_after(0);
    sqlite3_close(db);
    power::restore(round);
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    if (sqlite3_exec(db, "SELECT k FROM t", nullptr, nullptr, nullptr) != SQLITE_OK) ++lost;
    sqlite3_close(db);
    power::restore(0);
  }
  EXPECT_GT(lost, 5);
}

}  // namespace
}  // namespace gitaiops::sqlite
