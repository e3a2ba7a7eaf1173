// Files of a rotation in `pki`: next.key, next.pem and next.after (Unix seconds: when the next
// authority may sign), then previous.after (when the previous one may be forgotten), and the
// certificates of both in trusted/. A crash between two steps leaves more authorities trusted than
// needed, never fewer. Tests: keyring_test.cpp.
#include <algorithm>

#include "base/bytes/bytes.h"
#include "base/io/files.h"
#include "base/log/log.h"
#include "base/rpc/skew.h"
#include "controller/enrollment/enrollment.h"
#include "controller/enrollment/pki.h"

namespace gitaiops::enrollment {
namespace {

namespace fs = std::filesystem;

Status forget(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) return Error(Code::internal, "remove " + file.string() + ": " + error.message());
  return {};
}

Status write_time(const fs::path& file, UnixMicros at) {
  return write_file_atomic(file, std::to_string(at.value / kMicrosPerSecond) + "\n", kPrivate);
}

Result<UnixMicros> read_time(const fs::path& file) {
  ASSIGN_OR_RETURN(const auto text, read_file(file, 64));
  const auto seconds = parse_int(std::string_view(text).substr(0, text.find('\n')));
  if (!seconds) return Error(Code::data_loss, file.string() + " is damaged: it holds no time");
  return UnixMicros{*seconds * kMicrosPerSecond};
}

Status check_time(const fs::path& file, UnixMicros now, bool at_once, const std::string& why) {
  ASSIGN_OR_RETURN(const auto after, read_time(file));
  if (at_once || now >= after) return {};
  return Error(Code::unavailable, "too early: until " + to_rfc3339(after) + " " + why +
                                      ". Run this again then, or with --at-once if the "
                                      "authority's key was stolen: agents that do not know the "
                                      "other authority must then enrol again");
}

Result<Rotation> announce(const fs::path& folder, UnixMicros now, int64_t life) {
  const tls::Validity validity{now + -kBackdate, now + kAuthorityLife};
  ASSIGN_OR_RETURN(const auto next, tls::Authority::create(kAuthorityName, validity));
  std::error_code error;
  fs::create_directory(folder / "trusted", error);
  RETURN_IF_ERROR(write_time(folder / "next.after", now + life));
  RETURN_IF_ERROR(write_file_atomic(folder / "next.key", next.key_pem(), kPrivate));
  RETURN_IF_ERROR(write_file_atomic(folder / "trusted/next.pem", next.certificate_pem(), kPrivate));
  RETURN_IF_ERROR(write_file_atomic(folder / "next.pem", next.certificate_pem(), kPrivate));
  return Rotation{Rotation::Step::announced, next.pin(), now + life};
}

Result<Rotation> make_next_sign(const fs::path& folder, const tls::Authority& current,
                                UnixMicros now, int64_t life) {
  ASSIGN_OR_RETURN(const auto key, read_secret_file(folder / "next.key"));
  ASSIGN_OR_RETURN(const auto certificate, read_file(folder / "next.pem"));
  ASSIGN_OR_RETURN(const auto next, tls::Authority::load(key, certificate));
  RETURN_IF_ERROR(
      write_file_atomic(folder / "trusted/previous.pem", current.certificate_pem(), kPrivate));
  RETURN_IF_ERROR(write_time(folder / "previous.after", now + life));
  // The key first: load_or_make_authority() completes what a crash in between leaves.
  RETURN_IF_ERROR(write_file_atomic(folder / "ca.key", next.key_pem(), kPrivate));
  RETURN_IF_ERROR(write_file_atomic(folder / "ca.pem", next.certificate_pem(), kPrivate));
  for (const auto* file : {"next.key", "next.pem", "next.after", "trusted/next.pem"})
    RETURN_IF_ERROR(forget(folder / file));
  return Rotation{Rotation::Step::switched, next.pin(), now + life};
}

}  // namespace

Result<Rotation> rotate_authority(const fs::path& state_dir, int64_t longest_life_us, bool at_once,
                                  const Clock& clock) {
  const auto folder = state_dir / kFolder;
  const auto now = clock.now();
  ASSIGN_OR_RETURN(const auto locked, lock(folder));
  ASSIGN_OR_RETURN(const auto current, load_or_make_authority(folder, now));
  if (fs::exists(folder / "next.pem")) {
    RETURN_IF_ERROR(check_time(folder / "next.after", now, at_once,
                               "agents still have to learn of the next authority with their next "
                               "certificate"));
    return make_next_sign(folder, current, now, longest_life_us);
  }
  if (fs::exists(folder / "previous.after")) {
    RETURN_IF_ERROR(check_time(folder / "previous.after", now, at_once,
                               "agents may still come with a certificate of the previous "
                               "authority"));
    RETURN_IF_ERROR(forget(folder / "trusted/previous.pem"));
    RETURN_IF_ERROR(forget(folder / "previous.after"));
    return Rotation{Rotation::Step::finished, current.pin(), {}};
  }
  return announce(folder, now, longest_life_us);
}

Result<std::string> export_authority(const fs::path& state_dir) {
  const auto folder = state_dir / kFolder;
  ASSIGN_OR_RETURN(const auto locked, lock(folder));
  ASSIGN_OR_RETURN(const auto key, read_secret_file(folder / "ca.key"));
  ASSIGN_OR_RETURN(const auto certificate, read_file(folder / "ca.pem"));
  ASSIGN_OR_RETURN(const auto bundle, read_bundle(folder, certificate));
  return key + "\n" + bundle;
}

Status import_authority(const fs::path& state_dir, std::string_view text) {
  const auto folder = state_dir / kFolder;
  const auto end = text.find("-----BEGIN CERTIFICATE-----");
  if (end == std::string_view::npos)
    return Error(Code::invalid_argument, "there is no certificate in it");
  ASSIGN_OR_RETURN(const auto parts, tls::split_bundle(text.substr(end)));
  ASSIGN_OR_RETURN(const auto authority, tls::Authority::load(text.substr(0, end), parts[0]));
  ASSIGN_OR_RETURN(const auto locked, lock(folder));
  if (fs::exists(folder / "ca.pem")) {
    ASSIGN_OR_RETURN(const auto there, read_file(folder / "ca.pem"));
    if (there == authority.certificate_pem()) return {};
    return Error(Code::already_exists,
                 folder.string() +
                     " holds another authority than the backup. To keep it, restore without the "
                     "key; to go back to the old one, move the folder away first");
  }
  std::error_code error;
  fs::create_directory(folder / "trusted", error);
  for (std::size_t i = 1; i < parts.size(); ++i)
    RETURN_IF_ERROR(write_file_atomic(
        folder / "trusted" / ("restored-" + std::to_string(i) + ".pem"), parts[i], kPrivate));
  RETURN_IF_ERROR(write_file_atomic(folder / "ca.key", authority.key_pem(), kPrivate));
  return write_file_atomic(folder / "ca.pem", authority.certificate_pem(), kPrivate);
}

}  // namespace gitaiops::enrollment
