// Any bytes as git's log, in pieces of a size that the first byte says: no crash, and the pieces
// make no difference; any text as a mailmap, trailers and ignored revisions.
#include <cstdlib>

#include "engines/triage/git_log.h"

namespace {

using namespace gitaiops;

std::pair<std::vector<triage::LoggedCommit>, bool> read(std::string_view bytes, std::size_t step) {
  std::vector<triage::LoggedCommit> commits;
  triage::LogReader reader([&](triage::LoggedCommit one) { commits.push_back(std::move(one)); }, 8);
  while (!bytes.empty()) {
    if (!reader.feed(bytes.substr(0, step)).ok()) return {std::move(commits), false};
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  const bool whole = reader.finish().ok();
  return {std::move(commits), whole};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto [whole, ok] = read(text, SIZE_MAX);
  const auto [pieces, ok_too] = read(text, std::size_t{data[0]} + 1);
  if (ok != ok_too || whole.size() != pieces.size()) std::abort();
  for (std::size_t i = 0; i < whole.size(); ++i)
    if (whole[i].id != pieces[i].id || whole[i].files != pieces[i].files ||
        whole[i].message != pieces[i].message || whole[i].files.size() > 8)
      std::abort();
  triage::AddedLines lines(1000), by_pieces(1000);
  lines.feed(text);
  for (auto rest = text; !rest.empty(); rest.remove_prefix(std::min(rest.size(), data[0] + 1ul)))
    by_pieces.feed(rest.substr(0, data[0] + 1ul));
  if (lines.full() != by_pieces.full()) std::abort();
  if (const auto added = lines.take(); added != by_pieces.take() || added.size() > 1000)
    std::abort();
  if (triage::read_numstat(text, 9).size() > 9) std::abort();
  (void)triage::read_ignored_revisions(text);
  if (triage::merge_request_of(text) < 0) std::abort();
  triage::People people{triage::Mailmap(text)};
  for (const auto& one : triage::trailers(text)) (void)people.add(one.by);
  for (const auto& one : triage::trailers(text))
    if (people.name(people.add(one.by)).empty()) std::abort();
  return 0;
}
