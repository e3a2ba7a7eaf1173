// A source tree that a test writes down.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engines/scanner/inventory.h"

namespace gitaiops::scanner {

class MemoryTree final : public Tree {
 public:
  explicit MemoryTree(std::map<std::string, std::string> content) : content_(std::move(content)) {
    for (const auto& [path, text] : content_) files_.push_back(path);
  }
  const std::vector<std::string>& files() const override { return files_; }
  Result<std::string> read(std::string_view path) const override {
    const auto found = content_.find(std::string(path));
    if (found == content_.end()) return Error(Code::not_found, "there is no " + std::string(path));
    return found->second;
  }

 private:
  std::map<std::string, std::string> content_;
  std::vector<std::string> files_;
};

}  // namespace gitaiops::scanner
