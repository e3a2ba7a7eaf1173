// The tree on disk, and the commands scan and purl.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/tree.h"

namespace gitaiops::cli {
namespace {

namespace fs = std::filesystem;

class Scan : public testing::Test {
 protected:
  Scan() {
    std::string name = (fs::temp_directory_path() / "scan-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Scan() override { fs::remove_all(folder_); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << text;
  }

  fs::path folder_;
};

TEST_F(Scan, SkipsLinksFifosAndInstalledPackages) {
  write("package.json", "{}");
  write("src/go.mod", "module m\n");
  write("node_modules/x/package.json", "{}");
  fs::create_symlink("/etc/passwd", folder_ / "requirements.txt");
  fs::create_directory_symlink(folder_, folder_ / "src/loop");
  ASSERT_EQ(mkfifo((folder_ / "Gemfile").c_str(), 0600), 0);
  const auto tree = FolderTree::open(folder_.string());
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(tree->files(), (std::vector<std::string>{"package.json", "src/go.mod"}));
  EXPECT_EQ(*tree->read("src/go.mod"), "module m\n");
  EXPECT_FALSE(tree->read("requirements.txt").ok());
  EXPECT_FALSE(tree->read("src/loop/package.json").ok());
  EXPECT_FALSE(tree->read("Gemfile").ok());
  EXPECT_FALSE(tree->read("../x").ok());
  EXPECT_FALSE(tree->read("").ok());
  std::vector<std::string> told;
  for (const auto& problem : tree->problems()) told.push_back(problem.file);
  EXPECT_EQ(told, (std::vector<std::string>{"Gemfile", "requirements.txt"}));
  const auto fifo = FolderTree::open((folder_ / "Gemfile").string());
  ASSERT_FALSE(fifo.ok());
  EXPECT_NE(fifo.error().to_string().find("neither a folder nor a regular file"),
            std::string::npos);
}

TEST_F(Scan, AFileOfFiveHundredMegabytesIsAProblemAndTheRestIsRead) {
  write("package-lock.json", "");
  fs::resize_file(folder_ / "package-lock.json", 500u << 20);
  write("requirements.txt", "ring==1.0\n");
  std::ostringstream out, err;
  EXPECT_EQ(scan({.path = folder_.string(), .format = "table"}, {out, err}), kDone);
  EXPECT_NE(out.str().find("ring"), std::string::npos);
  EXPECT_NE(out.str().find("could not read package-lock.json: it is larger than the limit of "
                           "33554432 bytes"),
            std::string::npos)
      << out.str();
}

TEST_F(Scan, AnUnreadableFolderIsAProblem) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads every folder";
  write("closed/go.mod", "module m\n");
  fs::permissions(folder_ / "closed", fs::perms::none);
  const auto tree = FolderTree::open(folder_.string());
  ASSERT_TRUE(tree.ok());
  ASSERT_EQ(tree->problems().size(), 1u);
  EXPECT_EQ(tree->problems()[0].file, "closed");
  fs::permissions(folder_ / "closed", fs::perms::owner_all);
}

TEST_F(Scan, OneFileIsATreeOfItsOwn) {
  write("go.mod", "module m\nrequire a.b/c v1.0.0\n");
  write("package.json", "{\"dependencies\": {\"x\": \"1.0.0\"}}");
  std::ostringstream out, err;
  EXPECT_EQ(scan({.path = (folder_ / "go.mod").string(), .format = "json"}, {out, err}), kDone);
  EXPECT_NE(out.str().find("\"pkg:golang/a.b/c@v1.0.0\""), std::string::npos) << out.str();
  EXPECT_EQ(out.str().find("package.json"), std::string::npos);
}

TEST_F(Scan, WhatIsNotThereIsToldByName) {
  std::ostringstream out, err;
  EXPECT_EQ(scan({.path = (folder_ / "nowhere").string(), .format = "table"}, {out, err}), kUsage);
  EXPECT_NE(err.str().find("nowhere"), std::string::npos);
}

class ScanFix : public Scan {
 protected:
  ScanFix() {
    write("osv/A.json",
          R"({"id":"A","modified":"2026-01-01T00:00:00Z","affected":[{"package":)"
          R"({"ecosystem":"PyPI","name":"ring"},"ranges":[{"type":"ECOSYSTEM","events":)"
          R"([{"introduced":"0"},{"fixed":"1.2"}]}]}]})");
    std::ostringstream out, err;
    EXPECT_EQ(
        build_advisories({.file = index(), .sources = {(folder_ / "osv").string()}, .key = {}},
                         {out, err}),
        kDone)
        << err.str();
  }
  std::string index() const { return (folder_ / "x.idx").string(); }
  int fix(const std::string& path) {
    return scan({.path = (folder_ / path).string(), .advisories = index(), .fix = true},
                {out, err});
  }
  std::string read(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(folder_ / path, std::ios::binary).rdbuf();
    return text.str();
  }
  std::ostringstream out, err;
};

TEST_F(ScanFix, WritesTheManifestAndKeepsItsModeAndLineEnds) {
  write("app/requirements.txt", "# ring==1.0\r\nring==1.0  # why\r\nother==1.0");
  fs::permissions(folder_ / "app/requirements.txt", fs::perms(0640));
  EXPECT_EQ(fix("app"), kDone) << err.str();
  EXPECT_EQ(read("app/requirements.txt"), "# ring==1.0\r\nring==1.2  # why\r\nother==1.0");
  EXPECT_EQ(fs::status(folder_ / "app/requirements.txt").permissions(), fs::perms(0640));
  EXPECT_NE(out.str().find("requirements.txt:2: ==1.0 -> ==1.2  written"), std::string::npos)
      << out.str();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "app"), {}), 1);
}

