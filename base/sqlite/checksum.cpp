#include "base/sqlite/checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <mutex>

#include <sqlite3.h>

namespace gitaiops::sqlite {
namespace {

constexpr const char* kName = "gitaiops-checksum";
constexpr int kPage = 4096;  // SQLite's default, and what all our files have
constexpr int kTrailer = 8;
// The database header: a text, and where it tells how many bytes of each page are reserved.
constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr int kReservedAt = 20;
constexpr int kHeader = 100;

// Lies in memory that SQLite gives; the file of the VFS below lies behind it.
struct File {
  sqlite3_file base;
  bool checked;
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& self(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}
sqlite3_file* below(sqlite3_file* file) {
  return self(file).below();
}
const sqlite3_io_methods& methods_below(sqlite3_file* file) {
  return *below(file)->pMethods;
}
sqlite3_vfs* vfs_below(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

// Whether the file keeps room for checksums, from its header when that passes by.
void look(File& file, const void* bytes, int count, sqlite3_int64 offset) {
  if (offset != 0 || count < kHeader) return;
  const auto* header = static_cast<const unsigned char*>(bytes);
  if (std::memcmp(header, kMagic.data(), kMagic.size()) != 0) return;
  file.checked = header[kReservedAt] == kTrailer;
}

bool is_page(int count, sqlite3_int64 offset) {
  return count == kPage && offset % kPage == 0;
}

// Whether the file ends inside the page at `offset`. SQLite takes the missing rest for zeros; every
// page is written whole, and one that a power cut tore is read from the log instead.
bool is_torn(sqlite3_file* file, sqlite3_int64 offset) {
  sqlite3_int64 size = 0;
  return methods_below(file).xFileSize(below(file), &size) != SQLITE_OK || size > offset;
}

int read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
  const int code = methods_below(file).xRead(below(file), bytes, count, offset);
  if (code == SQLITE_IOERR_SHORT_READ && self(file).checked && is_page(count, offset) &&
      is_torn(file, offset))
    return SQLITE_IOERR_DATA;
  if (code != SQLITE_OK) return code;
  look(self(file), bytes, count, offset);
  if (!self(file).checked || !is_page(count, offset)) return SQLITE_OK;
  auto* page = static_cast<char*>(bytes);
  uint64_t stored = 0;
  std::memcpy(&stored, page + kPage - kTrailer, kTrailer);
  if (stored != 0 && stored != page_checksum({page, kPage}, offset / kPage + 1))
    return SQLITE_IOERR_DATA;
  std::memset(page + kPage - kTrailer, 0, kTrailer);
  return SQLITE_OK;
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  look(self(file), bytes, count, offset);
  if (!self(file).checked || !is_page(count, offset))
    return methods_below(file).xWrite(below(file), bytes, count, offset);
  char page[kPage];
  std::memcpy(page, bytes, kPage);
  const uint64_t sum = page_checksum({page, kPage}, offset / kPage + 1);
  std::memcpy(page + kPage - kTrailer, &sum, kTrailer);
  return methods_below(file).xWrite(below(file), page, kPage, offset);
}

// Everything else is the VFS below's.
int close(sqlite3_file* file) {
  return methods_below(file).xClose(below(file));
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return methods_below(file).xTruncate(below(file), size);
}
int sync(sqlite3_file* file, int flags) {
  return methods_below(file).xSync(below(file), flags);
}
int size(sqlite3_file* file, sqlite3_int64* out) {
  return methods_below(file).xFileSize(below(file), out);
}
int lock(sqlite3_file* file, int level) {
  return methods_below(file).xLock(below(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return methods_below(file).xUnlock(below(file), level);
}
int reserved(sqlite3_file* file, int* out) {
  return methods_below(file).xCheckReservedLock(below(file), out);
}
int control(sqlite3_file* file, int what, void* with) {
  return methods_below(file).xFileControl(below(file), what, with);
}
int sector_size(sqlite3_file* file) {
  return methods_below(file).xSectorSize(below(file));
}
int characteristics(sqlite3_file* file) {
  return methods_below(file).xDeviceCharacteristics(below(file));
}
int shm_map(sqlite3_file* file, int page, int size_of, int extend, void volatile** out) {
  return methods_below(file).xShmMap(below(file), page, size_of, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return methods_below(file).xShmLock(below(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) {
  methods_below(file).xShmBarrier(below(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return methods_below(file).xShmUnmap(below(file), remove);
}

// Version 2: without memory-mapped reading, which would pass us by.
constexpr sqlite3_io_methods kMethods = {
    2,         close,    read,    write,       truncate,        sync,    size,     lock,
    unlock,    reserved, control, sector_size, characteristics, shm_map, shm_lock, shm_barrier,
    shm_unmap, nullptr,  nullptr};

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
    return vfs_below(vfs)->xOpen(vfs_below(vfs), name, file, flags, out);
  self(file).checked = false;
  const int code = vfs_below(vfs)->xOpen(vfs_below(vfs), name, below(file), flags, out);
  file->pMethods = below(file)->pMethods == nullptr ? nullptr : &kMethods;
  return code;
}

}  // namespace

uint64_t page_checksum(std::string_view page, int64_t number) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15u;  // each step below can be undone, so none forgets
  uint64_t sum = static_cast<uint64_t>(number) * kOdd;
  for (std::size_t at = 0; at + kTrailer < page.size(); at += sizeof sum) {
    uint64_t word;
    std::memcpy(&word, page.data() + at, sizeof word);
    sum = std::rotl((sum ^ word) * kOdd, 29);
  }
  return std::max<uint64_t>(sum, 1);
}

const char* checksum_vfs() {
  static sqlite3_vfs vfs;
  static std::once_flag once;
  std::call_once(once, [] {
    sqlite3_vfs* system = sqlite3_vfs_find(nullptr);
    vfs = *system;  // its calls use their own global state, and get themselves as argument or none
    vfs.zName = kName;
    vfs.pAppData = system;
    vfs.szOsFile = static_cast<int>(sizeof(File)) + system->szOsFile;
    vfs.xOpen = open;
    sqlite3_vfs_register(&vfs, 0);
  });
  return kName;
}

void reserve_checksums(sqlite3* handle) {
  int bytes = kTrailer;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

}  // namespace gitaiops::sqlite
