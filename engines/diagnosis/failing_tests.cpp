#include "engines/diagnosis/failing_tests.h"

#include <algorithm>

#include <re2/re2.h>

#include "engines/diagnosis/test_places.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kNameMax = 512;      // bytes
constexpr int kNestedLines = 8;            // over which a name goes on
constexpr int kPlaceLines = 60;            // after a name, in which its place may stand
constexpr int kFollowedMax = 20'000;       // lines of one log
constexpr std::size_t kBeyondMax = 16384;  // different tests that are told apart beyond the bounds

std::size_t indent(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$' || c == '.';
  });
}

struct Taken {
  FailingTest test;
  std::string suite;
};

Taken read_one(const Fields& fields, std::string_view line) {
  const re2::RE2& expression = fields.get();
  const int groups = expression.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> parts(groups);
  const re2::StringPiece text(line.data(), line.size());
  Taken out;
  if (!expression.Match(text, 0, text.size(), re2::RE2::UNANCHORED, parts.data(), groups))
    return out;
  for (const auto& [name, index] : expression.NamedCapturingGroups()) {
    const std::string_view value(parts[index].data() ? parts[index].data() : "",
                                 parts[index].size());
    if (name == "name")
      out.test.name = std::string(trimmed(value.substr(0, kNameMax)));
    else if (name == "file")
      out.test.file = std::string(value.substr(0, kNameMax));
    else if (name == "suite")
      out.suite = std::string(trimmed(value.substr(0, kNameMax)));
    else if (name == "line" && !value.empty())
      out.test.line = parse_uint(value);
  }
  return out;
}

// By the first expression that fits.
Taken read(const Rule& rule, std::string_view line) {
  for (const auto& fields : rule.test) {
    Taken taken = read_one(*fields, line);
    if (!taken.test.name.empty() || taken.test.line || !taken.suite.empty() ||
        !taken.test.file.empty())
      return taken;
  }
  return {};
}

// "Class > method" is how one tool prints what all others call Class.method.
std::string plain(std::string name) {
  const auto at = name.rfind(" > ");
  if (at == name.npos) return name;
  const auto method = std::string_view(name).substr(at + 3);
  const auto bracket = method.find_first_of("[(");
  if (!word(method.substr(0, bracket))) return name;
  const auto before = std::string_view(name).substr(0, at);
  const auto previous = before.rfind(" > ");
  const auto owner = previous == before.npos ? before : before.substr(previous + 3);
  // A qualified method needs no suites before it.
  if (method.substr(0, bracket).find('.') != method.npos) return std::string(method);
  const auto type = owner.substr(owner.rfind('.') + 1);  // npos + 1: the whole
  if (!word(owner) || type.empty() || type[0] < 'A' || type[0] > 'Z') return name;
  return std::string(owner) + "." + std::string(method);
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

bool tail_of(std::string_view whole, std::string_view tail) {
  return whole == tail || (whole.size() > tail.size() && whole.ends_with(tail) &&
                           whole[whole.size() - tail.size() - 1] == '.');
}

}  // namespace

// Path, module and class are joined differently by every reporter: "adds(org.example.Ring)",
// "adds (ring.Ring.adds)", "test/ring.py::Ring::adds", "Ring > adds", "Ring#adds".
TestNames::Key TestNames::key_of(std::string_view name) {
  std::string joined;
  const auto open = name.rfind('(');
  const auto head = open == name.npos ? std::string_view() : trimmed(name.substr(0, open));
  if (open != name.npos && name.ends_with(')') && !head.empty() && name.size() - open > 3) {
    const auto owner = name.substr(open + 1, name.size() - open - 2);
    if (word(owner) && owner.find('.') != owner.npos) {
      joined = std::string(owner);
      if (!tail_of(owner, head)) joined += "." + std::string(head);
      name = joined;
    }
  }
  Key key;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i).starts_with(".py::"))
      key.path += '.', i += 4;
    else if (name.substr(i).starts_with("::"))
      key.path += '.', i += 1;
    else if (name.substr(i).starts_with(" > "))
      key.path += '.', i += 2;
    else if (name.substr(i).starts_with(" \u203a "))
      key.path += '.', i += 4;
    else
      key.path += name[i] == '/' || name[i] == '#' ? '.' : name[i];
  }
  if (key.path.ends_with("()")) key.path.resize(key.path.size() - 2);
  const auto end = key.path.find_first_of("[(");
  const auto dot = key.path.rfind('.', end);
  key.last = dot == key.path.npos ? key.path : key.path.substr(dot + 1);
  return key;
}

void TestNames::place(std::size_t index, FailingTest& from) {
  FailingTest& known = tests_[index];
  if (from.line && !known.line && (known.file.empty() || !from.file.empty())) {
    if (!from.file.empty()) known.file = from.file;
    known.line = from.line;
  } else if (known.file.empty()) {
    known.file = from.file;
  }
}

