// The files by which projects decide for themselves.
#include <gmock/gmock.h>

#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {
namespace {

TEST_P(StoreConformance, TheFilesOfProjectsAreKeptAsTheyWereReadLast) {
  const auto keep = [&](std::string instance, int64_t project, std::string path, std::string text) {
    const ProjectFile file{std::move(instance), project, std::move(path), std::move(text)};
    ASSERT_TRUE(await(store->keep_project_file(file, {})).ok());
  };
  const auto all = [&] {
    std::vector<std::string> out;
    const auto files = await(store->project_files()).value();
    for (const auto& file : files)
      out.push_back(file.instance + " " + std::to_string(file.project_id) + " " +
                    file.project_path + " " + file.text);
    return out;
  };
  using ::testing::ElementsAre;
  keep("main", 42, "grp/a", "note: off\n");
  keep("main", 43, "grp/b", "note: on\n");
  keep("other", 42, "grp/c", "{}");
  keep("main", 42, "new/a", "note: on\n");
  EXPECT_THAT(all(), ElementsAre("main 42 new/a note: on\n", "main 43 grp/b note: on\n",
                                 "other 42 grp/c {}"));
  keep("main", 43, "grp/b", "");
  keep("main", 44, "grp/d", "");
  EXPECT_THAT(all(), ElementsAre("main 42 new/a note: on\n", "other 42 grp/c {}"));
}

}  // namespace
}  // namespace gitaiops::store
