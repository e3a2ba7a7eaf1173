#include "tests/unit/sqlite/power.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <sqlite3.h>

namespace gitaiops::testing::power {
namespace {

constexpr std::size_t kSector = 512;

struct Change {
  bool truncation = false;
  std::size_t offset = 0;  // of a truncation: the new size
  std::string bytes;
};

struct Image {
  bool exists = false;  // survives
  std::string synced;
  std::vector<Change> since;
};

struct Disk {
  std::mutex mutex;
  std::map<std::string, Image> files;  // by path
  uint64_t left = UINT64_MAX;          // operations until the cut
  bool cut = false;
  sqlite3_vfs* system = nullptr;
};

Disk& disk() {
  static Disk instance;
  return instance;
}

struct File {
  sqlite3_file base;
  const char* path;  // SQLite keeps it while the file is open
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* below(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->below();
}
std::string path_of(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->path;
}

void apply(std::string& bytes, const Change& change) {
  if (change.truncation) {
    bytes.resize(change.offset, '\0');
    return;
  }
  if (bytes.size() < change.offset + change.bytes.size())
    bytes.resize(change.offset + change.bytes.size(), '\0');
  std::memcpy(bytes.data() + change.offset, change.bytes.data(), change.bytes.size());
}

enum class Power { on, failing, off };

// Of one more operation. The caller holds the mutex.
Power spend() {
  Disk& d = disk();
  if (d.cut) return Power::off;
  d.cut = d.left-- == 0;
  return d.cut ? Power::failing : Power::on;
}

int read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
  {
    const std::lock_guard lock(disk().mutex);
    if (disk().cut) return SQLITE_IOERR;
  }
  return below(file)->pMethods->xRead(below(file), bytes, count, offset);
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  const std::lock_guard lock(disk().mutex);
  auto& image = disk().files[path_of(file)];
  const Power power = spend();
  // What was on its way when the power failed may have arrived in part, too.
  if (power != Power::off)
    image.since.push_back({false,
                           static_cast<std::size_t>(offset),
                           {static_cast<const char*>(bytes), static_cast<std::size_t>(count)}});
  if (power != Power::on) return SQLITE_IOERR_WRITE;
  return below(file)->pMethods->xWrite(below(file), bytes, count, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard lock(disk().mutex);
  if (spend() != Power::on) return SQLITE_IOERR_TRUNCATE;
  disk().files[path_of(file)].since.push_back({true, static_cast<std::size_t>(size), {}});
  return below(file)->pMethods->xTruncate(below(file), size);
}

int sync(sqlite3_file* file, int) {
  const std::lock_guard lock(disk().mutex);
  if (spend() != Power::on) return SQLITE_IOERR_FSYNC;
  auto& image = disk().files[path_of(file)];
  image.exists = true;  // SQLite syncs the folder with a new file
  for (const auto& change : image.since) apply(image.synced, change);
  image.since.clear();
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  return below(file)->pMethods->xClose(below(file));
}
int size(sqlite3_file* file, sqlite3_int64* out) {
  return below(file)->pMethods->xFileSize(below(file), out);
}
int lock(sqlite3_file* file, int level) {
  return below(file)->pMethods->xLock(below(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return below(file)->pMethods->xUnlock(below(file), level);
}
int reserved(sqlite3_file* file, int* out) {
  return below(file)->pMethods->xCheckReservedLock(below(file), out);
}
int control(sqlite3_file* file, int what, void* with) {
  return below(file)->pMethods->xFileControl(below(file), what, with);
}
int sector_size(sqlite3_file* file) {
  return below(file)->pMethods->xSectorSize(below(file));
}
int characteristics(sqlite3_file* file) {
  return below(file)->pMethods->xDeviceCharacteristics(below(file));
}
int shm_map(sqlite3_file* file, int page, int bytes, int extend, void volatile** out) {
  return below(file)->pMethods->xShmMap(below(file), page, bytes, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
  below(file)->pMethods->xShmBarrier(below(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return below(file)->pMethods->xShmUnmap(below(file), remove);
}

constexpr sqlite3_io_methods kMethods = {
    2,         close,    read,    write,       truncate,        sync,    size,     lock,
    unlock,    reserved, control, sector_size, characteristics, shm_map, shm_lock, shm_barrier,
    shm_unmap, nullptr,  nullptr};

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  sqlite3_vfs* system = disk().system;
  if (name == nullptr) return system->xOpen(system, name, file, flags, out);
  const std::lock_guard lock(disk().mutex);
  if (disk().cut) return SQLITE_CANTOPEN;
  const bool there = std::filesystem::exists(name);
  if (!disk().files.contains(name)) disk().files[name] = {there, there ? content_of(name) : "", {}};
  reinterpret_cast<File*>(file)->path = name;
  const int code = system->xOpen(system, name, below(file), flags, out);
  file->pMethods = below(file)->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

// A deletion that is not synced may not have happened; SQLite must live with both.
int remove(sqlite3_vfs*, const char* name, int sync_folder) {
  const std::lock_guard lock(disk().mutex);
  if (spend() != Power::on) return SQLITE_IOERR_DELETE;
  auto& image = disk().files[name];
  if (sync_folder != 0) {
    image = {};
  } else {
    image.since.push_back({true, 0, {}});
  }
  return disk().system->xDelete(disk().system, name, sync_folder);
}

// What of one file is there afterwards.
std::string survivor(const Image& image, std::mt19937& random) {
  std::string bytes = image.synced;
  const auto manner = random() % 4;  // none, all, a prefix, some sectors
  const std::size_t prefix = image.since.empty() ? 0 : random() % (image.since.size() + 1);
  for (std::size_t i = 0; i < image.since.size(); ++i) {
    const auto& change = image.since[i];
    if (manner == 0 || (manner == 2 && i > prefix)) break;
    if (manner == 1 || (manner == 2 && i < prefix)) {
      apply(bytes, change);
      continue;
    }
    if (change.truncation) {
      if (random() % 2 == 0) apply(bytes, change);
      continue;
    }
    const bool torn = manner == 2;  // the last of the prefix: its first sectors
    const std::size_t whole = random() % (change.bytes.size() / kSector + 1);
    for (std::size_t at = 0, n = 0; at < change.bytes.size(); ++n) {
      // Sectors of the disk, not of the write.
      const std::size_t end = std::min(
          change.bytes.size(), ((change.offset + at) / kSector + 1) * kSector - change.offset);
      if (torn ? n < whole : random() % 2 == 0)
        apply(bytes, {false, change.offset + at, change.bytes.substr(at, end - at)});
      at = end;
    }
  }
  return bytes;
}

}  // namespace

void install() {
  static sqlite3_vfs vfs;
  static std::once_flag once;
  std::call_once(once, [] {
    disk().system = sqlite3_vfs_find(nullptr);
    vfs = *disk().system;
    vfs.zName = "power";
    vfs.szOsFile += static_cast<int>(sizeof(File));
    vfs.xOpen = open;
    vfs.xDelete = remove;
    sqlite3_vfs_register(&vfs, 1);
  });
}

void cut_after(uint64_t operations) {
  const std::lock_guard lock(disk().mutex);
  disk().left = operations;
}

bool is_cut() {
  const std::lock_guard lock(disk().mutex);
  return disk().cut;
}

void restore(uint32_t seed) {
  const std::lock_guard lock(disk().mutex);
  std::mt19937 random(seed);
  for (const auto& [path, image] : disk().files) {
    std::error_code error;
    std::filesystem::remove(path + "-shm", error);
    const bool survives = image.exists || (!image.since.empty() && random() % 2 == 0);
    if (!survives) {
      std::filesystem::remove(path, error);
      continue;
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << survivor(image, random);
  }
  disk().files.clear();
  disk().left = UINT64_MAX;
  disk().cut = false;
}

}  // namespace gitaiops::testing::power
