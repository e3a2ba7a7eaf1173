// A checksum in the last eight bytes of every page of our database files, so that a bit that
// changed on the disk is an error and never an answer. SQLite itself checks its structures, not
// what is stored in them; its write-ahead log has checksums of its own.
//
// A VFS over SQLite's own: a page gets its checksum when it is written into the file and loses it
// when it is read (in memory and in the log the eight bytes are zero). Zero in the file means "not
// checked": pages of files made before there were checksums, and pages that another program folded
// from our log into the file. A file has room for checksums when its header reserves eight bytes a
// page; only new files do.
//
// Found by reading such a page: SQLITE_IOERR_DATA, which Connection gives as data_loss.
#pragma once

#include <cstdint>
#include <string_view>

struct sqlite3;

namespace gitaiops::sqlite {

// The name under which it is registered, on first call, over the VFS that is then the default.
const char* checksum_vfs();
// Before anything is written into a new database: its pages keep room for the checksum. No effect
// on an existing one.
void reserve_checksums(sqlite3* handle);

// Of a page without its last eight bytes; never 0. The page's number is part of it, so that a page
// in another's place is found too. Any single changed word changes it.
uint64_t page_checksum(std::string_view page, int64_t number);

}  // namespace gitaiops::sqlite
