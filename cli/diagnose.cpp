#include <cerrno>
#include <ostream>

#include <fcntl.h>
#include <unistd.h>

#include "base/io/files.h"
#include "cli/rule_folders.h"

namespace gitaiops::cli {
namespace {

constexpr std::size_t kReadSize = 256 << 10;
constexpr std::size_t kBaselineMax = 256 << 20;  // bytes of one passing log

Status feed(diagnosis::Analyzer& analyzer, const std::string& name) {
  const bool standard_input = name == "-";
  Fd file;
  if (!standard_input) {
    file = Fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return errno_error("open", name);
  }
  std::string buffer(kReadSize, '\0');
  while (true) {
    const ssize_t n =
        ::read(standard_input ? STDIN_FILENO : file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", standard_input ? "standard input" : name);
    if (n == 0) return {};
    analyzer.feed(std::string_view(buffer.data(), static_cast<std::size_t>(n)));
  }
}

Result<diagnosis::Diagnosis> run(const DiagnoseOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const auto rules, read_rules(options.rules, terminal));
  diagnosis::Baseline baseline;
  for (const auto& file : options.baselines) {
    ASSIGN_OR_RETURN(const auto log, read_file(file, kBaselineMax), "baseline");
    baseline.add(log);
  }
  diagnosis::Analyzer analyzer(rules, &baseline);
  RETURN_IF_ERROR(feed(analyzer, options.file));
  return analyzer.finish();
}

}  // namespace

int diagnose(const DiagnoseOptions& options, const Terminal& terminal) {
  const auto result = run(options, terminal);
  if (!result) {
    terminal.err << "gitaiops: " << result.error().to_string() << "\n";
    return kUsage;
  }
  if (options.format == "json")
    terminal.out << diagnosis::to_json(*result) << "\n";
  else if (options.format == "markdown")
    terminal.out << diagnosis::to_markdown(*result);
  else
    terminal.out << diagnosis::to_text(*result, terminal.colour);
  return kDone;
}

}  // namespace gitaiops::cli
