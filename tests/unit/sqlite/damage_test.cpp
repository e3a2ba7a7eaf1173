// A bit that changes on the disk is found, when the file is opened and while it is in use.
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/sqlite/checksum.h"
#include "base/sqlite/sqlite.h"
#include "tests/unit/sqlite/await.h"

namespace gitaiops::sqlite {
namespace {

using testing::await;
using testing::TemporaryFolder;

constexpr std::string_view kSchema[] = {"CREATE TABLE t(k INTEGER PRIMARY KEY, v)"};
constexpr int64_t kRows = 60;

Options options_for(const std::filesystem::path& path) {
  Options options;
  options.path = path;
  options.application_id = 0x11223344;
  options.migrations = kSchema;
  options.readers = 1;
  return options;
}

void fill(const std::filesystem::path& path) {
  const auto db = Database::open(options_for(path));
  ASSERT_TRUE(db.ok());
  auto rows = [](Connection& c) -> Status {
    for (int64_t k = 0; k < kRows; ++k)
      c.run("INSERT INTO t VALUES(?, ?)", {k, Blob{std::string(6000, 'v')}});
    return {};
  };
  ASSERT_TRUE(await((*db)->write(std::move(rows))).ok());
}

void flip(const std::filesystem::path& path, uint64_t bit) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(bit / 8));
  const char byte = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(bit / 8));
  file.put(static_cast<char>(byte ^ (1 << (bit % 8))));
}

Result<int64_t> sum_of_lengths(Database& db) {
  return await(db.read([](Connection& c) -> Result<int64_t> {
    int64_t sum = 0;
    auto rows = c.query("SELECT v FROM t");
    while (rows.next()) sum += static_cast<int64_t>(rows.text(0).size());
    return sum;
  }));
}

TEST(Damage, AnyFlippedBitIsFoundWhenOpened) {
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  fill(folder / "whole.db");
  const uint64_t bits = std::filesystem::file_size(folder / "whole.db") * 8;
  std::mt19937_64 random(11);
  for (int i = 0; i < 300; ++i) {
    const auto path = folder / "flipped.db";
    std::filesystem::copy_file(folder / "whole.db", path,
                               std::filesystem::copy_options::overwrite_existing);
    const uint64_t bit = random() % bits;
    flip(path, bit);
    const auto db = Database::open(options_for(path));
    ASSERT_FALSE(db.ok()) << "bit " << bit << " of byte " << bit / 8;
    EXPECT_EQ(db.error().code(), Code::data_loss) << db.error().to_string();
    EXPECT_NE(db.error().to_string().find("flipped.db"), std::string::npos);
  }
}

TEST(Damage, IsFoundWhileInUseAndToldOnce) {
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const auto path = folder / "a.db";
  fill(path);
  auto options = options_for(path);
  int told = 0;
  std::string why;
  options.on_damage = [&](const Error& e) { ++told, why = e.to_string(); };
  const auto db = Database::open(options);
  ASSERT_TRUE(db.ok());
  // Every page changes, in what SQLite's own checks do not look at.
  for (uint64_t page = 2; page < std::filesystem::file_size(path) / 4096; ++page)
    flip(path, (page * 4096 + 2000) * 8);
  for (int i = 0; i < 3; ++i) {
    const auto read = sum_of_lengths(**db);
    ASSERT_FALSE(read.ok()) << *read;
    EXPECT_EQ(read.error().code(), Code::data_loss);
  }
  EXPECT_EQ(told, 1);
  EXPECT_NE(why.find("a.db"), std::string::npos) << why;
}

TEST(Damage, AFileWithoutChecksumsIsReadAndWritten) {
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const std::string path = (folder / "old.db").native();
  sqlite3* plain = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &plain), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(plain,
                         "PRAGMA application_id = 0x11223344; PRAGMA user_version = 1;"
                         "CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 'old')",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(plain);
  const auto db = Database::open(options_for(path));
  ASSERT_TRUE(db.ok()) << db.error().to_string();
  auto add = [](Connection& c) -> Status {
    c.run("INSERT INTO t VALUES(2, ?)", {Blob{std::string(9000, 'n')}});
    return {};
  };
  ASSERT_TRUE(await((*db)->write(std::move(add))).ok());
  EXPECT_EQ(*sum_of_lengths(**db), 9003);
}

// The command line of SQLite, or a script, as the last to close: it folds our log into the file.
TEST(Damage, AnotherProgramMayFoldTheLog) {
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  const auto path = folder / "a.db";
  const auto copy = folder / "b.db";
  {
    const auto db = Database::open(options_for(path));
    ASSERT_TRUE(db.ok());
    auto add = [](Connection& c) -> Status {
      c.run("INSERT INTO t VALUES(1, ?)", {Blob{std::string(20'000, 'n')}});
      return {};
    };
    ASSERT_TRUE(await((*db)->write(std::move(add))).ok());
    std::filesystem::copy_file(path, copy);
    std::filesystem::copy_file(path.native() + "-wal", copy.native() + "-wal");
  }
  sqlite3* plain = nullptr;
  ASSERT_EQ(sqlite3_open(copy.c_str(), &plain), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(plain, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(plain);
  const auto db = Database::open(options_for(copy));
  ASSERT_TRUE(db.ok()) << db.error().to_string();
  EXPECT_EQ(*sum_of_lengths(**db), 20'000);
}

TEST(Damage, ABackupHasChecksumsToo) {
  const TemporaryFolder folder(TemporaryFolder::Where::memory);
  fill(folder / "a.db");
  {
    const auto db = Database::open(options_for(folder / "a.db"));
    ASSERT_TRUE(await((*db)->backup(folder / "copy.db")).ok());
  }
  EXPECT_EQ(*sum_of_lengths(**Database::open(options_for(folder / "copy.db"))), kRows * 6000);
  flip(folder / "copy.db", (20 * 4096 + 2000) * 8);
  EXPECT_EQ(Database::open(options_for(folder / "copy.db")).error().code(), Code::data_loss);
}

TEST(Damage, TheChecksumKnowsThePlaceAndIsNeverZero) {
  const std::string page(4096, '\0');
  EXPECT_NE(page_checksum(page, 1), page_checksum(page, 2));
  EXPECT_NE(page_checksum(page, 1), 0u);
  std::string other = page;
  for (std::size_t at = 0; at < 4088; ++at) {
    other[at] = 1;
    ASSERT_NE(page_checksum(other, 1), page_checksum(page, 1)) << at;
    other[at] = 0;
  }
}

}  // namespace
}  // namespace gitaiops::sqlite
