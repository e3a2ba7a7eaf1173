// Comments whose commands were carried out, in memory.
#pragma once

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "controller/store/store.h"

namespace gitaiops::store {

class MemoryCommands final : public Commands {
 public:
  std::vector<Commanded> comments;
  std::map<std::tuple<std::string, int64_t, int64_t>, std::string> mutes;  // by whom

  void keep(const Commanded& of) {
    comments.push_back(of);
    const std::tuple place{of.instance, of.project_id, of.iid};
    if (of.mute && *of.mute) mutes[place] = of.username;
    if (of.mute && !*of.mute) mutes.erase(place);
  }

  Task<Result<bool>> was_commanded(std::string instance, int64_t project_id,
                                   int64_t note_id) override {
    co_return std::ranges::any_of(comments, [&](const Commanded& one) {
      return one.instance == instance && one.project_id == project_id && one.note_id == note_id;
    });
  }
  Task<Result<int64_t>> commands_of(std::string instance, int64_t user_id,
                                    UnixMicros since) override {
    int64_t sum = 0;
    for (const auto& one : comments)
      if (one.instance == instance && one.user_id == user_id && one.at > since) sum += one.commands;
    co_return sum;
  }
  Task<Result<std::string>> muted_by(std::string instance, int64_t project_id,
                                     int64_t iid) override {
    const auto found = mutes.find(std::tuple{instance, project_id, iid});
    co_return found == mutes.end() ? std::string() : found->second;
  }
};

}  // namespace gitaiops::store
