// The commands around the advisory index, on real files: folders, archives, packed scores, keys.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include "base/io/files.h"
#include "cli/commands.h"
#include "cli/judge.h"

namespace gitaiops::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class Advisories : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("gitaiops_advisories_" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "feeds");
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string record(const std::string& id, const std::string& package) {
    return R"({"id":")" + id +
           R"(","modified":"2026-02-03T00:00:00Z","aliases":["CVE-2026-1"],"affected":[{"package":{"ecosystem":"npm","name":")" +
           package +
           R"("},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}],)"
           R"("severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]})";
  }
  std::string write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  void zip(const std::string& name, const std::vector<std::pair<std::string, std::string>>& files) {
    fs::create_directories((folder_ / name).parent_path());
    zip_t* archive = ::zip_open((folder_ / name).c_str(), ZIP_CREATE, nullptr);
    for (const auto& [inner, text] : files)
      ::zip_file_add(archive, inner.c_str(),
                     ::zip_source_buffer(archive, text.data(), text.size(), 0), 0);
    ASSERT_EQ(::zip_close(archive), 0);
  }
  std::string index() const { return (folder_ / "advisories.gdb").string(); }
  std::string feeds() const { return (folder_ / "feeds").string(); }
  int build(const std::string& key = {}) {
    return build_advisories({.file = index(), .sources = {feeds()}, .key = key}, terminal_);
  }

  fs::path folder_;
  std::ostringstream out_, err_;
  const Terminal terminal_{out_, err_, false};
};

TEST_F(Advisories, FoldersArchivesAndScoresBecomeOneIndex) {
  write("feeds/one.json", record("T-1", "tin"));
  zip("feeds/osv-scanner/npm/all.zip",
      {{"T-2.json", record("T-2", "can")}, {"T-3.json", "{"}, {"README.md", "no record"}});
  write(
      "feeds/kev.json",
      R"({"catalogVersion":"1","dateReleased":"2026-02-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2026-1"}]})");
  const auto scores = folder_ / "feeds/epss.csv.gz";
  const gzFile packed = ::gzopen(scores.c_str(), "wb");
  ::gzputs(packed,
           "#model_version:v1,score_date:2026-02-02T00:00:00Z\ncve,epss,percentile\nCVE-2026-1,0."
           "25,0.9\n");
  ::gzclose(packed);

  EXPECT_EQ(build(), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("2 records read, 0 withdrawn, 0 repeated"));
  EXPECT_THAT(out_.str(), HasSubstr("1 EPSS scores, 1 known exploited"));
  EXPECT_THAT(err_.str(), HasSubstr("all.zip#T-3.json: "));
  out_.str("");
  EXPECT_EQ(show_advisories({.file = index()}, terminal_), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("advisories       2\n"));
  EXPECT_THAT(out_.str(), HasSubstr("EPSS             2 advisories, of 2026-02-02\n"));
  EXPECT_THAT(out_.str(), HasSubstr("known exploited  2 advisories, of 2026-02-01\n"));
  EXPECT_THAT(out_.str(), HasSubstr("  npm: 2\n"));
}

