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

// `secret` stands in `text` and must not stay; the rest around it may.
struct Planted {
  std::string text, secret;
};

TEST(Redact, CommandLinesAndFiles) {
  const std::string hex = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", long_one = token("", 40);
  for (const auto& [text, secret] : {
           Planted{"docker login -u me -p D0ckP4ss reg.example.com", "D0ckP4ss"},
           Planted{"docker login reg.example -u me --password hunterpass", "hunterpass"},
           Planted{"podman --log-level=debug login -u me -p 'hunter pass' reg", "hunter pass"},
           Planted{"mysql -uroot -pM7sqlP4ss db", "M7sqlP4ss"},
           Planted{"mysqldump -h db -p'M7sqlP4ss' shop > x", "M7sqlP4ss"},
           Planted{"MYSQL_PWD=hunter22 mysql db", "hunter22"},
           Planted{"sshpass -p 'ShPass99' ssh x", "ShPass99"},
           Planted{"sshpass -pShPass99 ssh x", "ShPass99"},
           Planted{R"({"auths":{"reg":{"auth": "dXNlcjpkb2NrZXJwYXNz"}}})", "dXNlcjpkb2NrZXJwYXNz"},
           Planted{"    client-key-data: LS0tLS1CRUdJTi" + long_one, long_one},
           Planted{"https://discord.com/api/webhooks/123456789012345678/" + long_one, long_one},
           Planted{"abcdEFGH1234ij.atlasv1." + long_one + long_one, long_one},
           Planted{"pul-" + hex + "01234567", hex},
           Planted{"GET https://api.telegram.example/bot" + token("123456789:AA", 33) + "/getMe",
                   token("", 33)},
           Planted{"sig=abcDEF123%2FghiJKL456%3D&se=2030", "abcDEF123"},
           Planted{R"(body: {\"password\":\"J50n\"})", "J50n"},
           Planted{R"(body: {\"api_token\": \"tok9aB3dE5fG7\"})", "tok9aB3dE5fG7"},
           Planted{"mvn sonar:sonar -Dsonar.login=" + hex + "01234567", hex},
           Planted{"-Dsonar.token=sqp_" + hex + "01234567", hex},
           Planted{"Password for user bob: hunt3r2x", "hunt3r2x"},
           Planted{"curl -u admin:CurlPass77 https://x", "CurlPass77"},
           Planted{"curl -fsSu admin:CurlPass77 https://x", "CurlPass77"},
       }) {
    const auto r = redact(text);
    EXPECT_THAT(r.text, Not(HasSubstr(secret)));
    EXPECT_THAT(r.text, HasSubstr("[REDACTED]"));
    EXPECT_EQ(r.count, 1u) << text;
  }
}

// Only a whole reference is one; a value that merely begins like it is a secret.
TEST(Redact, WhatBeginsLikeAReference) {
  for (const auto& [text, secret] : {
           Planted{"password=$uperS3cret99", "uperS3cret99"},
           Planted{"password={Xk9mQ2vb}", "Xk9mQ2vb"},
           Planted{"PGPASSWORD=%Zk9mQ2vb7", "Zk9mQ2vb7"},
           Planted{"password=\"(Zk9mQ2vb7\"", "Zk9mQ2vb7"},
           Planted{"password=Zk9()mQ2vb7", "mQ2vb7"},
           Planted{"password=env.realS3cret", "realS3cret"},
           Planted{"Authorization: Bearer env.realSecret99Abc", "realSecret99Abc"},
           Planted{"password=[REDACTEDrealsecret99", "realsecret99"},
           Planted{"password=<Zk9mQ2vb7", "Zk9mQ2vb7"},
           Planted{"password=required.........Zk9mQ2vb7", "Zk9mQ2vb7"},
           Planted{"https://bob:abc/defZ9k@host", "defZ9k"},
           Planted{"https://u:$ecretZ9@h", "ecretZ9"},
           Planted{"postgres://u:p@ssw0rd9@h", "ssw0rd9"},
       }) {
    EXPECT_THAT(redact(text).text, Not(HasSubstr(secret)));
    EXPECT_EQ(redact(text).count, 1u) << text;
  }
}

