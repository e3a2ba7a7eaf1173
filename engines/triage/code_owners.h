// CODEOWNERS as GitLab reads it: who has to approve a change of which paths. Pure.
//
//   [Database][2] @dba               a section: two approvals, and owners of entries that name none
//   *.sql
//   /db/ @ann                        a folder and all below; * and ? stay within one, ** crosses
//   ^[Docs]                          optional: nobody has to
//   docs/ @@maintainers docs@example.org
//   !docs/generated/                 not these, whatever follows in this section
//
// Sections of one name (case apart) are one. In each, the last entry that matches a path counts.
// Entries before the first section are in one without a name. What GitLab ignores is ignored: a
// word that is no owner, a line that is none.
//
// Bounds: kMostEntries entries, the rest is not read. Complexity: of(), linear in the entries;
// matching one pattern, at most the product of both lengths. Thread safety: const methods are pure.
// Source: GitLab's documentation "Code Owners" (syntax and error handling); patterns are those of
// Ruby's File.fnmatch with FNM_PATHNAME and FNM_DOTMATCH.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::triage {

struct CodeOwner {
  enum class Kind : uint8_t { account, role, email };
  Kind kind = Kind::account;
  std::string name;  // "ann", "group/team"; "maintainer" of @@maintainers; an address
  bool operator==(const CodeOwner&) const = default;
};

struct OwnerEntry {
  std::string pattern;            // as it stands in the file
  std::vector<CodeOwner> owners;  // empty: nobody owns what it matches
  bool excludes = false;          // "!pattern"
};

struct OwnerSection {
  std::string name;  // empty: before the first one
  bool optional = false;
  int approvals = 1;
  std::vector<OwnerEntry> entries;
};

struct Ownership {
  const OwnerSection* section = nullptr;
  const OwnerEntry* entry = nullptr;
};

class CodeOwners {
 public:
  static constexpr std::size_t kMostEntries = 20'000;
  // Where GitLab looks; the first that is there counts.
  static constexpr std::string_view kPlaces[] = {"CODEOWNERS", "docs/CODEOWNERS",
                                                 ".gitlab/CODEOWNERS"};

  CodeOwners() = default;
  explicit CodeOwners(std::string_view text);
  // One a section at most, in their order; without those that nobody owns.
  std::vector<Ownership> of(std::string_view path) const;
  const std::vector<OwnerSection>& sections() const { return sections_; }

 private:
  std::vector<OwnerSection> sections_;
};

// Whether the pattern, as it stands in the file, matches a path from the repository's root.
bool owner_pattern_matches(std::string_view pattern, std::string_view path);

}  // namespace gitaiops::triage