TEST_F(Advisories, NothingToReadIsAnErrorAndKeepsTheOldIndex) {
  write("advisories.gdb", "old");
  EXPECT_EQ(build(), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no OSV record in the sources"));
  EXPECT_EQ(*read_file(index()), "old");
  EXPECT_EQ(build_advisories({.file = index(), .sources = {"/nowhere"}}, terminal_), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("/nowhere: no such file or folder"));
}

TEST_F(Advisories, BrokenArchivesAreNamed) {
  write("feeds/one.json", record("T-1", "tin"));
  write("feeds/all.zip", "PK\3\4 and then nothing");
  write("feeds/epss.csv.gz", std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff broken", 17));
  EXPECT_EQ(build(), kDone);
  EXPECT_THAT(err_.str(), HasSubstr("all.zip: not a zip archive"));
  EXPECT_THAT(err_.str(), HasSubstr("epss.csv.gz: "));
}

TEST_F(Advisories, EveryByteIsVerified) {
  write("feeds/one.json", record("T-1", "tin"));
  ASSERT_EQ(build(), kDone);
  EXPECT_EQ(verify_advisories({.file = index()}, terminal_), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("1 advisories, whole, not signed"));
  const std::string whole = *read_file(index());
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    write("changed.gdb", bytes);
    const bool in_signature = at >= whole.size() - 64;  // there is none: not looked at
    EXPECT_EQ(verify_advisories({.file = (folder_ / "changed.gdb").string()}, terminal_),
              in_signature ? kDone : kUsage)
        << at;
  }
}

// A key pair as openssl(1) writes it.
std::pair<std::string, std::string> key_pair() {
  EVP_PKEY* key = ::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  const auto text = [&](auto write) {
    BIO* bio = ::BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    ::BIO_free(bio);
    return out;
  };
  auto secret = text([&](BIO* bio) {
    ::PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
  auto open = text([&](BIO* bio) { ::PEM_write_bio_PUBKEY(bio, key); });
  ::EVP_PKEY_free(key);
  return {std::move(secret), std::move(open)};
}

TEST_F(Advisories, SignaturesTellWhoBuiltIt) {
  write("feeds/one.json", record("T-1", "tin"));
  const auto [secret, open] = key_pair();
  const auto private_key = write("private.pem", secret);
  fs::permissions(private_key, fs::perms::owner_read);
  const auto public_key = write("public.pem", open);
  const auto other_key = write("other.pem", key_pair().second);
  ASSERT_EQ(build(private_key), kDone) << err_.str();
  EXPECT_EQ(verify_advisories({.file = index(), .key = public_key}, terminal_), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("signed by that key"));
  EXPECT_EQ(verify_advisories({.file = index(), .key = other_key}, terminal_), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("the signature is not this key's"));
  ASSERT_EQ(build(), kDone);
  EXPECT_EQ(verify_advisories({.file = index(), .key = public_key}, terminal_), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("not signed"));
  EXPECT_EQ(build(public_key), kUsage);
}

scanner::Inventory inventory() {
  scanner::Package tin;
  tin.name = "tin";
  tin.version = "1.0.0";
  scanner::PackageSet set;
  set.packages = {tin};
  scanner::Inventory out;
  out.sets = {set};
  return out;
}

TEST_F(Advisories, JudgingFailsAtTheThresholdUnlessIgnored) {
  write("feeds/one.json", record("T-1", "tin"));
  ASSERT_EQ(build(), kDone);
  JudgeOptions options{.advisories = index(), .fail_on = "high"};
  auto found = judge(inventory(), nullptr, options, "2026-10-04", terminal_);
  ASSERT_TRUE(found);
  EXPECT_EQ(exit_code(found->findings, options), kFound);
  EXPECT_EQ(exit_code(found->findings, {.fail_on = ""}), kDone);

  options.ignore_file =
      write("ignore.toml",
            "[[ignore]]\nid = \"CVE-2026-1\"\nreason = \"not reached\"\nuntil = \"2026-10-04\"\n"
            "[[ignore]]\nid = \"CVE-2020-9\"\nreason = \"gone\"\n");
  found = judge(inventory(), nullptr, options, "2026-10-04", terminal_);
  ASSERT_TRUE(found);
  EXPECT_EQ(exit_code(found->findings, options), kDone);
  EXPECT_THAT(err_.str(), HasSubstr("CVE-2020-9 meets no finding any more"));
  found = judge(inventory(), nullptr, options, "2026-10-05", terminal_);
  EXPECT_EQ(exit_code(found->findings, options), kFound);
  EXPECT_THAT(err_.str(), HasSubstr("CVE-2026-1 was ignored until 2026-10-04 and counts again"));
}

TEST_F(Advisories, ScanFindsReportsAndFails) {
  write("feeds/one.json", record("T-1", "tin"));
  ASSERT_EQ(build(), kDone);
  write("tree/package-lock.json",
        R"({"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{
          "":{"name":"app","version":"1.0.0","dependencies":{"tin":"^1.0.0"}},
          "node_modules/tin":{"version":"1.0.0"}}})");
  ScanOptions options{.path = (folder_ / "tree").string(), .advisories = index()};
  const auto scanned = [&](const std::string& format, const std::string& fail_on) {
    out_.str("");
    options.format = format;
    options.fail_on = fail_on;
    return scan(options, terminal_);
  };
  EXPECT_EQ(scanned("table", ""), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("critical 9.8 tin 1.0.0 (fixed in 2.0.0)  T-1 CVE-2026-1"));
  EXPECT_EQ(scanned("json", "high"), kFound);
  EXPECT_THAT(out_.str(), HasSubstr(R"("findings":[{"id":"T-1")"));
  EXPECT_EQ(scanned("sarif", "critical"), kFound);
  EXPECT_THAT(out_.str(), HasSubstr(R"("ruleId": "T-1")"));
  EXPECT_EQ(scanned("gitlab", ""), kDone);
  EXPECT_THAT(out_.str(), HasSubstr(R"("file": "package-lock.json")"));
  EXPECT_THAT(err_.str(), IsEmpty());
  options.advisories = "";
  EXPECT_EQ(scanned("sarif", ""), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("it needs --advisories"));
}

TEST_F(Advisories, ScanHeedsTheTreesOwnFile) {
  write("feeds/one.json", record("T-1", "tin"));
  ASSERT_EQ(build(), kDone);
  write("tree/package-lock.json",
        R"({"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{
          "":{"name":"app","version":"1.0.0","dependencies":{"tin":"^1.0.0"}},
          "node_modules/tin":{"version":"1.0.0"}}})");
  const ScanOptions options{
      .path = (folder_ / "tree").string(), .advisories = index(), .fail_on = "high"};
  const auto own = [&](const std::string& text) {
    write("tree/.gitaiops.yml", text);
    err_.str("");
    return scan(options, terminal_);
  };
  EXPECT_EQ(own("note: off\n"), kFound);
  EXPECT_EQ(own("ignore:\n  - {id: T-1, reason: never called}\n"), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("never called"));
  EXPECT_THAT(err_.str(), IsEmpty());
  EXPECT_EQ(own("ignore:\n  - {id: T-1, reason: never called, until: 2001-01-01}\n"), kFound);
  EXPECT_THAT(err_.str(), HasSubstr(".gitaiops.yml: T-1 was ignored until 2001-01-01"));
  EXPECT_EQ(own("ignore:\n  - {id: T-1}\n"), kFound);
  EXPECT_THAT(err_.str(), HasSubstr(".gitaiops.yml, line 2: \"T-1\" needs a \"reason\""));
  auto strict = options;
  strict.own_file = false;
  own("ignore:\n  - {id: T-1, reason: never called}\n");
  EXPECT_EQ(scan(strict, terminal_), kFound);
  EXPECT_EQ(own("ignore:\n  - {id: \"T-9\\e[2J\", reason: x}\n"), kFound);
  EXPECT_EQ(err_.str().find('\x1b'), std::string::npos) << "nothing for the terminal";
  EXPECT_EQ(own(std::string(100'000, '#')), kFound);
  EXPECT_THAT(err_.str(), HasSubstr("nothing of it counts"));
}

TEST_F(Advisories, BadIgnoreFilesSayWhere) {
  const auto refusal = [&](const std::string& text) {
    const auto ignores = read_ignores(write("ignore.toml", text));
    return ignores ? std::string() : ignores.error().to_string();
  };
  EXPECT_THAT(refusal("[[ignore]]\nid = \"CVE-1\"\n"), HasSubstr("reason"));
  EXPECT_THAT(refusal("[[ignore]]\nid = \"CVE-1\"\nreason = \"x\"\nuntil = \"soon\"\n"),
              HasSubstr("ignore.toml:4:"));
  EXPECT_THAT(refusal("[[ignore]]\nid = \"CVE-1\"\nreason = \"x\"\nuntill = \"2026-01-01\"\n"),
              HasSubstr("did you mean"));
  EXPECT_THAT(refusal(""), IsEmpty());
}

}  // namespace
}  // namespace gitaiops::cli
