#include "engines/scanner/advisories/seal.h"

#include "engines/scanner/advisories/format.h"

namespace gitaiops::scanner {
namespace {
constexpr std::string_view kSeal = "SEAL";
constexpr std::size_t kSealBytes = 4 + kDigestBytes + 1 + kSignatureBytes;
}  // namespace

std::string sealed(std::string body, std::string_view digest,
                   const std::optional<std::string>& signature) {
  body += kSeal;
  body += digest;
  body += signature ? '\1' : '\0';
  body += signature.value_or(std::string(kSignatureBytes, '\0'));
  return body;
}

Result<Seal> read_seal(Bytes file) {
  const Error cut(Code::data_loss,
                  "the advisory index has no seal: the file is cut off or is none");
  if (file.size() < format::kHeader + kSealBytes || !as_text(file).starts_with(format::kMagic))
    return cut;
  const auto body = format::load(file, 16, 8);
  if (body > file.size() || file.size() - body != kSealBytes) return cut;
  format::Cursor cursor(file, body);
  if (as_text(cursor.take(kSeal.size())) != kSeal) return cut;
  Seal out;
  out.body = file.first(body);
  out.digest = as_text(cursor.take(kDigestBytes));
  const bool is_signed = cursor.number(1) == 1;
  const auto signature = as_text(cursor.take(kSignatureBytes));
  if (is_signed) out.signature = std::string(signature);
  return out;
}

}  // namespace gitaiops::scanner
