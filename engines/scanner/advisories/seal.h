// Whether an index is the one that was built: its SHA-256 and, when it was signed, an Ed25519
// signature of that digest. Hashing and keys are the shell's; here are only the bytes.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes/bytes.h"
#include "base/result/result.h"

namespace gitaiops::scanner {

constexpr std::size_t kDigestBytes = 32, kSignatureBytes = 64;

struct Seal {
  Bytes body;  // what the digest is of
  std::string digest;
  std::optional<std::string> signature;  // of the digest
};

// The whole file; `digest` and `signature` have their exact sizes.
std::string sealed(std::string body, std::string_view digest,
                   const std::optional<std::string>& signature);
// data_loss when there is no seal where the header says that it is.
Result<Seal> read_seal(Bytes file);

}  // namespace gitaiops::scanner
