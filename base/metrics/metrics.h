// Figures for Prometheus. A module lists its metrics as data, once; the list makes the registry's
// families and the documentation, so that neither knows a metric the other does not:
//
//   const metrics::Definition kMetrics[] = {
//       {"gitaiops_jobs_total", metrics::Type::counter, "Job reports stored.", {"outcome"}},
//   };
//   registry.declare(kMetrics);
//   auto jobs = registry.counter("gitaiops_jobs_total");
//   jobs.add(1, {"failed"});
//
// A wrong definition, an unknown name or a wrong number of label values is a bug of ours and aborts
// with its name. Bounded: at most kMaxSeries label combinations a metric; those that come later are
// counted together, with every label value "other".
//
// Thread safety: everything, any thread. Handles are values and live as long as their registry.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gitaiops::metrics {

inline constexpr std::size_t kMaxSeries = 1000;

enum class Type { counter, gauge, histogram };
std::string_view to_string(Type type);

struct Definition {
  std::string name;  // "gitaiops_…", SI unit at the end; a counter ends in "_total"
  Type type;
  std::string help;                      // one sentence
  std::vector<std::string> labels = {};  // names
  std::vector<double> buckets = {};      // histogram only: upper bounds, ascending, without +Inf
  std::string alert = {};                // when an operator should be told; empty: never by itself
};

// Values in the order of the definition's labels.
using LabelValues = std::initializer_list<std::string_view>;

struct Family;  // private

class Counter {
 public:
  void add(double by = 1, LabelValues values = {});  // a negative `by` is ignored
  // For a total that is counted elsewhere: never goes down.
  void raise_to(double total, LabelValues values = {});

 private:
  friend class Registry;
  explicit Counter(Family& family) : family_(&family) {}
  Family* family_;
};

class Gauge {
 public:
  void set(double value, LabelValues values = {});
  void clear();  // forgets every series: for gauges that are set anew at each scrape

 private:
  friend class Registry;
  explicit Gauge(Family& family) : family_(&family) {}
  Family* family_;
};

class Histogram {
 public:
  void observe(double value, LabelValues values = {});

 private:
  friend class Registry;
  explicit Histogram(Family& family) : family_(&family) {}
  Family* family_;
};

class Registry {
 public:
  Registry();
  ~Registry();

  // Names are unique in a registry.
  void declare(std::span<const Definition> definitions);
  Counter counter(std::string_view name);
  Gauge gauge(std::string_view name);
  Histogram histogram(std::string_view name);

  // Prometheus text format 0.0.4, families by name. A metric without labels is there from the
  // start, as 0.
  std::string render() const;

 private:
  Family& family(std::string_view name, Type type);
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

// A Markdown table of the definitions, by name: docs/metrics.md is made of these.
std::string document(std::span<const Definition> definitions);

}  // namespace gitaiops::metrics
