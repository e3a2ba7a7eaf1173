#include <gtest/gtest.h>

#include "engines/scanner/inventory.h"

namespace gitaiops::scanner {
namespace {

TEST(HoldsOwnFiles, NotWherePackageManagersInstall) {
  for (const auto* folder : {"node_modules", "web/node_modules", ".git", "api/.venv", "venv",
                             "lib/site-packages", "php/vendor", "ios/Pods"})
    EXPECT_FALSE(holds_own_files(folder)) << folder;
}

TEST(HoldsOwnFiles, EverywhereElse) {
  for (const auto* folder : {"src", "target", "build", "gradle", "my-vendor", "node_modules2",
                             "node_modules/x", ".github", "vendors"})
    EXPECT_TRUE(holds_own_files(folder)) << folder;
}

}  // namespace
}  // namespace gitaiops::scanner
