#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

EnrollmentToken token_named(std::string id) {
  EnrollmentToken token;
  token.id = id;
  token.secret_sha256 = "hash of " + id;
  token.expires_at = kNow + 10;
  token.uses_left = 2;
  token.labels = {"x86", "a \"label\""};
  token.scope = {{"gl", "grp/*"}, {"gl2", "*"}};
  token.created_at = kNow;
  return token;
}

std::vector<std::pair<std::string, std::string>> pairs(const Scope& scope) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& g : scope) out.emplace_back(g.instance, g.path);
  return out;
}

TEST_P(StoreConformance, AnAgentGetsItsScopeFromTheToken) {
  ASSERT_TRUE(await(store->add_enrollment_token(token_named("t"))).ok());
  Agent asks;
  asks.host_name = "build-1";
  asks.version = "0.1.0";
  asks.observation = "sees all";
  asks.labels = {"wishful"};
  asks.scope = everything();
  const auto agent = await(store->enroll_agent("hash of t", asks, kNow));
  ASSERT_TRUE(agent.ok()) << agent.error().to_string();
  EXPECT_EQ(agent->id.size(), 36u);
  EXPECT_EQ(agent->labels, token_named("t").labels);
  EXPECT_EQ(pairs(agent->scope), pairs(token_named("t").scope));
  const auto kept = await(store->agent(agent->id));
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->host_name, "build-1");
  EXPECT_EQ(kept->version, "0.1.0");
  EXPECT_EQ(kept->observation, "sees all");
  EXPECT_EQ(kept->enrolled_at, kNow);
  EXPECT_EQ(pairs(kept->scope), pairs(agent->scope));
  EXPECT_EQ(kept->labels, agent->labels);
  EXPECT_FALSE(kept->last_seen_at || kept->revoked_at || kept->certificate_not_after);
  EXPECT_EQ(await(store->enrollment_tokens())->at(0).uses_left, 1);
  ASSERT_EQ(events().size(), 1u);
  EXPECT_EQ(events()[0].type, "agent.enrolled");
  EXPECT_EQ(events()[0].subject, agent->id);
  EXPECT_EQ(await(store->agent("nobody")).error().code(), Code::not_found);
  EXPECT_EQ(await(store->agents())->size(), 1u);
}

TEST_P(StoreConformance, ARefusedTokenSaysWhyAndLeavesNothing) {
  ASSERT_TRUE(await(store->add_enrollment_token(token_named("used"))).ok());
  ASSERT_TRUE(await(store->add_enrollment_token(token_named("revoked"))).ok());
  ASSERT_TRUE(await(store->add_enrollment_token(token_named("late"))).ok());
  Agent agent;
  agent.id = "one";
  ASSERT_TRUE(await(store->enroll_agent("hash of used", agent, kNow)).ok());
  EXPECT_EQ(await(store->enroll_agent("hash of used", agent, kNow)).error().code(),
            Code::already_exists);
  EXPECT_EQ(await(store->enrollment_tokens())->at(2).uses_left, 1)
      << "a refused enrolment takes no use";
  agent.id = "two";
  ASSERT_TRUE(await(store->enroll_agent("hash of used", agent, kNow)).ok());
  ASSERT_TRUE(await(store->revoke_token("revoked", kNow)).ok());
  const auto refusal = [&](std::string secret, UnixMicros now) {
    agent.id = "three";
    const auto answer = await(store->enroll_agent(secret, agent, now));
    EXPECT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code(), Code::unauthenticated);
    return answer.error().to_string();
  };
  EXPECT_NE(refusal("hash of used", kNow).find("used up"), std::string::npos);
  EXPECT_NE(refusal("hash of revoked", kNow).find("revoked"), std::string::npos);
  EXPECT_NE(refusal("hash of late", kNow + 10).find("expired at 2023-11-14T22:13:20.000010Z"),
            std::string::npos);
  EXPECT_NE(refusal("nonsense", kNow).find("not known"), std::string::npos);
  EXPECT_EQ(await(store->agents())->size(), 2u);
  EXPECT_EQ(events().size(), 2u);
}

