// Index files that nobody built: cut off, or with any byte changed.
#include <gtest/gtest.h>

#include "engines/scanner/advisories/seal.h"
#include "tests/unit/advisories/built.h"

namespace gitaiops::scanner {
namespace {

std::string small_index() {
  return Built({record("T-1", "npm", "tin",
                       R"("versions":["1.0.0","1.0.1"],)" +
                           ranges(R"({"introduced":"1.2.0"},{"fixed":"1.4.0"})"),
                       R"("summary":"Tin cuts fingers","aliases":["CVE-2026-1"],)"),
                record("T-2", "Maven", "g:can", ranges(R"({"introduced":"0"})"))})
      .bytes;
}

// Everything that can be asked of it; only that it comes back matters.
void ask(const std::string& bytes) {
  const auto index = Index::open(as_bytes(bytes));
  if (!index) return;
  for (const std::string_view version : {"1.0.0", "1.3.0", "x"}) {
    for (const auto& hit : index->match(Ecosystem::npm, "tin", version))
      static_cast<void>(index->advisory(hit.advisory));
    static_cast<void>(index->match(Ecosystem::maven, "g:can", version));
  }
  for (uint32_t i = 0; i < index->size() && i < 10; ++i) static_cast<void>(index->advisory(i));
}

TEST(HostileIndex, CutOffAnywhere) {
  const std::string whole = small_index();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto index = Index::open(as_bytes(whole.substr(0, size)));
    EXPECT_FALSE(index) << size;
  }
}

TEST(HostileIndex, AnyByteChanged) {
  const std::string whole = small_index();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      ask(bytes);
    }
  }
}

TEST(HostileIndex, OtherFilesAndNewerFormatsAreTold) {
  EXPECT_EQ(Index::open(as_bytes("PK\3\4 not at all")).error().code(), Code::data_loss);
  std::string newer = small_index();
  newer[8] = 2;
  EXPECT_EQ(Index::open(as_bytes(newer)).error().code(), Code::unimplemented);
}

TEST(Seal, ComesBackWithAndWithoutSignature) {
  const std::string body = small_index(), digest(kDigestBytes, 'd'), mark(kSignatureBytes, 's');
  const std::string plain = sealed(body, digest, std::nullopt), marked = sealed(body, digest, mark);
  EXPECT_EQ(read_seal(as_bytes(plain))->signature, std::nullopt);
  const auto seal = read_seal(as_bytes(marked));
  ASSERT_TRUE(seal);
  EXPECT_EQ(as_text(seal->body), body);
  EXPECT_EQ(seal->digest, digest);
  EXPECT_EQ(seal->signature, mark);
  EXPECT_TRUE(Index::open(as_bytes(marked)));
  for (std::size_t size = 0; size < marked.size(); ++size)
    EXPECT_FALSE(read_seal(as_bytes(std::string_view(marked).substr(0, size)))) << size;
}

}  // namespace
}  // namespace gitaiops::scanner
