// The prompt about a change, and what is made of its answer: values in, values out. Private to this
// folder. As prompt.h, whose rules hold here; secrets are taken out of a diff before anything else
// of it is looked at. Thread safety: pure.
// Tests: tests/unit/models/change_prompt_test.cpp, tests/fuzz/models.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/gitlab/gitlab.h"
#include "controller/models/models.h"
#include "controller/models/prompt.h"
#include "controller/store/store.h"
#include "engines/project_file/guidelines.h"

namespace gitaiops::models {

std::string_view change_prompt_text();  // prompts/change.toml, as built
const Prompt& change_prompt();

// A merge request as it is given to a model.
struct ChangeData {
  struct Place {
    std::string path;
    int64_t line = 0;
    bool removed = false;
  };
  std::string text;
  std::map<int64_t, Place> places;      // by the line's number in the text
  std::vector<std::string> guidelines;  // names; in the text by number, from 1
};

// Code before what surrounds it, no lock files, vendored or generated code, no file more than its
// share of the room; what is left out is named. No places: nobody need be asked.
ChangeData change_data(const Prompt& prompt, const gitlab::MergeRequest& merge_request,
                       const std::vector<gitlab::FileDiff>& diffs,
                       const std::vector<project_file::Guideline>& guidelines,
                       const std::vector<Vulnerability>& brought = {});

// Cleaned, without addresses of the web, with the places of the lines that it names; without any
// where it is a guess. invalid_argument: why nothing is made of the answer, in our words.
Result<store::Reading> read_change_answer(const Prompt& prompt, std::string_view answer,
                                          const ChangeData& data);

}  // namespace gitaiops::models
