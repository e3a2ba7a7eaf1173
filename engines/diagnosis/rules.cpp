#include "engines/diagnosis/rules.h"

#include <algorithm>

namespace gitaiops::diagnosis {
namespace {

// Puts the hits that were collected beforehand between those that come.
struct Merge {
  const std::vector<Hit>& own;
  std::size_t next = 0;
  OnHit on_hit;
  void* context;

  void up_to(std::size_t end) {
    for (; next < own.size() && own[next].end <= end; ++next) on_hit(context, own[next]);
  }
};

}  // namespace

std::vector<Expression> cause_expressions(const RuleSet& set, Beyond beyond) {
  std::vector<Expression> out;
  for (std::size_t i = beyond.rules; i < set.rules.size(); ++i) {
    for (const auto& e : set.rules[i].match)
      out.push_back({e, {0, static_cast<uint16_t>(i), false, 0}});
  }
  return out;
}

std::vector<Expression> doubt_expressions(const RuleSet& set, Beyond beyond) {
  std::vector<Expression> out;
  for (std::size_t i = beyond.rules; i < set.rules.size(); ++i) {
    for (const auto& e : set.rules[i].unless)
      out.push_back({e, {0, static_cast<uint16_t>(i), true, 0}});
  }
  for (std::size_t i = beyond.decoys; i < set.decoys.size(); ++i) {
    const auto& decoy = set.decoys[i];
    out.push_back({decoy.expression, {0, kAnyRule, true, static_cast<float>(decoy.ceiling)}});
  }
  return out;
}

Result<std::unique_ptr<Scanners>> compile_scanners(const RuleSet& set, Beyond beyond,
                                                   Scanner::Target target) {
  auto scanners = std::make_unique<Scanners>();
  ASSIGN_OR_RETURN(scanners->causes, Scanner::compile(cause_expressions(set, beyond), target));
  ASSIGN_OR_RETURN(scanners->doubts, Scanner::compile(doubt_expressions(set, beyond), target));
  return scanners;
}

Result<std::shared_ptr<const Rules>> Rules::compile(RuleSet set, Base base, Beyond beyond) {
  std::shared_ptr<Rules> rules(new Rules);
  if (set.rules.size() > beyond.rules || set.decoys.size() > beyond.decoys) {
    ASSIGN_OR_RETURN(rules->own_, compile_scanners(set, beyond, Scanner::Target::here));
  }
  rules->set_ = std::move(set);
  rules->base_ = base;
  return std::shared_ptr<const Rules>(std::move(rules));
}

const Category* Rules::category(std::string_view id) const {
  const auto found = set_.categories.find(id);
  return found == set_.categories.end() ? nullptr : &found->second;
}

void Rules::scan(std::string_view block, OnHit on_hit, void* context) const {
  if (!own_) {
    if (base_) base_().causes->scan(block, on_hit, context);
    return;
  }
  std::vector<Hit> own;
  own_->causes->scan(
      block,
      [](void* into, const Hit& hit) {
        auto* hits = static_cast<std::vector<Hit>*>(into);
        if (hits->size() < kOwnHitsMax) hits->push_back(hit);
      },
      &own);
  Merge merge{own, 0, on_hit, context};
  if (base_) {
    base_().causes->scan(
        block,
        [](void* into, const Hit& hit) {
          auto* m = static_cast<Merge*>(into);
          m->up_to(hit.end);
          m->on_hit(m->context, hit);
        },
        &merge);
  }
  merge.up_to(block.size());
}

void Rules::scan_doubts(std::string_view line, OnHit on_hit, void* context) const {
  if (base_) base_().doubts->scan(line, on_hit, context);
  if (own_) own_->doubts->scan(line, on_hit, context);
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

std::vector<std::string> failing_examples(const Rules& rules, std::size_t first,
                                          std::vector<std::string>* failing_ids) {
  std::vector<std::string> problems;
  for (std::size_t i = first; i < rules.all().size(); ++i) {
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

}  // namespace gitaiops::diagnosis
