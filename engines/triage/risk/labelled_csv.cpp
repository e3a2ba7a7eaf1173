#include "engines/triage/risk/labelled_csv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "base/bytes/bytes.h"

namespace gitaiops::triage::risk {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostColumns = 1'000;
constexpr double kLatest = 1e11;  // a date after it is in other units

std::string_view cell(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = trimmed(text.substr(1, text.size() - 2));
  return text;
}

// Which column is which; -1: none.
struct Columns {
  std::array<int, kFeatures> features;
  int date = -1, bug = -1;
  std::size_t count = 0;
};

Result<Columns> read_header(std::string_view line, Labels labels) {
  Columns columns;
  columns.features.fill(-1);
  bool any = false;
  const auto names = split(line, ',');
  if (names.size() > kMostColumns)
    return Error(Code::invalid_argument, "line 1: over 1,000 columns");
  columns.count = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto name = cell(names[i]);
    if (name == "entrophy") name = kNames[entropy];
    int* column = name == "date" ? &columns.date : name == "bug" ? &columns.bug : nullptr;
    if (const auto found = std::ranges::find(kNames, name); found != kNames.end()) {
      column = &columns.features[static_cast<std::size_t>(found - kNames.begin())];
      any = true;
    }
    if (!column) continue;
    if (*column >= 0)
      return Error(Code::invalid_argument,
                   "line 1: two columns are called \"" + std::string(name) + "\"");
    *column = static_cast<int>(i);
  }
  if (!any)
    return Error(Code::invalid_argument,
                 "line 1 names none of the measures (la, ld, nf, …); is it the header?");
  if (labels == Labels::needed && columns.bug < 0)
    return Error(Code::invalid_argument, "line 1 names no column \"bug\" (0 or 1) to learn from");
  return columns;
}

Error wrong(std::size_t line, std::string_view column, std::string_view text,
            std::string_view what) {
  return Error(Code::invalid_argument,
               "line " + std::to_string(line) + ", column " + std::string(column) + ": \"" +
                   truncate_utf8(to_utf8(text.substr(0, 100)), 40) + "\" " + std::string(what));
}

// nullopt: no number.
std::optional<double> number(std::string_view text) {
  constexpr std::array<std::string_view, 11> kNone = {
      "", "nan", "NaN", "NA", "inf", "-inf", "Inf", "-Inf", "+inf", "Infinity", "-Infinity"};
  if (std::ranges::find(kNone, text) != kNone.end()) return kUnknown;
  if (text == "True" || text == "true") return 1;
  if (text == "False" || text == "false") return 0;
  const auto value = parse_double(text);
  if (value && !std::isfinite(*value)) return kUnknown;
  return value;
}

Result<Example> read_row(std::string_view line, std::size_t number_of_line, const Columns& columns,
                         Labels labels) {
  const auto cells = split(line, ',');
  if (cells.size() != columns.count)
    return Error(Code::invalid_argument,
                 "line " + std::to_string(number_of_line) + " has " + std::to_string(cells.size()) +
                     " columns, the header " + std::to_string(columns.count));
  Example example;
  for (std::size_t f = 0; f < kFeatures; ++f) {
    example.features[f] = kUnknown;
    if (columns.features[f] < 0) continue;
    const auto text = cell(cells[static_cast<std::size_t>(columns.features[f])]);
    const auto value = number(text);
    if (!value) return wrong(number_of_line, kNames[f], text, "is no number");
    example.features[f] = *value;
  }
  if (columns.date >= 0) {
    const auto text = cell(cells[static_cast<std::size_t>(columns.date)]);
    const auto value = number(text);
    if (!value || std::abs(*value) > kLatest)
      return wrong(number_of_line, "date", text, "is no Unix time in seconds");
    if (std::isfinite(*value)) example.time_s = static_cast<int64_t>(*value);
  }
  if (labels == Labels::needed) {
    const auto text = cell(cells[static_cast<std::size_t>(columns.bug)]);
    const auto value = number(text);
    if (!value || (*value != 0 && *value != 1))
      return wrong(number_of_line, "bug", text, "is neither 0 nor 1");
    example.risky = *value == 1;
  }
  return example;
}

}  // namespace

Result<std::vector<Example>> read_labelled(std::string_view csv, Labels labels) {
  if (csv.starts_with("\xef\xbb\xbf")) csv.remove_prefix(3);
  std::vector<Example> out;
  std::optional<Columns> columns;
  for (std::size_t line = 1; !csv.empty(); ++line) {
    const auto end = csv.find('\n');
    const auto text = csv.substr(0, end);
    csv.remove_prefix(end == csv.npos ? csv.size() : end + 1);
    if (columns && trimmed(text).empty()) continue;
    if (!columns) {
      ASSIGN_OR_RETURN(columns, read_header(text, labels));
      continue;
    }
    ASSIGN_OR_RETURN(auto example, read_row(text, line, *columns, labels));
    out.push_back(example);
  }
  if (!columns) return Error(Code::invalid_argument, "is empty; its first line names the columns");
  return out;
}

}  // namespace gitaiops::triage::risk
