#include "agent/tracker/folding.h"

#include <algorithm>

#include "base/bytes/bytes.h"

namespace gitaiops::agent {
namespace {

constexpr std::size_t kMaxValue = 512;
constexpr int64_t kMaxNumber = int64_t{1} << 60;  // sums and differences stay in range

enum class Form { text, decimal, outcome, sum };

// One row a field: the lowest source that is listened to, and what a value must look like. What a
// job can write (trace, environment) says nothing about who the job is.
struct Rule {
  Field field;
  Source lowest;
  Form form;
};
constexpr std::array<Rule, FoldedFacts::kFields> kRules = {{
    {Field::received_at, Source::debug_jobs, Form::decimal},
    {Field::project_path, Source::debug_jobs, Form::text},
    {Field::project_id, Source::debug_jobs, Form::decimal},
    {Field::runner_short, Source::debug_jobs, Form::text},
    {Field::runner_name, Source::trace, Form::text},
    {Field::runner_system_id, Source::trace, Form::text},
    {Field::executor, Source::trace, Form::text},
    {Field::stage, Source::trace, Form::text},
    {Field::outcome, Source::trace, Form::outcome},
    {Field::failure_reason, Source::trace, Form::text},
    {Field::exit_code, Source::trace, Form::decimal},
    {Field::signal, Source::trace, Form::decimal},
    {Field::duration_us, Source::trace, Form::decimal},
    {Field::finished_at, Source::trace, Form::decimal},
    {Field::trace_sum, Source::runner_log, Form::sum},
}};

bool well_formed(Form form, const std::string& value) {
  switch (form) {
    case Form::decimal: {
      const auto number = parse_int(value);
      return number && *number >= 0 && *number <= kMaxNumber;
    }
    case Form::outcome:
      return value == "passed" || value == "failed" || value == "canceled";
    case Form::sum:
      return parse_trace_sum(value).has_value();
    case Form::text:
      return !value.empty() && value.size() <= kMaxValue;
  }
  return false;
}

}  // namespace

bool FoldedFacts::fold(Field field, const std::string& value, Source source) {
  const auto index = static_cast<std::size_t>(field);
  if (index >= kFields) return false;
  const auto& rule = kRules[index];
  if (source > rule.lowest || !well_formed(rule.form, value)) return false;
  auto& slot = values_[index];
  if (slot && slot->source < source) return false;
  slot = Value{value, source};
  return true;
}

const FoldedFacts::Value* FoldedFacts::value(Field field) const {
  const auto& slot = values_[static_cast<std::size_t>(field)];
  return slot ? &*slot : nullptr;
}

const std::string& FoldedFacts::text(Field field) const {
  static const std::string kUnknown;
  const auto* found = value(field);
  return found ? found->text : kUnknown;
}

std::optional<int64_t> FoldedFacts::number(Field field) const {
  const auto* found = value(field);
  return found ? parse_int(found->text) : std::nullopt;
}

bool FoldedFacts::empty() const {
  return std::none_of(values_.begin(), values_.end(), [](const auto& v) { return v.has_value(); });
}

}  // namespace gitaiops::agent
