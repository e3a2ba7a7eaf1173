#include <algorithm>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io/files.h"
#include "base/log/log.h"
#include "base/rpc/enrollment_token.h"
#include "controller/enrollment/enrollment.h"
#include "controller/enrollment/pki.h"

namespace gitaiops::enrollment {
namespace {

namespace fs = std::filesystem;

Status private_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("mkdir", path.string());
  struct stat about{};
  if (stat(path.c_str(), &about) != 0) return errno_error("stat", path.string());
  if (!S_ISDIR(about.st_mode))
    return Error(Code::invalid_argument, path.string() + " is not a folder");
  if ((about.st_mode & 077) != 0) {
    return Error(Code::permission_denied,
                 path.string() + " holds the authority's key and is open to others: chmod 0700 " +
                     path.string());
  }
  return {};
}

}  // namespace

Result<Fd> lock(const fs::path& folder) {
  RETURN_IF_ERROR(private_folder(folder));
  Fd fd(open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivate));
  if (!fd) return errno_error("open", (folder / "lock").string());
  if (flock(fd.get(), LOCK_EX) != 0) return errno_error("flock", (folder / "lock").string());
  return fd;
}

Result<tls::Authority> load_or_make_authority(const fs::path& folder, UnixMicros now) {
  const auto key_path = folder / "ca.key";
  const auto certificate_path = folder / "ca.pem";
  if (fs::exists(certificate_path)) {
    ASSIGN_OR_RETURN(const auto key, read_secret_file(key_path));
    ASSIGN_OR_RETURN(auto certificate, read_file(certificate_path));
    if (!tls::check_key_matches(key, certificate).ok()) {
      // The key of the next authority was in place, its certificate not yet.
      const auto next = read_file(folder / "next.pem");
      if (next.ok() && tls::check_key_matches(key, *next).ok()) {
        certificate = *next;
        RETURN_IF_ERROR(write_file_atomic(certificate_path, certificate, kPrivate));
        for (const auto* file : {"next.key", "next.pem", "next.after", "trusted/next.pem"})
          ::unlink((folder / file).c_str());
      }
    }
    ASSIGN_OR_RETURN(auto authority, tls::Authority::load(key, certificate),
                     "ca.key and ca.pem in " + folder.string());
    return authority;
  }
  // The key is written first: a key without certificate is what a crash in between leaves, and
  // nobody trusts it yet.
  const tls::Validity validity{now + -kBackdate, now + kAuthorityLife};
  ASSIGN_OR_RETURN(auto authority, tls::Authority::create(kAuthorityName, validity));
  RETURN_IF_ERROR(write_file_atomic(key_path, authority.key_pem(), kPrivate));
  RETURN_IF_ERROR(write_file_atomic(certificate_path, authority.certificate_pem(), kPrivate));
  log::info("made a certificate authority",
            {{"file", certificate_path.string()}, {"pin", authority.pin()}});
  return authority;
}

Result<std::string> read_bundle(const fs::path& folder, const std::string& own) {
  std::string bundle = own;
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder / "trusted", error)) {
    if (entry.path().extension() == ".pem") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    ASSIGN_OR_RETURN(const auto text, read_file(file));
    ASSIGN_OR_RETURN(const auto parts, tls::split_bundle(text), file.string());
    for (const auto& part : parts) bundle += part;
  }
  ASSIGN_OR_RETURN(const auto all, tls::split_bundle(bundle), (folder / "trusted").string());
  return bundle;
}

