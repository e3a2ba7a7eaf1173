// Google's Vertex AI (Gemini Enterprise Agent Platform): generateContent of the API v1, by the
// protos of google.cloud.aiplatform.v1 (prediction_service, content, openapi). Private to this
// folder.
// Tests: tests/unit/models/vertex_test.cpp; tests/conformance/models holds the requests against
// Google's own descriptors.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "controller/models/google_auth.h"
#include "controller/models/model_list.h"

namespace gitaiops::models {

struct VertexOptions {
  std::string project;   // id or number
  std::string location;  // "global", a multi-region ("us", "eu") or a region ("europe-west4")
  std::string url = {};  // in place of Google's host: a private endpoint
  ListOptions list = {};
};

std::unique_ptr<Provider> open_vertex(VertexOptions options, std::unique_ptr<GoogleAuth> auth,
                                      Outgoing& outgoing, const Clock& clock);

// "https://aiplatform.googleapis.com", "https://aiplatform.eu.rep.googleapis.com",
// "https://europe-west4-aiplatform.googleapis.com"
std::string vertex_host(std::string_view location);
std::string vertex_path(const VertexOptions& options, std::string_view model);
std::string vertex_body(const Question& question, std::string_view model);
// internal: no answer that can be understood.
Result<Answer> read_vertex_answer(std::string_view body);

}  // namespace gitaiops::models
