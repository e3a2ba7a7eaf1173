// Labelled changes as the published sets for defect prediction have them: comma-separated, a header
// that names the columns, a change a line. Known are "date" (Unix seconds), "bug" (0 or 1) and the
// measures (risk/features.h); other columns are not looked at. A cell that is empty, "nan" or
// infinite is not known.
#pragma once

#include <string_view>
#include <vector>

#include "base/result/result.h"
#include "engines/triage/risk/features.h"

namespace gitaiops::triage::risk {

enum class Labels { needed, ignored };

// In the file's order. invalid_argument: "line 7, column la: "x" is no number".
Result<std::vector<Example>> read_labelled(std::string_view csv, Labels labels);

}  // namespace gitaiops::triage::risk
