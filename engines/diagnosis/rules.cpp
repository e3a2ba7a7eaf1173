#include "engines/diagnosis/rules.h"

#include <algorithm>

namespace gitaiops::diagnosis {
namespace {

constexpr unsigned kFlags = HS_FLAG_MULTILINE;

struct ScanContext {
  const std::vector<Rules::Hit>* meanings;
  Rules::OnHit on_hit;
  void* context;
};

int forward(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
  const auto* scan = static_cast<const ScanContext*>(context);
  Rules::Hit hit = (*scan->meanings)[id];
  hit.end = static_cast<std::size_t>(to);
  scan->on_hit(scan->context, hit);
  return 0;
}

}  // namespace

Result<std::shared_ptr<const Rules>> Rules::compile(RuleSet set) {
  std::shared_ptr<Rules> rules(new Rules);
  rules->set_ = std::move(set);
  std::vector<const char*> expressions;
  std::vector<unsigned> flags, ids;
  const auto add = [&](const std::string& expression, uint16_t rule, bool decoy,
                       float ceiling = 0) {
    ids.push_back(static_cast<unsigned>(expressions.size()));
    expressions.push_back(expression.c_str());
    flags.push_back(kFlags);
    rules->meanings_.push_back({0, rule, decoy, ceiling});
  };
  for (std::size_t i = 0; i < rules->set_.rules.size(); ++i) {
    for (const auto& e : rules->set_.rules[i].match) add(e, static_cast<uint16_t>(i), false);
    for (const auto& e : rules->set_.rules[i].unless) add(e, static_cast<uint16_t>(i), true);
  }
  for (const auto& d : rules->set_.decoys)
    add(d.expression, kAnyRule, true, static_cast<float>(d.ceiling));
  if (expressions.empty()) return Error(Code::invalid_argument, "no rules");
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(expressions.data(), flags.data(), ids.data(),
                       static_cast<unsigned>(expressions.size()), HS_MODE_BLOCK, nullptr,
                       &rules->database_, &error) != HS_SUCCESS) {
    Error result(Code::internal, std::string("compiling the rules: ") + error->message);
    hs_free_compile_error(error);
    return result;
  }
  if (hs_alloc_scratch(rules->database_, &rules->prototype_) != HS_SUCCESS) {
    return Error(Code::resource_exhausted, "no memory to scan with");
  }
  return std::shared_ptr<const Rules>(std::move(rules));
}

Rules::~Rules() {
  for (hs_scratch_t* scratch : idle_) hs_free_scratch(scratch);
  if (prototype_) hs_free_scratch(prototype_);
  if (database_) hs_free_database(database_);
}

const Category* Rules::category(std::string_view id) const {
  const auto found = set_.categories.find(id);
  return found == set_.categories.end() ? nullptr : &found->second;
}

void Rules::scan(std::string_view block, OnHit on_hit, void* context) const {
  hs_scratch_t* scratch = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      scratch = idle_.back();
      idle_.pop_back();
    }
  }
  if (!scratch && hs_clone_scratch(prototype_, &scratch) != HS_SUCCESS) return;
  ScanContext scan{&meanings_, on_hit, context};
  hs_scan(database_, block.data(), static_cast<unsigned>(block.size()), 0, scratch, forward, &scan);
  const std::lock_guard lock(mutex_);
  idle_.push_back(scratch);
}

std::vector<uint16_t> Rules::match_line(std::string_view line) const {
  struct Seen {
    std::vector<uint16_t> hits, decoys;
    double ceiling = 0;
  } seen;
  std::string block(line);
  std::replace(block.begin(), block.end(), '\n', ' ');
  block.push_back('\n');
  scan(
      block,
      [](void* context, const Hit& hit) {
        auto* s = static_cast<Seen*>(context);
        if (hit.rule == kAnyRule)
          s->ceiling = std::max<double>(s->ceiling, hit.ceiling);
        else
          (hit.decoy ? s->decoys : s->hits).push_back(hit.rule);
      },
      &seen);
  std::sort(seen.hits.begin(), seen.hits.end());
  seen.hits.erase(std::unique(seen.hits.begin(), seen.hits.end()), seen.hits.end());
  std::erase_if(seen.hits, [&](uint16_t rule) {
    return std::find(seen.decoys.begin(), seen.decoys.end(), rule) != seen.decoys.end() ||
           (set_.rules[rule].kind == Kind::cause && set_.rules[rule].weight <= seen.ceiling);
  });
  return seen.hits;
}

std::vector<std::string> failing_examples(const Rules& rules,
                                          std::vector<std::string>* failing_ids) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < rules.all().size(); ++i) {
    const Rule& rule = rules.all()[i];
    const auto check = [&](const std::vector<std::string>& lines, bool wanted) {
      for (const auto& line : lines) {
        const auto hits = rules.match_line(line);
        if (std::binary_search(hits.begin(), hits.end(), static_cast<uint16_t>(i)) == wanted)
          continue;
        problems.push_back(rule.origin + ": rule " + rule.id + ": the " +
                           (wanted ? "positive" : "negative") + " example \"" + line +
                           (wanted ? "\" does not match" : "\" matches"));
        if (failing_ids) failing_ids->push_back(rule.id);
      }
    };
    check(rule.positive, true);
    check(rule.negative, false);
  }
  return problems;
}

std::vector<RuleCategory> rule_categories(const Rules& rules) {
  std::vector<RuleCategory> out;
  for (const auto& [id, c] : rules.categories())
    out.push_back({id, c.title, c.owner, std::string(to_string(c.retry))});
  return out;
}

std::vector<RuleInfo> rule_infos(const Rules& rules) {
  std::vector<RuleInfo> out;
  for (const Rule& r : rules.all())
    out.push_back({r.id, r.category, r.title, r.origin, r.weight, r.match, r.unless, r.positive});
  return out;
}

std::shared_ptr<const Rules> builtin_rules() {
  static const std::shared_ptr<const Rules> shared = with_rules({}, nullptr);
  return shared;
}

std::shared_ptr<const Rules> with_rules(const std::vector<RuleText>& more,
                                        std::vector<std::string>* problems) {
  std::vector<std::string> found;
  RuleSet builtin;
  for (const auto& text : builtin_rule_texts()) load_rules(text, Trial::no, builtin, found);
  RuleSet set = builtin;
  const std::size_t own = set.rules.size();
  for (const auto& text : more) load_rules(text, Trial::yes, set, found);
  auto rules = Rules::compile(set);
  if (rules.ok() && set.rules.size() > own) {
    std::vector<std::string> failing;
    for (auto& problem : failing_examples(**rules, &failing)) found.push_back(std::move(problem));
    if (!failing.empty()) {
      std::erase_if(set.rules, [&](const Rule& r) {
        return std::find(failing.begin(), failing.end(), r.id) != failing.end();
      });
      rules = Rules::compile(std::move(set));
    }
  }
  if (!rules.ok()) {
    found.push_back(rules.error().to_string());
    rules = Rules::compile(std::move(builtin));
  }
  if (problems) problems->insert(problems->end(), found.begin(), found.end());
  return std::move(rules).value();
}

}  // namespace gitaiops::diagnosis
