#include "controller/history/mirror.h"

#include <algorithm>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/bytes/bytes.h"
#include "base/crypto/crypto.h"

namespace gitaiops::history {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecent = "--depth=20000";  // of a repository that is too large as a whole
constexpr std::size_t kMostPacks = 50;
constexpr std::size_t kLargestSmallFile = 1 << 20;
constexpr std::size_t kMostPaths = 3'000;
constexpr std::size_t kLargestList = 64 << 20;
constexpr std::size_t kMostCounted = 20'000;  // files of a merge request
constexpr std::size_t kMostText = 1 << 20;    // of what it adds
constexpr const char* kUsed = "gitaiops-used";
constexpr const char* kWhole = "gitaiops-whole";  // its mirror has contents

std::string merge_request_ref(int64_t iid) {
  return "refs/merge-requests/" + std::to_string(iid) + "/head";
}

Status run_silent(const git::Command& command) {
  return git::run(command, [](std::string_view) { return Status(); });
}

uint64_t size_of(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; at != end; at.increment(failed)) {
    if (failed) break;
    std::error_code gone;
    if (at->is_regular_file(gone) && !at->is_symlink(gone)) {
      const auto size = at->file_size(gone);
      if (!gone) bytes += size;
    }
  }
  return bytes;
}

}  // namespace

bool is_branch_name(std::string_view name) {
  if (name.empty() || name.size() > 250 || name.front() == '-' || name.front() == '/' ||
      name.back() == '/' || name.back() == '.' || name == "@" || name.ends_with(".lock"))
    return false;
  for (const auto* part : {"..", "//", "@{", "/.", ".lock/"})
    if (name.find(part) != std::string_view::npos) return false;
  if (name.front() == '.') return false;
  return std::ranges::none_of(name, [](unsigned char c) {
    return c <= ' ' || c == 127 || c == '~' || c == '^' || c == ':' || c == '?' || c == '*' ||
           c == '[' || c == '\\';
  });
}

git::Command Mirror::command(std::vector<std::string> arguments) const {
  return {.repository = folder_,
          .arguments = std::move(arguments),
          .limit = limit_,
          .largest_file = largest_file_,
          .stop = &stop_};
}

// The token as git's http.extraHeader: in the environment of the child, where only our own user and
// root can read it, and for this address alone: git sends it nowhere else, and follows no redirect.
git::Command Mirror::online(std::vector<std::string> arguments) const {
  auto out = command(std::move(arguments));
  out.protocols = remote_.url.substr(0, remote_.url.find(':'));  // the configuration's word
  const auto credentials = crypto::base64_encode("oauth2:" + remote_.token);
  out.settings = {{"remote.origin.url", remote_.url},
                  {"http.followRedirects", "false"},
                  {"http.lowSpeedLimit", "100"},
                  {"http.lowSpeedTime", "60"},
                  {"http." + remote_.url + ".extraHeader", "Authorization: Basic " + credentials}};
  if (contents_ == Contents::none) {
    out.settings.emplace_back("remote.origin.promisor", "true");
    out.settings.emplace_back("remote.origin.partialclonefilter", "blob:none");
  }
  if (!remote_.ca_file.empty()) out.settings.emplace_back("http.sslCAInfo", remote_.ca_file);
  return out;
}

Status Mirror::make() const {
  std::error_code failed;
  const bool whole = contents_ == Contents::all;
  if (fs::exists(folder_ / "HEAD", failed)) {
    if (fs::exists(folder_ / kWhole, failed) == whole) return {};
    fs::remove_all(folder_, failed);
  }
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error("make", folder_.string());
  std::vector<std::vector<std::string>> steps = {{"init", "--quiet", "--bare", "--template="}};
  if (whole) {
    std::ofstream(folder_ / kWhole).flush();
  } else {
    steps.push_back({"config", "core.repositoryFormatVersion", "1"});
    steps.push_back({"config", "extensions.partialClone", "origin"});
  }
  for (const auto& step : steps) RETURN_IF_ERROR(run_silent(command(step)));
  return {};
}

Status Mirror::fetch(const std::vector<std::string>& branches, int64_t merge_request) {
  RETURN_IF_ERROR(make());
  std::vector<std::string> refs;
  for (const auto& branch : branches) {
    if (!is_branch_name(branch))
      return Error(Code::invalid_argument, "\"" + to_utf8(branch) + "\" is no branch's name");
    const auto ref = "+refs/heads/" + branch + ":refs/heads/" + branch;
    if (std::ranges::find(refs, ref) == refs.end()) refs.push_back(ref);
  }
  if (merge_request > 0) {
    const auto ref = merge_request_ref(merge_request);
    refs.push_back("+" + ref + ":" + ref);
  }
  const auto arguments = [&](std::vector<std::string> more) {
    std::vector<std::string> out = {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
                                    "--no-recurse-submodules"};
    if (contents_ == Contents::none) out.push_back("--filter=blob:none");
    out.insert(out.end(), more.begin(), more.end());
    out.insert(out.end(), {"--end-of-options", "origin"});
    out.insert(out.end(), refs.begin(), refs.end());
    return out;
  };
  auto done = run_silent(online(arguments({})));
  if (!done.ok() && (done.error().code() == Code::resource_exhausted ||
                     done.error().code() == Code::deadline_exceeded))
    done = run_silent(online(arguments({kRecent})));
  if (done.ok()) tidy();
  return done;
}

// Each fetch leaves a pack; too many of them make git slow.
void Mirror::tidy() const {
  std::size_t packs = 0;
  std::error_code failed;
  for (fs::directory_iterator at(folder_ / "objects" / "pack", failed), end; at != end;
       at.increment(failed)) {
    if (failed) return;
    packs += at->path().extension() == ".pack" ? 1 : 0;
  }
  if (packs > kMostPacks) (void)run_silent(command({"gc", "--quiet", "--prune=now"}));
}

