// Private to controller/enrollment: the folder `pki` itself.
#pragma once

#include "base/io/files.h"
#include "base/rpc/skew.h"
#include "controller/enrollment/enrollment.h"

namespace gitaiops::enrollment {

constexpr int64_t kAuthorityLife = 10 * 365 * kDay;
constexpr int64_t kBackdate = rpc::kMaxClockSkew;
constexpr mode_t kPrivate = 0600;
constexpr const char* kFolder = "pki";
constexpr const char* kAuthorityName = "GitAIOps controller CA";

// One process at a time in the folder, which is made when missing: `serve` and `token create` may
// both find it empty.
Result<Fd> lock(const std::filesystem::path& folder);
// What signs now; made when there is none. Completes a rotation that a crash interrupted.
Result<tls::Authority> load_or_make_authority(const std::filesystem::path& folder, UnixMicros now);
// `own`, then every certificate of trusted/.
Result<std::string> read_bundle(const std::filesystem::path& folder, const std::string& own);

}  // namespace gitaiops::enrollment
