#include "base/metrics/metrics.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>

#include <prometheus/check_names.h>
#include <prometheus/text_serializer.h>

#include "base/bytes/bytes.h"

namespace gitaiops::metrics {
namespace {

[[noreturn]] void bug(std::string_view name, const char* what) {
  std::fprintf(stderr, "error: bug: metric '%.*s': %s\n", static_cast<int>(name.size()),
               name.data(), what);
  std::abort();
}

struct Series {
  double value = 0;                      // counter, gauge; histogram: sum
  std::vector<std::uint64_t> in_bucket;  // histogram: not cumulative, +Inf last
};

}  // namespace

struct Family {
  Definition definition;
  std::mutex mutex;
  std::map<std::vector<std::string>, Series> series;  // by label values; guarded by mutex

  // The caller holds the mutex.
  Series& at(LabelValues values) {
    if (values.size() != definition.labels.size())
      bug(definition.name, "wrong number of label values");
    std::vector<std::string> key;
    for (const auto value : values) key.push_back(to_utf8(value));
    if (series.size() >= kMaxSeries && !series.contains(key)) key.assign(values.size(), "other");
    auto& found = series[std::move(key)];
    if (definition.type == Type::histogram) found.in_bucket.resize(definition.buckets.size() + 1);
    return found;
  }
};

struct Registry::State {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Family>, std::less<>>
      families;  // guarded by mutex; a family never goes
};

namespace {

void check(const Definition& definition) {
  const auto& name = definition.name;
  if (!prometheus::CheckMetricName(name)) bug(name, "not a metric name");
  if (definition.help.empty()) bug(name, "no help");
  if ((definition.type == Type::counter) != name.ends_with("_total"))
    bug(name, "a counter, and only that, ends in _total");
  if ((definition.type == Type::histogram) == definition.buckets.empty())
    bug(name, "a histogram, and only that, has buckets");
  const auto descends = [](double a, double b) { return a >= b; };
  const auto& buckets = definition.buckets;
  if (std::adjacent_find(buckets.begin(), buckets.end(), descends) != buckets.end())
    bug(name, "buckets do not ascend");
  for (const auto& label : definition.labels) {
    if (!prometheus::CheckLabelName(label) || label == "le") bug(name, "not a label name");
  }
}

prometheus::ClientMetric::Histogram cumulative(const Series& series,
                                               const std::vector<double>& bounds) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_sum = series.value;
  for (std::size_t i = 0; i < series.in_bucket.size(); ++i) {
    histogram.sample_count += series.in_bucket[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  return histogram;
}

prometheus::MetricFamily to_prometheus(Family& family) {
  const auto& definition = family.definition;
  prometheus::MetricFamily result{
      definition.name, definition.help, prometheus::MetricType::Counter, {}};
  if (definition.type == Type::gauge) result.type = prometheus::MetricType::Gauge;
  if (definition.type == Type::histogram) result.type = prometheus::MetricType::Histogram;
  const std::lock_guard lock(family.mutex);
  for (const auto& [values, series] : family.series) {
    prometheus::ClientMetric metric;
    for (std::size_t i = 0; i < values.size(); ++i)
      metric.label.push_back({definition.labels[i], values[i]});
    metric.counter.value = metric.gauge.value = series.value;
    if (definition.type == Type::histogram)
      metric.histogram = cumulative(series, definition.buckets);
    result.metric.push_back(std::move(metric));
  }
  return result;
}

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::counter:
      return "counter";
    case Type::gauge:
      return "gauge";
    case Type::histogram:
      return "histogram";
  }
  return "";
}

void Counter::add(double by, LabelValues values) {
  const std::lock_guard lock(family_->mutex);
  family_->at(values).value += std::max(by, 0.0);
}

void Counter::raise_to(double total, LabelValues values) {
  const std::lock_guard lock(family_->mutex);
  auto& value = family_->at(values).value;
  value = std::max(value, total);
}

void Gauge::set(double value, LabelValues values) {
  const std::lock_guard lock(family_->mutex);
  family_->at(values).value = value;
}

void Gauge::clear() {
  const std::lock_guard lock(family_->mutex);
  family_->series.clear();
}

void Histogram::observe(double value, LabelValues values) {
  const std::lock_guard lock(family_->mutex);
  auto& series = family_->at(values);
  const auto& bounds = family_->definition.buckets;
  ++series.in_bucket[std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin()];
  series.value += value;
}

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

void Registry::declare(std::span<const Definition> definitions) {
  const std::lock_guard lock(state_->mutex);
  for (const auto& definition : definitions) {
    check(definition);
    auto& family = state_->families[definition.name];
    if (family) bug(definition.name, "declared twice");
    family = std::make_unique<Family>();
    family->definition = definition;
    if (definition.labels.empty()) family->at({});
  }
}

Family& Registry::family(std::string_view name, Type type) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->families.find(name);
  if (found == state_->families.end()) bug(name, "not declared");
  if (found->second->definition.type != type) bug(name, "declared with another type");
  return *found->second;
}

Counter Registry::counter(std::string_view name) {
  return Counter(family(name, Type::counter));
}
Gauge Registry::gauge(std::string_view name) {
  return Gauge(family(name, Type::gauge));
}
Histogram Registry::histogram(std::string_view name) {
  return Histogram(family(name, Type::histogram));
}

std::string Registry::render() const {
  std::vector<prometheus::MetricFamily> families;
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& [name, family] : state_->families) families.push_back(to_prometheus(*family));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

std::string document(std::span<const Definition> definitions) {
  std::vector<const Definition*> sorted;
  for (const auto& definition : definitions) sorted.push_back(&definition);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->name < b->name; });
  std::string table = "| Metric | Type | Labels | Meaning | Alert when |\n|---|---|---|---|---|\n";
  for (const auto* definition : sorted) {
    std::string labels;
    for (const auto& label : definition->labels)
      labels += (labels.empty() ? "`" : ", `") + label + "`";
    table += "| `" + definition->name + "` | " + std::string(to_string(definition->type)) + " | " +
             labels + " | " + definition->help + " | " + definition->alert + " |\n";
  }
  return table;
}

}  // namespace gitaiops::metrics
