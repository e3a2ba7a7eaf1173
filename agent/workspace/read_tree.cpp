#include <map>

#include "agent/workspace/workspace.h"
#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxEntries = 200'000;  // files and folders looked at
constexpr std::size_t kMaxDepth = 24;
constexpr std::size_t kMaxManifest = 16 << 20;    // bytes of one
constexpr std::size_t kMaxManifests = 64u << 20;  // bytes of all
constexpr std::size_t kMaxHead = 4096;

// Manifests of the checkout for the engine, each read once: what is hashed is what is parsed.
class Checkout : public scanner::Tree {
 public:
  Checkout(const Folder& folder, std::vector<std::string> files)
      : folder_(folder), files_(std::move(files)) {}

  const std::vector<std::string>& files() const override { return files_; }

  Result<std::string> read(std::string_view path) const override {
    const auto known = read_.find(path);
    if (known != read_.end()) return known->second;
    if (bytes_ >= kMaxManifests)
      return Error(Code::resource_exhausted,
                   "the manifests of the tree have more than 64 MiB together");
    ASSIGN_OR_RETURN(auto bytes, folder_.read(path, kMaxManifest));
    bytes_ += bytes.size();
    return read_.emplace(path, std::move(bytes)).first->second;
  }

  std::string content_hash() const {
    std::string parts;
    for (const auto& [path, bytes] : read_)
      parts.append(path).append(1, '\0').append(crypto::sha256_hex(bytes)).append(1, '\n');
    return crypto::sha256_hex(parts);
  }

 private:
  const Folder& folder_;
  const std::vector<std::string> files_;
  mutable std::map<std::string, std::string, std::less<>> read_;
  mutable std::size_t bytes_ = 0;
};

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == text.npos;
}

// What HEAD names: GitLab Runner checks commits out detached, so no branch need be followed.
std::string head_of(const Folder& checkout) {
  const auto head = checkout.read(".git/HEAD", kMaxHead);
  if (!head.ok()) return {};
  const auto commit = trimmed(head.value());
  return is_commit(commit) ? std::string(commit) : std::string();
}

}  // namespace

TreeReading read_tree(const Folder& checkout, const std::function<bool()>& enough) {
  TreeReading reading;
  const auto before = head_of(checkout);
  Folder::Walk walk;
  walk.max_entries = kMaxEntries;
  walk.max_depth = kMaxDepth;
  walk.enter = scanner::holds_own_files;
  walk.enough = enough;
  auto listing = checkout.list(walk);
  const Checkout tree(checkout, std::move(listing.files));
  reading.inventory = scanner::take_inventory(tree);
  for (const auto& folder : listing.unreadable)
    reading.inventory.problems.push_back({"", 0, "could not read the folder " + folder});
  if (listing.cut_short)
    reading.inventory.problems.push_back(
        {"", 0, "the tree is too large to be looked at whole; what comes later is missing"});
  reading.content_hash = tree.content_hash();
  if (head_of(checkout) == before) reading.commit = before;
  return reading;
}

}  // namespace gitaiops::agent
