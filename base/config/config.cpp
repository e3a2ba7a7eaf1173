#include "base/config/config.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <toml++/toml.h>

#include "base/bytes/bytes.h"
#include "base/io/files.h"

namespace gitaiops::config {
namespace {

struct Unit {
  std::string_view name;
  int64_t micros;
};
constexpr Unit kUnits[] = {{"ms", 1'000},
                           {"s", 1'000'000},
                           {"m", 60'000'000},
                           {"h", 3'600'000'000},
                           {"d", 86'400'000'000}};

constexpr std::size_t kMaxProblems = 20;  // more say nothing new

std::string kind_name(const Value& value) {
  switch (value.index()) {
    case 0:
      return "text";
    case 1:
      return "a whole number";
    case 2:
      return "a number";
    case 3:
      return "true or false";
    case 4:
      return "a duration such as \"30s\"";
    default:
      return "a list of texts";
  }
}

std::string toml_kind(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string as_toml(const Value& value) {
  struct Writer {
    std::string operator()(const std::string& v) const { return in_quotes(v); }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const {
      char buffer[32];
      return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr};
    }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(Duration v) const { return in_quotes(to_string(v)); }
    std::string operator()(const std::vector<std::string>& v) const {
      std::string out = "[";
      for (const auto& item : v) out += (out.size() > 1 ? ", " : "") + in_quotes(item);
      return out + "]";
    }
  };
  return std::visit(Writer{}, value);
}

std::string wrapped(std::string_view text, std::string_view prefix) {
  std::string out, line;
  const auto flush = [&] {
    if (!line.empty()) out.append(prefix).append(line).append("\n");
    line.clear();
  };
  for (const auto word : split(text, ' ')) {
    if (!line.empty() && line.size() + word.size() + 1 + prefix.size() > 100) flush();
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  flush();
  return out;
}

std::pair<std::string, std::string> split_path(std::string_view path) {
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos) return {"", std::string(path)};
  return {std::string(path.substr(0, dot)), std::string(path.substr(dot + 1))};
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto unit_at = text.find_first_not_of("0123456789");
  if (unit_at == 0 || unit_at == std::string_view::npos) return std::nullopt;
  const auto count = parse_int(text.substr(0, unit_at));
  for (const auto& unit : kUnits) {
    if (text.substr(unit_at) != unit.name) continue;
    if (!count || *count > std::numeric_limits<int64_t>::max() / unit.micros) return std::nullopt;
    return Duration{*count * unit.micros};
  }
  return std::nullopt;
}

std::string to_string(Duration duration) {
  for (auto unit = std::rbegin(kUnits); unit != std::rend(kUnits); ++unit) {
    if (duration.micros % unit->micros == 0 && duration.micros >= unit->micros)
      return std::to_string(duration.micros / unit->micros) + std::string(unit->name);
  }
  return "0s";
}

Result<std::string> read_config_text(const std::filesystem::path& path) {
  return read_file(path, 1 << 20);
}

Key& SchemaBase::add(std::string path, std::string doc, std::function<Value(const void*)> get,
                     std::function<void(void*, Value)> set) {
  auto key = std::make_unique<Key>();
  key->path_ = std::move(path);
  key->doc_ = std::move(doc);
  key->get_ = std::move(get);
  key->set_ = std::move(set);
  return *keys_.emplace_back(std::move(key));
}

namespace {
Status joined(const std::vector<std::string>& problems) {
  if (problems.empty()) return {};
  std::string all;
  for (const auto& problem : problems) all += (all.empty() ? "" : "\n") + problem;
  return Error(Code::invalid_argument, std::move(all));
}
}  // namespace

Status Places::to_status(const Problems& problems) const {
  std::vector<std::string> lines;
  for (const auto& problem : problems) {
    auto place = places_.find({problem.key, problem.item});
    if (place == places_.end()) place = places_.find({split_path(problem.key).first, problem.item});
    std::string at = file_;
    if (place != places_.end())
      at += ":" + std::to_string(place->second.line) + ":" + std::to_string(place->second.column);
    lines.push_back(at + ": " + problem.key + ": " + problem.text);
  }
  return joined(lines);
}

// Walks a TOML tree beside a schema and collects every problem with its place.
struct SchemaBase::Reader {
  std::string_view file;
  Places* places;
  std::vector<std::string> problems;
  std::size_t item = 0;  // of the array that is being read

  void problem(const toml::node& at, std::string text) {
    if (problems.size() == kMaxProblems) return;
    const auto& begin = at.source().begin;
    std::string place(file);
    if (begin) place += ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column);
    problems.push_back(place + ": " + std::move(text));
  }

  void problem_at(const toml::source_position& begin, std::string text) {
    if (problems.size() == kMaxProblems) return;
    problems.push_back(std::string(file) + ":" + std::to_string(begin.line) + ":" +
                       std::to_string(begin.column) + ": " + std::move(text));
  }

  void remember(const std::string& path, const toml::node& node) {
    if (const auto& begin = node.source().begin; begin)
      places->put(path, item, {begin.line, begin.column});
  }

  std::optional<Value> convert(const Key& key, const toml::node& node, const Value& kind) {
    const auto wrong = [&]() -> std::optional<Value> {
      // Of a duration the text says more than its kind.
      const auto* text = std::holds_alternative<Duration>(kind) ? node.as_string() : nullptr;
      problem(node, key.path_ + ": expected " + kind_name(kind) + ", found " +
                        (text ? in_quotes(text->get()) : toml_kind(node)));
      return std::nullopt;
    };
    switch (kind.index()) {
      case 0: {
        const auto* text = node.as_string();
        return text ? std::optional<Value>(text->get()) : wrong();
      }
      case 1: {
        const auto* number = node.as_integer();
        return number ? std::optional<Value>(number->get()) : wrong();
      }
      case 2: {
        if (const auto* number = node.as_floating_point()) return Value(number->get());
        const auto* whole = node.as_integer();
        return whole ? std::optional<Value>(static_cast<double>(whole->get())) : wrong();
      }
      case 3: {
        const auto* flag = node.as_boolean();
        return flag ? std::optional<Value>(flag->get()) : wrong();
      }
      case 4: {
        const auto* text = node.as_string();
        const auto duration = text ? parse_duration(text->get()) : std::nullopt;
        return duration ? std::optional<Value>(*duration) : wrong();
      }
      default: {
        const auto* list = node.as_array();
        if (!list) return wrong();
        std::vector<std::string> texts;
        for (const auto& item : *list) {
          if (!item.is_string()) {
            problem(item, key.path_ + ": expected " + kind_name(kind) + "; item " +
                              std::to_string(texts.size() + 1) + " is " + toml_kind(item));
            return std::nullopt;
          }
          texts.push_back(item.as_string()->get());
        }
        return Value(std::move(texts));
      }
    }
  }

  bool within_limits(const Key& key, const toml::node& node, const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value);
        text && !key.choices_.empty() &&
        std::ranges::find(key.choices_, *text) == key.choices_.end()) {
      std::string expected;
      for (const auto& choice : key.choices_)
        expected += (expected.empty() ? "" : ", ") + in_quotes(choice);
      problem(node, key.path_ + ": " + in_quotes(*text) + " is not one of " + expected);
      return false;
    }
    std::optional<int64_t> number;
    if (const auto* whole = std::get_if<int64_t>(&value)) number = *whole;
    if (const auto* duration = std::get_if<Duration>(&value)) number = duration->micros;
    if (!number || (*number >= key.lowest_ && *number <= key.highest_)) return true;
    const bool is_duration = std::holds_alternative<Duration>(value);
    const auto shown = [&](int64_t n) {
      return is_duration ? config::to_string(Duration{n}) : std::to_string(n);
    };
    std::string limits;
    if (key.lowest_ != std::numeric_limits<int64_t>::min())
      limits = "at least " + shown(key.lowest_);
    if (key.highest_ != std::numeric_limits<int64_t>::max())
      limits += (limits.empty() ? "" : " and ") + ("at most " + shown(key.highest_));
    problem(node, key.path_ + ": " + shown(*number) + " is out of range; expected " + limits);
    return false;
  }

  void read_key(const Key& key, const toml::node& node, void* config) {
    const auto value = convert(key, node, key.get_(config));
    if (value && within_limits(key, node, *value)) key.set_(config, *value);
  }

  // A table of no section: nothing in it is looked at.
  void unknown_table(const SchemaBase& schema, const std::string& path, const toml::key& name) {
    std::vector<std::string> sections;
    for (const auto& key : schema.keys_) sections.push_back(split_path(key->path_).first);
    std::vector<std::string_view> known(sections.begin(), sections.end());
    for (const auto& array : schema.arrays_) known.push_back(array.path);
    std::string text = "unknown table [" + path + "]";
    if (const auto near = nearest(path, known)) {
      const bool array =
          std::ranges::find(schema.arrays_, *near, &Array::path) != schema.arrays_.end();
      text += "; did you mean " + std::string(array ? "[[" : "[") + std::string(*near) +
              (array ? "]]" : "]") + "?";
    }
    problem_at(name.source().begin, std::move(text));
  }

  void unknown(const SchemaBase& schema, const std::string& prefix, const std::string& path,
               const toml::key& name) {
    std::vector<std::string_view> known;
    for (const auto& key : schema.keys_) known.push_back(key->path_);
    for (const auto& array : schema.arrays_) known.push_back(array.path);
    std::string text = "unknown key " + in_quotes(prefix + path);
    auto near = nearest(path, known);
    if (!near) {
      // The right name in the wrong table is the second most frequent slip.
      const auto leaf = split_path(path).second;
      for (const auto candidate : known)
        if (split_path(candidate).second == leaf) near = candidate;
    }
    if (near) text += "; did you mean " + in_quotes(prefix + std::string(*near)) + "?";
    problem_at(name.source().begin, std::move(text));
  }

  // `table` stands at `path` inside the schema's own tree; `prefix` names the array item around it,
  // for messages.
  void read_table(const SchemaBase& schema, const toml::table& table, const std::string& path,
                  const std::string& prefix, void* config, std::set<const Key*>& seen) {
    for (const auto& [name, node] : table) {
      const auto full =
          path.empty() ? std::string(name.str()) : path + "." + std::string(name.str());
      const auto key = std::ranges::find(
          schema.keys_, full, [](const auto& k) -> const std::string& { return k->path_; });
      if (key != schema.keys_.end()) {
        seen.insert(key->get());
        remember(prefix + full, node);
        read_key(**key, node, config);
        continue;
      }
      const auto array = std::ranges::find(schema.arrays_, full, &Array::path);
      if (array != schema.arrays_.end()) {
        read_array(*array, node, config);
        continue;
      }
      const bool is_prefix = std::ranges::any_of(
          schema.keys_, [&](const auto& k) { return k->path_.starts_with(full + "."); });
      if (is_prefix && node.is_table()) {
        remember(prefix + full, node);
        read_table(schema, *node.as_table(), full, prefix, config, seen);
      } else if (is_prefix) {
        problem(node,
                prefix + full + ": expected a table [" + full + "], found " + toml_kind(node));
      } else if (prefix.empty() && (node.is_table() || node.is_array_of_tables())) {
        unknown_table(schema, full, name);
      } else {
        unknown(schema, prefix, full, name);
      }
    }
  }

  void read_array(const Array& array, const toml::node& node, void* config) {
    const auto* list = node.as_array();
    if (!list ||
        !std::ranges::all_of(*list, [](const toml::node& item) { return item.is_table(); })) {
      problem(node, array.path + ": expected tables written [[" + array.path + "]], found " +
                        toml_kind(node));
      return;
    }
    for (item = 0; item < list->size(); ++item) {
      const auto& table = *list->get(item);
      remember(array.path, table);
      read_whole(*array.items, *table.as_table(), array.path + ".", table, array.append(config));
    }
    item = 0;
  }

  void read_whole(const SchemaBase& schema, const toml::table& table, const std::string& prefix,
                  const toml::node& place, void* config) {
    std::set<const Key*> seen;
    read_table(schema, table, "", prefix, config, seen);
    for (const auto& key : schema.keys_) {
      if (key->required_ && !seen.contains(key.get()))
        problem(place, prefix + key->path_ + ": is missing; " + key->doc_);
    }
  }
};

Status SchemaBase::parse_into(void* config, std::string_view text, std::string_view file_name,
                              Places& places) const {
  toml::table table;
  try {
    table = toml::parse(text, file_name);
  } catch (const toml::parse_error& e) {
    const auto& at = e.source().begin;
    return Error(Code::invalid_argument, std::string(file_name) + ":" + std::to_string(at.line) +
                                             ":" + std::to_string(at.column) +
                                             ": not valid TOML: " + std::string(e.description()));
  }
  Reader reader{file_name, &places, {}};
  reader.read_whole(*this, table, "", table, config);
  return joined(reader.problems);
}

Status SchemaBase::set_remote_into(void* config, std::string_view name,
                                   std::string_view toml_value) const {
  const auto key =
      std::ranges::find(keys_, name, [](const auto& k) -> std::string_view { return k->path_; });
  if (key == keys_.end() || !(*key)->remote_)
    return Error(Code::permission_denied, std::string(name) + " may not be set by the controller");
  toml::table table;
  try {
    table = toml::parse("value = " + std::string(toml_value) + "\n");
  } catch (const toml::parse_error& e) {
    return Error(Code::invalid_argument,
                 std::string(name) + ": not a TOML value: " + std::string(e.description()));
  }
  if (table.size() != 1)
    return Error(Code::invalid_argument, std::string(name) + ": not a single TOML value");
  Places places("controller");
  Reader reader{"controller", &places, {}};
  reader.read_key(**key, *table.get("value"), config);
  if (!reader.problems.empty()) return Error(Code::invalid_argument, reader.problems.front());
  return {};
}

std::vector<std::string> SchemaBase::fixed_changes(const void* before, const void* after) const {
  std::vector<std::string> changed;
  for (const auto& key : keys_) {
    if (!key->reloadable_ && key->get_(before) != key->get_(after)) changed.push_back(key->path_);
  }
  return changed;
}

namespace {
std::string limits_of(int64_t lowest, int64_t highest, bool duration) {
  const auto shown = [&](int64_t n) {
    return duration ? to_string(Duration{n}) : std::to_string(n);
  };
  std::string text;
  if (lowest != std::numeric_limits<int64_t>::min()) text = "at least " + shown(lowest);
  if (highest != std::numeric_limits<int64_t>::max())
    text += (text.empty() ? "" : ", ") + ("at most " + shown(highest));
  return text;
}
}  // namespace

std::string SchemaBase::sample_of(const void* defaults) const {
  std::string out, table;
  for (const auto& key : keys_) {
    const auto [parent, leaf] = split_path(key->path_);
    if (parent != table) {
      out += "\n";
      const auto section = std::ranges::find(sections_, parent, &Section::path);
      if (section != sections_.end()) out += wrapped(section->doc, "# ");
      out += "[" + parent + "]\n";
      table = parent;
    }
    out += wrapped(key->doc_, "# ");
    out += (key->required_ ? "" : "#") + leaf + " = " + as_toml(key->get_(defaults)) + "\n";
  }
  for (const auto& array : arrays_) {
    const auto item = array.make();
    out += "\n" + wrapped(array.doc, "# ") + "#[[" + array.path + "]]\n";
    for (const auto& key : array.items->keys_) {
      out += wrapped(key->doc_, "# ");
      out += "#" + key->path_ + " = " + as_toml(key->get_(item.get())) + "\n";
    }
  }
  return out;
}

std::string SchemaBase::markdown_of(const void* defaults) const {
  std::string out = "## `" + title_ + "`\n";
  const auto table = [&](const std::vector<std::unique_ptr<Key>>& keys, const void* values,
                         const std::string& prefix) {
    out += "\n| key | default | meaning |\n|---|---|---|\n";
    for (const auto& key : keys) {
      const auto value = key->get_(values);
      auto meaning = key->doc_;
      const auto limits =
          limits_of(key->lowest_, key->highest_, std::holds_alternative<Duration>(value));
      if (!limits.empty()) meaning += " (" + limits + ")";
      for (std::size_t i = 0; i < key->choices_.size(); ++i)
        meaning += (i == 0 ? " One of `" : ", `") + key->choices_[i] + "`";
      if (key->reloadable_) meaning += " *Reloads on SIGHUP.*";
      if (key->remote_) meaning += " *May be set by the controller.*";
      out += "| `" + prefix + key->path_ + "` | " +
             (key->required_ ? "**required**" : "`" + as_toml(value) + "`") + " | " + meaning +
             " |\n";
    }
  };
  table(keys_, defaults, "");
  for (const auto& array : arrays_) {
    out += "\n### `[[" + array.path + "]]`\n" + array.doc + "\n";
    table(array.items->keys_, array.make().get(), array.path + ".");
  }
  return out;
}

std::string SchemaBase::sample() const {
  return "# " + title_ + "\n" + sample_of(defaults().get());
}
std::string SchemaBase::markdown() const {
  return markdown_of(defaults().get());
}

}  // namespace gitaiops::config
