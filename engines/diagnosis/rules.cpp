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

Status Rules::build(Database& database,
                    const std::vector<std::pair<std::string, Hit>>& expressions) {
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const auto& [text, meaning] : expressions) {
    ids.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(text.c_str());
    database.meanings.push_back(meaning);
  }
  if (texts.empty()) return {};
  const std::vector<unsigned> flags(texts.size(), kFlags);
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(texts.size()),
                       HS_MODE_BLOCK, nullptr, &database.compiled, &error) != HS_SUCCESS) {
    Error result(Code::internal, std::string("compiling the rules: ") + error->message);
    hs_free_compile_error(error);
    return result;
  }
  // One scratch serves both: it grows to what the larger needs.
  if (hs_alloc_scratch(database.compiled, &prototype_) != HS_SUCCESS) {
    return Error(Code::resource_exhausted, "no memory to scan with");
  }
  return {};
}

Result<std::shared_ptr<const Rules>> Rules::compile(RuleSet set) {
  std::shared_ptr<Rules> rules(new Rules);
  rules->set_ = std::move(set);
  std::vector<std::pair<std::string, Hit>> causes, doubts;
  for (std::size_t i = 0; i < rules->set_.rules.size(); ++i) {
    const auto index = static_cast<uint16_t>(i);
    for (const auto& e : rules->set_.rules[i].match) causes.push_back({e, {0, index, false, 0}});
    for (const auto& e : rules->set_.rules[i].unless) doubts.push_back({e, {0, index, true, 0}});
  }
  for (const auto& d : rules->set_.decoys)
    doubts.push_back({d.expression, {0, kAnyRule, true, static_cast<float>(d.ceiling)}});
  RETURN_IF_ERROR(rules->build(rules->causes_, causes));
  RETURN_IF_ERROR(rules->build(rules->doubts_, doubts));
  return std::shared_ptr<const Rules>(std::move(rules));
}

Rules::~Rules() {
  for (hs_scratch_t* scratch : idle_) hs_free_scratch(scratch);
  if (prototype_) hs_free_scratch(prototype_);
  for (const Database* database : {&causes_, &doubts_}) {
    if (database->compiled) hs_free_database(database->compiled);
  }
}

const Category* Rules::category(std::string_view id) const {
  const auto found = set_.categories.find(id);
  return found == set_.categories.end() ? nullptr : &found->second;
}

void Rules::run(const Database& database, std::string_view text, OnHit on_hit,
                void* context) const {
  if (!database.compiled) return;
  hs_scratch_t* scratch = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      scratch = idle_.back();
      idle_.pop_back();
    }
  }
  if (!scratch && hs_clone_scratch(prototype_, &scratch) != HS_SUCCESS) return;
  ScanContext scan{&database.meanings, on_hit, context};
  hs_scan(database.compiled, text.data(), static_cast<unsigned>(text.size()), 0, scratch, forward,
          &scan);
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
  const OnHit collect = [](void* context, const Hit& hit) {
    auto* s = static_cast<Seen*>(context);
    if (hit.rule == kAnyRule)
      s->ceiling = std::max<double>(s->ceiling, hit.ceiling);
    else
      (hit.decoy ? s->decoys : s->hits).push_back(hit.rule);
  };
  scan(block, collect, &seen);
  scan_doubts(block, collect, &seen);
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