namespace {

// Not inlined: gcc 12 then sees a comparison beyond every object (GCC bug 105329).
[[gnu::noinline]] bool differ(std::string_view a, std::string_view b) {
  return a != b;
}

// Ok when the server's files may be used as they are; otherwise why not.
Status check_server_files(const Files& files, const tls::Authority& authority,
                          std::vector<std::string> names, UnixMicros now) {
  ASSIGN_OR_RETURN(const auto key, read_secret_file(files.key));
  ASSIGN_OR_RETURN(const auto certificate, read_file(files.certificate));
  RETURN_IF_ERROR(tls::check_key_matches(key, certificate));
  RETURN_IF_ERROR(tls::check_signed_by(certificate, authority.certificate_pem()));
  ASSIGN_OR_RETURN(auto about, tls::facts(certificate));
  std::sort(names.begin(), names.end());
  std::sort(about.hosts.begin(), about.hosts.end());
  if (names != about.hosts) return Error(Code::invalid_argument, "the server's names have changed");
  const auto [from, to] = about.validity;
  if (now < from || now - from > (to - from) / 3 * 2)
    return Error(Code::invalid_argument, "two thirds of its life are over");
  return {};
}

}  // namespace

Files Keyring::files() const {
  return {folder_ / "server.key", folder_ / "server.pem", folder_ / "ca-bundle.pem"};
}

Result<Keyring> Keyring::open(const Options& options, const Clock& clock) {
  if (options.server_names.empty())
    return Error(Code::invalid_argument, "the controller's certificate needs at least one name");
  const auto folder = options.state_dir / kFolder;
  ASSIGN_OR_RETURN(const auto locked, lock(folder));
  ASSIGN_OR_RETURN(auto authority, load_or_make_authority(folder, clock.now()));
  Keyring keyring(std::move(authority));
  keyring.options_ = options;
  keyring.folder_ = folder;
  ASSIGN_OR_RETURN([[maybe_unused]] const bool made, keyring.take_over(clock.now()));
  return keyring;
}

Result<bool> Keyring::refresh(UnixMicros now) {
  ASSIGN_OR_RETURN(const auto locked, lock(folder_));
  ASSIGN_OR_RETURN(auto authority, load_or_make_authority(folder_, now));
  if (differ(authority.pin(), authority_.pin()))
    log::info("another authority signs from now on", {{"pin", authority.pin()}});
  authority_ = std::move(authority);
  return take_over(now);
}

// The files that servers read, made of the authority and the trusted ones.
Result<bool> Keyring::take_over(UnixMicros now) {
  ASSIGN_OR_RETURN(auto bundle, read_bundle(folder_, authority_.certificate_pem()));
  if (differ(bundle, bundle_pem_))
    RETURN_IF_ERROR(write_file_atomic(files().trusted, bundle, kPrivate));
  bundle_pem_ = std::move(bundle);
  return refresh_server_certificate(now);
}

Result<std::string> token_text(const fs::path& state_dir, std::string_view secret,
                               const Clock& clock) {
  const auto folder = state_dir / kFolder;
  ASSIGN_OR_RETURN(const auto locked, lock(folder));
  ASSIGN_OR_RETURN(const auto authority, load_or_make_authority(folder, clock.now()));
  const rpc::EnrollmentToken token{std::string(secret), authority.pin()};
  ASSIGN_OR_RETURN(const auto parsed, rpc::EnrollmentToken::parse(token.text()));
  return parsed.text();
}

Result<bool> Keyring::refresh_server_certificate(UnixMicros now) {
  const auto usable = check_server_files(files(), authority_, options_.server_names, now);
  if (usable.ok()) return false;
  ASSIGN_OR_RETURN(const auto key, tls::make_key());
  ASSIGN_OR_RETURN(const auto request, tls::make_request(key));
  const tls::Validity validity{now + -kBackdate, now + options_.server_certificate_life_us};
  ASSIGN_OR_RETURN(const auto leaf,
                   authority_.sign_server(request, options_.server_names, validity));
  RETURN_IF_ERROR(write_file_atomic(files().key, key, kPrivate));
  RETURN_IF_ERROR(
      write_file_atomic(files().certificate, leaf + authority_.certificate_pem(), kPrivate));
  log::info("made the server's certificate", {{"because", usable.error().to_string()},
                                              {"not_after", to_rfc3339(validity.not_after)}});
  return true;
}

}  // namespace gitaiops::enrollment
