#include "engines/triage/people.h"

#include <algorithm>

#include "base/bytes/bytes.h"
#include "engines/triage/history.h"
#include "engines/triage/lowered.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kMostNamesKept = 20;  // of one person

// Lower case, one blank between words; empty: no full name.
std::string full_name(std::string_view name) {
  std::string out;
  for (const auto word : split(name, ' ')) {
    if (trimmed(word).empty()) continue;
    out += (out.empty() ? "" : " ") + lowered(trimmed(word));
  }
  return out.find(' ') == std::string::npos ? "" : out;
}

// Addresses that many have, or that a host made up.
bool says_who(std::string_view email) {
  return email.find('@') != std::string_view::npos && email.size() > 3 &&
         email.find("noreply") == std::string_view::npos &&
         email.find("no-reply") == std::string_view::npos && !email.ends_with("@localhost") &&
         !email.ends_with("@example.com") && !email.starts_with("root@");
}

// "name <address>" from the front of the text, which moves behind it.
std::optional<Signature> take(std::string_view& text) {
  const auto open = text.find('<');
  const auto close = text.find('>', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  Signature found{std::string(trimmed(text.substr(0, open))),
                  std::string(trimmed(text.substr(open + 1, close - open - 1)))};
  text.remove_prefix(close + 1);
  return found;
}

}  // namespace

std::optional<Signature> read_signature(std::string_view text) {
  auto found = take(text);
  if (!found || found->email.empty()) return std::nullopt;
  auto& name = found->name;
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
    name = name.substr(1, name.size() - 2);
  if (name.empty()) name = found->email;
  return found;
}

Mailmap::Mailmap(std::string_view text) {
  for (auto line : split(text, '\n')) {
    if (const auto comment = line.find('#'); comment != std::string_view::npos)
      line = line.substr(0, comment);
    const auto proper = take(line);
    if (!proper) continue;
    const auto commit = take(line);
    if (!commit) {  // "Proper Name <address>": the address stays
      if (!proper->name.empty()) proper_[{lowered(proper->email), ""}] = {proper->name, ""};
      continue;
    }
    proper_[{lowered(commit->email), lowered(commit->name)}] = *proper;
  }
}

Signature Mailmap::resolve(const Signature& given) const {
  if (proper_.empty()) return given;
  const auto email = lowered(given.email);
  auto found = proper_.find({email, lowered(given.name)});
  if (found == proper_.end()) found = proper_.find({email, ""});
  if (found == proper_.end()) return given;
  const auto& [name, address] = found->second;
  return {name.empty() ? given.name : name, address.empty() ? given.email : address};
}

bool is_machine(const Signature& signature) {
  const auto email = lowered(signature.email);
  const auto local = email.substr(0, email.find('@'));
  const bool project_bot = (local.starts_with("project_") || local.starts_with("group_")) &&
                           (local.find("_bot_") != std::string::npos || local.ends_with("_bot"));
  return project_bot || local.ends_with("[bot]") || local == "bot" || local.ends_with("-bot") ||
         is_machine(std::string_view(signature.name));
}

uint32_t People::root(uint32_t number) const {
  while (parents_[number] != number) {
    parents_[number] = parents_[parents_[number]];
    number = parents_[number];
  }
  return number;
}

void People::join(uint32_t a, uint32_t b) {
  a = root(a), b = root(b);
  if (a == b) return;
  if (b < a) std::swap(a, b);
  parents_[b] = a;
  machines_[a] = machines_[a] || machines_[b];
}

uint32_t People::add(const Signature& given) {
  const auto key = given.name + '\n' + given.email;
  if (const auto found = by_signature_.find(key); found != by_signature_.end())
    return found->second;
  const auto proper = mailmap_.resolve(given);
  const auto number = static_cast<uint32_t>(signatures_.size());
  by_signature_.emplace(key, number);
  signatures_.push_back(proper);
  parents_.push_back(number);
  machines_.push_back(is_machine(proper));
  settled_ = false;
  const auto meet = [&](std::unordered_map<std::string, uint32_t>& by, const std::string& what) {
    const auto [place, fresh] = by.try_emplace(what, number);
    if (!fresh) join(number, place->second);
  };
  const auto email = lowered(proper.email);
  if (says_who(email))
    meet(by_email_, email);
  else  // a made-up address with its name is still somebody
    meet(by_email_, lowered(proper.name) + '\n' + email);
  if (const auto name = full_name(proper.name); !name.empty()) meet(by_name_, name);
  return number;
}

void People::settle() const {
  if (settled_) return;
  settled_ = true;
  names_.assign(signatures_.size(), {});
  known_.clear();
  for (uint32_t i = 0; i < signatures_.size(); ++i) {
    const auto top = root(i);
    auto& name = names_[top];
    if (name.empty()) {  // the smallest number is the root: the first that was added
      name = signatures_[top].name;
      if (known_.contains(name)) name += " <" + signatures_[top].email + ">";
    }
    names_[i] = name;
    auto& known = known_[name];
    const auto keep = [](std::vector<std::string>& list, std::string what) {
      if (list.size() < kMostNamesKept && std::ranges::find(list, what) == list.end())
        list.push_back(std::move(what));
    };
    keep(known.names, signatures_[i].name);
    keep(known.emails, lowered(signatures_[i].email));
  }
}

const std::string& People::name(uint32_t number) const {
  settle();
  return names_[number];
}

const std::map<std::string, People::Known>& People::known() const {
  settle();
  return known_;
}

}  // namespace gitaiops::triage