Result<std::string> Mirror::tip(const std::string& branch) const {
  return git::output(command({"rev-parse", "--verify", "--quiet", "--end-of-options",
                              "refs/heads/" + branch + "^{commit}"}));
}

Result<std::string> Mirror::head(int64_t merge_request) const {
  return git::output(command({"rev-parse", "--verify", "--quiet", "--end-of-options",
                              merge_request_ref(merge_request) + "^{commit}"}));
}

Result<Mirror::Brought> Mirror::brought(const std::string& to, const std::string& head) const {
  ASSIGN_OR_RETURN(const auto base, git::output(command({"merge-base", to, head})),
                   "the merge request has nothing in common with its target");
  ASSIGN_OR_RETURN(const auto names, git::output(command({"diff-tree", "-r", "-z", "--name-only",
                                                          "--no-renames", base, head, "--"}),
                                                 kLargestList));
  Brought out;
  for (const auto name : split(names, '\0'))
    if (!name.empty() && out.paths.size() < kMostPaths) out.paths.emplace_back(name);
  ASSIGN_OR_RETURN(out.authors, authors(base, head));
  return out;
}

Result<std::vector<triage::Signature>> Mirror::authors(const std::string& base,
                                                       const std::string& head) const {
  ASSIGN_OR_RETURN(
      const auto printed,
      git::output(command({"log", "--max-count=100", "--no-mailmap", "--no-merges",
                           "--no-show-signature", "--format=%an <%ae>", head, "^" + base, "--"})));
  std::vector<triage::Signature> out;
  for (const auto line : split(printed, '\n'))
    if (auto author = triage::read_signature(line)) out.push_back(std::move(*author));
  return out;
}

Result<Mirror::Counted> Mirror::counted(const std::string& to, const std::string& head) const {
  ASSIGN_OR_RETURN(const auto base, git::output(command({"merge-base", to, head})),
                   "the merge request has nothing in common with its target");
  const auto diff = [&](std::vector<std::string> how) {
    std::vector<std::string> out = {"diff-tree",     "-r",           "--no-renames", "--no-color",
                                    "--no-ext-diff", "--no-textconv"};
    out.insert(out.end(), how.begin(), how.end());
    out.insert(out.end(), {base, head, "--"});
    return command(std::move(out));
  };
  ASSIGN_OR_RETURN(const auto files, git::output(diff({"-z", "--numstat"}), kLargestList));
  Counted out;
  out.files = triage::read_numstat(files, kMostCounted);
  triage::AddedLines lines(kMostText);
  const auto read = git::run(diff({"-p", "-U0"}), [&](std::string_view bytes) -> Status {
    lines.feed(bytes);
    return lines.full() ? Status(Error(Code::resource_exhausted, "enough of it")) : Status();
  });
  if (!read.ok() && !lines.full()) return read.error();
  out.text = lines.take();
  ASSIGN_OR_RETURN(out.authors, authors(base, head));
  return out;
}

bool Mirror::descends(const std::string& commit, const std::string& from) const {
  return run_silent(command({"merge-base", "--is-ancestor", from, commit})).ok();
}

std::string Mirror::small_file(const std::string& commit, const std::string& path) const {
  std::vector<std::string> arguments = {"cat-file", "blob", commit + ":" + path};
  auto asked =
      contents_ == Contents::none ? online(std::move(arguments)) : command(std::move(arguments));
  return git::output(asked, kLargestSmallFile).value_or("");
}

triage::Git Mirror::reader() const {
  return [this](std::vector<std::string> arguments,
                const std::function<Status(std::string_view)>& on_output) {
    const bool content =
        contents_ == Contents::none && !arguments.empty() && arguments.front() == "cat-file";
    auto asked = content ? online(std::move(arguments)) : command(std::move(arguments));
    return git::run(asked, on_output);
  };
}

fs::path Shelf::place(const std::string& instance, int64_t project_id) const {
  const auto digest = crypto::sha256(instance);
  return folder_ / (hex_encode(as_bytes(as_text(digest).substr(0, 8))) + "-" +
                    std::to_string(project_id) + ".git");
}

void Shelf::used(const fs::path& mirror) const {
  std::ofstream(mirror / kUsed).flush();
  ::utimensat(AT_FDCWD, (mirror / kUsed).c_str(), nullptr, 0);
}

void Shelf::remove(const fs::path& mirror) const {
  std::error_code failed;
  fs::remove_all(mirror, failed);
}

Shelf::Swept Shelf::sweep(uint64_t max_bytes, const fs::path& keep) const {
  struct One {
    fs::path path;
    uint64_t bytes = 0;
    fs::file_time_type used;
  };
  std::vector<One> all;
  Swept swept;
  std::error_code failed;
  for (fs::directory_iterator at(folder_, failed), end; at != end; at.increment(failed)) {
    if (failed) break;
    if (at->path().extension() != ".git") continue;
    std::error_code never;
    One one{at->path(), size_of(at->path()), fs::last_write_time(at->path() / kUsed, never)};
    if (never) one.used = fs::file_time_type::min();
    swept.bytes += one.bytes;
    all.push_back(std::move(one));
  }
  std::ranges::sort(all, {}, &One::used);
  for (const auto& one : all) {
    if (swept.bytes <= max_bytes) break;
    if (one.path == keep) continue;
    remove(one.path);
    swept.bytes -= one.bytes;
    ++swept.removed;
  }
  return swept;
}

}  // namespace gitaiops::history
