// What a diagnosis is recognised by when it comes again; the public part stands in diagnosis.h.
#pragma once

#include "engines/diagnosis/observed.h"

namespace gitaiops::diagnosis {

// `rule` found the root cause; empty when none did.
std::string fingerprint_of(const Diagnosis& d, std::string_view rule);
std::vector<uint32_t> minhash_of(const std::vector<Excerpt>& evidence);

}  // namespace gitaiops::diagnosis