void TestNames::add(FailingTest test) {
  Key key = key_of(test.name);
  if (key.last.empty()) return;
  const auto [begin, end] = by_last_.equal_range(key.last);
  for (auto at = begin; at != end; ++at) {
    const std::size_t index = at->second;
    const std::string& other = keys_[index].path;
    if (!tail_of(other, key.path) && !tail_of(key.path, other)) continue;
    place(index, test);
    if (key.path.size() > other.size() && bytes_ + key.path.size() <= kTestBytes) {
      bytes_ += test.name.size();
      tests_[index].name = std::move(test.name);
      keys_[index] = std::move(key);
    }
    awaited_ = index;
    awaited_lines_ = kPlaceLines;
    return;
  }
  const std::size_t need = test.name.size() + test.file.size() + key.path.size() + key.last.size();
  if (tests_.size() == kTestsMax || bytes_ + need > kTestBytes * 2) {
    if (beyond_.size() < kBeyondMax) total_ += beyond_.insert(hash_of(key.path)).second;
    awaited_.reset();
    return;
  }
  bytes_ += need;
  ++total_;
  by_last_.emplace(key.last, tests_.size());
  awaited_ = tests_.size();
  awaited_lines_ = kPlaceLines;
  keys_.push_back(std::move(key));
  tests_.push_back(std::move(test));
}

void TestNames::take(uint16_t index, const std::string& above, std::string_view line) {
  const Rule& rule = rules_->all()[index];
  const Context* context = nullptr;
  if (rule.context != kAnyRule) {
    const auto found = contexts_.find(rule.context);
    if (found != contexts_.end())
      context = &found->second;
    else if (rules_->all()[rule.context].test.empty())
      return;
  }
  Taken taken = read(rule, line);
  if (rule.above > 0 && taken.test.name.empty()) {
    Taken more = read(rule, above);
    if (!more.test.name.empty()) taken = std::move(more);
  }
  FailingTest& test = taken.test;
  // Of a bare place the test is known by what stood before it.
  if (test.name.empty() && test.line && context) test.name = context->suite;
  if (test.name.empty()) {
    if (test.line) pending_ = std::move(test), pending_rule_ = index;
    return;
  }
  test.name = plain(std::move(test.name));
  if (taken.suite.empty() && context) taken.suite = context->suite;
  if (!taken.suite.empty() && !tail_of(test.name, taken.suite) &&
      test.name.find(taken.suite) == test.name.npos)
    test.name = taken.suite + "." + test.name;
  if (test.file.empty() && context) test.file = context->file;
  if (pending_.line && pending_rule_ == index) {
    if (!test.line) test.file = pending_.file, test.line = pending_.line;
    pending_ = {};
  }
  if (rule.nested && !test.name.ends_with(':')) {
    open_ = Open{std::move(test), indent(line), kNestedLines};
    return;
  }
  if (rule.nested) test.name.pop_back();
  open_.reset();
  add(std::move(test));
}

void TestNames::enter(uint16_t rule, std::string_view line) {
  Context context;
  Taken taken = read(rules_->all()[rule], line);
  context = {std::move(taken.suite), std::move(taken.test.file)};
  contexts_[rule] = std::move(context);
}

void TestNames::leave() {
  contexts_.clear();
  open_.reset();
  awaited_.reset();
  pending_ = {};
}

void TestNames::follow(std::string_view line) {
  if (open_) {
    // Without the colon it was a mark of progress.
    if (--open_->lines < 0 || trimmed(line).empty() || indent(line) <= open_->depth) {
      open_.reset();
    } else {
      open_->depth = indent(line);
      std::string& name = open_->test.name;
      name += " " + std::string(trimmed(line).substr(0, kNameMax));
      if (name.ends_with(':') || name.size() > 2 * kNameMax) {
        FailingTest test = std::move(open_->test);
        open_.reset();
        test.name.pop_back();
        add(std::move(test));
        return;
      }
    }
  }
  if (!awaited_) return;
  if (--awaited_lines_ < 0 || ++followed_ > kFollowedMax || tests_[*awaited_].line) {
    awaited_.reset();
    return;
  }
  FailingTest& test = tests_[*awaited_];
  const Key& key = keys_[*awaited_];
  if (auto found = read_place(line, key.path, key.last, test.file)) {
    // A file that was given with the name is at least as good a path.
    if (test.file.size() < found->file.size() || test.file.empty())
      bytes_ += found->file.size(), test.file = std::move(found->file);
    test.line = found->line;
    awaited_.reset();
  }
}

}  // namespace gitaiops::diagnosis
