#include "engines/diagnosis/rules.h"

#include <algorithm>

namespace gitaiops::diagnosis {
namespace {

// What the databases found in a block, and the lines in which a word stands.
struct Finds {
  struct Line {
    std::size_t begin = 0, end = 0;  // with its newline
    uint32_t gates = 0;
  };
  struct Span {
    std::size_t begin = 1, end = 0;
  };
  std::string_view block;
  std::vector<Span> taken;  // by rule: the line of its newest hit
  std::vector<Hit> hits;
  std::vector<Line> lines;

  // One hit of a rule in a line is as good as many.
  void add(const Hit& hit) {
    Span& newest = taken[hit.rule];
    if (hit.end >= newest.begin && hit.end <= newest.end) return;
    newest = {line_begin(hit.end), std::min(block.find('\n', hit.end), block.size())};
    if (hits.size() < Rules::kHitsMax) hits.push_back(hit);
  }
  std::size_t line_begin(std::size_t at) const {
    const std::size_t newline = at > 0 ? block.rfind('\n', at - 1) : block.npos;
    return newline == block.npos ? 0 : newline + 1;
  }
  void open(const Hit& word) {
    const std::size_t last = word.end - 1;  // it may be the newline
    if (lines.empty() || last >= lines.back().end)
      lines.push_back({line_begin(last), std::min(block.find('\n', last), block.size() - 1) + 1});
    lines.back().gates |= word.gates;
  }
};

// The lines that opened one gate, one after another.
struct Gathered {
  Finds& finds;
  std::vector<const Finds::Line*> lines;
  std::string text;
  std::size_t line = 0, before = 0;  // the line of the newest hit, bytes before it

  void scan(const Scanner& gated, uint32_t gate) {
    lines.clear();
    text.clear();
    line = before = 0;
    for (const auto& each : finds.lines) {
      if (!(each.gates & gate)) continue;
      lines.push_back(&each);
      text.append(finds.block.substr(each.begin, each.end - each.begin));
    }
    gated.scan(text, on_hit, this);
  }
  static void on_hit(void* self, const Hit& hit) {
    auto* g = static_cast<Gathered*>(self);
    const auto size = [&] { return g->lines[g->line]->end - g->lines[g->line]->begin; };
    while (hit.end > g->before + size()) {
      g->before += size();
      ++g->line;
    }
    Hit whole = hit;
    whole.end += g->lines[g->line]->begin - g->before;
    g->finds.add(whole);
  }
};

void scan_all(const Scanners& scanners, Finds& finds) {
  scanners.everywhere->scan(
      finds.block, [](void* into, const Hit& hit) { static_cast<Finds*>(into)->add(hit); }, &finds);
  scanners.words->scan(
      finds.block, [](void* into, const Hit& hit) { static_cast<Finds*>(into)->open(hit); },
      &finds);
  uint32_t opened = 0;
  for (const auto& line : finds.lines) opened |= line.gates;
  Gathered gathered{finds, {}, {}};
  for (std::size_t i = 0; i < kGates; ++i) {
    if (opened >> i & 1) gathered.scan(*scanners.gated[i], 1u << i);
  }
  finds.lines.clear();
}

}  // namespace

Expressions expressions_of(const RuleSet& set, Beyond beyond) {
  Expressions out;
  std::map<std::string, uint32_t> gates;  // that a word opens
  for (std::size_t i = beyond.rules; i < set.rules.size(); ++i) {
    const Hit meaning{.rule = static_cast<uint16_t>(i)};
    for (const auto& e : set.rules[i].match) {
      const auto words = words_of(e);
      const std::size_t gate = gate_of(words);
      for (const auto& word : words) gates[word] |= 1u << gate;
      (words.empty() ? out.everywhere : out.gated[gate]).push_back({e, meaning});
    }
    for (const auto& e : set.rules[i].unless)
      out.doubts.push_back({e, {.rule = static_cast<uint16_t>(i), .decoy = true}});
  }
  for (const auto& [word, opens] : gates)
    out.words.push_back({word, {.rule = kGate, .gates = opens}, true});
  for (std::size_t i = beyond.decoys; i < set.decoys.size(); ++i) {
    const auto& decoy = set.decoys[i];
    out.doubts.push_back(
        {decoy.expression,
         {.rule = kAnyRule, .decoy = true, .ceiling = static_cast<float>(decoy.ceiling)}});
  }
  return out;
}

Result<std::unique_ptr<Scanners>> compile_scanners(const RuleSet& set, Beyond beyond,
                                                   Scanner::Target target) {
  Expressions expressions = expressions_of(set, beyond);
  const auto from = parts_of(expressions);
  auto scanners = std::make_unique<Scanners>();
  const auto to = parts_of(*scanners);
  for (std::size_t i = 0; i < from.size(); ++i) {
    ASSIGN_OR_RETURN(*to[i], Scanner::compile(std::move(*from[i]), target));
  }
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
  if (block.size() < 2) return;
  Finds finds{block, std::vector<Finds::Span>(set_.rules.size()), {}, {}};
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
  std::string block = "\n" + std::string(line);
  std::replace(block.begin() + 1, block.end(), '\n', ' ');
  block.push_back('\n');
  const OnHit collect = [](void* context, const Hit& hit) {
    auto* s = static_cast<Seen*>(context);
    if (hit.rule == kAnyRule)
      s->ceiling = std::max<double>(s->ceiling, hit.ceiling);
    else
      (hit.decoy ? s->decoys : s->hits).push_back(hit.rule);
  };
  scan(block, collect, &seen);
  scan_doubts(std::string_view(block).substr(1), collect, &seen);
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