TEST(Redact, LeavesReferences) {
  for (const std::string text :
       {"password=$DB_PASSWORD",
        "password=$db_password",
        "password=${DB_PASSWORD:-none}",
        "password=$(cat /run/secrets/db)",
        "password=\"$(pass show db)\"",
        "PGPASSWORD=%DB_PASS%",
        "password: {{ db_password }}",
        "password: ${{ secrets.DB_PASSWORD }}",
        "password=<your password>",
        "password: <password>",
        "password=[REDACTED]",
        "password=[MASKED])",
        "password=process.env.DB_PASSWORD",
        "password: env.db_password",
        "password = get_password()",
        "password = os.getenv(\"DB\")",
        "password: (hidden)",
        "password={password}",
        "https://gitlab-ci-token:${CI_JOB_TOKEN}@git.example/a.git",
        "https://gitlab-ci-token:[MASKED]@git.example/a.git",
        "curl -u \"$USER_NAME:$PASS\" https://x",
        "docker login -u \"$CI_USER\" -p \"$CI_PASSWORD\" $CI_REGISTRY",
        "docker login -u me --password-stdin",
        "docker run --name mysql -p 3306:3306 mysql:8",
        "docker run mysql -p3306:3306",
        "http://registry.example:4873/@scope/box/-/box-1.tgz",
        "http://localhost:8080/a@1.2",
        "http://localhost:$PORT/@vite/client",
        "docker://alpine:3.18@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "PWD=/builds/grp/proj",
        "docker run -v $PWD:/srv/box box",
        "High-pass filter9 and low-token ring7a",
        "Password:\nerror: no terminal",
        "fatal: could not read Password for 'https://u@git.example': No such device or address",
        "fatal: could not read Password for 'https://git.example': terminal prompts disabled",
        "Password for user app: FATAL: no such role"}) {
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

// As composed, searched, logged, patched or indented keys stand in logs.
TEST(Redact, PrivateKeysBehindPrefixes) {
  std::vector<std::string> key;
  const std::string whole = wrapped_key() + "";
  std::string line;
  for (const char c : whole) {
    if (c == '\n') {
      key.push_back(line);
      line.clear();
    } else {
      line += c;
    }
  }
  key.insert(key.end() - 1, "x3Q9aB3dE5fG7Q==");
  const std::string full = token("", 64).substr(20, 30);
  for (const std::string prefix :
       {"app_1  | ", "id_rsa:", "id_rsa:12:", "2024-05-01 10:00:00 INFO ", "+", "-", "    ", "\t",
        "> ", "#7 0.123 ", "\"", "INFO"}) {
    std::string text;
    for (const auto& l : key) text += prefix + l + "\n";
    const auto hidden = [&](std::size_t from, std::size_t count, uint64_t keys) {
      const auto r = redact("before\n" + text.substr(from, count) + "\nerror: after");
      EXPECT_THAT(r.text, Not(HasSubstr(full))) << prefix << from;
      EXPECT_THAT(r.text, Not(HasSubstr("x3Q9aB3"))) << prefix << from;
      EXPECT_TRUE(r.text.starts_with("before\n")) << r.text;
      EXPECT_TRUE(r.text.ends_with("\nerror: after")) << r.text;
      EXPECT_EQ(r.count, keys) << prefix << from;
    };
    const std::size_t row = prefix.size() + 65, head = prefix.size() + key[0].size() + 1;
    hidden(0, text.npos, 1);
    hidden(0, 900, 1);                 // the end was cut off
    hidden(head + row, text.npos, 1);  // the beginning was
    hidden(head + row, 4 * row, 1);    // both were

    Analyzer a(builtin_rules());
    a.feed(text + "box.c:1:1: error: expected expression\nERROR: Job failed: exit code 1\n");
    EXPECT_THAT(to_json(a.finish()), Not(HasSubstr(full))) << prefix;
  }
}

TEST(Redact, KeysNextToOtherText) {
  const std::string begin =
                        "-----BEGIN "
                        "PRIVATE KEY-----",
                    end =
                        "-----END "
                        "PRIVATE KEY-----";
  EXPECT_EQ(redact("expected \"" + begin + "\" in box.pem\nerror: bad file").text,
            "expected \"[REDACTED]\" in box.pem\nerror: bad file");
  EXPECT_EQ(
      redact("{\"k\": \"" + begin + "\\n" + token("", 64) + "\\n" + end + "\\n\", \"a\": 1}").text,
      "{\"k\": \"[REDACTED]\\n\", \"a\": 1}");
  EXPECT_THAT(redact("k=" + token("", 64) + " " + token("", 20) + " " + end + " x").text,
              Not(HasSubstr(token("", 20))));
  // Times of unequal length, and lines of another container between.
  std::string text = "[9] a: " + begin + "\n";
  for (int i = 9; i < 12; ++i)
    text += "[" + std::to_string(i) + "] a: " + token("", 64) + "\n[" + std::to_string(i) +
            "] b: GET /box\n";
  const auto r = redact(text);
  EXPECT_THAT(r.text, Not(HasSubstr(token("", 64).substr(20, 30))));
  EXPECT_THAT(r.text, HasSubstr("[11] b: GET /box"));
  EXPECT_EQ(r.count, 1u);
}

TEST(Redact, LongLinesThatAreNoKeys) {
  std::string sums, paths, cert = "-----BEGIN CERTIFICATE-----\n", sri;
  for (int i = 0; i < 4; ++i) {
    sums += "Digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0" +
            std::to_string(i) + "\n";
    paths += "/usr/share/java/example/project/Compiler/Services/Resolver/Main" + std::to_string(i) +
             "\n";
    cert += token("", 64) + "\n";
    sri += "integrity: sha384-" + token("", 64) + "\n";
  }
  for (const auto& text : {sums, paths, cert + "-----END CERTIFICATE-----\n", sri}) {
    EXPECT_EQ(redact(text).text, text);
  }
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
