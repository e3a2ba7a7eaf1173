// Who is who in a repository's history: one person commits from two machines, changes her name or
// her address, and is still one. Pure.
//
// Two signatures are one person when .mailmap says so, when their addresses are the same (case
// apart; not addresses that hosts hand out to hide the real one), or when their full names are
// (case and white space apart; a single word is no full name).
//
// Complexity: near-linear in the signatures. Thread safety: as a value's.
// Source of .mailmap: gitmailmap(5).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gitaiops::triage {

struct Signature {
  std::string name, email;
  bool operator==(const Signature&) const = default;
};

// "Ann Lee <ann@example.org>"; nothing: no address in angle brackets.
std::optional<Signature> read_signature(std::string_view text);

// By address and, where a line of the file says one, by name, too; case does not count.
class Mailmap {
 public:
  Mailmap() = default;
  explicit Mailmap(std::string_view text);  // lines that say nothing are passed over
  Signature resolve(const Signature& given) const;

 private:
  std::map<std::pair<std::string, std::string>, Signature> proper_;  // by address, name or ""
};

// Whether a machine signs so: by its name (is_machine), or by an address such as GitLab's
// "project_7_bot_1f2e@noreply.…" and "dependabot[bot]@…".
bool is_machine(const Signature& signature);

class People {
 public:
  People() = default;
  explicit People(Mailmap mailmap) : mailmap_(std::move(mailmap)) {}

  // A number that stays; two numbers may later turn out to be one person.
  uint32_t add(const Signature& signature);
  // The name that was used first, of those that are this person's: give the newest signatures
  // first. Two persons of one name have their addresses behind it.
  const std::string& name(uint32_t number) const;
  bool machine(uint32_t number) const { return machines_[root(number)]; }

  // All that is known of a person, by the name above: to find her account.
  struct Known {
    std::vector<std::string> names, emails;  // addresses in lower case
  };
  const std::map<std::string, Known>& known() const;

 private:
  uint32_t root(uint32_t number) const;
  void join(uint32_t a, uint32_t b);
  void settle() const;

  Mailmap mailmap_;
  std::vector<Signature> signatures_;
  std::unordered_map<std::string, uint32_t> by_email_, by_name_, by_signature_;
  mutable std::vector<uint32_t> parents_;
  std::vector<bool> machines_;  // of roots
  mutable bool settled_ = false;
  mutable std::vector<std::string> names_;  // of numbers
  mutable std::map<std::string, Known> known_;
};

}  // namespace gitaiops::triage
