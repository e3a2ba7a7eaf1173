#include "engines/diagnosis/rules.h"

#include <algorithm>
#include <set>

#include "engines/diagnosis/rule_gate.h"

namespace gitaiops::diagnosis {
namespace {

// What the databases found in a block, and the lines in which a word of the gate stands.
struct Finds {
  struct Line {
    std::size_t begin = 0, end = 0;  // with its newline
  };
  std::string_view block;
  std::vector<Hit> hits;
  std::vector<Line> lines;
  std::size_t last_line_end = 0;  // of the newest hit

  void add(const Hit& hit) {
    // One hit of a rule in a line is as good as many.
    if (!hits.empty() && hits.back().rule == hit.rule && hit.end <= last_line_end &&
        hit.end >= hits.back().end)
      return;
    if (hits.size() == Rules::kHitsMax) return;
    hits.push_back(hit);
    last_line_end = std::min(block.find('\n', hit.end), block.size());
  }
  void open_line(std::size_t at) {
    if (!lines.empty() && at <= lines.back().end) return;
    const std::size_t newline = at > 0 ? block.rfind('\n', at - 1) : block.npos;
    lines.push_back({newline == block.npos ? 0 : newline + 1,
                     std::min(block.find('\n', at), block.size() - 1) + 1});
  }
};

void scan_gated(const Scanner& gated, Finds& finds) {
  if (finds.lines.empty()) return;
  struct Gathered {
    Finds& finds;
    std::string text;
    std::size_t line = 0, before = 0;  // bytes gathered before the line

    static void on(void* self, const Hit& hit) {
      auto* g = static_cast<Gathered*>(self);
      const auto& lines = g->finds.lines;
      while (hit.end > g->before + lines[g->line].end - lines[g->line].begin) {
        g->before += lines[g->line].end - lines[g->line].begin;
        ++g->line;
      }
      Hit whole = hit;
      whole.end += lines[g->line].begin - g->before;
      g->finds.add(whole);
    }
  } gathered{finds, {}};
  for (const auto& line : finds.lines)
    gathered.text.append(finds.block.substr(line.begin, line.end - line.begin));
  gated.scan(gathered.text, Gathered::on, &gathered);
  finds.lines.clear();
}

void scan_all(const Scanners& scanners, Finds& finds) {
  const OnHit collect = [](void* into, const Hit& hit) {
    auto* f = static_cast<Finds*>(into);
    if (hit.rule == kGate)
      f->open_line(hit.end);
    else
      f->add(hit);
  };
  scanners.shapes->scan(finds.block, collect, &finds);
  scanners.literals->scan(finds.block, collect, &finds);
  scan_gated(*scanners.gated, finds);
}

}  // namespace

namespace {

// As an expression that matches nothing else.
std::string quoted(std::string_view word) {
  std::string out;
  for (const char c : word) {
    if (std::string_view("\\^$.|?*+()[]{}/").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::array<std::vector<Expression>, 4> expressions_of(const RuleSet& set, Beyond beyond) {
  std::array<std::vector<Expression>, 4> out;
  auto& [literals, shapes, gated, doubts] = out;
  std::set<std::string> words;
  for (std::size_t i = beyond.rules; i < set.rules.size(); ++i) {
    for (const auto& e : set.rules[i].match) {
      const Way way = way_of(e);
      if (way.passage == Passage::gated) words.insert(way.words.begin(), way.words.end());
      auto& to = way.passage == Passage::gated     ? gated
                 : way.passage == Passage::literal ? literals
                                                   : shapes;
      to.push_back({e, {0, static_cast<uint16_t>(i), false, 0}});
    }
    for (const auto& e : set.rules[i].unless)
      doubts.push_back({e, {0, static_cast<uint16_t>(i), true, 0}});
  }
  if (!gated.empty()) {
    words.insert(gate_words().begin(), gate_words().end());
    for (const auto& word : words)
      literals.push_back({"(?i)" + quoted(word), {0, kGate, false, 0}});
  }
  for (std::size_t i = beyond.decoys; i < set.decoys.size(); ++i) {
    const auto& decoy = set.decoys[i];
    doubts.push_back({decoy.expression, {0, kAnyRule, true, static_cast<float>(decoy.ceiling)}});
  }
  return out;
}

Result<std::unique_ptr<Scanners>> compile_scanners(const RuleSet& set, Beyond beyond,
                                                   Scanner::Target target) {
  auto [literals, shapes, gated, doubts] = expressions_of(set, beyond);
  auto scanners = std::make_unique<Scanners>();
  ASSIGN_OR_RETURN(scanners->literals, Scanner::compile(std::move(literals), target));
  ASSIGN_OR_RETURN(scanners->shapes, Scanner::compile(std::move(shapes), target));
  ASSIGN_OR_RETURN(scanners->gated, Scanner::compile(std::move(gated), target));
  ASSIGN_OR_RETURN(scanners->doubts, Scanner::compile(std::move(doubts), target));
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
  if (block.empty()) return;
  Finds finds{block, {}, {}};
  if (base_) scan_all(base_(), finds);
  if (own_) scan_all(*own_, finds);
  std::sort(finds.hits.begin(), finds.hits.end(), [](const Hit& a, const Hit& b) {
    return a.end != b.end ? a.end < b.end : a.rule < b.rule;
  });
  for (const Hit& hit : finds.hits) on_hit(context, hit);
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
