#include <ostream>

#include "base/crypto/crypto.h"
#include "base/crypto/signing.h"
#include "base/io/files.h"
#include "base/io/mapped_file.h"
#include "cli/commands.h"
#include "engines/scanner/advisories/seal.h"
#include "engines/scanner/advisories/sources.h"

namespace gitaiops::cli {
namespace {

using namespace scanner;

constexpr std::size_t kShownSkips = 20;

int refuse(const Error& error, const Terminal& terminal) {
  terminal.err << "gitaiops: " << error.to_string() << "\n";
  return kUsage;
}

void tell_skipped(const std::vector<Skipped>& skipped, const Terminal& terminal) {
  for (std::size_t i = 0; i < skipped.size() && i < kShownSkips; ++i)
    terminal.err << "gitaiops: left out " << skipped[i].place << ": " << skipped[i].reason << "\n";
  if (skipped.size() > kShownSkips)
    terminal.err << "gitaiops: left out " << skipped.size() - kShownSkips << " more\n";
}

// What cannot be read is told and left out. not_found when a source itself is not there.
Status read_sources(const std::vector<std::string>& sources, IndexBuilder& builder,
                    std::vector<Skipped>& skipped) {
  for (const auto& source : sources) {
    ASSIGN_OR_RETURN(const auto files, files_below(source));
    for (const auto& file : files) {
      const auto name = file.string();
      if (name != source && !is_source(name)) continue;
      const auto mapped = MappedFile::open(file);
      const auto added = mapped.ok() ? add_source(name, mapped->bytes(), builder, skipped)
                                     : Status(mapped.error());
      if (!added.ok()) skipped.push_back({name, added.error().to_string()});
    }
  }
  return {};
}

std::string digest_of(Bytes body) {
  const auto digest = crypto::sha256(as_text(body));
  return std::string(as_text(digest));
}

Status build(const AdvisoryOptions& options, const Terminal& terminal) {
  std::optional<std::string> key;
  if (!options.key.empty()) {
    ASSIGN_OR_RETURN(key, read_secret_file(options.key));
  }
  IndexBuilder builder;
  std::vector<Skipped> skipped;
  RETURN_IF_ERROR(read_sources(options.sources, builder, skipped));
  tell_skipped(skipped, terminal);
  if (builder.counts().records == 0)
    return Error(Code::not_found, "no OSV record in the sources; no index was written");
  ASSIGN_OR_RETURN(auto body, builder.finish());
  const std::string digest = digest_of(as_bytes(body));
  std::optional<std::string> signature;
  if (key) {
    ASSIGN_OR_RETURN(signature, crypto::ed25519_sign(*key, digest), options.key);
  }
  const std::string file = sealed(std::move(body), digest, signature);
  RETURN_IF_ERROR(write_file_atomic(options.file, file));
  const auto& counts = builder.counts();
  terminal.out << options.file << ": " << counts.records << " records read, " << counts.withdrawn
               << " withdrawn, " << counts.repeated << " repeated, " << counts.without_package
               << " of no known ecosystem, " << skipped.size() << " left out; " << counts.epss
               << " EPSS scores, " << counts.kev << " known exploited; " << file.size() << " bytes"
               << (signature ? ", signed" : "") << "\n";
  return {};
}

Status check(const AdvisoryOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const auto file, MappedFile::open(options.file));
  ASSIGN_OR_RETURN(const auto seal, read_seal(file.bytes()), options.file);
  if (digest_of(seal.body) != seal.digest)
    return Error(Code::data_loss, options.file + ": the bytes are not those that were written");
  ASSIGN_OR_RETURN(const auto index, Index::open(file.bytes()), options.file);
  for (uint32_t i = 0; i < index.size(); ++i) {
    const auto advisory = index.advisory(i);
    if (!advisory) return advisory.error().within(options.file);
  }
  if (!options.key.empty()) {
    if (!seal.signature) return Error(Code::data_loss, options.file + ": not signed");
    ASSIGN_OR_RETURN(const auto key, read_file(options.key));
    RETURN_IF_ERROR(crypto::ed25519_verify(key, seal.digest, *seal.signature), options.file);
  }
  terminal.out << options.file << ": " << index.size() << " advisories, whole, "
               << (!seal.signature       ? "not signed"
                   : options.key.empty() ? "signed (give --key to check by whom)"
                                         : "signed by that key")
               << "\n";
  return {};
}

Status inform(const AdvisoryOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const auto file, MappedFile::open(options.file));
  ASSIGN_OR_RETURN(const auto index, Index::open(file.bytes()), options.file);
  ASSIGN_OR_RETURN(const auto seal, read_seal(file.bytes()), options.file);
  const auto& info = index.info();
  auto& out = terminal.out;
  out << "advisories       " << info.advisories << "\n"
      << "packages         " << info.packages << "\n"
      << "listed versions  " << info.listed_versions << "\n"
      << "newest change    " << (info.newest.empty() ? "unknown" : info.newest) << "\n"
      << "EPSS             "
      << (info.epss_date.empty()
              ? "none"
              : std::to_string(info.scored_by_epss) + " advisories, of " + info.epss_date)
      << "\n"
      << "known exploited  "
      << (info.kev_date.empty()
              ? "none"
              : std::to_string(info.known_exploited) + " advisories, of " + info.kev_date)
      << "\n"
      << "bytes            " << file.bytes().size() << " (" << info.match_bytes
      << " for matching, and 4 a listed version)\n"
      << "SHA-256          " << hex_encode(as_bytes(seal.digest)) << "\n"
      << "signed           " << (seal.signature ? "yes" : "no") << "\n";
  for (const auto& part : info.parts)
    out << "  " << osv_name(part.ecosystem) << ": " << part.advisories << "\n";
  return {};
}

}  // namespace

int build_advisories(const AdvisoryOptions& options, const Terminal& terminal) {
  const auto done = build(options, terminal);
  return done ? kDone : refuse(done.error(), terminal);
}

int verify_advisories(const AdvisoryOptions& options, const Terminal& terminal) {
  const auto done = check(options, terminal);
  return done ? kDone : refuse(done.error(), terminal);
}

int show_advisories(const AdvisoryOptions& options, const Terminal& terminal) {
  const auto done = inform(options, terminal);
  return done ? kDone : refuse(done.error(), terminal);
}

}  // namespace gitaiops::cli
