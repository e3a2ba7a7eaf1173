// What all sources together say about one job: each field keeps the value of the highest source
// that spoke. Pure.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "agent/sources/fact.h"

namespace gitaiops::agent {

class FoldedFacts {
 public:
  struct Value {
    std::string text;
    Source source;
  };

  // Whether the fact was taken. A source that may not speak about the field, a malformed number and
  // a lower source are not.
  bool fold(Field field, const std::string& value, Source source);
  const Value* value(Field field) const;
  const std::string& text(Field field) const;        // empty: unknown
  std::optional<int64_t> number(Field field) const;  // of the decimal fields
  bool empty() const;

  static constexpr std::size_t kFields = 15;

 private:
  std::array<std::optional<Value>, kFields> values_;
};

}  // namespace gitaiops::agent
