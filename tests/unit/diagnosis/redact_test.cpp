#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

using testing::HasSubstr;
using testing::Not;

// Put together at run time, so that no scanner takes this file for a leak.
std::string token(std::string_view prefix, std::size_t length) {
  constexpr std::string_view kRandom =
      "aZ3kQ9xWv7LmT2sRb8NcYd4HfG6jPu1EoXi5wKqBtCzVyMnD0hJrSgUpFeAlIOZ8";
  std::string out(prefix);
  for (std::size_t i = 0; i < length; ++i) out.push_back(kRandom[(i * 7 + 3) % kRandom.size()]);
  return out;
}

TEST(Redact, KnownShapes) {
  const std::string hex = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  const std::string secrets[] = {token("glpat-", 20),
                                 token("shpat_", 32),
                                 token("sqp_", 40),
                                 token("glsa_", 32),
                                 token("lin_api_", 40),
                                 token("hf_", 34),
                                 token("sq0atp-", 22),
                                 token("PMAK-", 59),
                                 token("dp.pt.", 43),
                                 "dapi" + hex,
                                 "SK" + hex,
                                 token("123456789:AA", 33),
                                 token("glrt-", 20),
                                 token("glrt-t1_", 20),
                                 token("glcbt-64_", 20),
                                 token("gldt-", 20),
                                 token("glptt-", 40),
                                 token("glft-", 20),
                                 token("glsoat-", 20),
                                 token("glimt-", 25),
                                 token("ghp_", 36),
                                 token("github_pat_", 40),
                                 token("xoxb-", 40),
                                 token("npm_", 36),
                                 token("pypi-", 80),
                                 token("AIza", 35),
                                 token("hvs.", 30),
                                 token("dckr_pat_", 27),
                                 token("sk_live_", 24),
                                 "AKIA" + std::string("QWERTYUIOPASDFGH"),
                                 token("eyJ", 20) + "." + token("eyJ", 30) + "." + token("", 43)};
  for (const auto& secret : secrets) {
    const auto r = redact("before " + secret + " after");
    EXPECT_EQ(r.text, "before [REDACTED] after") << secret;
    EXPECT_EQ(r.count, 1u) << secret;
  }
}

TEST(Redact, Places) {
  const std::string value = token("", 24);
  EXPECT_EQ(redact("git clone https://user:" + value + "@git.example/a.git").text,
            "git clone https://user:[REDACTED]@git.example/a.git");
  EXPECT_EQ(redact("https://" + value + "@git.example/a.git").text,
            "https://[REDACTED]@git.example/a.git");
  EXPECT_EQ(redact("postgres://app:hunter2@db:5432/app").text,
            "postgres://app:[REDACTED]@db:5432/app");
  EXPECT_EQ(redact("> Authorization: Bearer " + value).text, "> Authorization: Bearer [REDACTED]");
  EXPECT_EQ(redact("Authorization: Basic dXNlcjpwYXNz").text, "Authorization: Basic [REDACTED]");
  EXPECT_EQ(redact("PRIVATE-TOKEN: " + value).text, "PRIVATE-TOKEN: [REDACTED]");
  EXPECT_EQ(redact("DB_PASSWORD=hunter2").text, "DB_PASSWORD=[REDACTED]");
  EXPECT_EQ(redact("password: \"hunter two\"").text, "password: \"[REDACTED]\"");
  EXPECT_EQ(redact("API_TOKEN=" + value).text, "API_TOKEN=[REDACTED]");
  EXPECT_EQ(redact("{\"client_secret\": \"" + value + "\"}").text,
            "{\"client_secret\": \"[REDACTED]\"}");
  EXPECT_EQ(redact("mysql --password=hunter2 -h db").text, "mysql --password=[REDACTED] -h db");
  EXPECT_EQ(redact("login --token " + value).text, "login --token [REDACTED]");
}

