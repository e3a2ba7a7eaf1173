// Rules from TOML. Every expression is tried alone here, so that one bad rule is refused by its own
// name and place and the compilation of all cannot fail because of it.
#include <algorithm>
#include <array>

#include <hs/hs.h>
#include <re2/re2.h>
#include <toml++/toml.h>

#include "engines/diagnosis/rules.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kExpressionMax = 2000;  // bytes
constexpr std::size_t kRulesMax = 4000;

// Lines are scanned in blocks: a class that can eat the newline would let a match run into the next
// line.
std::string one_line(std::string_view expression) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      const char next = expression[++i];
      if (next == 's')
        out += in_class ? " \\t" : "[ \\t]";
      else if ((next == 'W' || next == 'D') && !in_class)
        out += next == 'W' ? "[^\\w\\n]" : "[^\\d\\n]";
      else
        out += c, out += next;
      continue;
    }
    out += c;
    if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      if (i + 1 < expression.size() && expression[i + 1] == '^') {
        out += "^\\n";
        ++i;
      }
      if (i + 1 < expression.size() && expression[i + 1] == ']') out += "\\]", ++i;
    }
  }
  // A trailing .* or + only repeats the match for every further byte.
  while (out.ends_with(".*") && !out.ends_with("\\.*")) out.resize(out.size() - 2);
  if (out.size() > 2 && out.ends_with("+") && !out.ends_with("\\+")) out.pop_back();
  return out;
}

std::string compile_problem(const std::string& expression) {
  if (expression.empty()) return "is empty";
  if (expression.size() > kExpressionMax)
    return "is longer than " + std::to_string(kExpressionMax) + " bytes";
  hs_compile_error_t* error = nullptr;
  hs_expr_info_t* info = nullptr;
  std::string problem;
  if (hs_expression_info(expression.c_str(), HS_FLAG_MULTILINE, &info, &error) != HS_SUCCESS) {
    problem = error->message;
    hs_free_compile_error(error);
  } else if (info->min_width == 0) {
    problem = "matches nothing at all";
  }
  free(info);
  if (problem.empty()) {
    hs_database_t* database = nullptr;
    if (hs_compile(expression.c_str(), HS_FLAG_MULTILINE, HS_MODE_BLOCK, nullptr, &database,
                   &error) != HS_SUCCESS) {
      problem = error->message;
      hs_free_compile_error(error);
    }
    hs_free_database(database);
  }
  return problem;
}

