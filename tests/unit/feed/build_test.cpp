// Copies of sources as fetching leaves them, and what building makes of them.
#include "controller/feed/build.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/io/mapped_file.h"
#include "controller/feed/feed.h"
#include "engines/scanner/advisories/index.h"

namespace gitaiops::feed {
namespace {

namespace fs = std::filesystem;

const std::string kSource = "https://mirror.example/npm/all.json";

std::string record(const std::string& id) {
  return R"({"id":")" + id +
         R"(","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"npm",)"
         R"("name":"left"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]})";
}

class BuildTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "gitaiops-feed-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  static void put(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }
  fs::path copy(const std::string& behind = "") const {
    return copy_of(folder_, kSource).string() + behind;
  }
  Status build(const std::vector<std::string>& sources) {
    said_.str("");
    return feed::build(folder_, sources, said_);
  }
  uint32_t advisories() const {
    const auto file = MappedFile::open(folder_ / "index.gdb");
    if (!file.ok()) return 0;
    const auto index = scanner::Index::open(file->bytes());
    return index.ok() ? index->size() : 0;
  }

  fs::path folder_;
  std::ostringstream said_;
};

TEST_F(BuildTest, AFreshDownloadTakesThePlaceOfTheCopy) {
  put(copy(), record("A-1"));
  put(copy(".new"), record("A-2"));
  ASSERT_TRUE(build({kSource}).ok()) << said_.str();
  EXPECT_EQ(advisories(), 1u);
  EXPECT_FALSE(fs::exists(copy(".new")));
  ASSERT_TRUE(build({kSource}).ok());
  EXPECT_EQ(advisories(), 1u) << "the copy is used again";
}

TEST_F(BuildTest, ADownloadThatIsNoneIsSetAsideAndTheCopyStays) {
  put(copy(), record("A-1"));
  for (const std::string broken : {"<html>sign in</html>", "", "{\"id\":", "PK\x03\x04"}) {
    put(copy(".new"), broken);
    ASSERT_TRUE(build({kSource}).ok()) << said_.str();
    EXPECT_EQ(advisories(), 1u);
    EXPECT_TRUE(fs::exists(copy(".refused")));
    EXPECT_FALSE(fs::exists(copy(".new")));
    EXPECT_NE(said_.str().find("left out " + kSource + ": "), std::string::npos) << said_.str();
    EXPECT_NE(said_.str().find("the copy before it stays in use"), std::string::npos);
  }
}

TEST_F(BuildTest, FoldersAndFilesOfThisMachineAreRead) {
  fs::create_directories(folder_ / "mine/deep");
  put(folder_ / "mine/deep/a.json", record("A-1"));
  put(folder_ / "mine/b.json", record("A-2"));
  put(folder_ / "mine/notes.txt", "not a source");
  fs::create_symlink(folder_ / "mine/b.json", folder_ / "mine/link.json");
  ASSERT_TRUE(build({(folder_ / "mine").string()}).ok()) << said_.str();
  EXPECT_EQ(advisories(), 2u);
  EXPECT_EQ(said_.str().find("left out"), std::string::npos) << said_.str();
}

TEST_F(BuildTest, WithoutARecordTheIndexStays) {
  put(folder_ / "index.gdb", "the one before");
  EXPECT_EQ(build({kSource}).error().code(), Code::not_found);
  EXPECT_NE(said_.str().find("there is no copy of it"), std::string::npos) << said_.str();
  EXPECT_EQ(fs::file_size(folder_ / "index.gdb"), std::string("the one before").size());
}

std::string scores(int rows) {
  std::string text = "#model_version:v2025,score_date:2026-01-02T00:00:00Z\ncve,epss,percentile\n";
  for (int i = 0; i < rows; ++i) text += "CVE-2026-" + std::to_string(10'000 + i) + ",0.5,0.9\n";
  return text;
}

TEST_F(BuildTest, ADownloadThatLostHalfOfItsRecordsIsNotBelieved) {
  const std::string source = "https://mirror.example/epss.csv";
  const auto kept = copy_of(folder_, source).string();
  put(copy(), record("A-1"));
  put(kept + ".new", scores(300));
  ASSERT_TRUE(build({kSource, source}).ok());
  put(kept + ".new", scores(100));
  ASSERT_TRUE(build({kSource, source}).ok());
  EXPECT_TRUE(fs::exists(kept + ".refused"));
  EXPECT_NE(said_.str().find("it has 100 records, the one before it 300"), std::string::npos)
      << said_.str();
  put(kept + ".new", scores(200));
  ASSERT_TRUE(build({kSource, source}).ok());
  EXPECT_FALSE(fs::exists(kept + ".new"));
}

}  // namespace
}  // namespace gitaiops::feed
