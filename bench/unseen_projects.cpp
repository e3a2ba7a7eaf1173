// What to expect of a project that nobody read while rules were written. The rules know the logs of
// the development corpus, so its figures alone flatter them. Here every project in turn is judged
// without the expressions that match in no other project: those are knowledge that it alone could
// have taught. Many of them are the well-known words of a tool that only one project here uses, so
// this errs on the severe side; words that two projects share, and what silences lines (decoys),
// stay, and err on the other.
#include <map>
#include <set>
#include <utility>

#include "engines/diagnosis/builtin.h"
#include "engines/diagnosis/line_store.h"
#include "tests/unit/diagnosis/annotated_logs.h"

namespace gitaiops::diagnosis {
namespace {

using Place = std::pair<std::size_t, std::size_t>;  // rule, expression of it

RuleSet all_rules() {
  RuleSet set;
  std::vector<std::string> problems;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, set, problems);
  EXPECT_TRUE(problems.empty());
  return set;
}

std::shared_ptr<const Rules> compiled(RuleSet set) {
  auto rules = Rules::compile(std::move(set), nullptr, {});
  EXPECT_TRUE(rules.ok());
  return std::move(rules).value();
}

// Every expression as a rule of its own, to see which of them match where.
class Expressions : public LineSink {
 public:
  explicit Expressions(const RuleSet& set) {
    RuleSet alone;
    for (std::size_t r = 0; r < set.rules.size(); ++r) {
      for (std::size_t e = 0; e < set.rules[r].match.size(); ++e) {
        places_.emplace_back(r, e);
        alone.rules.emplace_back().match = {set.rules[r].match[e]};
      }
    }
    rules_ = compiled(std::move(alone));
  }
  // Ascending.
  std::set<Place> matching(std::string_view log) {
    found_.clear();
    block_ = "\n";
    LineSource source(*this);
    source.feed(log);
    source.finish();
    scan();
    return std::move(found_);
  }

 private:
  void on_line(const SourceLine& line) override {
    block_.append(line.text).push_back('\n');
    if (block_.size() > LineStore::kBlockBytes) scan();
  }
  void on_marker(Marker, std::string_view, uint8_t) override {}
  void scan() {
    rules_->scan(
        block_,
        [](void* self, const Hit& hit) {
          auto* e = static_cast<Expressions*>(self);
          e->found_.insert(e->places_[hit.rule]);
        },
        this);
    block_ = "\n";
  }

  std::vector<Place> places_;
  std::shared_ptr<const Rules> rules_;
  std::string block_;
  std::set<Place> found_;
};

// For each project the expressions that match in it and nowhere else.
std::map<std::string, std::vector<Place>> taught_by_one(const RuleSet& set, const fs::path& folder,
                                                        const std::vector<AnnotatedLog>& logs) {
  Expressions expressions(set);
  std::map<Place, std::set<std::string>> projects;
  const auto read = [&](const fs::path& path, const std::string& project) {
    for (const Place& place : expressions.matching(slurp(path))) projects[place].insert(project);
  };
  for (const auto& log : logs) read(log.path, log.repository);
  // Of the others the project is not told: together they are one more.
  for (const auto* other : {"bugswarm", "pairs"}) {
    for (const auto& file : fs::recursive_directory_iterator(folder / other))
      if (file.is_regular_file()) read(file.path(), "");
  }
  std::map<std::string, std::vector<Place>> out;
  for (const auto& [place, in] : projects)
    if (in.size() == 1) out[*in.begin()].push_back(place);
  return out;
}

TEST(Corpus, ProjectsThatTaughtNothing) {
  const auto folder = corpus("diagnosis");
  if (!folder) GTEST_SKIP() << "no corpus: set GITAIOPS_CORPUS";
  const RuleSet whole = all_rules();
  const auto logs = annotated_logs(*folder);
  const auto taught = taught_by_one(whole, *folder, logs);
  std::string repository;  // the rules are for this one
  std::shared_ptr<const Rules> rules;
  std::map<std::string, Sums> repositories;
  Reliability reliability;
  Sums all;
  std::size_t left_out = 0;
  for (const AnnotatedLog& log : logs) {
    if (!rules || log.repository != repository) {
      repository = log.repository;
      RuleSet rest = whole;
      if (const auto own = taught.find(log.repository); own != taught.end()) {
        left_out += own->second.size();
        // From the last to the first: the places before stay what they are.
        for (auto place = own->second.rbegin(); place != own->second.rend(); ++place) {
          auto& match = rest.rules[place->first].match;
          match.erase(match.begin() + static_cast<std::ptrdiff_t>(place->second));
        }
      }
      rules = compiled(std::move(rest));
    }
    const Diagnosis d = diagnose(slurp(log.path), rules);
    const Sums s = score(d, log.marked, log.signals);
    reliability.add(d.confidence, root_marked(d, log.marked));
    all.add(s);
    repositories[log.repository].add(s);
  }
  std::printf("without what only the project itself could teach (%zu expressions in all):\n",
              left_out);
  all.print("all logs");
  by_repository(repositories).print("by repository");
  std::printf("%-14s            hit@1 0.55   hit@3 0.70   F1 0.45\n", "targets");
  reliability.check();
  EXPECT_GE(all.hit1 / all.logs, 0.55);
  EXPECT_GE(all.hit3 / all.logs, 0.70);
  EXPECT_GE(all.f1 / all.logs, 0.45);
}

}  // namespace
}  // namespace gitaiops::diagnosis