TEST(Redact, LeavesWhatPeopleNeed) {
  for (const std::string text :
       {"commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "hf_hub_download and sq0 are names",
        "10:00:12345678:AA short",
        "key-value store, dapi and SK are words",
        "id 123e4567-e89b-12d3-a456-426614174000",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "integrity sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP==",
        "SyntaxError: Unexpected token: identifier",
        "password: incorrect",
        "Password: required",
        "token = getToken()",
        "export TOKEN=$CI_JOB_TOKEN",
        "PASSWORD=[MASKED]",
        "password=********",
        "https://git.example/a.git",
        "see https://docs.example:8080/x",
        "src/token.c:3:5: error: expected expression",
        "the secret of good tests",
        "glpat- is a prefix",
        "ssh-rsa key added",
        "key: value",
        "Bearer token required"}) {
    EXPECT_EQ(redact(text).text, text);
    EXPECT_EQ(redact(text).count, 0u) << text;
  }
}

std::string wrapped_key() {
  std::string key =
      "-----BEGIN "
      "RSA PRIVATE KEY-----\n";
  for (int i = 0; i < 30; ++i) key += token("", 64) + "\n";
  return key +
         "-----END "
         "RSA PRIVATE KEY-----\n";
}

TEST(Redact, WrappedPrivateKey) {
  const auto r = redact("cat key\n" + wrapped_key() + "done");
  EXPECT_THAT(r.text, Not(HasSubstr(token("", 64))));
  EXPECT_THAT(r.text, HasSubstr("cat key\n"));
  const std::string key = wrapped_key();
  EXPECT_THAT(redact(key.substr(200)).text, Not(HasSubstr(token("", 64))))
      << "the beginning was cut off";
  EXPECT_THAT(redact(key.substr(0, 900)).text, Not(HasSubstr(token("", 64))))
      << "the end was cut off";
}

TEST(Redact, ReachesEveryTextOfADiagnosis) {
  const std::string secret = token("glpat-", 20), line = token("", 64);
  Analyzer a(builtin_rules());
  a.feed("section_start:1:step_script\r\x1b[0K\x1b[32;1m$ deploy --token " + secret + "\x1b[0;m\n");
  a.feed("error: using " + secret + "\n" + wrapped_key());
  a.feed("FAILED tests/test_a.py::test[" + secret + "] - x\n");
  a.feed("fatal: Authentication failed for 'https://u:" + secret + "@git.example/a.git/'\n" +
         std::string(900, ' ') + "error: " + secret + "\n");
  a.feed("section_end:1:step_script\r\x1b[0KERROR: Job failed: exit code 1\n");
  const Diagnosis d = a.finish();
  const std::string all = to_json(d) + to_text(d, true) + to_markdown(d);
  EXPECT_THAT(all, Not(HasSubstr(secret.substr(0, 14))));
  EXPECT_THAT(all, Not(HasSubstr(line.substr(0, 32))));
  EXPECT_GT(d.redacted, 3u);
  EXPECT_EQ(d.failing_tests.size(), 1u);
}

// Where a very long line is cut, the piece of a secret at the cut must not stay.
TEST(Redact, CutsDoNotLeak) {
  const std::string secret = token("glpat-", 40);
  for (const std::size_t at : {480u, 500u, 1000u, 3050u, 3060u, 4060u, 12250u, 12270u}) {
    for (std::size_t shift = 0; shift < 48; shift += 5) {
      Analyzer a(builtin_rules());
      std::string text = "error: ";
      while (text.size() + 8 < at + shift - 20) text += "word ";
      a.feed(text + secret + " " + [] {
        std::string tail;
        while (tail.size() < 40000) tail += "tail ";
        return tail;
      }() + "\n");
      const std::string all = to_json(a.finish({.failed = true}));
      ASSERT_THAT(all, Not(HasSubstr(secret.substr(0, 12)))) << at << " " << shift;
    }
  }
}

}  // namespace
}  // namespace gitaiops::diagnosis
