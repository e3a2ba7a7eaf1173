#include "tests/conformance/store/conformance.h"

namespace gitaiops::store {

std::vector<Backend> backends() {
  return {{"SQLite", [](const std::filesystem::path& folder, const Clock& clock) {
             return open_sqlite({folder / "store.db"}, clock);
           }}};
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreConformance, ::testing::ValuesIn(backends()), backend_name);

}  // namespace gitaiops::store