template <class E, std::size_t N>
std::optional<E> named(const std::array<std::pair<std::string_view, E>, N>& names,
                       std::string_view word) {
  for (const auto& [name, value] : names) {
    if (name == word) return value;
  }
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, Retry>, 4> kRetries{
    {{"never", Retry::never},
     {"once", Retry::once},
     {"backoff", Retry::backoff},
     {"elsewhere", Retry::elsewhere}}};
constexpr std::array<std::pair<std::string_view, Kind>, 4> kKinds{{{"cause", Kind::cause},
                                                                   {"wrapper", Kind::wrapper},
                                                                   {"exit", Kind::exit},
                                                                   {"context", Kind::context}}};
constexpr std::array<std::pair<std::string_view, Block>, 9> kBlocks{
    {{"indent", Block::indent},
     {"paragraph", Block::paragraph},
     {"trace", Block::trace},
     {"java", Block::java},
     {"compiler", Block::compiler},
     {"diff", Block::diff},
     {"line", Block::line},
     {"report", Block::report},
     {"command", Block::command}}};
constexpr std::array<std::string_view, 7> kOwners{
    "code", "test", "dependency", "config", "infrastructure", "runner", "user"};

// Reads one table and collects the first thing that is wrong with it.
class TableReader {
 public:
  TableReader(const toml::table& table, Trial trial, std::initializer_list<std::string_view> keys)
      : table_(table), trial_(trial) {
    for (const auto& [key, node] : table) {
      if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
      fail(node, "unknown key \"" + std::string(key.str()) + "\"");
    }
  }

  std::string text(std::string_view key, bool required) {
    const toml::node* node = table_.get(key);
    if (!node) {
      if (required) fail(table_, "\"" + std::string(key) + "\" is missing");
      return {};
    }
    const auto value = node->value<std::string>();
    if (!value) fail(*node, "\"" + std::string(key) + "\" must be a string");
    return value.value_or("");
  }

  std::vector<std::string> texts(std::string_view key, bool required, bool expressions) {
    std::vector<std::string> out;
    const toml::node* node = table_.get(key);
    if (!node) {
      if (required) fail(table_, "\"" + std::string(key) + "\" is missing");
      return out;
    }
    const toml::array* array = node->as_array();
    if (!array || (required && array->empty())) {
      fail(*node, "\"" + std::string(key) + "\" must be a list of strings");
      return out;
    }
    for (const auto& item : *array) {
      auto value = item.value<std::string>();
      if (!value) {
        fail(item, "\"" + std::string(key) + "\" must be a list of strings");
        continue;
      }
      if (expressions) {
        const std::string expression = one_line(*value);
        const auto problem = trial_ == Trial::yes ? compile_problem(expression) : std::string();
        if (!problem.empty()) fail(item, "\"" + *value + "\": " + problem);
        out.push_back(expression);
      } else {
        out.push_back(std::move(*value));
      }
    }
    return out;
  }

  bool flag(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (node && !node->is_boolean())
      fail(*node, "\"" + std::string(key) + "\" must be true or false");
    return node && node->value_or(false);
  }

  uint8_t lines(std::string_view key) {
    constexpr int64_t kMost = 8;
    const toml::node* node = table_.get(key);
    if (!node) return 0;
    const auto value = node->value<int64_t>();
    if (!value || *value < 1 || *value > kMost) {
      fail(*node, "\"" + std::string(key) + "\" must be from 1 to " + std::to_string(kMost));
      return 0;
    }
    return static_cast<uint8_t>(*value);
  }

  double weight() {
    const toml::node* node = table_.get("weight");
    const auto value = node ? node->value<double>() : std::nullopt;
    if (!value || !(*value > 0 && *value <= 1)) {
      fail(node ? *node : static_cast<const toml::node&>(table_),
           "\"weight\" must be above 0 and at most 1");
      return 0;
    }
    return *value;
  }

  // One expression or a list of them.
  std::vector<std::shared_ptr<const Fields>> fields(std::string_view key) {
    std::vector<std::shared_ptr<const Fields>> out;
    const toml::node* node = table_.get(key);
    if (!node) return out;
    std::vector<std::string> expressions;
    if (node->is_array())
      expressions = texts(key, false, false);
    else
      expressions.push_back(text(key, false));
    for (const auto& expression : expressions) {
      auto fields = std::make_shared<const Fields>(expression);
      if (expression.size() > kExpressionMax)
        fail(*node, "\"" + std::string(key) + "\" is longer than " +
                        std::to_string(kExpressionMax) + " bytes");
      else if (trial_ == Trial::yes && !fields->get().ok())
        fail(*node, "\"" + std::string(key) + "\": " + fields->get().error());
      else if (trial_ == Trial::yes && fields->get().NumberOfCapturingGroups() < 1)
        fail(*node, "\"" + std::string(key) + "\" has no group");
      out.push_back(std::move(fields));
    }
    return out;
  }

  template <class E, std::size_t N>
  E choice(std::string_view key, const std::array<std::pair<std::string_view, E>, N>& names,
           E otherwise, bool required) {
    const auto word = text(key, required);
    if (word.empty()) return otherwise;
    const auto value = named(names, word);
    if (!value) fail(*table_.get(key), "\"" + std::string(key) + "\" cannot be \"" + word + "\"");
    return value.value_or(otherwise);
  }

  void fail(const toml::node& at, std::string what) {
    if (!problem_.empty()) return;
    problem_ = std::to_string(at.source().begin.line) + ": ";
    what_ = std::move(what);
  }
  bool ok() const { return problem_.empty(); }
  std::string problem(const std::string& origin, std::string_view kind,
                      const std::string& id) const {
    return origin + ":" + problem_ + std::string(kind) + " " + (id.empty() ? "without id" : id) +
           ": " + what_;
  }

 private:
  const toml::table& table_;
  Trial trial_;
  std::string problem_, what_;
};

void read_category(const toml::table& table, const std::string& origin, Trial trial, RuleSet& set,
                   std::vector<std::string>& problems) {
  TableReader reader(table, trial, {"id", "title", "owner", "retry"});
  Category category;
  category.id = reader.text("id", true);
  category.title = reader.text("title", true);
  category.owner = reader.text("owner", true);
  category.retry = reader.choice("retry", kRetries, Retry::never, true);
  if (std::find(kOwners.begin(), kOwners.end(), category.owner) == kOwners.end()) {
    reader.fail(table, "\"owner\" cannot be \"" + category.owner + "\"");
  }
  if (category.id == "unknown" || set.categories.contains(category.id))
    reader.fail(table, "this id is taken");
  if (reader.ok())
    set.categories.emplace(category.id, category);
  else
    problems.push_back(reader.problem(origin, "category", category.id));
}

void read_rule(const toml::table& table, const std::string& origin, Trial trial, RuleSet& set,
               std::vector<std::string>& problems) {
  TableReader reader(
      table, trial,
      {"id", "category", "title", "weight", "kind", "block", "match", "unless", "test", "nested",
       "above", "context", "explains", "code", "positive", "negative"});
  Rule rule;
  rule.origin = origin;
  rule.id = reader.text("id", true);
  rule.kind = reader.choice("kind", kKinds, Kind::cause, false);
  rule.category = reader.text("category", rule.kind == Kind::cause);
  rule.title = reader.text("title", false);
  rule.weight = reader.weight();
  rule.explains = reader.text("explains", false);
  rule.block = reader.choice("block", kBlocks, Block::indent, false);
  rule.match = reader.texts("match", true, true);
  rule.unless = reader.texts("unless", false, true);
  rule.positive = reader.texts("positive", false, false);
  rule.negative = reader.texts("negative", false, false);
  rule.test = reader.fields("test");
  rule.nested = reader.flag("nested");
  rule.above = reader.lines("above");
  if (const auto context = reader.text("context", false); !context.empty()) {
    const auto found = std::find_if(set.rules.begin(), set.rules.end(), [&](const Rule& r) {
      return r.id == context && r.kind == Kind::context;
    });
    if (found == set.rules.end())
      reader.fail(table, "no earlier rule \"" + context + "\" of kind context");
    else
      rule.context = static_cast<uint16_t>(found - set.rules.begin());
  }
  if (auto code = reader.fields("code"); !code.empty()) rule.code = code.front();
  if (!rule.explains.empty() && !set.categories.contains(rule.explains))
    reader.fail(table, "no category \"" + rule.explains + "\"");
  if (!rule.category.empty() && rule.category != "unknown" &&
      !set.categories.contains(rule.category)) {
    reader.fail(table, "no category \"" + rule.category + "\"");
  }
  if (std::any_of(set.rules.begin(), set.rules.end(),
                  [&](const Rule& r) { return r.id == rule.id; })) {
    reader.fail(table, "this id is taken");
  }
  if (set.rules.size() >= kRulesMax)
    reader.fail(table, "more than " + std::to_string(kRulesMax) + " rules");
  if (reader.ok())
    set.rules.push_back(std::move(rule));
  else
    problems.push_back(reader.problem(origin, "rule", rule.id));
}

template <class Read>
void each(const toml::table& root, std::string_view key, const std::string& origin,
          std::vector<std::string>& problems, Read read) {
  const toml::node* node = root.get(key);
  if (!node) return;
  const toml::array* array = node->as_array();
  if (!array) {
    problems.push_back(origin + ": write [[" + std::string(key) + "]]");
    return;
  }
  for (const auto& item : *array) {
    if (const toml::table* table = item.as_table())
      read(*table);
    else
      problems.push_back(origin + ": write [[" + std::string(key) + "]]");
  }
}

}  // namespace