TEST_P(StoreConformance, SeenAndRevoked) {
  const auto agent = enroll(everything());
  ASSERT_TRUE(await(store->agent_seen(agent, kNow + 1, "0.2.0", "blind", -7, kNow + 100)).ok());
  ASSERT_TRUE(await(store->agent_seen(agent, kNow + 2, "0.2.0", "blind", -7, std::nullopt)).ok());
  auto kept = await(store->agent(agent));
  EXPECT_EQ(kept->last_seen_at, kNow + 2);
  EXPECT_EQ(kept->version, "0.2.0");
  EXPECT_EQ(kept->observation, "blind");
  EXPECT_EQ(kept->clock_skew_us, -7);
  EXPECT_EQ(kept->certificate_not_after, kNow + 100) << "absent: as before";
  EXPECT_EQ(await(store->agent_seen("nobody", kNow, "", "", 0, {})).error().code(),
            Code::not_found);

  ASSERT_TRUE(await(store->revoke_agent(agent, kNow + 3, "token:ops")).ok());
  ASSERT_TRUE(await(store->revoke_agent(agent, kNow + 4, "token:ops"))
                  .ok());  // again: nothing more happens
  EXPECT_EQ(await(store->agent(agent))->revoked_at, kNow + 3);
  EXPECT_EQ(await(store->revoke_agent("nobody", kNow, "operator")).error().code(), Code::not_found);
  ASSERT_EQ(events(1).size(), 1u);
  EXPECT_EQ(events(1)[0].type, "agent.revoked");
  const auto audit = await(store->audit(10));
  ASSERT_EQ(audit->size(), 1u);
  EXPECT_EQ((*audit)[0].actor, "token:ops");
  EXPECT_EQ((*audit)[0].act, "agent.revoke");
  EXPECT_EQ((*audit)[0].at, kNow + 3);
}

TEST_P(StoreConformance, WhoHoldsAnIdentityAndWhoHoldsACopy) {
  auto token = token_named("t");
  token.certificate_life_us = 3600;
  ASSERT_TRUE(await(store->add_enrollment_token(token)).ok());
  EXPECT_EQ(await(store->enrollment_tokens())->at(0).certificate_life_us, 3600);
  const auto enrolled = await(store->enroll_agent("hash of t", {}, kNow));
  EXPECT_EQ(enrolled->certificate_life_us, 3600);
  EXPECT_EQ(enrolled->certificate_not_after, kNow + 3600);
  const auto held = [&](uint64_t generation, const char* name, bool contested = false) {
    return *await(store->agent_held(enrolled->id, {generation, name, contested}, kNow + 7));
  };
  EXPECT_EQ(held(1, "one").generation, 1u);
  EXPECT_EQ(held(2, "one (moved)").holder, "one (moved)");
  EXPECT_TRUE(await(store->audit(10))->empty());
  for (int again = 0; again < 2; ++again) {
    const auto copied = held(1, "two");
    EXPECT_EQ(copied.generation, 2u);
    EXPECT_EQ(copied.holder, "one (moved)");
    EXPECT_EQ(copied.clone, "two");
    EXPECT_EQ(copied.clone_at, kNow + 7);
  }
  ASSERT_EQ(await(store->audit(10))->size(), 1u) << "the first time only";
  EXPECT_EQ(await(store->audit(10))->at(0).act, "agent.cloned");
  EXPECT_EQ(held(2, "three", true).clone, "three") << "the same generation, while another is here";
  const auto kept = *await(store->agent(enrolled->id));
  EXPECT_EQ(kept.holder, "one (moved)");
  EXPECT_EQ(kept.clone, "three");
  EXPECT_EQ(await(store->agent_held("nobody", {}, kNow)).error().code(), Code::not_found);
}

TEST_P(StoreConformance, ApiTokens) {
  ApiToken token;
  token.id = "id";
  token.name = "dash \xc3\xa4";
  token.secret_sha256 = "beef";
  token.verbs = {"read", "admin"};
  token.scope = scope_of("grp/*");
  token.created_at = kNow;
  token.expires_at = kNow + 5;
  ASSERT_TRUE(await(store->add_api_token(token)).ok());
  EXPECT_EQ(await(store->add_api_token(token)).error().code(), Code::already_exists);
  const auto found = await(store->api_token_by_secret("beef"));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->id, "id");
  EXPECT_EQ(found->name, token.name);
  EXPECT_EQ(found->verbs, token.verbs);
  EXPECT_EQ(pairs(found->scope), pairs(token.scope));
  EXPECT_EQ(found->expires_at, kNow + 5);
  EXPECT_FALSE(found->revoked_at);
  EXPECT_EQ(await(store->api_token_by_secret("dead")).error().code(), Code::not_found);
  ASSERT_TRUE(await(store->revoke_token("id", kNow + 1)).ok());
  EXPECT_EQ(await(store->api_token_by_secret("beef"))->revoked_at, kNow + 1);
  EXPECT_EQ(await(store->revoke_token("other", kNow)).error().code(), Code::not_found);
  EXPECT_EQ(await(store->api_tokens())->size(), 1u);
}

}  // namespace
}  // namespace gitaiops::store
