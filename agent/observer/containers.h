// Where container engines keep what they know of their containers, known by shape only: folders
// whose names are container ids, and in them one file of state. Nothing is parsed here; the agent,
// which holds no privilege, gets a read-only descriptor and reads what it needs.
//
//   docker      <docker>/containers/<id>/config.v2.json, its output in <id>-json.log; and
//   <docker>/<uid>.<gid>/containers/… where
//               its containers have user ids of their own (userns-remap)
//   podman      <podman>/overlay-containers/<id>/userdata/config.json, its process in
//               <podman run>/overlay-containers/<id>/userdata/pidfile, names in
//               <podman>/overlay-containers/containers.json (CRI-O keeps the same folders;
//               vfs-containers and so on with other storage drivers)
//   containerd  <containerd>/io.containerd.runtime.v2.task/k8s.io/<id>/{config.json,init.pid}
//
// An engine's folder may be a symbolic link (the operator's choice); below it no link is followed.
//
// Thread safety: one thread. Each call blocks for a listing of a folder or less.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/observer/wire.h"
#include "base/io/files.h"
#include "base/result/result.h"

namespace gitaiops::agent {

struct ContainerRoots {
  std::string docker = "/var/lib/docker";
  std::string podman = "/var/lib/containers/storage";
  std::string podman_run = "/run/containers/storage";
  std::string containerd = "/run/containerd";
};

// 64 lower-case hexadecimal digits: what every engine here calls its containers.
bool is_container_id(std::string_view text);

class ContainerFolders {
 public:
  // `host_root`: the roots are looked up below it.
  ContainerFolders(std::string host_root, ContainerRoots roots);

  // At most wire::kMaxContainers of each engine. An engine that is not there has none.
  std::vector<wire::ContainerRecord> list() const;
  // not_found, permission_denied (a link, another kind of file), resource_exhausted (larger than
  // wire::kMaxContainerFile).
  Result<Fd> open(const wire::ContainerKey& key) const;
  // One line an engine: seen, absent, or why it cannot be read.
  std::vector<std::string> describe() const;

 private:
  // Adds those of one of the engine's folders; at most `room` records in all.
  void list(wire::Engine engine, const std::string& prefix, std::size_t room,
            std::vector<wire::ContainerRecord>& records) const;
  static Result<Fd> open_file(const Fd& folder, const std::string& path, bool of_any_size);

  const std::string host_root_;
  const ContainerRoots roots_;
};

}  // namespace gitaiops::agent