Fields::Fields(std::string expression) : expression_(std::move(expression)) {}
Fields::~Fields() = default;

const re2::RE2& Fields::get() const {
  std::call_once(once_, [this] {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    compiled_ = std::make_unique<const re2::RE2>(expression_, options);
  });
  return *compiled_;
}

void load_rules(const RuleText& text, Trial trial, RuleSet& set,
                std::vector<std::string>& problems) {
  try {
    const toml::table root = toml::parse(text.toml, text.name);
    for (const auto& [key, node] : root) {
      if (key == "category" || key == "rule" || key == "decoy") continue;
      problems.push_back(text.name + ":" + std::to_string(node.source().begin.line) +
                         ": unknown key \"" + std::string(key.str()) + "\"");
    }
    each(root, "category", text.name, problems,
         [&](const toml::table& t) { read_category(t, text.name, trial, set, problems); });
    each(root, "rule", text.name, problems,
         [&](const toml::table& t) { read_rule(t, text.name, trial, set, problems); });
    each(root, "decoy", text.name, problems, [&](const toml::table& t) {
      TableReader reader(t, trial, {"id", "match", "ceiling"});
      const auto id = reader.text("id", true);
      auto match = reader.texts("match", true, true);
      const double ceiling = t["ceiling"].value_or(kDecoyCeiling);
      if (reader.ok()) {
        for (auto& e : match) set.decoys.push_back({std::move(e), ceiling});
      } else {
        problems.push_back(reader.problem(text.name, "decoy", id));
      }
    });
  } catch (const toml::parse_error& e) {
    problems.push_back(text.name + ":" + std::to_string(e.source().begin.line) + ":" +
                       std::to_string(e.source().begin.column) + ": " +
                       std::string(e.description()));
  } catch (const std::exception& e) {
    problems.push_back(text.name + ": " + e.what());
  }
}

}  // namespace gitaiops::diagnosis
