#include "engines/scanner/cvss/cvss.h"

#include <iomanip>
#include <ostream>

#include "cli/commands.h"

namespace gitaiops::cli {

int score_cvss(const std::string& vector, const Terminal& terminal) {
  const auto score = scanner::cvss_score(vector);
  if (!score) {
    terminal.err << "gitaiops: no CVSS vector of version 2, 3.0, 3.1 or 4.0: " << vector << "\n";
    return kUsage;
  }
  terminal.out << std::fixed << std::setprecision(1) << score->base << " "
               << to_string(scanner::severity_of(score->base));
  if (score->with_threat != score->base)
    terminal.out << ", with threat " << score->with_threat << " "
                 << to_string(scanner::severity_of(score->with_threat));
  terminal.out << "\n";
  return kDone;
}

}  // namespace gitaiops::cli
