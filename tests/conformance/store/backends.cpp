#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {

INSTANTIATE_TEST_SUITE_P(
    Stores, StoreConformance,
    ::testing::Values(Backend{"SQLite",
                              [](const std::filesystem::path& folder, const Clock& clock) {
                                return open_sqlite({folder / "store.db"}, clock);
                              }}),
    [](const ::testing::TestParamInfo<Backend>& backend) { return backend.param.name; });

}  // namespace gitaiops::store
