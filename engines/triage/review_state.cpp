#include "engines/triage/review_state.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace gitaiops::triage {
namespace {

constexpr double kDayS = 86'400;
constexpr double kPathTau = 180 * kDayS;
constexpr double kPersonTau = 90 * kDayS;
constexpr double kLatelyTau = 30 * kDayS;
constexpr std::size_t kLargestCommit = 100;  // of a commit that says who knows what
constexpr std::size_t kFilesLookedAt = 400;  // of a change whose reviewers are looked for
constexpr std::size_t kRemembered = 20;
constexpr double kLeastShare = 1e-4;

double part(double of, double all) {
  return all > 0 ? of / all : 0;
}

// 0 for a share of one in ten thousand and less, 1 for all.
double logarithm(double share) {
  return 1 - std::log(std::max(share, kLeastShare)) / std::log(kLeastShare);
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

uint64_t pair_key(Person author, Person reviewer) {
  return uint64_t{author} << 32 | reviewer;
}

}  // namespace

Person ReviewState::person(const std::string& name) {
  const auto [place, fresh] = people_by_name_.try_emplace(name, static_cast<Person>(names_.size()));
  if (fresh) {
    names_.push_back(name);
    people_.emplace_back().machine = is_machine(name);
  }
  return place->second;
}

const Person* ReviewState::known(const std::string& name) const {
  const auto found = people_by_name_.find(name);
  return found == people_by_name_.end() ? nullptr : &found->second;
}

uint32_t ReviewState::node(std::string_view path) {
  if (path.empty()) return 0;
  const std::string key(path);
  if (const auto found = nodes_by_path_.find(key); found != nodes_by_path_.end())
    return found->second;
  const auto parent = node(parent_of(path));
  const auto number = static_cast<uint32_t>(nodes_.size());
  auto& made = nodes_.emplace_back();
  made.parent = parent;
  made.path = key;
  nodes_by_path_.emplace(key, number);
  return number;
}

uint32_t ReviewState::nearest(std::string_view path) const {
  for (; !path.empty(); path = parent_of(path))
    if (const auto found = nodes_by_path_.find(std::string(path)); found != nodes_by_path_.end())
      return found->second;
  return 0;
}

ReviewState::Share& ReviewState::share_of(Node& node, Person person) {
  for (auto& share : node.shares)
    if (share.person == person) return share;
  return node.shares.emplace_back(Share{.person = person});
}

void ReviewState::count(uint32_t number, const std::vector<Person>& authors,
                        const std::vector<Person>& reviewers, const std::vector<Person>& acks,
                        double weight) {
  auto& node = nodes_[number];
  for (const auto author : authors) {
    share_of(node, author).changes += weight;
    node.changes += weight;
    node.last_authors.push_back(author);
  }
  for (const auto reviewer : reviewers) {
    share_of(node, reviewer).reviews += weight;
    node.reviews += weight;
    node.last_reviewers.push_back(reviewer);
  }
  for (const auto person : acks) {
    share_of(node, person).acks += weight;
    node.acks += weight;
  }
  for (auto* last : {&node.last_reviewers, &node.last_authors})
    if (last->size() > 2 * kRemembered) last->erase(last->begin(), last->end() - kRemembered);
}

void ReviewState::add(const Commit& commit) {
  if (names_.empty()) first_s_ = newest_s_ = commit.time_s;
  newest_s_ = std::max(newest_s_, commit.time_s);
  if (commit.files.size() > kLargestCommit) return;
  std::vector<Person> authors;
  const auto people = [&](const std::vector<std::string>& given) {
    std::vector<Person> out;
    for (const auto& name : given) {
      const auto one = person(name);
      if (std::ranges::find(authors, one) == authors.end() && !people_[one].machine &&
          std::ranges::find(out, one) == out.end())
        out.push_back(one);
    }
    return out;
  };
  if (!commit.author.empty()) {
    authors.push_back(person(commit.author));
    if (people_[authors.front()].machine) return;
  }
  const auto co_authors = people(commit.co_authors);
  authors.insert(authors.end(), co_authors.begin(), co_authors.end());
  const auto reviewers = people(commit.reviewers), acks = people(commit.acks);
  const auto age = static_cast<double>(newest_s_ - first_s_);
  std::set<uint32_t> touched;
  for (const auto& file : commit.files)
    for (auto at = node(file);; at = nodes_[at].parent)
      if (!touched.insert(at).second || at == 0) break;
  touched.insert(0);
  for (const auto at : touched) count(at, authors, reviewers, acks, std::exp(age / kPathTau));
  for (const auto author : authors) people_[author].last_change_s = newest_s_;
  reviewed_ += reviewers.empty() ? 0 : 1;
  const auto weight = std::exp(age / kPersonTau);
  for (const auto reviewer : reviewers) {
    people_[reviewer].reviews += weight;
    people_[reviewer].last_review_s = newest_s_;
    all_reviews_ += weight;
    for (const auto author : authors) {
      auto& pair = pairs_[pair_key(author, reviewer)];
      pair.decayed += weight;
      ++pair.count;
      reviewed_for_[author] += weight;
      reviewed_by_[reviewer] += weight;
    }
  }
}

std::vector<Candidate> ReviewState::candidates(const std::string& author,
                                               const std::vector<std::string>& files,
                                               int64_t time_s) const {
  // How much each file and folder counts.
  std::map<uint32_t, double> of_files, of_folders;
  double file_weight = 0, folder_weight = 0;
  for (std::size_t i = 0; i < std::min(files.size(), kFilesLookedAt); ++i) {
    auto at = nearest(files[i]);
    file_weight += 1;
    if (at != 0 && nodes_[at].path == files[i]) {
      of_files[at] += 1;
      at = nodes_[at].parent;
    }
    for (double weight = 1;; weight /= 2, at = nodes_[at].parent) {
      of_folders[at] += weight;
      folder_weight += weight;
      if (at == 0) break;
    }
  }
  std::vector<Candidate> all(names_.size());
  const auto spread = [&](const std::map<uint32_t, double>& places, const auto& each) {
    for (const auto& [number, weight] : places) {
      const auto& node = nodes_[number];
      for (const auto& share : node.shares)
        each(all[share.person].signals.value, node, share, weight);
    }
  };
  spread(of_folders, [&](auto& value, const Node& node, const Share& share, double weight) {
    weight /= folder_weight;
    value[Signals::folder_reviews] += weight * part(share.reviews, node.reviews);
    value[Signals::folder_changes] += weight * part(share.changes, node.changes);
    value[Signals::folder_acks] += weight * part(share.acks, node.acks);
  });
  spread(of_files, [&](auto& value, const Node& node, const Share& share, double weight) {
    value[Signals::file_reviews] += weight / file_weight * part(share.reviews, node.reviews);
  });
  const auto* self = known(author);
  const auto sum = [](const auto& sums, Person person) {
    const auto found = sums.find(person);
    return found == sums.end() ? 0.0 : found->second;
  };
  const auto pair = [&](Person by, Person reviewer) {
    const auto found = pairs_.find(pair_key(by, reviewer));
    return found == pairs_.end() ? 0.0 : found->second.decayed;
  };
  std::vector<Candidate> out;
  for (Person person = 0; person < all.size(); ++person) {
    auto& value = all[person].signals.value;
    const auto& about = people_[person];
    if (about.machine || (self && *self == person)) continue;
    if (value[Signals::folder_reviews] + value[Signals::folder_changes] +
            value[Signals::folder_acks] <=
        0)
      continue;
    if (self) {
      value[Signals::affinity] = part(pair(*self, person), sum(reviewed_for_, *self));
      value[Signals::reverse] = part(pair(person, *self), sum(reviewed_by_, *self));
    }
    value[Signals::global] = part(about.reviews, all_reviews_);
    if (about.last_review_s != 0)
      value[Signals::lately] = std::exp(
          -static_cast<double>(std::max<int64_t>(0, time_s - about.last_review_s)) / kLatelyTau);
    value[Signals::log_folder] = logarithm(value[Signals::folder_reviews]);
    value[Signals::log_affinity] = logarithm(value[Signals::affinity]);
    value[Signals::log_global] = logarithm(value[Signals::global]);
    all[person].person = person;
    out.push_back(all[person]);
  }
  return out;
}

ReviewState::Standing ReviewState::best_standing(Person person,
                                                 const std::vector<std::string>& files,
                                                 std::vector<Person> Node::* last) const {
  Standing best;
  const auto look = [&](const Node& node) {
    const auto& people = node.*last;
    const auto first = people.size() > kRemembered ? people.end() - kRemembered : people.begin();
    const auto times = std::count(first, people.end(), person);
    if (times > best.reviews) best = {node.path, times, people.end() - first};
  };
  for (std::size_t i = 0; i < std::min(files.size(), kFilesLookedAt); ++i)
    for (auto at = nearest(files[i]); at != 0; at = nodes_[at].parent)
      if (nodes_[at].path != files[i]) look(nodes_[at]);
  if (best.reviews == 0) look(nodes_[0]);
  return best;
}

ReviewState::Standing ReviewState::standing(Person person,
                                            const std::vector<std::string>& files) const {
  return best_standing(person, files, &Node::last_reviewers);
}

ReviewState::Standing ReviewState::authorship(Person person,
                                              const std::vector<std::string>& files) const {
  return best_standing(person, files, &Node::last_authors);
}

int64_t ReviewState::pair_reviews(const std::string& author, Person reviewer) const {
  const auto* self = known(author);
  const auto found = self ? pairs_.find(pair_key(*self, reviewer)) : pairs_.end();
  return found == pairs_.end() ? 0 : found->second.count;
}

}  // namespace gitaiops::triage
