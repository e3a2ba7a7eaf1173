// The chain of the audit trail. Private to this folder; docs/operate.md tells how to check an
// export without us.
//
// Each record's hash is SHA-256 over the hash before it (32 bytes; zeros before the first) followed
// by the record: eight fields in this order, each as its length in decimal, a colon, its bytes and
// a comma (a netstring), numbers in decimal and the time in microseconds since 1970:
//   n at actor act instance project_id object outcome
// So "n" = 1 begins "1:1,". Records are deleted from the oldest on only; the hash of the last one
// deleted stays, and the chain is checked from there.
#pragma once

#include <string>

#include "controller/store/sqlite_store.h"

namespace gitaiops::store {

// 32 bytes.
std::string chained(std::string_view previous, const AuditRecord& record);

// Once, after the upgrade: records written before there was a chain become its beginning.
Status chain_old_audit(Connection& c);
// Deletes records up to the first that is not older; how many.
int64_t delete_audit_before(Connection& c, UnixMicros time, int64_t most);

}  // namespace gitaiops::store
