// What a job's checkout depends on, read from the host while the job runs.
//
// The folder is opened once by the observer; what lies beneath is read with the agent's own rights,
// never through a link, never out of it (base/io/folder.h). Bounded in files, bytes, depth and
// time, and done on one thread of its own at low priority: neither the job nor the loop waits for
// it. A tree that cannot be read says why; the job's report does not depend on it.
//
// The path of a checkout stands in the job's log, so it is a claim. It is taken only where it ends
// in the path of the project that the job belongs to by the runner's word: see
// names_checkout_of().
//
// Thread safety: Workspace belongs to the loop's thread; read_tree() is pure but for the
// folder, compose() wholly.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/observer/observer.h"
#include "base/io/folder.h"
#include "base/io/io.h"
#include "base/result/result.h"
#include "engines/scanner/inventory.h"
#include "gitaiops/fleet/v1/fleet.pb.h"

namespace gitaiops::agent {

// Whether a folder may be the checkout of `project` ("group/sub/project"): it ends in that path.
bool names_checkout_of(std::string_view folder, std::string_view project);

struct TreeReading {
  scanner::Inventory inventory;
  std::string commit;  // what HEAD named before and after; empty: it is no checkout of git, or
                       // it changed meanwhile
  std::string content_hash;  // SHA-256 over paths and bytes of all that was read, hexadecimal
};

// Reads and takes the inventory of an opened checkout. `enough`, asked now and then, ends it early,
// which becomes a problem of the inventory.
TreeReading read_tree(const Folder& checkout, const std::function<bool()>& enough);

// What leaves the host of it, within the contract's limits and without the credentials that URLs
// may carry; report_id, key and taken_at_us are the caller's.
fleet::v1::InventoryReport compose(const TreeReading& reading);

class Workspace {
 public:
  explicit Workspace(Observer& observer);
  // Waits for a tree that is being read: at most a moment, for reading is told to end.
  ~Workspace();
  // Ends what is being read early; take() returns soon.
  void stop();

  // What the checkout at `path`, as the runner's mount namespace names it, depends on, composed.
  // resource_exhausted when too many wait already.
  Task<Result<fleet::v1::InventoryReport>> take(ProcessId runner, std::string path);
  // The same of one inside a container, by the container's own names.
  Task<Result<fleet::v1::InventoryReport>> take_inside(ContainerId container, int32_t pid,
                                                       std::string path);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace gitaiops::agent