TEST_F(ScanFix, WhatVexSetsAsideIsShownAndNotUpgraded) {
  write("app/requirements.txt", "ring==1.0\n");
  write("v.json",
        R"({"@context": "https://openvex.dev/ns/v0.2.0", "statements": [
            {"vulnerability": {"name": "A"}, "products": [{"@id": "pkg:pypi/ring"}],
             "status": "not_affected", "impact_statement": "not called"},
            {"vulnerability": {"name": "A"}, "status": "fixed"},
            {"vulnerability": {"name": "B"}, "products": ["pkg:pypi/ring"], "status": "fixed"}]})");
  EXPECT_EQ(scan({.path = (folder_ / "app").string(),
                  .advisories = index(),
                  .vex = {(folder_ / "v.json").string()},
                  .fail_on = "low",
                  .fix = true},
                 {out, err}),
            kDone);
  EXPECT_EQ(read("app/requirements.txt"), "ring==1.0\n");
  EXPECT_NE(out.str().find("Set aside\n  A in ring 1.0: not affected (v.json): not called"),
            std::string::npos)
      << out.str();
  EXPECT_NE(err.str().find("v.json:4: a statement is not taken: it names no product"),
            std::string::npos)
      << err.str();
  EXPECT_NE(err.str().find("1 of 2 statements concern no finding"), std::string::npos);
}

TEST_F(ScanFix, DoesNotWriteThroughALink) {
  write("elsewhere.txt", "ring==1.0\n");
  fs::create_directory(folder_ / "app");
  fs::create_symlink("../elsewhere.txt", folder_ / "app/requirements.txt");
  EXPECT_EQ(fix("app"), kDone);
  EXPECT_EQ(fix("app/requirements.txt"), kDone);
  EXPECT_EQ(read("elsewhere.txt"), "ring==1.0\n");
}

TEST_F(ScanFix, OneFileIsWrittenWhereItLies) {
  write("app/requirements.txt", "ring==1.0\n");
  EXPECT_EQ(fix("app/requirements.txt"), kDone);
  EXPECT_EQ(read("app/requirements.txt"), "ring==1.2\n");
}

TEST_F(ScanFix, ATreeThatCannotBeWrittenIsTold) {
  if (geteuid() == 0) GTEST_SKIP() << "root writes everywhere";
  write("app/requirements.txt", "ring==1.0\n");
  fs::permissions(folder_ / "app", fs::perms(0500));
  EXPECT_EQ(fix("app"), kDone);
  fs::permissions(folder_ / "app", fs::perms(0700));
  EXPECT_NE(out.str().find("not written"), std::string::npos);
}

TEST_F(Scan, OneBillALockFileBeneathTheFolder) {
  write("go.mod", "module m\nrequire a.b/c v1.0.0\n");
  write("web/requirements.txt", "ring==1.0\n");
  write("web/requirements-dev.txt", "tin==1.0\n");
  std::ostringstream out, err;
  fs::create_directory(folder_ / "bills");
  EXPECT_EQ(scan({.path = folder_.string(),
                  .format = "gitlab-sbom",
                  .output = (folder_ / "bills").string()},
                 {out, err}),
            kDone);
  EXPECT_TRUE(fs::exists(folder_ / "bills/gl-sbom-golang-go.cdx.json"));
  EXPECT_TRUE(fs::exists(folder_ / "bills/web/gl-sbom-pypi-pip.cdx.json"));
  EXPECT_TRUE(fs::exists(folder_ / "bills/web/gl-sbom-pypi-pip-2.cdx.json"));
}

TEST(PurlCommand, ParsesAndBuilds) {
  std::ostringstream out, err;
  EXPECT_EQ(parse_purl("pkg:npm/%40ring/part@1.0", {out, err}), kDone);
  EXPECT_NE(out.str().find("\"namespace\": \"@ring\""), std::string::npos);
  out.str("");
  EXPECT_EQ(build_purl({.type = "pypi", .name = "Ring_Part", .qualifiers = {"a=b"}}, {out, err}),
            kDone);
  EXPECT_EQ(out.str(), "pkg:pypi/ring-part?a=b\n");
  EXPECT_EQ(parse_purl("no purl", {out, err}), kUsage);
  EXPECT_EQ(build_purl({.type = "maven", .name = "lonely"}, {out, err}), kUsage);
  EXPECT_NE(err.str().find("a namespace has to stand before the name"), std::string::npos);
}

}  // namespace
}  // namespace gitaiops::cli
