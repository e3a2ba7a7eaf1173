// GitLab's own payloads, from every kind of hook: each is read, its project found, and nothing in
// it is taken for what it is not; the published signature holds.
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "controller/webhooks/event.h"
#include "controller/webhooks/route.h"
#include "controller/webhooks/signature.h"
#include "tests/corpus.h"

namespace gitaiops::webhooks {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Every payload with what GitLab calls it, read by another reader.
std::vector<std::pair<fs::path, nlohmann::json>> payloads(const fs::path& folder) {
  std::vector<std::pair<fs::path, nlohmann::json>> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    auto json = nlohmann::json::parse(content(entry.path()), nullptr, false);
    if (json.contains("object_kind") || json.contains("event_name"))
      out.emplace_back(entry.path(), std::move(json));
  }
  return out;
}

int64_t whole(const nlohmann::json& json, const char* pointer) {
  const nlohmann::json::json_pointer at(pointer);
  return json.contains(at) && json[at].is_number_integer() ? json[at].get<int64_t>() : 0;
}

TEST(Payloads, EveryOneIsReadForWhatItIs) {
  const auto folder = corpus("integrations/webhooks");
  if (!folder) GTEST_SKIP() << "the webhooks of the corpus are not here";
  const auto all = payloads(*folder);
  ASSERT_GT(all.size(), 30u);
  for (const auto& [file, json] : all) {
    const auto event = read_event(json.dump());
    ASSERT_TRUE(event.ok()) << file << ": " << event.error().to_string();
    EXPECT_EQ(event->word, json.value("object_kind", json.value("event_name", ""))) << file;
    const int64_t project = whole(json, "/project/id"), said = whole(json, "/project_id");
    const int64_t target = whole(json, "/object_attributes/target_project_id");
    if (event->kind == Kind::merge_request) {
      EXPECT_EQ(event->project_id, target) << file;
      EXPECT_EQ(event->number, whole(json, "/object_attributes/iid")) << file;
      EXPECT_EQ(event->sha, json["object_attributes"]["last_commit"]["id"].get<std::string>())
          << file;
    } else {
      EXPECT_EQ(event->project_id, said != 0 ? said : project) << file;
    }
    if (event->kind == Kind::job) {
      EXPECT_EQ(event->number, whole(json, "/build_id")) << file;
      EXPECT_EQ(event->pipeline_id, whole(json, "/commit/id")) << file << ": GitLab's trap";
    }
    if (event->kind == Kind::pipeline) {
      EXPECT_EQ(event->number, whole(json, "/object_attributes/id")) << file;
      EXPECT_EQ(event->builds.size(), json.value("builds", nlohmann::json::array()).size()) << file;
    }
  }
}

TEST(Payloads, EveryOneIsSettled) {
  const auto folder = corpus("integrations/webhooks");
  if (!folder) GTEST_SKIP() << "the webhooks of the corpus are not here";
  static const std::set<std::string> kDone = {"merge_request", "pipeline", "build", "access_token"};
  for (const auto& [file, json] : payloads(*folder)) {
    // One sample is of a GitLab that did not say which merge request it was.
    if (json.value("object_kind", "") == "merge_request" &&
        whole(json, "/object_attributes/iid") == 0)
      continue;
    store::Delivery delivery;
    delivery.body = json.dump();
    const auto settled = route(std::move(delivery), {}, {}, UnixMicros{1});
    EXPECT_EQ(settled.delivery.state, kDone.contains(settled.delivery.type) ? "done" : "ignored")
        << file << ": " << settled.delivery.detail;
  }
}

TEST(Payloads, CutAnywhereNothingBreaks) {
  const auto folder = corpus("integrations/webhooks");
  if (!folder) GTEST_SKIP() << "the webhooks of the corpus are not here";
  for (const auto& [file, json] : payloads(*folder)) {
    const std::string body = json.dump();
    for (std::size_t length = 0; length < body.size(); length += 97)
      EXPECT_FALSE(read_event(std::string_view(body).substr(0, length)).ok())
          << file << " " << length;
  }
}

TEST(Payloads, ThePublishedSignatureHolds) {
  const auto folder = corpus("integrations/webhooks");
  if (!folder) GTEST_SKIP() << "the webhooks of the corpus are not here";
  const auto vector = nlohmann::json::parse(content(*folder / "signature_vector.json"));
  Secrets secrets;
  ASSERT_TRUE(add_secret(secrets, vector["secret"].get<std::string>()).ok());
  http::Headers headers;
  for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature"})
    headers.add(name, vector[name]);
  const int64_t sent = std::stoll(vector["webhook-timestamp"].get<std::string>());
  const std::string body = vector["body"];
  const UnixMicros then{sent * kMicrosPerSecond};
  EXPECT_EQ(verify(secrets, headers, body, then), Verdict::signed_);
  EXPECT_EQ(verify(secrets, headers, body + " ", then), Verdict::forged);
  EXPECT_EQ(verify(secrets, headers, body, then + 301 * kMicrosPerSecond), Verdict::late);
}

}  // namespace
}  // namespace gitaiops::webhooks
