#include "engines/triage/size.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "engines/triage/paths.h"

namespace gitaiops::triage {
namespace {

constexpr std::size_t kFewestToCompare = 20;
constexpr std::size_t kNeighbours = 50;  // reviews of changes of about this size
constexpr double kFastLinesAnHour = 500, kSlowLinesAnHour = 300;
constexpr double kHoursAFile = 1.0 / 60;  // to find one's way
constexpr double kHoursAChange = 0.1;     // to understand what it is about
constexpr double kSlowReviews = 2;        // P80 over P50 beside the pace: questions and answers

// Of the values, so many in a hundred are smaller; equal ones count half.
std::optional<double> percentile_in(const std::vector<double>& values, double value) {
  if (values.size() < kFewestToCompare) return std::nullopt;
  double below = 0;
  for (const auto one : values) below += one < value ? 1 : one == value ? .5 : 0;
  return 100 * below / static_cast<double>(values.size());
}

Complexity complexity_of(double lines, double files) {
  if (lines <= 10 && files <= 3) return Complexity::trivial;
  if (lines <= 100 && files <= 10) return Complexity::small;
  if (lines <= 400 && files <= 30) return Complexity::medium;
  if (lines <= 1'000 && files <= 100) return Complexity::large;
  return Complexity::huge;
}

double at_quantile(std::vector<double> sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

// The reviews whose changes were nearest in size, by the ratio.
Effort by_neighbours(const std::deque<ReviewTime>& reviews, double lines) {
  struct Near {
    double distance, hours;
  };
  std::vector<Near> near;
  for (const auto& one : reviews)
    near.push_back(
        {std::abs(std::log1p(static_cast<double>(one.lines)) - std::log1p(lines)), one.hours});
  const auto count = std::min(near.size(), std::max(kNeighbours, near.size() / 10));
  std::ranges::nth_element(near, near.begin() + static_cast<std::ptrdiff_t>(count - 1), {},
                           &Near::distance);
  std::vector<double> hours;
  for (std::size_t i = 0; i < count; ++i) hours.push_back(near[i].hours);
  std::ranges::sort(hours);
  return {at_quantile(hours, .5), at_quantile(hours, .8), true, std::nullopt};
}

}  // namespace

std::string_view to_string(Complexity complexity) {
  switch (complexity) {
    case Complexity::trivial:
      return "trivial";
    case Complexity::small:
      return "small";
    case Complexity::medium:
      return "medium";
    case Complexity::large:
      return "large";
    case Complexity::huge:
      return "huge";
  }
  return "";
}

std::optional<Size> size_of(const Change& change, const ProjectHistory& history) {
  if (change.files.empty()) return std::nullopt;
  Size size;
  size.files = static_cast<int64_t>(change.files.size());
  double read_files = 0;
  for (const auto& file : change.files) read_files += is_read_by_people(file);
  if (change.lines.size() == change.files.size()) {
    LineCount all;
    int64_t read = 0;
    for (std::size_t i = 0; i < change.files.size(); ++i) {
      const auto& one = change.lines[i];
      all.added += one.added;
      all.deleted += one.deleted;
      if (is_read_by_people(change.files[i])) read += one.added + one.deleted / 2;
    }
    size.lines = all;
    size.lines_to_read = read;
  }
  size.complexity = complexity_of(static_cast<double>(size.lines_to_read.value_or(0)), read_files);
  std::vector<double> past;
  for (const auto& one : history.past()) {
    const double lines = one.features[risk::la] + one.features[risk::ld];
    const double value = size.lines ? lines : one.features[risk::nf];
    if (one.telling && !std::isnan(value)) past.push_back(value);
  }
  size.percentile = percentile_in(
      past, static_cast<double>(size.lines ? size.lines->added + size.lines->deleted : size.files));
  return size;
}

std::optional<Effort> effort_of(const Size& size, const ProjectHistory& history) {
  if (!size.lines || !size.lines_to_read) return std::nullopt;
  const auto& reviews = history.reviews();
  if (reviews.size() >= kFewestToCompare) {
    auto effort =
        by_neighbours(reviews, static_cast<double>(size.lines->added + size.lines->deleted));
    std::vector<double> hours;
    for (const auto& one : reviews) hours.push_back(one.hours);
    effort.percentile = percentile_in(hours, effort.p50_h);
    return effort;
  }
  const auto lines = static_cast<double>(*size.lines_to_read);
  const double start = kHoursAChange + kHoursAFile * static_cast<double>(size.files);
  return Effort{start + lines / kFastLinesAnHour, kSlowReviews * (start + lines / kSlowLinesAnHour),
                false, std::nullopt};
}

}  // namespace gitaiops::triage
