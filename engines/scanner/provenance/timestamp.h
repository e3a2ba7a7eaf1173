// Private to provenance: RFC 3161 timestamps over a signature.
#pragma once

#include "engines/scanner/provenance/trusted_root.h"

namespace gitaiops::scanner::provenance {

// When the response (DER TimeStampResp) says that `signature` existed, if one of the authorities
// really said so, at a time when its certificates and its place in the trusted root were valid.
Result<Instant> check_timestamp(std::string_view response, std::string_view signature,
                                const std::vector<Authority>& authorities);

}  // namespace gitaiops::scanner::provenance
