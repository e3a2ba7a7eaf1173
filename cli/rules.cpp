#include <algorithm>
#include <ostream>

#include "cli/rule_folders.h"

namespace gitaiops::cli {
namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string bold(const Terminal& terminal, const std::string& text) {
  return terminal.colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

void print_rule(const diagnosis::RuleInfo& rule, const Terminal& terminal) {
  char weight[16];
  std::snprintf(weight, sizeof weight, "%.2f", rule.weight);
  terminal.out << "\n"
               << bold(terminal, rule.id) << "  weight " << weight << ", from " << rule.origin
               << "\n";
  if (!rule.title.empty()) terminal.out << "  " << rule.title << "\n";
  for (const auto& e : rule.match) terminal.out << "  match   " << e << "\n";
  for (const auto& e : rule.unless) terminal.out << "  unless  " << e << "\n";
  for (const auto& e : rule.positive) terminal.out << "  example " << e << "\n";
}

}  // namespace

int list_rules(const std::vector<std::string>& folders, const Terminal& terminal) {
  const auto rules = read_rules(folders, terminal);
  if (!rules) {
    terminal.err << "gitaiops: " << rules.error().to_string() << "\n";
    return kUsage;
  }
  const auto infos = diagnosis::rule_infos(**rules);
  terminal.out << bold(terminal, padded("CATEGORY", 22) + padded("OWNER", 16) +
                                     padded("RETRY", 11) + padded("RULES", 7) + "TITLE")
               << "\n";
  for (const auto& category : diagnosis::rule_categories(**rules)) {
    const auto count = std::count_if(infos.begin(), infos.end(),
                                     [&](const auto& r) { return r.category == category.id; });
    terminal.out << padded(category.id, 22) << padded(category.owner, 16)
                 << padded(category.retry, 11) << padded(std::to_string(count), 7) << category.title
                 << "\n";
  }
  return kDone;
}

int explain_rule(const std::string& id, const std::vector<std::string>& folders,
                 const Terminal& terminal) {
  const auto rules = read_rules(folders, terminal);
  if (!rules) {
    terminal.err << "gitaiops: " << rules.error().to_string() << "\n";
    return kUsage;
  }
  const auto infos = diagnosis::rule_infos(**rules);
  std::vector<std::string> known;
  for (const auto& category : diagnosis::rule_categories(**rules)) {
    known.push_back(category.id);
    if (category.id != id) continue;
    terminal.out << bold(terminal, category.title) << "  " << category.id << "\n"
                 << "  owner   " << category.owner << "\n  retry   " << category.retry << "\n";
    for (const auto& rule : infos) {
      if (rule.category == id) print_rule(rule, terminal);
    }
    return kDone;
  }
  for (const auto& rule : infos) {
    known.push_back(rule.id);
    if (rule.id != id) continue;
    print_rule(rule, terminal);
    return kDone;
  }
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto near = nearest(id, names);
  terminal.err << "gitaiops: no category or rule \"" << id << "\""
               << (near ? "; did you mean \"" + std::string(*near) + "\"?" : "") << "\n";
  return kUsage;
}

int test_rules(const std::string& file, const Terminal& terminal) {
  auto text = read_rule_file(file);
  if (!text) {
    terminal.err << "gitaiops: " << text.error().to_string() << "\n";
    return kUsage;
  }
  std::vector<std::string> problems;
  const auto rules = diagnosis::with_rules({std::move(*text)}, &problems);
  for (const auto& problem : problems) terminal.err << "gitaiops: refused: " << problem << "\n";
  std::size_t accepted = 0, examples = 0;
  for (const auto& rule : diagnosis::rule_infos(*rules)) {
    if (rule.origin != file) continue;
    ++accepted;
    examples += rule.positive.size();
  }
  terminal.out << accepted << (accepted == 1 ? " rule" : " rules") << " accepted, " << examples
               << (examples == 1 ? " example holds" : " examples hold") << "\n";
  return problems.empty() ? kDone : kUsage;
}

}  // namespace gitaiops::cli
