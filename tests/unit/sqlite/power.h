// A disk that loses power. A VFS over SQLite's own remembers for each file what was synced and what
// was written since. At the chosen operation the power fails: that operation and all later ones
// fail, and restore() then leaves in the folder what a disk may hold after such a cut: everything
// that was synced, and of what was not any part, in sectors of 512 bytes: nothing, a prefix, or
// some sectors here and there. A file whose creation was not synced may be gone.
//
// One for the process; install() comes before the first database is opened. Thread safety: any
// thread, but cut_after() and restore() only while no database is open.
#pragma once

#include <cstdint>
#include <filesystem>

namespace gitaiops::testing::power {

void install();
// The power fails at the n-th write, truncation or sync from now on.
void cut_after(uint64_t operations);
bool is_cut();
// After a cut, or instead of one: what remains. Afterwards there is power again. `seed` decides
// what of the unsynced survives.
void restore(uint32_t seed);

}  // namespace gitaiops::testing::power
