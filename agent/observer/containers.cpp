#include "agent/observer/containers.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/observer/procfs.h"

namespace gitaiops::agent {

namespace {

using wire::ContainerFile;
using wire::Engine;

constexpr std::size_t kMaxRemappedHomes = 8;
constexpr std::array<Engine, 3> kEngines = {Engine::docker, Engine::podman, Engine::containerd};
constexpr uint64_t kBelowFolder = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

// Podman's folders begin with the name of its storage driver.
constexpr std::array<const char*, 4> kPodmanDrivers = {"overlay-", "vfs-", "btrfs-", "zfs-"};

// One kind of file of one engine: <root>/<prefix><folder>/<id>/<name>; `names` has no id.
struct Place {
  Engine engine;
  ContainerFile file;
  std::string ContainerRoots::* root;
  const char* folder;
  const char* name;
};
const std::array<Place, 7> kPlaces = {{
    {Engine::docker, ContainerFile::log, &ContainerRoots::docker, "containers", "-json.log"},
    {Engine::docker, ContainerFile::state, &ContainerRoots::docker, "containers", "config.v2.json"},
    {Engine::podman, ContainerFile::state, &ContainerRoots::podman, "containers",
     "userdata/config.json"},
    {Engine::podman, ContainerFile::pid, &ContainerRoots::podman_run, "containers",
     "userdata/pidfile"},
    {Engine::podman, ContainerFile::names, &ContainerRoots::podman, "containers",
     "containers.json"},
    {Engine::containerd, ContainerFile::state, &ContainerRoots::containerd,
     "io.containerd.runtime.v2.task/k8s.io", "config.json"},
    {Engine::containerd, ContainerFile::pid, &ContainerRoots::containerd,
     "io.containerd.runtime.v2.task/k8s.io", "init.pid"},
}};

const Place* place_of(Engine engine, ContainerFile file) {
  for (const auto& place : kPlaces)
    if (place.engine == engine && place.file == file) return &place;
  return nullptr;
}

const char* name_of(Engine engine) {
  return engine == Engine::docker ? "docker" : engine == Engine::podman ? "podman" : "containerd";
}

Fd open_root(const std::string& host_root, const std::string& root, uint64_t flags) {
  const Fd host(::open(host_root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!host) return Fd();
  return open_beneath(host.get(), root, flags | O_DIRECTORY | O_CLOEXEC,
                      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

// The folder of the containers; an empty Fd and errno when it cannot be opened.
Fd open_folder(const std::string& host_root, const ContainerRoots& roots, const Place& place,
               const std::string& prefix) {
  const auto top = open_root(host_root, roots.*place.root, O_PATH);
  if (!top) return Fd();
  return open_beneath(top.get(), prefix + place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                      kBelowFolder);
}

// "165536.165536": docker's folder for containers whose root is that user of the host.
bool is_remapped_home(std::string_view name) {
  const auto point = name.find('.');
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.size() <= 10 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return point != std::string_view::npos && digits(name.substr(0, point)) &&
         digits(name.substr(point + 1));
}

// What may stand before the folders of an engine, below its root: the usual first.
std::vector<std::string> prefixes_of(Engine engine, const std::string& host_root,
                                     const ContainerRoots& roots) {
  if (engine == Engine::podman) return {kPodmanDrivers.begin(), kPodmanDrivers.end()};
  std::vector<std::string> prefixes = {""};
  if (engine != Engine::docker) return prefixes;
  auto root = open_root(host_root, roots.docker, O_RDONLY);
  if (!root) return prefixes;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(root.release()), ::closedir);
  while (const dirent* entry = listing ? ::readdir(listing.get()) : nullptr) {
    if (prefixes.size() > kMaxRemappedHomes) break;
    if (is_remapped_home(entry->d_name)) prefixes.push_back(std::string(entry->d_name) + '/');
  }
  return prefixes;
}

// Differs when the file was written or replaced since; 0 when there is none.
uint64_t version_of(const Fd& folder, const std::string& path) {
  struct stat status{};
  if (!folder || ::fstatat(folder.get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(status.st_mode))
    return 0;
  const auto written = static_cast<uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
                       static_cast<uint64_t>(status.st_mtim.tv_nsec);
  return written + static_cast<uint64_t>(status.st_ino) * 0x9e3779b97f4a7c15ULL;
}

}  // namespace

bool is_container_id(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

ContainerFolders::ContainerFolders(std::string host_root, ContainerRoots roots)
    : host_root_(std::move(host_root)), roots_(std::move(roots)) {}

std::vector<wire::ContainerRecord> ContainerFolders::list() const {
  std::vector<wire::ContainerRecord> records;
  for (const auto engine : kEngines) {
    const auto room = records.size() + wire::kMaxContainers;
    for (const auto& prefix : prefixes_of(engine, host_root_, roots_))
      list(engine, prefix, room, records);
  }
  return records;
}

void ContainerFolders::list(Engine engine, const std::string& prefix, std::size_t room,
                            std::vector<wire::ContainerRecord>& records) const {
  const auto* state = place_of(engine, ContainerFile::state);
  const auto* pid = place_of(engine, ContainerFile::pid);
  const auto found = open_folder(host_root_, roots_, *state, prefix);
  if (!found) return;
  const auto beside = pid != nullptr ? open_folder(host_root_, roots_, *pid, prefix) : Fd();
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(
      ::fdopendir(::fcntl(found.get(), F_DUPFD_CLOEXEC, 0)), ::closedir);
  while (const dirent* entry = listing ? ::readdir(listing.get()) : nullptr) {
    if (records.size() >= room) return;
    const std::string id = entry->d_name;
    if (!is_container_id(id)) continue;
    const auto version = version_of(found, id + '/' + state->name);
    if (version == 0) continue;
    wire::ContainerRecord record;
    record.key.engine = static_cast<uint8_t>(engine);
    std::memcpy(record.key.id, id.data(), sizeof record.key.id);
    record.version = version + (pid != nullptr ? 31 * version_of(beside, id + '/' + pid->name) : 0);
    records.push_back(record);
  }
}

Result<Fd> ContainerFolders::open(const wire::ContainerKey& key) const {
  const auto* place =
      place_of(static_cast<Engine>(key.engine), static_cast<ContainerFile>(key.file));
  const std::string id(key.id, sizeof key.id);
  if (place == nullptr || !is_container_id(id))
    return Error(Code::invalid_argument, "not a file of a container");
  const bool is_log = place->file == ContainerFile::log;
  const auto path = place->file == ContainerFile::names ? std::string(place->name)
                    : is_log                            ? id + '/' + id + place->name
                                                        : id + '/' + place->name;
  Result<Fd> opened = Error(Code::not_found, "open " + path);
  const auto prefixes = prefixes_of(place->engine, host_root_, roots_);
  for (const auto& prefix : prefixes) {
    const auto found = open_folder(host_root_, roots_, *place, prefix);
    if (!found) {
      if (&prefix == &prefixes.front())
        opened = errno_error("open the containers of", name_of(place->engine));
      continue;
    }
    opened = open_file(found, path, is_log);
    if (opened.ok() || opened.error().code() != Code::not_found) break;
  }
  return opened;
}

Result<Fd> ContainerFolders::open_file(const Fd& found, const std::string& path, bool of_any_size) {
  // Nothing but a regular file is ever opened: opening a device or a FIFO can have effects.
  struct stat status{}, opened{};
  if (::fstatat(found.get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      !S_ISREG(status.st_mode))
    return Error(Code::permission_denied, "not a regular file: " + path);
  auto fd =
      open_beneath(found.get(), path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kBelowFolder);
  if (!fd && errno == ELOOP)
    return Error(Code::permission_denied, "a symbolic link is not followed: " + path);
  if (!fd || ::fstat(fd.get(), &opened) != 0) return errno_error("open", path);
  if (!S_ISREG(opened.st_mode))
    return Error(Code::permission_denied, "not a regular file: " + path);
  if (!of_any_size && opened.st_size > wire::kMaxContainerFile)
    return Error(Code::resource_exhausted, path + " is too large");
  return fd;
}

std::vector<std::string> ContainerFolders::describe() const {
  std::vector<std::string> lines;
  for (const auto engine : kEngines) {
    const auto& place = *place_of(engine, ContainerFile::state);
    const auto& root = roots_.*place.root;
    const auto whose = std::string("containers of ") + name_of(engine);
    Fd found;
    int why = 0;
    const auto prefixes = prefixes_of(engine, host_root_, roots_);
    for (const auto& prefix : prefixes) {
      if (!found) found = open_folder(host_root_, roots_, place, prefix);
      if (&prefix == &prefixes.front()) why = errno;
    }
    if (found) {
      lines.push_back(whose + " in " + root + " can be read");
    } else if (why == ENOENT || why == ENOTDIR) {
      lines.push_back(whose + ": there is no " + root + '/' + prefixes.front() + place.folder);
    } else {
      lines.push_back(whose + " in " + root + " cannot be read: " + std::strerror(why));
    }
  }
  return lines;
}

}  // namespace gitaiops::agent
