#include "engines/diagnosis/test_places.h"

#include <array>
#include <memory>
#include <vector>

#include <re2/re2.h>

#include "base/bytes/bytes.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::size_t kLineMax = 600;  // a longer line is no stack frame

// When a place is the test's own.
enum class Own {
  always,    // the reporter prints it for the test
  function,  // when the frame's function is the test
  owner,     // when the frame's class or file is the test's
  file,      // when the file is the test's, as far as that is known
};

struct Form {
  const char* expression;  // groups file, line, and function for frames
  Own own;
};

constexpr std::array kForms{
    Form{
        R"re(^\s*(?:\[junit\]\s+)?at (?:[\w.$@/-]*[./$])?(?P<function>[\w$]+\.[\w$<>]+)\((?P<file>[\w$]+\.(?:java|kt|scala|groovy)):(?P<line>\d+)\))re",
        Own::owner},
    Form{R"re(\bat (?P<file>[\w$]+\.(?:java|kt|groovy|scala)):(?P<line>\d+)$)re", Own::always},
    Form{
        R"re(^\s*File "(?P<file>[^"]+\.pyx?)", line (?P<line>\d+), in (?:[\w.<>]*\.)?(?P<function>[^\s.]+)$)re",
        Own::function},
    Form{R"re(^(?P<file>[^\s:]+\.pyx?):(?P<line>\d+): )re", Own::file},
    Form{
        R"re(^\s*at (?:.*\()?(?:file://)?(?P<file>[^\s:()]+\.(?:[cm]?[jt]sx?|vue|coffee)):(?P<line>\d+):\d+\)?$)re",
        Own::file},
    Form{R"re(^\s*❯ (?:\S+ )?(?P<file>[^\s:]+\.\w+):(?P<line>\d+):\d+$)re", Own::file},
    Form{R"re(^\s+(?:Error Trace:\s+)?(?P<file>[\w./-]+\.go):(?P<line>\d+)(?::|$))re", Own::always},
    Form{R"re(panicked at (?:'.*', )?(?P<file>[^\s:']+\.rs):(?P<line>\d+)(?::\d+)?:?$)re",
         Own::always},
    Form{R"re(^\s*# (?P<file>\.?[^\s:]+\.rb):(?P<line>\d+))re", Own::file},
    Form{R"re(^\s+(?P<file>[^\s:]*(?:_test|_spec|test_[^\s:/]*)\.rb):(?P<line>\d+))re",
         Own::always},
    Form{R"re(^\s*(?P<file>[^\s:]*[Tt]est[^\s:]*\.php)[:(](?P<line>\d+)\)?$)re", Own::always},
    Form{
        R"re(^\s+at (?:[\w.+<>`]+\.)?(?P<function>[\w+<>`]+\.[\w<>]+)\(.*\) in (?P<file>.+\.(?:cs|fs|vb)):line (?P<line>\d+)$)re",
        Own::owner},
    Form{R"re(^\s*#?\s+at:? \(?'?(?P<file>[^\s:'()]+\.\w+):(?P<line>\d+))re", Own::file},
    Form{R"re(^\s*#?\s+(?:at|in) (?P<file>\S+\.\w+) (?:at )?line (?P<line>\d+)\.?$)re",
         Own::always},
    Form{R"re(\(in test file (?P<file>[^\s,]+), line (?P<line>\d+)\))re", Own::always},
    Form{R"re(^\s+(?P<file>(?:apps/\w+/)?test/[^\s:]+\.exs?):(?P<line>\d+)$)re", Own::always},
    Form{R"re(^\s*Loc: \[(?P<file>[^\s(]+)\((?P<line>\d+)\)\])re", Own::always},
    Form{R"re(^\s*(?P<file>[^\s:]+\.(?:swift|mm?)):(?P<line>\d+)(?::|$))re", Own::always},
};

struct Compiled {
  std::unique_ptr<re2::RE2> expression;
  int file = 0, line = 0, function = 0;
  Own own = Own::always;
};

const std::vector<Compiled>& compiled() {
  static const auto* const all = [] {
    auto* out = new std::vector<Compiled>;  // never destroyed: may be used during exit
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    for (const Form& form : kForms) {
      Compiled c{std::make_unique<re2::RE2>(form.expression, options), 0, 0, 0, form.own};
      for (const auto& [name, index] : c.expression->NamedCapturingGroups())
        (name == "file" ? c.file : name == "line" ? c.line : c.function) = index;
      out->push_back(std::move(c));
    }
    return out;
  }();
  return *all;
}

std::string_view base_name(std::string_view path) {
  const auto at = path.find_last_of("/\\");
  return at == path.npos ? path : path.substr(at + 1);
}

bool library(std::string_view file) {
  for (const std::string_view part : {"node_modules", "node:", "internal/", "site-packages",
                                      "/vendor/", "/gems/", "dist-packages"})
    if (file.find(part) != file.npos) return true;
  return false;
}

// Whether `part` is one of the dot-separated parts of `path`.
bool has_part(std::string_view path, std::string_view part) {
  for (std::size_t at = path.find(part); at != path.npos && !part.empty();
       at = path.find(part, at + 1)) {
    const std::size_t end = at + part.size();
    if ((at == 0 || path[at - 1] == '.' || path[at - 1] == '\\' || path[at - 1] == '$') &&
        (end == path.size() || path[end] == '.' || path[end] == '$' || path[end] == '['))
      return true;
  }
  return false;
}

bool owned(Own own, std::string_view place, std::string_view function, std::string_view path,
           std::string_view last, std::string_view file) {
  if (library(place)) return false;
  switch (own) {
    case Own::always:
      return true;
    case Own::function:
      return !function.empty() && last.starts_with(function);
    case Own::owner: {
      if (!function.empty()) {
        const auto dot = function.rfind('.');
        const auto owner = function.substr(0, dot), method = function.substr(dot + 1);
        return has_part(path, owner.substr(0, owner.find('$'))) && last.starts_with(method);
      }
      const auto name = base_name(place);
      return has_part(path, name.substr(0, name.rfind('.')));
    }
    case Own::file:
      return file.empty() || base_name(file) == base_name(place);
  }
  return false;
}

}  // namespace

std::optional<TestPlace> read_place(std::string_view line, std::string_view path,
                                    std::string_view last, std::string_view file) {
  if (line.size() < 6 || line.size() > kLineMax ||
      (line.find(':') == line.npos && line.find("line ") == line.npos &&
       line.find('(') == line.npos))
    return std::nullopt;
  const re2::StringPiece text(line.data(), line.size());
  std::array<re2::StringPiece, 5> groups;
  for (const Compiled& form : compiled()) {
    const int count = form.expression->NumberOfCapturingGroups() + 1;
    if (!form.expression->Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), count))
      continue;
    const auto group = [&](int i) {
      return i > 0 && groups[i].data() ? std::string_view(groups[i].data(), groups[i].size())
                                       : std::string_view();
    };
    if (!owned(form.own, group(form.file), group(form.function), path, last, file))
      return std::nullopt;
    const auto number = parse_uint(group(form.line));
    if (!number) return std::nullopt;
    return TestPlace{std::string(group(form.file)), *number};
  }
  return std::nullopt;
}

}  // namespace gitaiops::diagnosis
