#include "engines/diagnosis/failing_tests.h"

#include <algorithm>

#include <re2/re2.h>

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kNameMax = 512;  // bytes
constexpr Seq kNestedLines = 8;

// Path, module and class are joined differently by every reporter.
std::string canonical(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i).starts_with(".py::"))
      out += '.', i += 4;
    else if (name.substr(i).starts_with("::"))
      out += '.', i += 1;
    else
      out += name[i] == '/' ? '.' : name[i];
  }
  return out;
}

bool tail_of(std::string_view whole, std::string_view tail) {
  return whole == tail || (whole.size() > tail.size() && whole.ends_with(tail) &&
                           whole[whole.size() - tail.size() - 1] == '.');
}

std::size_t indent(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool nested(const Observed& seen, const Found& found, const Rule** rule) {
  for (const uint16_t index : {found.rule, found.also[0], found.also[1], found.also[2]}) {
    if (index == kNoRule || !seen.rules->all()[index].nested) continue;
    *rule = &seen.rules->all()[index];
    return true;
  }
  return false;
}

}  // namespace

std::optional<FailingTest> read_test(const Rule& rule, std::string_view line) {
  const re2::RE2& fields = rule.test->get();
  const int groups = fields.NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> parts(groups);
  const re2::StringPiece text(line.data(), line.size());
  if (!fields.Match(text, 0, text.size(), re2::RE2::UNANCHORED, parts.data(), groups))
    return std::nullopt;
  FailingTest test;
  for (const auto& [name, index] : fields.NamedCapturingGroups()) {
    const std::string_view value(parts[index].data() ? parts[index].data() : "",
                                 parts[index].size());
    if (name == "name")
      test.name = std::string(value.substr(0, kNameMax));
    else if (name == "file")
      test.file = std::string(value.substr(0, kNameMax));
    else if (name == "line")
      test.line = parse_uint(value);
  }
  return test.name.empty() ? std::nullopt : std::optional(std::move(test));
}

void add_test(FailingTest test, std::vector<FailingTest>& tests) {
  const std::string name = canonical(test.name);
  for (FailingTest& known : tests) {
    const std::string other = canonical(known.name);
    if (tail_of(other, name)) {
      if (known.file.empty() && !test.file.empty()) known.file = std::move(test.file);
      return;
    }
    if (tail_of(name, other)) {
      known = std::move(test);
      return;
    }
  }
  if (tests.size() < kTestsMax) tests.push_back(std::move(test));
}

std::vector<FailingTest> nested_tests(const Observed& seen) {
  std::vector<FailingTest> out;
  for (const Found& found : seen.candidates) {
    const Rule* rule = nullptr;
    const auto first = seen.lines.get(found.seq);
    if (!first || !nested(seen, found, &rule)) continue;
    auto test = read_test(*rule, first->text);
    if (!test) continue;
    std::size_t depth = indent(first->text);
    for (Seq at = found.seq + 1; !test->name.ends_with(':') && at <= found.seq + kNestedLines;
         ++at) {
      const auto line = seen.lines.get(at);
      if (!line || trimmed(line->text).empty() || indent(line->text) <= depth) break;
      depth = indent(line->text);
      test->name += " " + std::string(trimmed(line->text).substr(0, kNameMax));
    }
    // Without the colon it was a mark of progress.
    if (!test->name.ends_with(':')) continue;
    test->name.pop_back();
    add_test(std::move(*test), out);
  }
  return out;
}

}  // namespace gitaiops::diagnosis
